//! What a call's headers ask for.

use super::trace::TraceContext;
use crate::refusal::{Code, Refusal};
use crate::units::DurationMs;

/// The longest time for which a caller may have its answer kept.
pub const MAX_TTL: DurationMs = DurationMs::from_secs(30 * 24 * 3600);
/// The longest idempotency key, in bytes.
const LONGEST_IDEMPOTENCY_KEY: usize = 255;
/// The longest deadline that is taken seriously; above it there is none.
const LONGEST_TIMEOUT_SECS: f64 = 24.0 * 3600.0;

/// What the headers of a call ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallHeaders<'h> {
    /// `cache-control`.
    pub cache: CacheWish,
    /// `tollhouse-cache-ttl`, in seconds: how long the answer may be kept. Asking for it asks for
    /// the cache.
    pub cache_ttl: Option<DurationMs>,
    /// `idempotency-key`, 1 to 255 visible characters.
    pub idempotency_key: Option<&'h str>,
    /// `traceparent`.
    pub trace: Option<TraceContext>,
    /// How long the caller waits: the shorter of `x-stainless-read-timeout` and
    /// `x-stainless-timeout`, which OpenAI's SDKs send in seconds.
    pub timeout: Option<DurationMs>,
}

/// What the caller wants of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheWish {
    /// Nothing in particular.
    #[default]
    Normal,
    /// A fresh answer, which is kept: `no-cache`, or `max-age=0` as browsers say it.
    Refresh,
    /// A fresh answer, which is not kept: `no-store`.
    Bypass,
}

impl<'h> CallHeaders<'h> {
    /// Reads the headers of a call with a JSON body; `header` gives one by its name in lower case.
    ///
    /// # Errors
    /// `invalid_encoding` for a body that is compressed or not JSON by its headers, and
    /// `invalid_value` for a malformed `tollhouse-cache-ttl` or `idempotency-key`.
    pub fn read(header: impl Fn(&'static str) -> Option<&'h str>) -> Result<Self, Refusal> {
        not_encoded(header("content-encoding"))?;
        json(header("content-type"))?;
        let timeouts = ["x-stainless-read-timeout", "x-stainless-timeout"];
        Ok(Self {
            cache: cache_wish(header("cache-control")),
            cache_ttl: header("tollhouse-cache-ttl").map(cache_ttl).transpose()?,
            idempotency_key: header("idempotency-key").map(idempotency_key).transpose()?,
            trace: header("traceparent").and_then(TraceContext::parse),
            timeout: timeouts.into_iter().filter_map(header).filter_map(timeout).min(),
        })
    }
}

fn not_encoded(header: Option<&str>) -> Result<(), Refusal> {
    let encodings = header.unwrap_or_default().split(',').map(str::trim);
    let plain = |encoding: &str| encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    if encodings.into_iter().all(plain) {
        return Ok(());
    }
    let message = "the body must be sent as it is: `content-encoding` may only be `identity`";
    Err(Refusal::new(Code::InvalidEncoding, message).at("content-encoding"))
}

/// `application/json`, or anything ending in `+json`, in UTF-8; or nothing said.
fn json(header: Option<&str>) -> Result<(), Refusal> {
    let mut parts = header.unwrap_or_default().split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !(kind.is_empty() || kind == "application/json" || kind.ends_with("+json")) {
        let message = "the body must be JSON: send `content-type: application/json`";
        return Err(Refusal::new(Code::InvalidEncoding, message).at("content-type"));
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if charset.is_none_or(|charset| {
        ["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8))
    }) {
        return Ok(());
    }
    let message = "the body must be in UTF-8, whatever `charset` says";
    Err(Refusal::new(Code::InvalidEncoding, message).at("content-type"))
}

/// The strictest directive counts; those that mean nothing in a request are ignored.
fn cache_wish(header: Option<&str>) -> CacheWish {
    let directives = || header.unwrap_or_default().split(',').map(str::trim);
    let says = |wanted: &str| directives().any(|directive| directive.eq_ignore_ascii_case(wanted));
    if says("no-store") {
        CacheWish::Bypass
    } else if says("no-cache") || says("max-age=0") {
        CacheWish::Refresh
    } else {
        CacheWish::Normal
    }
}

fn cache_ttl(header: &str) -> Result<DurationMs, Refusal> {
    let seconds = header.trim().parse().ok().map(DurationMs::from_secs);
    let within = |ttl: &DurationMs| DurationMs(0) < *ttl && *ttl <= MAX_TTL;
    seconds.filter(within).ok_or_else(|| {
        let most = MAX_TTL.secs_ceil();
        let message = format!("`tollhouse-cache-ttl` must be a number of seconds from 1 to {most}");
        Refusal::new(Code::InvalidValue, message).at("tollhouse-cache-ttl")
    })
}

fn idempotency_key(header: &str) -> Result<&str, Refusal> {
    let key = header.trim();
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=LONGEST_IDEMPOTENCY_KEY).contains(&key.len()) {
        return Ok(key);
    }
    let message =
        format!("`idempotency-key` must be 1 to {LONGEST_IDEMPOTENCY_KEY} visible characters");
    Err(Refusal::new(Code::InvalidValue, message).at("idempotency-key"))
}

/// Seconds, perhaps with a fraction. Zero is what openai-node makes of less than a second, so it
/// stands for one.
fn timeout(header: &str) -> Option<DurationMs> {
    let seconds: f64 = header.trim().parse().ok()?;
    if !(0.0..=LONGEST_TIMEOUT_SECS).contains(&seconds) {
        return None;
    }
    let ms: u64 = format!("{:.0}", (seconds * 1000.0).floor()).parse().ok()?;
    Some(if ms == 0 { DurationMs::from_secs(1) } else { DurationMs(ms) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<'h>(headers: &[(&str, &'h str)]) -> Result<CallHeaders<'h>, Refusal> {
        CallHeaders::read(|name| {
            headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
        })
    }

