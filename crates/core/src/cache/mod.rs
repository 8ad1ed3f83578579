//! The cache of replies: what may be kept, under which key, in which form.

pub mod entry;
pub mod flight;
pub mod key;
pub mod policy;
pub mod store;
