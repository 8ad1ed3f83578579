//! The Durable Objects: state that all isolates share, kept in SQLite.

#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod ledger;
#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod limiter;
mod rows;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

pub use ledger::Ledger;
pub use limiter::Limiter;

/// What `first` brings, unless `second` is done before it.
async fn race<T>(first: impl Future<Output = T>, second: impl Future) -> Option<T> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => second.as_mut().poll(context).map(|_| None),
    })
    .await
}
