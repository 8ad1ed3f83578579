//! Answers kept and found again.

pub mod key;
