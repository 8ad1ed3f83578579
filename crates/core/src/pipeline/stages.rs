//! The proofs that stages hand on.
//!
//! Their fields are private to the pipeline and nothing else makes them: who holds a proof knows that
//! its stage, and all before it, were passed.

use std::sync::Arc;

use crate::{
    auth::Caller,
    budget::Hold,
    config::valid::{Guard, Model},
    openai::{Effective, Endpoint, Envelope},
    rate::{Reservation, Subject},
};

/// The body is one JSON object within bounds.
#[derive(Debug)]
pub struct Parsed {
    pub(super) endpoint: Endpoint,
    pub(super) body: Arc<Envelope>,
}

/// The caller is known and may use the model that it names.
#[derive(Debug)]
pub struct Authenticated {
    pub(super) parsed: Parsed,
    pub(super) caller: Caller,
    pub(super) model: Arc<Model>,
    pub(super) subject: Subject,
}

/// The request is one that the API and the model's bounds allow; defaults are filled in.
#[derive(Debug)]
pub struct Validated {
    pub(super) caller: Caller,
    pub(super) model: Arc<Model>,
    pub(super) subject: Subject,
    pub(super) request: Effective,
}

/// The guards have let the caller's text pass; they will judge the answer too.
#[derive(Debug)]
pub struct Guarded(pub(super) Validated, pub(super) Vec<Arc<Guard>>);

/// Limits and budgets have room for it; its tokens and its money are set aside.
#[derive(Debug)]
pub struct Admitted {
    pub(super) guarded: Guarded,
    pub(super) reservation: Reservation,
    pub(super) hold: Hold,
}
