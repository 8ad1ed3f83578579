//! Waiting for another request of the same isolate, never for ever.
//!
//! On Workers a request may only go on in its own context, which nothing but its own timers enters.
//! So whoever waits looks for itself, a few milliseconds apart.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use futures_channel::oneshot::{Canceled, Receiver};

use super::host::{CallerLeft, Host};
use crate::units::DurationMs;

/// The first look, and the longest time between two.
const FIRST_LOOK: DurationMs = DurationMs(1);
const LAST_LOOK: DurationMs = DurationMs(16);

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
    let ends = host.now().plus(length);
    let mut look = FIRST_LOOK;
    while host.now() < ends {
        let mut timer = pin!(host.sleep(look.min(ends.since(host.now()))));
        let woken = poll_fn(|context| {
            if let Poll::Ready(sent) = Pin::new(&mut receiver).poll(context) {
                return Poll::Ready(Ok(Some(sent)));
            }
            timer.as_mut().poll(context).map(|slept| slept.map(|()| None))
        });
        match woken.await? {
            Some(Ok(value)) => return Ok(Woken::By(value)),
            Some(Err(Canceled)) => return Ok(Woken::Alone),
            None => look = DurationMs(look.0 * 2).min(LAST_LOOK),
        }
    }
    Ok(Woken::Late)
}
