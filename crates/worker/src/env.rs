//! The Worker's variables and secrets.
//!
//! A deployment's variables do not change while its isolates live, so they are read once.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Object, Reflect};
use tollhouse_core::gather::Gather;
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    static TEXTS: RefCell<Option<BTreeMap<String, String>>> = const { RefCell::new(None) };
}

/// Reads every text among the bindings, the first time.
pub(crate) fn read(env: &JsValue) {
    TEXTS.with_borrow_mut(|texts| {
        if texts.is_none() {
            *texts = Some(texts_of(env));
        }
    });
}

/// The variable or secret `name`.
pub(crate) fn text(name: &str) -> Option<String> {
    TEXTS.with_borrow(|texts| texts.as_ref()?.get(name).cloned())
}

/// The variables that override parts of the configuration: `TOLLHOUSE__SECTION__KEY`.
pub(crate) fn overrides() -> Vec<(String, String)> {
    TEXTS.with_borrow(|texts| {
        texts
            .iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("TOLLHOUSE__"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    })
}

fn texts_of(env: &JsValue) -> BTreeMap<String, String> {
    let names = Object::keys(env.unchecked_ref::<Object>());
    names
        .iter()
        .filter_map(|name| {
            let value = Reflect::get(env, &name).ok()?.as_string()?;
            Some((name.as_string()?, value))
        })
        .gather()
}
