//! The object `LIMITER`: one for each key and each model, with that one's token buckets.

use std::cell::RefCell;

use tollhouse_core::rate;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::rows::Rows;
use crate::clock::read as now;

/// The buckets of one key or one model.
#[durable_object(fetch)]
pub struct Limiter {
    state: State,
    loaded: RefCell<Option<(Rows, rate::Limiter)>>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, loaded: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let message = request.bytes().await?;
        match self.handle(&message) {
            Ok(reply) => Response::from_bytes(reply),
            Err(error) => Response::error(error.to_string(), 400),
        }
    }
}

impl Limiter {
    /// Nothing is awaited between reading the state and writing it, and the platform holds the reply
    /// back until what was written is on disk: so what was granted is never forgotten.
    fn handle(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut loaded = self.loaded.borrow_mut();
        let (rows, limiter) = if let Some(pair) = loaded.take() {
            loaded.insert(pair)
        } else {
            let rows = Rows::open(&self.state)?;
            let limiter = rate::Limiter::restore(rows.all()?).map_err(|error| error.to_string())?;
            loaded.insert((rows, limiter))
        };
        let reply = limiter.handle(message, now()).map_err(|error| error.to_string())?;
        rows.write(limiter.changed_rows().into_iter().map(|(key, value)| (key, Some(value))))?;
        Ok(reply)
    }
}
