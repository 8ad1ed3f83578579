//! The time, as the platform told it when it last entered Rust.
//!
//! The platform's clock stands still while the CPU works, so it is read once an entry and not once a
//! question.

use std::cell::Cell;

use tollhouse_core::units::UnixMs;

use crate::{glue, host::whole};

thread_local! {
    static NOW: Cell<UnixMs> = const { Cell::new(UnixMs(0)) };
}

/// Rust is entered at `now`, in milliseconds since 1970.
pub(crate) fn set(now: f64) {
    NOW.set(UnixMs(whole(now)));
}

/// The time within a request.
pub(crate) fn now() -> UnixMs {
    NOW.get()
}

/// The time read anew, for entries that do not bring it: those of the Durable Objects.
pub(crate) fn read() -> UnixMs {
    set(glue::now());
    now()
}
