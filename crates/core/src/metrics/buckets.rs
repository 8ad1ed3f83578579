//! Histogram boundaries: integers in the unit that is counted, milliseconds or tokens.
//!
//! The three OpenTelemetry sets are the ones its GenAI conventions prescribe; ours follow where ours
//! has no counterpart there. Source:
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md>.

/// The most boundaries that a set has.
pub(crate) const MOST: usize = 16;

/// A model call: 10 ms to 82 s, doubling (`gen_ai.client.operation.duration` and
/// `…time_to_first_chunk`). Whole requests use it too, so that both can be laid over each other.
pub(crate) const OPERATION_MS: &[u64] =
    &[10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 81_920];

/// Tokens of one call: powers of four (`gen_ai.client.token.usage`).
pub(crate) const TOKENS: &[u64] = &[
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
    67_108_864,
];

/// Time to the first token that the caller sees: finer below 100 ms and around a second, where
/// people notice (`gen_ai.server.time_to_first_token`).
pub(crate) const FIRST_TOKEN_MS: &[u64] =
    &[1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/// Our own share of a request. The budget is a millisecond, the clock's step; what lies far above it
/// waited for the limiter, the cache or a guard.
pub(crate) const OVERHEAD_MS: &[u64] = &[0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_rise_and_fit_a_histogram() {
        for set in [OPERATION_MS, TOKENS, FIRST_TOKEN_MS, OVERHEAD_MS] {
            assert!(set.len() <= MOST && set.is_sorted_by(|a, b| a < b), "{set:?}");
        }
    }
}
