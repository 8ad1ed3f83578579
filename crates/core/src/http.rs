//! The headers that the gateway reads off a call, and those in which it tells limits.
//!
//! Header names are in lower case. What a header says wrongly is refused where the caller would
//! otherwise get something else than it asked for, and ignored where it is a courtesy
//! (`traceparent`, timeouts).

mod asked;
mod ratelimit;
mod trace;

pub use asked::{CacheWish, CallHeaders, MAX_TTL};
pub use ratelimit::{RateLimit, ratelimit_headers, reset};
pub use trace::TraceContext;
