//! Runs the gateway's futures inside the Worker, without a promise per await.
//!
//! A future here waits for an [`crate::ops::Op`] that JavaScript completes with one call; completing
//! it polls the waiting future at once. That is what keeps the boundary between Rust and JavaScript
//! at a handful of crossings a request.
//!
//! The platform ties every timer and connection to the request in whose context it was started, so a
//! request's future only ever runs in its own context: one that another request wakes stays queued
//! until an operation of its own is completed. Whoever waits for another request has a timer beside
//! it (`pipeline::wait`).

use std::{cell::RefCell, future::Future};

use async_task::{Builder, Runnable};

thread_local! {
    static READY: RefCell<Vec<Runnable<u32>>> = const { RefCell::new(Vec::new()) };
}

/// Starts `future` in the context of `call` and runs it as far as it gets without waiting.
pub(crate) fn spawn(call: u32, future: impl Future<Output = ()> + 'static) {
    let (runnable, task) = Builder::new().metadata(call).spawn_local(|_| future, schedule);
    task.detach();
    within(call, || runnable.schedule());
}

/// Runs `wake` in the context of `call`, then what is ready of that call.
pub(crate) fn within(call: u32, wake: impl FnOnce()) {
    wake();
    while let Some(runnable) = next(call) {
        runnable.run();
    }
}

/// Queues a future that can go on, until its own context is entered or about to be left.
fn schedule(runnable: Runnable<u32>) {
    READY.with_borrow_mut(|ready| ready.push(runnable));
}

fn next(call: u32) -> Option<Runnable<u32>> {
    READY.with_borrow_mut(|ready| {
        let place = ready.iter().position(|runnable| *runnable.metadata() == call)?;
        Some(ready.remove(place))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        future::poll_fn,
        rc::Rc,
        task::{Poll, Waker},
    };

    use super::*;

    #[test]
    fn a_woken_future_goes_on_in_its_own_context_only() {
        let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
        let steps: Rc<Cell<u32>> = Rc::default();
        let (inner_waker, inner_steps) = (waker.clone(), steps.clone());
        spawn(7, async move {
            inner_steps.set(1);
            poll_fn(|context| match inner_waker.replace(Some(context.waker().clone())) {
                None => Poll::Pending,
                Some(_) => Poll::Ready(()),
            })
            .await;
            inner_steps.set(2);
        });
        assert_eq!(steps.get(), 1);
        let woken = waker.borrow().clone();
        within(8, || woken.unwrap().wake());
        assert_eq!(steps.get(), 1, "another call's context is not its own");
        within(7, || {});
        assert_eq!(steps.get(), 2);
    }
}
