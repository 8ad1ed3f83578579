//! A whole stream kept for the cache, and played again for a later caller.
//!
//! Kept is what the provider sent after the gateway had read it: each event once, the usage
//! included. A replay goes through a fresh [`Relay`](super::Relay), so that each caller sees the
//! usage or not as it asked.

/// The longest stream that is kept, in bytes.
const MAX_RECORDING_BYTES: usize = 4 << 20;

/// The events of one stream, as `data: …` lines with their blank lines.
#[derive(Debug, Default, Clone)]
pub struct Recording {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Recording {
    /// Adds one event.
    pub(super) fn add(&mut self, data: &str) {
        if self.overflowed || self.bytes.len() + data.len() > MAX_RECORDING_BYTES {
            self.overflowed = true;
            self.bytes = Vec::new();
            return;
        }
        super::relay::write_event(&mut self.bytes, data);
    }

    /// The stream's bytes, unless it was too long to keep.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        (!self.overflowed && !self.bytes.is_empty()).then_some(self.bytes)
    }
}
