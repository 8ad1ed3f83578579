//! The same model in WebAssembly, for a Worker that is timed from outside: the clock stands still
//! inside one.

#![expect(unsafe_code, reason = "exported names are not mangled; nothing else here is unsafe")]
#![expect(clippy::panic, reason = "a benchmark may fail loudly")]

mod stages;

use std::cell::RefCell;

use stages::Gate;
use tollhouse_classify::Classifier;

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static LINEAR: Option<Classifier> = stages::load("prompt-injection", Gate::Shut);
    static BOTH: Option<Classifier> = stages::load("prompt-injection", Gate::Open);
}

/// Room for a text of so many bytes, to be written before [`judge`].
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        *text = vec![0; bytes];
        text.as_mut_ptr()
    })
}

/// Judges the text so many times, with the core or without; −1 if the model has none.
#[unsafe(no_mangle)]
pub extern "C" fn judge(times: u32, core: bool) -> f64 {
    let run = |classifier: &Option<Classifier>| {
        let Some(classifier) = classifier else { return -1.0 };
        TEXT.with_borrow(|text| stages::judge(classifier, &String::from_utf8_lossy(text), times))
    };
    if core { BOTH.with(run) } else { LINEAR.with(run) }
}
