//! The tests' own [`Host`](tollhouse_core::pipeline::host::Host): the gateway's pipeline natively, in
//! a world where time passes only when everybody waits.
//!
//! A [`World`] has a clock, limiter objects, a store for cached replies and providers that play
//! [`Play`]s. Requests of several isolates run interleaved on one thread; months pass in a moment,
//! and the same seed gives the same world.

mod host;
mod play;
mod world;

pub use host::{FakeHost, Heard};
pub use play::{Play, Step};
pub use world::{Asked, Request, World};
