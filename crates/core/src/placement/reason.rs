//! What speaks against the edge, in words that name both sides of each limit.

use std::fmt;

use super::{Format, Limits, Profile};

/// Why a model runs where it does.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Nothing speaks against the edge.
    Fits {
        /// CPU time of one full window, in milliseconds.
        edge_ms: f64,
        /// The most it may take.
        cpu_ms: f64,
        /// Bytes at the worst moment.
        memory: u64,
        /// The most it may take.
        limit: u64,
    },
    /// The edge has no runtime for the format.
    Format(Format),
    /// It uses operators that the edge has not.
    Operators(Vec<String>),
    /// It takes more memory than an isolate has for it.
    Memory {
        /// Bytes at the worst moment.
        found: u64,
        /// The most it may take.
        limit: u64,
    },
    /// It is too large to be shipped with the Worker.
    Bytes {
        /// Bytes on disk.
        found: u64,
        /// The most that may be shipped.
        limit: u64,
    },
    /// A full window takes too long.
    Cpu {
        /// Milliseconds at the edge.
        edge_ms: f64,
        /// The most it may take.
        limit: f64,
    },
    /// The edge's loader will not have it; why, in its words.
    Refused(String),
}

impl Reason {
    /// Its name in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fits { .. } => "fits",
            Self::Format(_) => "format",
            Self::Operators(_) => "operators",
            Self::Memory { .. } => "memory",
            Self::Bytes { .. } => "bytes",
            Self::Cpu { .. } => "cpu",
            Self::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fits { edge_ms, cpu_ms, memory, limit } => write!(
                out,
                "a full window takes {edge_ms:.2} ms of {cpu_ms} and {} of {}",
                Bytes(*memory),
                Bytes(*limit)
            ),
            Self::Format(format) => {
                write!(out, "the edge has no runtime for {} files", format.name())
            }
            Self::Operators(names) => {
                write!(out, "the edge's runtime has no {}", names.join(", "))
            }
            Self::Memory { found, limit } => write!(
                out,
                "it takes {} of memory, an isolate has {} for a model",
                Bytes(*found),
                Bytes(*limit)
            ),
            Self::Bytes { found, limit } => write!(
                out,
                "its files have {}, a script has room for {}",
                Bytes(*found),
                Bytes(*limit)
            ),
            Self::Cpu { edge_ms, limit } => {
                write!(out, "a full window takes {edge_ms:.1} ms at the edge, the limit is {limit}")
            }
            Self::Refused(why) => write!(out, "the edge's loader refuses it: {why}"),
        }
    }
}

/// A number of bytes as people read it, in powers of ten.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = super::real(self.0);
        match self.0 {
            0..1_000 => write!(out, "{} B", self.0),
            1_000..1_000_000 => write!(out, "{:.1} kB", amount / 1e3),
            1_000_000..1_000_000_000 => write!(out, "{:.1} MB", amount / 1e6),
            1_000_000_000.. => write!(out, "{:.1} GB", amount / 1e9),
        }
    }
}

/// Everything that speaks against the edge: what can never run there first.
pub(super) fn against(profile: &Profile, limits: &Limits, edge_ms: f64) -> Vec<Reason> {
    let mut against = Vec::new();
    match profile.format {
        Format::Gguf => against.push(Reason::Format(profile.format)),
        // Weights without a graph can be exported with one; until then their cost is what is known.
        Format::Onnx | Format::Nnef | Format::Safetensors | Format::Manifest => {}
    }
    if !profile.unsupported.is_empty() {
        against.push(Reason::Operators(profile.unsupported.clone()));
    }
    if profile.peak_memory > limits.memory {
        against.push(Reason::Memory { found: profile.peak_memory, limit: limits.memory });
    }
    if profile.bytes > limits.bytes {
        against.push(Reason::Bytes { found: profile.bytes, limit: limits.bytes });
    }
    // Written so that a time that is no number speaks against the edge.
    let is_in_time = edge_ms <= limits.cpu_ms;
    if !is_in_time {
        against.push(Reason::Cpu { edge_ms, limit: limits.cpu_ms });
    }
    if let Some(why) = &profile.refused {
        against.push(Reason::Refused(why.clone()));
    }
    against
}
