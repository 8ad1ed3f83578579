//! The configuration: as written, checked, valid.

pub mod valid;

pub use valid::Config;
