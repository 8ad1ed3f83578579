//! Every decision the gateway takes, as values in and values out.
//!
//! Nothing here reads a clock, a network, a store, a random source or the environment: the caller
//! says what time it is, how the dice fell and what the store answered. That is why the same code
//! runs in the Worker and in tests that cover a month in a millisecond.

pub mod auth;
pub mod cache;
pub mod config;
pub mod http;
pub mod openai;
pub mod price;
pub mod refusal;
pub mod stream;
pub mod units;
