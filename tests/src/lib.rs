//! What the end-to-end tests and the benchmarks share: the gateway under workerd, a provider that
//! does exactly what it is told, and clients.

pub mod bench;
pub mod client;
pub mod fake;
pub mod faults;
pub mod keys;
pub mod mlflow;
pub mod provider;
pub mod readme;
pub mod skip;
pub mod soak;
pub mod wait;
pub mod workerd;
