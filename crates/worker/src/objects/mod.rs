//! The Durable Objects: state that all isolates share, kept in SQLite.

#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod ledger;
#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod limiter;
mod rows;

pub use ledger::Ledger;
pub use limiter::Limiter;
