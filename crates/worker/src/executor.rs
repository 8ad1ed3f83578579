//! Runs the gateway's futures inside the Worker, without a promise per await.
//!
//! A future here waits for an [`crate::ops::Op`] that JavaScript completes with one call; completing
//! it polls the waiting future at once. That is what keeps the boundary between Rust and JavaScript
//! at a handful of crossings a request.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
};

use async_task::Runnable;

thread_local! {
    static READY: RefCell<VecDeque<Runnable>> = const { RefCell::new(VecDeque::new()) };
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Starts `future` and runs it as far as it gets without waiting.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    let (runnable, task) = async_task::spawn_local(future, schedule);
    task.detach();
    runnable.schedule();
}

/// Queues a future that can go on, and runs the queue unless somebody up the stack already does.
fn schedule(runnable: Runnable) {
    READY.with_borrow_mut(|ready| ready.push_back(runnable));
    if DRAINING.replace(true) {
        return;
    }
    while let Some(next) = READY.with_borrow_mut(VecDeque::pop_front) {
        next.run();
    }
    DRAINING.set(false);
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        rc::Rc,
        task::{Poll, Waker},
    };

    use super::*;

    #[test]
    fn a_woken_future_goes_on_before_wake_returns() {
        let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
        let steps: Rc<Cell<u32>> = Rc::default();
        let (inner_waker, inner_steps) = (waker.clone(), steps.clone());
        spawn(async move {
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
        woken.unwrap().wake();
        assert_eq!(steps.get(), 2);
    }
}
