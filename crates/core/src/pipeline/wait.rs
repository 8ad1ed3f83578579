//! Waiting for another request of the same isolate, never for ever.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use futures_channel::oneshot::{Canceled, Receiver};

use super::host::{CallerLeft, Host};
use crate::units::DurationMs;

/// How a wait ended.
#[derive(Debug)]
pub(super) enum Woken<T> {
    /// The other request sent this.
    By(T),
    /// The other request let go of its end.
    Alone,
    /// It took too long.
    Late,
}

/// Waits until the other end of `receiver` sends or lets go, at most `length`.
///
/// # Errors
/// The caller has left.
pub(super) async fn wait<H: Host, T>(
    host: &H,
    mut receiver: Receiver<T>,
    length: DurationMs,
) -> Result<Woken<T>, CallerLeft> {
    let mut timer = pin!(host.sleep(length));
    poll_fn(|context| {
        match Pin::new(&mut receiver).poll(context) {
            Poll::Ready(Ok(value)) => return Poll::Ready(Ok(Woken::By(value))),
            Poll::Ready(Err(Canceled)) => return Poll::Ready(Ok(Woken::Alone)),
            Poll::Pending => {}
        }
        timer.as_mut().poll(context).map(|slept| slept.map(|()| Woken::Late))
    })
    .await
}
