//! The classifiers of this isolate: embedded, loaded once when the instance starts, outside any
//! request.
//!
//! A model that cannot be loaded is logged and missing from then on; whoever guards with it decides
//! what that means.

use std::{collections::BTreeMap, rc::Rc};

use tollhouse_classify::{Classifier, shipped, shipped_names};

use crate::glue;
use tollhouse_core::gather::Gather;

thread_local! {
    static MODELS: BTreeMap<&'static str, Rc<Classifier>> = shipped_names().filter_map(load).gather();
}

/// Loads every model, so that no request has to wait for one.
pub(crate) fn start() {
    MODELS.with(|_| ());
}

/// The model of that name; `None` if there is none or it could not be loaded.
pub(crate) fn named(name: &str) -> Option<Rc<Classifier>> {
    MODELS.with(|models| models.get(name).map(Rc::clone))
}

fn load(name: &'static str) -> Option<(&'static str, Rc<Classifier>)> {
    match shipped(name)? {
        Ok(classifier) => Some((name, Rc::new(classifier))),
        Err(problem) => {
            let event = serde_json::json!({
                "level": "error",
                "event": "model_rejected",
                "model": name,
                "problem": problem.to_string(),
            });
            glue::log(&event.to_string());
            None
        }
    }
}
