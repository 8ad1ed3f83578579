//! Ids of requests and traces: fixed shapes, so that neither can carry a caller's text.

use std::fmt;

/// Our own id of a request, from 128 random bits; `req_` and 32 hexadecimal digits.
///
/// It is never taken from the caller: an `x-request-id` sent to us may hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u128);

/// The trace that a request belongs to: 16 bytes, not all zero, as W3C Trace Context defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl RequestId {
    /// The id made of these random bits.
    pub const fn new(random: u128) -> Self {
        Self(random)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{:032x}", self.0)
    }
}

impl TraceId {
    /// The trace id of a `traceparent` header; `None` where the header breaks the specification.
    ///
    /// Versions above `00` may have more fields behind the flags and are read as far as they are
    /// known. Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.
    ///
    /// ```
    /// use tollhouse_core::record::TraceId;
    ///
    /// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let trace = TraceId::from_traceparent(header).map(|id| id.to_string());
    /// assert_eq!(trace.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    /// ```
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut fields = header.split('-');
        let version = lower_hex(fields.next()?, 2)?;
        let trace = lower_hex(fields.next()?, 32)?;
        let parent = lower_hex(fields.next()?, 16)?;
        lower_hex(fields.next()?, 2)?;
        let ends_here = fields.next().is_none();
        let known = version != 0xff && (version != 0 || ends_here);
        (known && trace != 0 && parent != 0).then_some(Self(trace))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The number written by exactly `digits` lower-case hexadecimal digits.
fn lower_hex(text: &str, digits: usize) -> Option<u128> {
    let shaped = text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if shaped { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_that_breaks_the_specification_gives_no_trace() {
        for header in [
            "",
            "sk-live-0123456789",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceId::from_traceparent(header), None, "{header}");
        }
    }

    #[test]
    fn a_later_version_may_have_more_fields() {
        let header = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
        assert!(TraceId::from_traceparent(header).is_some());
    }

    #[test]
    fn a_request_id_keeps_its_leading_zeros() {
        assert_eq!(RequestId::new(7).to_string(), "req_00000000000000000000000000000007");
    }
}
