//! The world: one clock for all, what is shared between isolates, and who runs next.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use serde_json::{Value, json};
use tollhouse_core::{
    config::{self, Source},
    guard::answers::Judging,
    openai::Endpoint,
    pipeline::{self, Gate, exchange::Arrived},
    rate,
    record::RequestId,
    units::{DurationMs, UnixMs},
};

use super::{
    host::{FakeHost, Heard},
    play::Play,
};

/// Decides what a provider does: by the call's number from 1, and its body.
type Script = Box<dyn Fn(usize, &Value) -> Play>;
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A call that a provider got.
#[derive(Debug, Clone)]
pub struct Call {
    /// When.
    pub at: u64,
    /// Its body.
    pub body: Value,
}

/// A world.
pub struct World {
    now: Cell<u64>,
    dice: Cell<u64>,
    timers: RefCell<Vec<(u64, Waker)>>,
    scripts: RefCell<BTreeMap<String, Script>>,
    calls: RefCell<BTreeMap<String, Vec<Call>>>,
    limiters: RefCell<BTreeMap<String, rate::Limiter>>,
    pub(super) store: RefCell<BTreeMap<String, (Vec<u8>, u64)>>,
    /// Whether limiter objects can be reached.
    pub limiter_up: Cell<bool>,
    /// Whether the store of cached replies can be reached.
    pub store_up: Cell<bool>,
}

/// What a caller may ask for.
#[derive(Debug, Clone, Copy)]
pub enum Asked {
    /// A model's answer.
    Model(Endpoint),
    /// A classifier's.
    Judgement(Judging),
}

/// What a caller sends.
#[derive(Debug, Clone)]
pub struct Request {
    /// The body.
    pub body: Value,
    /// What is asked for.
    pub asked: Asked,
    /// Milliseconds after which the caller hangs up.
    pub leaves_after: Option<u64>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// A chat with `model`; `more` is merged into its body.
    pub fn chat(model: &str, more: &Value) -> Self {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        Self::of(Asked::Model(Endpoint::ChatCompletions), body)
    }

    /// Vectors of `input`.
    pub fn embeddings(model: &str, input: &Value) -> Self {
        let body = json!({"model": model, "input": input});
        Self::of(Asked::Model(Endpoint::Embeddings), body)
    }

    /// The classes of `inputs`.
    pub fn classify(model: &str, inputs: &Value) -> Self {
        Self::of(Asked::Judgement(Judging::Classify), json!({"model": model, "inputs": inputs}))
    }

    fn of(asked: Asked, body: Value) -> Self {
        Self { body, asked, leaves_after: None, headers: Vec::new() }
    }

    /// A chat that is answered by events.
    pub fn stream(model: &str) -> Self {
        Self::chat(model, &json!({"stream": true, "stream_options": {"include_usage": true}}))
    }

    /// The same from a caller who hangs up after `ms`.
    pub fn leaving_after(self, ms: u64) -> Self {
        Self { leaves_after: Some(ms), ..self }
    }

