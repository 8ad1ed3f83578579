//! What operators are shown: how the gateway stands and what happened lately, as JSON for the page at
//! `/admin`; and who may look, which is whoever sends the admin key without guessing at it.
//!
//! Nothing here has a clock or reads a store: the ledger object says what it holds.

mod guesses;
mod status;

pub use guesses::Guesses;
pub use status::{Status, Window};
