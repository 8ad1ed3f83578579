//! The head of a reply: which headers say what.

use std::fmt::{Display, Write};

use crate::{
    config::valid::{DeprecationPolicy, Model, Target, Variant},
    http::{RateLimit, ratelimit_headers},
    openai,
    rate::{Level, Standing},
    record::{CacheResult, GuardAction, GuardDecision, Placing, Record, RequestId},
    refusal::Refusal,
    units::{MicroUsd, UnixMs},
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

    /// Adds a header. Names in a configuration may hold what a header cannot: `?` stands for that.
    pub fn add(&mut self, name: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let before = self.0.len();
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{name}:{value}");
        let plain = |c: char| (' '..='~').contains(&c);
        if let Some(odd) = self.0.get(before..).filter(|line| !line.chars().all(plain)) {
            let line: String = odd.chars().map(|c| if plain(c) { c } else { '?' }).collect();
            self.0.truncate(before);
            self.0.push_str(&line);
        }
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
    }

    /// Warns of a model that its provider has retired, as RFC 9111 §5.5 once had it.
    pub(super) fn add_retirement(&mut self, model: &Model, target: &Target, now: UnixMs) {
        let retired = target.retirement.as_ref().filter(|retirement| retirement.on <= now);
        let (DeprecationPolicy::Warn, Some(retirement)) = (model.deprecated, retired) else {
            return;
        };
        let successor = retirement.successor.as_deref();
        let advice = successor.map_or(String::new(), |name| format!("; use {name} instead"));
        let date = &retirement.date;
        self.add(
            "warning",
            format_args!("299 tollhouse \"the model was retired on {date}{advice}\""),
        );
    }

    /// Which variant of an experiment was dealt.
    pub(super) fn add_variant(&mut self, variant: Option<&Variant>) {
        self.add_variant_named(variant.map_or("", |variant| &variant.id));
    }

    /// The same by its name; none is empty.
    pub(super) fn add_variant_named(&mut self, variant: &str) {
        if !variant.is_empty() {
            self.add("tollhouse-variant", variant);
        }
    }

    /// What the call cost, where that is known before the reply.
    pub(super) fn add_cost(&mut self, cost: Option<MicroUsd>) {
        if let Some(cost) = cost {
            self.add("tollhouse-cost-usd", cost);
        }
    }

    /// What guards have done to the texts so far, where they did anything:
    /// `secrets;stage=input;action=mask;label=api-key`, one after the other.
    pub(super) fn add_guards(&mut self, guards: &[GuardDecision]) {
        let told = guards.iter().filter(|decision| decision.action != GuardAction::Pass);
        let lines: Vec<String> = told
            .map(|GuardDecision { guard, stage, label, action, evidence: _ }| {
                let (stage, action) = (stage.name(), action.name());
                format!("{guard};stage={stage};action={action};label={label}")
            })
            .collect();
        if !lines.is_empty() {
            self.add("tollhouse-guard", lines.join(", "));
        }
    }

    /// Where classifiers judged texts, and what that saved:
    /// `prompt-injection;place=gpu;texts=1;reason=uncertain`, one after the other.
    pub(super) fn add_placements(&mut self, placements: &[Placing]) {
        let lines: Vec<String> = placements
            .iter()
            .map(|Placing { classifier, place, why, texts, saved }| {
                let why = why.map_or(String::new(), |why| format!(";reason={}", why.name()));
                let saved = if *saved > 0 { format!(";saved={saved}") } else { String::new() };
                format!("{classifier};place={};texts={texts}{why}{saved}", place.name())
            })
            .collect();
        if !lines.is_empty() {
            self.add("tollhouse-placement", lines.join(", "));
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
    headers.add_variant(record.variant.as_deref());
    headers.add_guards(&record.guards);
    headers.add_placements(&record.placements);
    if let Some(standing) = standing {
        headers.add_standing(standing);
    }
    (status, headers, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_can_hold_is_replaced() {
        let mut headers = Headers::new(RequestId::new(1), "text/plain");
        headers.add("tollhouse-model", "größe\r\nset-cookie: x");
        assert!(headers.as_str().ends_with("\ntollhouse-model:gr??e??set-cookie: x"));
    }
}
