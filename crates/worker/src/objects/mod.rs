//! The Durable Objects: state that all isolates share, kept in SQLite.

#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod ledger;
#[expect(missing_docs, reason = "the methods that `durable_object` makes are the platform's")]
mod limiter;
mod rows;

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

pub use ledger::Ledger;
pub use limiter::Limiter;

/// What all of them bring, in order, each waiting beside the others.
async fn together<T>(all: impl Iterator<Item = Pin<Box<impl Future<Output = T>>>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|one| (one, None)).collect();
    poll_fn(|context| {
        for (one, done) in all.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = one.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if all.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, done)| done).collect()
}

/// What `first` brings, unless `second` is done before it.
async fn race<T>(first: impl Future<Output = T>, second: impl Future) -> Option<T> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => second.as_mut().poll(context).map(|_| None),
    })
    .await
}
