//! The head of a reply: which headers say what.

use std::fmt::{Display, Write};

use crate::{
    config::valid::Target,
    http::{RateLimit, ratelimit_headers},
    openai,
    rate::{Level, Standing},
    record::{CacheResult, Record, RequestId},
    refusal::Refusal,
    units::MicroUsd,
};

/// Header lines, `name:value` joined by line feeds, as hosts take them.
#[derive(Debug, Clone)]
pub struct Headers(String);

impl Headers {
    /// The headers of every reply.
    pub fn new(id: RequestId, content_type: &str) -> Self {
        let mut headers = Self(String::with_capacity(512));
        headers.add("x-request-id", id);
        headers.add("content-type", content_type);
        headers
    }

    /// Adds a header. Values come from the gateway itself: none holds a line feed.
    pub fn add(&mut self, name: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{name}:{value}");
    }

    /// The lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the cache did and who has answered.
    pub(super) fn add_answer(&mut self, cache: CacheResult, target: &Target, attempts: usize) {
        self.add("tollhouse-cache", cache.name());
        self.add("tollhouse-provider", &target.provider.name);
        self.add("tollhouse-model", &target.model);
        self.add("tollhouse-attempts", attempts);
        if let Some(retirement) = &target.retirement {
            let successor = retirement.successor.as_deref().unwrap_or("none named");
            self.add(
                "tollhouse-retirement",
                format_args!("{}; successor={successor}", retirement.date),
            );
        }
    }

    /// What the call cost, where that is known before the reply.
    pub(super) fn add_cost(&mut self, cost: Option<MicroUsd>) {
        if let Some(cost) = cost {
            self.add("tollhouse-cost-usd", cost);
        }
    }

    /// What is left of the caller's limits, in OpenAI's forms.
    pub(super) fn add_standing(&mut self, standing: &Standing) {
        for (name, value) in
            ratelimit_headers(standing.requests.map(told), standing.tokens.map(told))
        {
            self.add(name, value);
        }
    }
}

fn told(Level { limit, remaining, reset }: Level) -> RateLimit {
    RateLimit { limit, remaining, reset }
}

/// A refusal as it goes out: its headers and its body.
pub fn refusal(id: RequestId, refusal: &Refusal) -> (u16, Headers, Vec<u8>) {
    let mut headers = Headers::new(id, "application/json");
    for (name, value) in openai::error_headers(refusal) {
        headers.add(name, value);
    }
    (refusal.code.facts().status, headers, openai::error_body(refusal))
}

/// The refusal of a request that has come as far as its record tells.
pub(super) fn refused(
    record: &Record,
    standing: Option<&Standing>,
    why: &Refusal,
) -> (u16, Headers, Vec<u8>) {
    let (status, mut headers, body) = refusal(record.id, why);
    if record.cache != CacheResult::None {
        headers.add("tollhouse-cache", record.cache.name());
    }
    if let Some(target) = &record.target {
        headers.add("tollhouse-provider", &target.provider.name);
        headers.add("tollhouse-model", &target.model);
        headers.add("tollhouse-attempts", record.attempts.len());
    }
    if let Some(standing) = standing {
        headers.add_standing(standing);
    }
    (status, headers, body)
}
