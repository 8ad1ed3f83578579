//! The Durable Objects: state that all isolates share, kept in SQLite.

mod ledger;
mod limiter;
mod rows;

pub use ledger::Ledger;
pub use limiter::Limiter;
