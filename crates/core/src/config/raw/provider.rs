//! `[providers.…]`

use super::{Kind, List, Named, Secret, Whole};
use crate::config::valid::Placement;

raw! {
    /// Where models are run.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["kind"])))]
    RawProvider {
        /// How to speak to it.
        kind: Kind,
        /// `openai`: the address before `/chat/completions`, by default OpenAI's; `oip`: the address before `/v2`. Private hosts and plain http are allowed.
        base_url: String,
        /// `openai`, `oip`: the addresses of several servers that run the same models, in place of `base_url`.
        base_urls: List<String>,
        /// `openai`, `oip`: how its servers are watched and waited for.
        pool: RawPool,
        /// `openai`, `oip`: the Worker secret that holds the key; without it, no key is sent.
        api_key: Secret,
        /// `openai`, `oip`: further headers, such as `openai-organization`; their values are not secret.
        headers: Named<String>,
        /// Where its models run: by default `api`, for `oip` `gpu`, for `mock` `edge`.
        placement: Placement,
        /// `mock`: milliseconds to the first byte.
        latency_ms: Whole<0, 600_000>,
        /// `mock`: milliseconds between two chunks of a stream.
        chunk_interval_ms: Whole<0, 600_000>,
        /// `mock`: whether a request may script its own fault with the `tollhouse-mock` header.
        scripted_by_header: bool,
        /// `mock`: faults, in order; the first whose turn has come is played.
        faults: List<RawFault>,
    }
}

raw! {
    /// How servers of your own are watched and waited for.
    RawPool {
        /// Milliseconds between two questions whether each server is ready; 0 asks never.
        probe_every_ms: Whole<0, 3_600_000>,
        /// What answers 200 when it is ready: a path at its host, or a whole address. By default `/health`, for `oip` `/v2/health/ready`.
        probe: String,
        /// Where its metrics are, in the same way, to learn how many calls wait there: those of vLLM, Triton, SGLang, TGI and llama.cpp are understood.
        metrics: String,
        /// How long a call waits while no server is there or each answers 503, as they do while they load a model.
        patience_ms: Whole<0, 600_000>,
    }
}

raw! {
    /// A fault that the mock plays; exactly one of `status`, `cut_after_chunks`, `stall_after_chunks` and `reset`.
    RawFault {
        /// Plays on every so many calls to this provider; 1 is every call.
        every: Whole<1, 1_000_000_000>,
        /// How many times it plays in all; without it, without end.
        times: Whole<1, 1_000_000_000>,
        /// Answers with this status and an OpenAI error body.
        status: Whole<400, 599>,
        /// The `retry-after` header beside `status`, verbatim: seconds or an HTTP date.
        retry_after: String,
        /// Ends the stream without a finish after this many chunks.
        cut_after_chunks: Whole<0, 1_000_000>,
        /// Sends nothing more after this many chunks (0: not even headers).
        stall_after_chunks: Whole<0, 1_000_000>,
        /// Fails before headers, as a reset connection does.
        reset: bool,
    }
}
