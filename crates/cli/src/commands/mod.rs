//! The smaller subcommands, one file each.

pub(crate) mod explain;
pub(crate) mod rules;
