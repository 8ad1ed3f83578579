//! Every decision the gateway takes, as values in and values out.
//!
//! Nothing here reads a clock, a network, a store, a random source or the environment: the caller
//! says what time it is, how the dice fell and what the store answered. That is why the same code
//! runs in the Worker and in tests that cover a month in a millisecond.

pub mod admin;
pub mod alert;
pub mod auth;
pub mod breaker;
pub mod budget;
pub mod cache;
pub mod config;
pub mod experiments;
pub mod gather;
pub mod guard;
pub mod health;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod mlflow;
pub mod mock;
pub mod oip;
pub mod openai;
pub mod pipeline;
pub mod placement;
pub mod pool;
pub mod price;
pub mod rate;
pub mod record;
pub mod redact;
pub mod refusal;
pub mod retry;
pub mod route;
pub mod router;
pub mod stream;
pub mod telemetry;
pub mod tokens;
pub mod units;
