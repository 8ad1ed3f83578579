//! Operations that JavaScript carries out while Rust waits.
//!
//! An operation is started by one call of a function in `glue/ops.js` that is given a slot, and is
//! completed by one call of [`complete`] with the same slot. JavaScript completes every operation
//! exactly once, also when it fails or when the caller has left.

#![expect(unreachable_pub, reason = "wasm-bindgen exports what is `pub`, wherever it stands")]

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use slab::Slab;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{clock, executor, glue};

/// How an operation ended, as `glue/ops.js` numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It succeeded; the number is an HTTP status where there is one.
    Done(u16),
    /// It took longer than it was given.
    TimedOut,
    /// No connection was made in the time given for it.
    ConnectTimedOut,
    /// It failed: a refused connection, a broken stream, a store that does not answer.
    Failed,
    /// The caller left, so it was called off.
    CallerLeft,
    /// What was read is longer than it may be.
    TooLong,
    /// A stream has nothing more, or a store holds nothing.
    Nothing,
}

/// What JavaScript hands back.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) ending: Ending,
    /// Header lines, or the text of an error.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

enum Slot {
    Waiting(Option<Waker>),
    Complete(Completion),
    /// Nobody waits any more: the completion is dropped when it comes.
    Abandoned,
}

thread_local! {
    static SLOTS: RefCell<Slab<Slot>> = const { RefCell::new(Slab::new()) };
}

/// A running operation; resolves when JavaScript completes it.
#[derive(Debug)]
pub(crate) struct Op {
    slot: usize,
    finished: bool,
}

impl Op {
    /// Takes a slot and hands its number to `start`, which starts the operation.
    pub(crate) fn start(start: impl FnOnce(u32)) -> Self {
        let slot = SLOTS.with_borrow_mut(|slots| slots.insert(Slot::Waiting(None)));
        start(u32::try_from(slot).unwrap_or(u32::MAX));
        Self { slot, finished: false }
    }
}

impl Future for Op {
    type Output = Completion;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Completion> {
        let slot = self.slot;
        let completion = SLOTS.with_borrow_mut(|slots| {
            if let Some(Slot::Waiting(waker)) = slots.get_mut(slot) {
                *waker = Some(context.waker().clone());
                return None;
            }
            match slots.try_remove(slot) {
                Some(Slot::Complete(completion)) => Some(completion),
                Some(Slot::Waiting(_) | Slot::Abandoned) | None => None,
            }
        });
        match completion {
            Some(completion) => {
                self.finished = true;
                Poll::Ready(completion)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        SLOTS.with_borrow_mut(|slots| {
            if let Some(Slot::Complete(_)) = slots.get(self.slot) {
                slots.remove(self.slot);
            } else if let Some(slot) = slots.get_mut(self.slot) {
                *slot = Slot::Abandoned;
            }
        });
        // Frees the slot through its completion.
        glue::cancel(u32::try_from(self.slot).unwrap_or(u32::MAX));
    }
}

/// Called by JavaScript once for each started operation.
#[wasm_bindgen]
pub fn complete(call: u32, slot: u32, ending: i32, head: String, body: Vec<u8>, now: f64) {
    clock::set(now);
    let completion = Completion { ending: read_ending(ending), head, body };
    let Ok(slot) = usize::try_from(slot) else { return };
    let waker = SLOTS.with_borrow_mut(|slots| match slots.get_mut(slot) {
        Some(Slot::Abandoned) => {
            slots.remove(slot);
            None
        }
        Some(entry @ Slot::Waiting(_)) => {
            match std::mem::replace(entry, Slot::Complete(completion)) {
                Slot::Waiting(waker) => waker,
                Slot::Complete(_) | Slot::Abandoned => None,
            }
        }
        Some(Slot::Complete(_)) | None => None,
    });
    if let Some(waker) = waker {
        executor::within(call, || waker.wake());
    }
}

fn read_ending(number: i32) -> Ending {
    match number {
        -1 => Ending::TimedOut,
        -3 => Ending::CallerLeft,
        -4 => Ending::TooLong,
        -5 => Ending::Nothing,
        -6 => Ending::ConnectTimedOut,
        number => u16::try_from(number).map_or(Ending::Failed, Ending::Done),
    }
}
