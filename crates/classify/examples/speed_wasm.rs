//! The same models in WebAssembly, for a Worker that is timed from outside: the clock stands still
//! inside one.

#![expect(unsafe_code, reason = "exported names are not mangled; nothing else here is unsafe")]
#![expect(clippy::panic, reason = "a benchmark may fail loudly")]

mod models;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use tollhouse_classify::{Classifier, shipped_names};

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static LOADED: RefCell<HashMap<usize, Rc<Classifier>>> = RefCell::default();
}

/// Room for a text of so many bytes, to be written before [`judge`].
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        *text = vec![0; bytes];
        text.as_mut_ptr()
    })
}

/// Judges the text so many times by the model of that place among the names, sorted; the first time,
/// it is loaded.
///
/// # Panics
/// There is no such model, or it cannot judge.
#[unsafe(no_mangle)]
pub extern "C" fn judge(model: usize, times: u32) -> f64 {
    let classifier = LOADED.with_borrow_mut(|loaded| {
        let name = || shipped_names().nth(model).unwrap_or_else(|| panic!("no model {model}"));
        Rc::clone(loaded.entry(model).or_insert_with(|| Rc::new(models::load(name()))))
    });
    TEXT.with_borrow(|text| models::judge(&classifier, &String::from_utf8_lossy(text), times))
}