    /// The same with a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl World {
    /// A world in which the 23rd of November 2026 begins.
    pub fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(1_795_392_000_000),
            dice: Cell::new(seed | 1),
            timers: RefCell::default(),
            scripts: RefCell::default(),
            calls: RefCell::default(),
            limiters: RefCell::default(),
            store: RefCell::default(),
            limiter_up: Cell::new(true),
            store_up: Cell::new(true),
        })
    }

    /// What the provider at `http://HOST/v1` does.
    pub fn provider(&self, host: &str, script: impl Fn(usize, &Value) -> Play + 'static) {
        self.scripts.borrow_mut().insert(host.to_owned(), Box::new(script));
    }

    /// The calls that the provider at `http://HOST/v1` got.
    pub fn calls(&self, host: &str) -> Vec<Call> {
        self.calls.borrow().get(host).cloned().unwrap_or_default()
    }

    /// An isolate with this configuration.
    pub fn isolate(&self, toml: &str) -> Rc<Gate> {
        let source = Source { name: "test", text: toml };
        let loaded =
            config::load(source, &[], self.now()).unwrap_or_else(|report| panic!("{report}"));
        Rc::new(Gate::new(Rc::new(loaded.config), BTreeMap::new()))
    }

    /// The time.
    pub fn now(&self) -> UnixMs {
        UnixMs(self.now.get())
    }

    /// Lets `ms` pass.
    pub fn pass(self: &Rc<Self>, ms: u64) {
        let world = self.clone();
        self.run(vec![Box::pin(async move { world.until(world.now.get() + ms).await })]);
    }

    /// Serves one request by `gate`.
    pub fn serve(self: &Rc<Self>, gate: &Rc<Gate>, request: Request) -> Heard {
        self.serve_all(vec![(0, gate.clone(), request)]).remove(0)
    }

    /// Serves requests that come `after` milliseconds each, by their isolates; what was heard of each
    /// is in the same order.
    pub fn serve_all(self: &Rc<Self>, requests: Vec<(u64, Rc<Gate>, Request)>) -> Vec<Heard> {
        let heard: Vec<Rc<RefCell<Heard>>> = requests.iter().map(|_| Rc::default()).collect();
        let tasks = requests.into_iter().zip(&heard).map(|((after, gate, request), heard)| {
            let (world, heard) = (self.clone(), heard.clone());
            let task = async move {
                world.until(world.now.get() + after).await;
                let id = RequestId::new(u128::from(world.throw()));
                let mut headers = request.headers.clone();
                headers.push(("content-type".into(), "application/json".into()));
                let arrived = Arrived { method: "POST".into(), headers, ..Arrived::default() };
                let asked = request.asked;
                let host = FakeHost::new(world, request, heard);
                match asked {
                    Asked::Model(endpoint) => {
                        pipeline::run(&host, &gate, arrived, endpoint, id).await;
                    }
                    Asked::Judgement(judging) => {
                        pipeline::judging::judge(&host, &gate, arrived, judging, id).await;
                    }
                }
            };
            Box::pin(task) as Task
        });
        self.run(tasks.collect());
        heard.into_iter().map(|heard| heard.take()).collect()
    }

    /// 64 random bits.
    pub(super) fn throw(&self) -> u64 {
        // Xorshift, Marsaglia 2003.
        let mut bits = self.dice.get();
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        self.dice.set(bits);
        bits
    }

    /// Notes a call to `host` and says what it does.
    pub(super) fn call(&self, host: &str, body: &[u8]) -> Play {
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(body).expect("the gateway sends JSON")
        };
        let mut calls = self.calls.borrow_mut();
        let calls = calls.entry(host.to_owned()).or_default();
        calls.push(Call { at: self.now.get(), body: body.clone() });
        let scripts = self.scripts.borrow();
        scripts.get(host).unwrap_or_else(|| panic!("no provider at {host}"))(calls.len(), &body)
    }

    /// One message to the limiter object of `group`.
    pub(super) fn limit(&self, group: &str, message: &[u8]) -> Vec<u8> {
        let mut limiters = self.limiters.borrow_mut();
        let limiter = limiters
            .entry(group.to_owned())
            .or_insert_with(|| rate::Limiter::restore([]).expect("nothing is no bad row"));
        limiter.handle(message, self.now()).expect("the gateway sends good messages")
    }

    /// Waits until `moment`.
    pub(super) async fn until(&self, moment: u64) {
        std::future::poll_fn(|context| {
            if self.now.get() >= moment {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().push((moment, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Waits `length`, or for as long as the world stands.
    pub(super) async fn sleep(&self, length: DurationMs) {
        self.until(self.now.get().saturating_add(length.0)).await;
    }

    /// Runs `tasks` to their ends. When all of them wait, the clock goes to the next moment that one
    /// of them waits for.
    fn run(&self, tasks: Vec<Task>) {
        let woken = |_: &Task| Arc::new(Flag(AtomicBool::new(true)));
        let mut tasks: Vec<(Arc<Flag>, Task)> =
            tasks.into_iter().map(|task| (woken(&task), task)).collect();
        while !tasks.is_empty() {
            let mut moved = false;
            tasks.retain_mut(|(flag, task)| {
                if !flag.0.swap(false, Ordering::Relaxed) {
                    return true;
                }
                moved = true;
                let waker = Waker::from(flag.clone());
                task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if !moved {
                self.skip();
            }
        }
    }

    fn skip(&self) {
        let mut timers = self.timers.borrow_mut();
        let next =
            timers.iter().map(|(moment, _)| *moment).min().expect("everybody waits for ever");
        assert!(next < u64::MAX / 2, "everybody waits for ever");
        self.now.set(next.max(self.now.get()));
        let due: Vec<_> = timers.extract_if(.., |(moment, _)| *moment <= next).collect();
        drop(timers);
        for (_, waker) in due {
            waker.wake();
        }
    }
}

/// Whether a task can go on.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