    #[test]
    fn silence_asks_for_nothing() {
        let nothing = CallHeaders {
            cache: CacheWish::Normal,
            cache_ttl: None,
            idempotency_key: None,
            trace: None,
            timeout: None,
        };
        assert_eq!(read(&[]), Ok(nothing));
    }

    #[test]
    fn the_strictest_word_about_the_cache_counts() {
        for (header, wish) in [
            ("", CacheWish::Normal),
            ("max-age=60", CacheWish::Normal),
            ("No-Cache", CacheWish::Refresh),
            ("max-age=0", CacheWish::Refresh),
            ("no-cache, no-store", CacheWish::Bypass),
            ("private,no-store", CacheWish::Bypass),
            ("no-storefront", CacheWish::Normal),
        ] {
            assert_eq!(read(&[("cache-control", header)]).unwrap().cache, wish, "{header}");
        }
    }

    #[test]
    fn a_ttl_is_a_number_of_seconds() {
        let ttl =
            |header| read(&[("tollhouse-cache-ttl", header)]).map(|headers| headers.cache_ttl);
        assert_eq!(ttl("90"), Ok(Some(DurationMs::from_secs(90))));
        assert_eq!(ttl("2592000"), Ok(Some(MAX_TTL)));
        for header in ["", "0", "-1", "1.5", "1h", "2592001", "99999999999999999999"] {
            assert_eq!(ttl(header).unwrap_err().code, Code::InvalidValue, "{header}");
        }
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible() {
        let long = "x".repeat(256);
        let key = |header| read(&[("idempotency-key", header)]);
        assert_eq!(key(" abc-1 ").unwrap().idempotency_key, Some("abc-1"));
        assert!(key(&long[1..]).is_ok());
        for header in ["", " ", "a b", "é", long.as_str()] {
            let refusal = key(header).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some("idempotency-key"), "{header}");
        }
    }

    #[test]
    fn the_shorter_timeout_counts() {
        for (python, node, expected) in [
            (Some("600"), None, Some(600_000)),
            (Some("12.5"), None, Some(12_500)),
            (None, Some("30"), Some(30_000)),
            (Some("600"), Some("30"), Some(30_000)),
            (None, Some("0"), Some(1000)),
            (Some("0.25"), None, Some(250)),
            (Some("NOT_GIVEN"), None, None),
            (Some("-1"), Some("inf"), None),
            (Some("NaN"), Some("1e9"), None),
        ] {
            let headers = [("x-stainless-read-timeout", python), ("x-stainless-timeout", node)];
            let sent: Vec<_> =
                headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            assert_eq!(read(&sent).unwrap().timeout, expected.map(DurationMs), "{sent:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_plain_json_is_refused() {
        for (name, header, accepted) in [
            ("content-encoding", "identity", true),
            ("content-encoding", "", true),
            ("content-encoding", "gzip", false),
            ("content-encoding", "identity, br", false),
            ("content-type", "application/json", true),
            ("content-type", "Application/JSON; charset=UTF-8", true),
            ("content-type", "application/json; charset=\"utf-8\"", true),
            ("content-type", "application/vnd.api+json", true),
            ("content-type", "", true),
            ("content-type", "application/json; charset=utf-16", false),
            ("content-type", "application/x-www-form-urlencoded", false),
            ("content-type", "text/plain", false),
            ("content-type", "multipart/form-data; boundary=x", false),
        ] {
            let read = read(&[(name, header)]);
            assert_eq!(read.is_ok(), accepted, "{name}: {header}");
            if let Err(refusal) = read {
                assert_eq!(refusal.code, Code::InvalidEncoding);
                assert_eq!(refusal.param.as_deref(), Some(name));
            }
        }
    }

    proptest! {
        #[test]
        fn no_header_brings_it_down(header: String) {
            let _ = CallHeaders::read(|_| Some(header.as_str()));
        }
    }
}
