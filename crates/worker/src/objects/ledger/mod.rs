//! The object `LEDGER`: what all isolates have counted.
//!
//! It is one object or several, the *shards*: each takes the counts of some isolates. The first of
//! them, the *chief*, is the one that is asked: it adds up all shards for `/metrics` and
//! `/admin/usage`, and by its alarm sends alerts and metrics, keeps track of experiments ([`track`]) and
//! lets old usage go ([`chief`]).

mod admin;
mod chief;
mod failures;
mod opinions;
mod post;
mod probes;
mod shard;
mod timeline;
mod track;
mod usage;

use std::cell::RefCell;

use chief::Chief;
use shard::Shard;
use track::Track;
use worker::{
    DurableObject, Env, Headers, Request, Response, Result, State, durable_object,
    wasm_bindgen::JsValue,
};

/// Counts and usage.
#[durable_object(alarm)]
pub struct Ledger {
    state: State,
    env: Env,
    shard: RefCell<Option<Shard>>,
    chief: RefCell<Option<Chief>>,
    track: RefCell<Option<Track>>,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        let bindings: &JsValue = env.as_ref();
        crate::env::read(bindings);
        Self {
            state,
            env,
            shard: RefCell::new(None),
            chief: RefCell::new(None),
            track: RefCell::new(None),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let path = request.path();
        let text = || String::from_utf8_lossy(&body);
        match path.as_str() {
            "/delta" => {
                self.with_shard(|shard| shard.merge(&body, &self.env))?;
                Response::empty()
            }
            "/export" => Response::from_json(&self.with_shard(|shard| shard.export(&text()))?),
            "/config" => {
                if self.with_chief(|chief| chief.configure(&text()))? {
                    self.with_track(|track| {
                        track.reconsider();
                        Ok(())
                    })?;
                }
                self.arm().await?;
                Response::empty()
            }
            "/feedback" => {
                let said = serde_json::from_slice(&body)?;
                let mlflow = self.with_chief(|chief| Ok(chief.mlflow().cloned()))?;
                self.with_track(|track| track.say(&said, mlflow.as_ref()))?;
                self.arm().await?;
                Response::empty()
            }
            "/spans" => {
                self.with_track(|track| track.add_spans(&body))?;
                self.arm().await?;
                Response::empty()
            }
            "/rejected" => {
                self.with_chief(|chief| chief.rejected(&text()))?;
                // Somebody should know at once.
                self.state.storage().set_alarm(0_i64).await?;
                Response::empty()
            }
            "/pools" => text_response(&self.reports()?, "application/json"),
            "/metrics" => self.metrics(&text()).await,
            "/usage" => self.usage(&text()).await,
            "/status" => self.status(&text()).await,
            "/errors" => self.errors().await,
            "/trace" => {
                self.keep_trace(&text())?;
                Response::empty()
            }
            "/traced" => self.trace(&text()),
            _ => Response::error("no such path", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.tick().await?;
        Response::empty()
    }
}

impl Ledger {
    fn with_shard<T>(&self, run: impl FnOnce(&mut Shard) -> Result<T>) -> Result<T> {
        let mut loaded = self.shard.borrow_mut();
        let shard = match loaded.take() {
            Some(shard) => loaded.insert(shard),
            None => loaded.insert(Shard::open(&self.state)?),
        };
        run(shard)
    }

    fn with_track<T>(&self, run: impl FnOnce(&mut Track) -> Result<T>) -> Result<T> {
        let mut loaded = self.track.borrow_mut();
        let track = match loaded.take() {
            Some(track) => loaded.insert(track),
            None => loaded.insert(Track::open(&self.state)?),
        };
        run(track)
    }

    fn with_chief<T>(&self, run: impl FnOnce(&mut Chief) -> Result<T>) -> Result<T> {
        let mut loaded = self.chief.borrow_mut();
        let chief = match loaded.take() {
            Some(chief) => loaded.insert(chief),
            None => loaded.insert(Chief::open(&self.state)?),
        };
        run(chief)
    }
}

fn text_response(text: &str, content_type: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    Ok(Response::ok(text)?.with_headers(headers))
}
