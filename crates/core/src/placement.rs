//! Where a model runs: in the Worker (`edge`) or on hardware of one's own (`gpu`).
//!
//! [`place`] decides from a model's measured [`Profile`], the platform's [`Limits`] and a [`Calibration`]
//! of how fast the edge computes. Nothing is read or measured here; `tollhouse place`, the linter and the
//! tests bring the numbers. Bytes are bytes, work is multiply-adds and table look-ups, times are
//! milliseconds of CPU. What follows for a single request is [`cascade`]'s to decide.

pub mod cascade;
mod reason;

pub use reason::Reason;

/// Where a model's numbers were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An ONNX graph.
    Onnx,
    /// An NNEF folder or archive.
    Nnef,
    /// The header of a safetensors file: weights without a graph.
    Safetensors,
    /// The header of a GGUF file: weights for llama.cpp and its kin.
    Gguf,
    /// A classifier's folder with its `manifest.toml`, which the Worker loads as it is.
    Manifest,
}

impl Format {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Nnef => "nnef",
            Self::Safetensors => "safetensors",
            Self::Gguf => "gguf",
            Self::Manifest => "manifest",
        }
    }
}

/// What a model is, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where the numbers were read.
    pub format: Format,
    /// Weights, counted one by one.
    pub parameters: u64,
    /// Bytes on disk, weights in other files included.
    pub bytes: u64,
    /// Multiply-adds a token, attention over a whole window included where the graph tells of it.
    pub macs_per_token: u64,
    /// Look-ups in tables of hashed n-grams a token.
    pub lookups_per_token: u64,
    /// Tokens of one full window, which [`Decision::edge_ms`] is about; at least 1.
    pub window: u64,
    /// Bytes at the worst moment: the file, the weights as the runtime holds them, and what is between
    /// the layers.
    pub peak_memory: u64,
    /// Operators that the edge's runtime has not, sorted.
    pub unsupported: Vec<String>,
    /// Why the edge's loader will not have the model, where it was asked.
    pub refused: Option<String>,
}

/// What a model may take at the edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes that one model may take of an isolate's memory.
    pub memory: u64,
    /// Bytes of a model that may be shipped with the Worker's script.
    pub bytes: u64,
    /// CPU time of one full window, in milliseconds.
    pub cpu_ms: f64,
}

impl Limits {
    /// What Cloudflare documents for Workers (developers.cloudflare.com/workers/platform/limits, 2026-11),
    /// less what the gateway takes for itself.
    ///
    /// - An isolate has 128 MB of memory. Half is left to the Worker: its code (9 MB of WebAssembly, which
    ///   the engine compiles to about twice that), bodies of requests at once and cached replies.
    /// - A script may have 64 MiB. The Worker's own takes 10.
    /// - A request has 10 ms of CPU on the free plan and 30 s by default on the paid one. The first is the
    ///   limit here: a model beyond it holds up every other request of its isolate, whatever the plan.
    pub const WORKERS: Self = Self { memory: 64_000_000, bytes: 54 << 20, cpu_ms: 10.0 };
}

/// How fast the edge computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Multiply-adds a millisecond.
    pub macs_per_ms: f64,
    /// Look-ups of hashed n-grams a millisecond.
    pub lookups_per_ms: f64,
}

/// How many times longer a graph runs in WebAssembly than native on the same machine.
///
/// The same transformer (two layers of 128, 128 tokens) took 2.0 ms native and 6.6 to 7.3 ms under workerd
/// with 128-bit SIMD; this is the slower.
pub const WASM_RATIO: f64 = 3.65;

impl Calibration {
    /// Measured under workerd with the edge's own runtime (tract 0.23, 128-bit SIMD).
    ///
    /// - A transformer of two layers of 128 over 128 tokens is 58.7 million multiply-adds and took 7.3 ms;
    ///   MiniLM-L6 is 1,430 million and took 150 ms, which is 9.5 million a millisecond. The lower counts.
    /// - `prompt-injection` hashes about 23 n-grams a token and is held to 0.3 ms for 128 tokens, which is
    ///   9,800 a millisecond.
    pub const WORKERD: Self = Self { macs_per_ms: 8.0e6, lookups_per_ms: 9_800.0 };

    /// The edge's speed on a machine that does `macs_per_ms` and `lookups_per_ms` native, by
    /// [`WASM_RATIO`].
    pub fn from_native(macs_per_ms: f64, lookups_per_ms: f64) -> Self {
        Self { macs_per_ms: macs_per_ms / WASM_RATIO, lookups_per_ms: lookups_per_ms / WASM_RATIO }
    }

    /// Milliseconds at the edge for one full window of a model.
    pub fn edge_ms(&self, profile: &Profile) -> f64 {
        let per_token = real(profile.macs_per_token) / self.macs_per_ms
            + real(profile.lookups_per_token) / self.lookups_per_ms;
        per_token * real(profile.window)
    }
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// In the Worker.
    Edge,
    /// On a GPU server that the Worker calls.
    Gpu,
}

impl Verdict {
    /// Its name in reports and configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Gpu => "gpu",
        }
    }
}

/// Where a model runs, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Where it runs.
    pub verdict: Verdict,
    /// What speaks against the edge, the gravest first; what it fits into where nothing does.
    pub reasons: Vec<Reason>,
    /// CPU time of one full window at the edge, in milliseconds.
    pub edge_ms: f64,
}

/// Decides where a model runs: at the edge unless something speaks against it.
///
/// # Examples
/// ```
/// use tollhouse_core::placement::{Calibration, Format, Limits, Profile, Verdict, place};
///
/// let tiny = Profile {
///     format: Format::Onnx,
///     parameters: 400_000,
///     bytes: 1_600_000,
///     macs_per_token: 459_000,
///     lookups_per_token: 0,
///     window: 128,
///     peak_memory: 4_000_000,
///     unsupported: Vec::new(),
///     refused: None,
/// };
/// assert_eq!(place(&tiny, &Limits::WORKERS, &Calibration::WORKERD).verdict, Verdict::Edge);
/// ```
pub fn place(profile: &Profile, limits: &Limits, calibration: &Calibration) -> Decision {
    let edge_ms = calibration.edge_ms(profile);
    let against = reason::against(profile, limits, edge_ms);
    if against.is_empty() {
        let fits = Reason::Fits {
            edge_ms,
            cpu_ms: limits.cpu_ms,
            memory: profile.peak_memory,
            limit: limits.memory,
        };
        return Decision { verdict: Verdict::Edge, reasons: vec![fits], edge_ms };
    }
    Decision { verdict: Verdict::Gpu, reasons: against, edge_ms }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 are estimates to begin with"
)]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
