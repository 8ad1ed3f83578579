//! The sieve before parsing: what a text holds if its package may touch models.

use crate::knowledge::{CrateKind, Knowledge};

/// Every string that marks a file as worth parsing; each is longer than three bytes.
pub(super) fn needles(knowledge: &Knowledge) -> Vec<String> {
    let mut needles: Vec<String> = knowledge.endpoints.needles().map(str::to_owned).collect();
    let touching = knowledge
        .crates()
        .iter()
        .filter(|known| matches!(known.kind, CrateKind::ModelClient | CrateKind::Inference));
    for known in touching {
        needles.push(known.package.clone());
        needles.push(known.lib.clone());
    }
    needles.extend(
        [
            "\"sk-",
            "\"gsk_",
            "\"AIza",
            "\"hf_",
            "\"xai-",
            "\"AKIA",
            "\"model\"",
            "tollhouse:",
            "messages",
        ]
        .map(str::to_owned),
    );
    needles.retain(|needle| needle.len() > 3);
    needles
}
