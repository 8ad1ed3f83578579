//! Findings as text for machines: JSON lines, SARIF 2.1.0, GitHub annotations.

mod github;
mod json;
mod sarif;

pub use github::github;
pub use json::json_lines;
pub use sarif::sarif;
