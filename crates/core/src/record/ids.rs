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

    /// Reads `req_` and 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(u128::from_str_radix(text.strip_prefix("req_")?, 16).ok()?);
        (id.to_string() == text).then_some(id)
    }

    /// The random bits.
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{:032x}", self.0)
    }
}

impl TraceId {
    /// The id that a valid `traceparent` names.
    pub const fn new(trace_id: u128) -> Self {
        Self(trace_id)
    }

    /// The 16 bytes as a number.
    pub const fn bits(self) -> u128 {
        self.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_keeps_its_leading_zeros() {
        assert_eq!(RequestId::new(7).to_string(), "req_00000000000000000000000000000007");
    }
}
