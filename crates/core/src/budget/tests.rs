//! Isolates and an account together: what holds whatever happens to calls, messages and clocks.

mod properties;
mod scenarios;
mod world;
