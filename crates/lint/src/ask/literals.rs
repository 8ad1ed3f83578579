//! Literals that flow into a slot of a model request, and requests that leave a slot empty.

use super::{Asked, Hit};
use crate::facts::{Kind, Name, NodeId};
use crate::knowledge::Role;
use crate::model::{At, Def, Piece, Ty, Value};
use serde::Deserialize;

/// A parameter of a model request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Slot {
    Model,
    Temperature,
    MaxTokens,
    TopP,
    Key,
}

/// What is wrong with a literal.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Test {
    /// That it is a literal at all.
    Any,
    /// That it lies outside a range, both ends allowed.
    Outside(f64, f64),
    /// That it names a retired model.
    Retired,
}

impl Slot {
    fn role(self) -> Role {
        match self {
            Self::Model => Role::SetModel,
            Self::Temperature => Role::SetTemperature,
            Self::MaxTokens => Role::SetMaxTokens,
            Self::TopP => Role::SetTopP,
            Self::Key => Role::SetKey,
        }
    }

    /// The names the slot has in request bodies.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Model => &["model"],
            Self::Temperature => &["temperature"],
            Self::MaxTokens => &[
                "max_tokens",
                "max_completion_tokens",
                "max_output_tokens",
                "maxOutputTokens",
                "num_predict",
            ],
            Self::TopP => &["top_p", "topP"],
            Self::Key => &["api_key", "apikey"],
        }
    }
}

impl Asked<'_, '_> {
    /// Every value given to a slot outside tests, and whether the slot is in a request that could do without it.
    fn given(&self, slot: Slot) -> Vec<At> {
        let mut found: Vec<At> = Vec::new();
        for at in self.playing(slot.role().into()) {
            let position = self.w.known(at).map_or(0, |fact| fact.arg);
            found.extend(self.w.argument(at, position));
        }
        for (at, fields) in self.request_bodies() {
            let named = fields.iter().filter(|(name, _)| slot.names().contains(&name.as_str()));
            found.extend(named.map(|(_, value)| at.with(*value)));
        }
        found.sort();
        found.dedup();
        found
    }

    /// Struct literals and JSON objects that are model requests, with their fields.
    fn request_bodies(&self) -> impl Iterator<Item = (At, &[(Name, NodeId)])> {
        let all = self.bodies.get_or_init(|| {
            self.w.nodes().filter(|at| self.is_body(*at) && !self.w.is_test(*at)).collect()
        });
        all.iter().filter_map(|at| match self.w.kind(*at) {
            Kind::Struct { fields, .. } | Kind::Object(fields) => Some((*at, &**fields)),
            _ => None,
        })
    }

    fn is_body(&self, at: At) -> bool {
        match self.w.kind(at) {
            Kind::Struct { .. } => {
                self.w.roles(at).has(Role::RequestBuilder) || self.w.is_model_struct(&self.w.ty(at))
            }
            Kind::Object(fields) => is_request(fields),
            _ => false,
        }
    }

    pub(super) fn literal_in(&self, slot: Slot, test: &Test) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.given(slot) {
            let values = self.w.values(at);
            let hit = match test {
                Test::Any => self.hard_coded(slot, at, &values),
                Test::Outside(least, most) => self.outside(slot, at, &values, (*least, *most)),
                Test::Retired => self.retired(at, &values),
            };
            hits.extend(hit);
        }
        if slot == Slot::Model {
            let named = self.models_in_addresses().into_iter();
            hits.extend(named.filter_map(|(at, name)| match test {
                Test::Any => Some(Hit::at(at).with("literal", name)),
                Test::Retired => self.gone(at, &name),
                Test::Outside(..) => None,
            }));
        }
        hits
    }

    /// A hit where a name is that of a retired model.
    fn gone(&self, at: At, name: &str) -> Option<Hit> {
        let known = self.w.knowledge.endpoints.retired(name)?;
        let hit = Hit::at(at).with("literal", name).with("on", &known.on);
        (known.on.as_str() <= self.today).then(|| hit.with("instead", &known.instead))
    }

    /// A number outside a range; providers refuse it, so the nearest bound breaks nothing.
    fn outside(&self, slot: Slot, at: At, values: &[Value], range: (f64, f64)) -> Option<Hit> {
        let (least, most) = range;
        let (wrong, literal) = values.iter().find_map(|value| match value.as_slice() {
            [Piece::Number(number, literal)] if !(least..=most).contains(number) => {
                Some((*number, *literal))
            }
            _ => None,
        })?;
        let mut hit = Hit::at(at).with("literal", wrong.to_string());
        hit = hit.with("range", format!("{least} to {most}"));
        // A length is a choice; how random an answer is may only be so much.
        if slot != Slot::MaxTokens {
            let span = self.w.file(literal.file).node(literal.node).span;
            let text = at_bound(self.w.source(literal), wrong.clamp(least, most));
            hit.fix = text.filter(|_| literal.file == at.file).map(|text| (at.file, span, text));
        }
        Some(hit)
    }

    /// A literal that nothing can change: not a default, not one of several, not from a function of its own.
    fn hard_coded(&self, slot: Slot, at: At, values: &[Value]) -> Option<Hit> {
        let [value] = values else { return None };
        let [Piece::Text(text, literal)] = value.as_slice() else { return None };
        let function = self.w.function_at(at);
        let elsewhere = self.w.function_at(*literal).is_some_and(|of| Some(of) != function);
        let defaults = function
            .and_then(|of| self.w.function(of))
            .is_some_and(|of| of.name.contains("default"));
        if text.trim().is_empty() || elsewhere || defaults {
            return None;
        }
        if slot == Slot::Key && super::secrets::is_placeholder(text) {
            return None;
        }
        let shown = if slot == Slot::Key { super::secrets::redacted(text) } else { text.clone() };
        Some(Hit::at(at).with("literal", shown))
    }

    fn retired(&self, at: At, values: &[Value]) -> Option<Hit> {
        let texts = values.iter().filter_map(|value| match value.as_slice() {
            [Piece::Text(text, literal)] => Some((text.as_str(), *literal)),
            _ => None,
        });
        for (text, literal) in texts {
            let name = text.rsplit('/').next().unwrap_or(text);
            // Bedrock puts a region and the maker before a name: `us.anthropic.claude-…`.
            let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
            if let Some(known) = self.w.knowledge.endpoints.retired(name)
                && known.on.as_str() <= self.today
            {
                let place = if literal.file == at.file { literal } else { at };
                let hit = Hit::at(place).with("literal", text).with("on", &known.on);
                return Some(hit.with("instead", &known.instead));
            }
        }
        None
    }

    /// Requests for text that never set a slot, in any of its names.
    pub(super) fn request_lacks(&self, slot: Slot) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (at, fields) in self.request_bodies() {
            let chat = fields.iter().any(|(name, _)| name == "messages");
            let nested = fields.iter().any(|(name, _)| {
                matches!(
                    name.as_str(),
                    // The last of these asks for pictures or sound, which tokens do not measure.
                    "options" | "parameters" | "generationConfig" | "?" | "modalities"
                )
            });
            let open = self.sets(at, slot)
                || self.is_handed_on(at, slot)
                || self.asks_nothing_yet(at, fields);
            if chat && !nested && !open && !self.asks_no_model(at) {
                hits.push(Hit::at(at));
            }
        }
        if slot == Slot::MaxTokens {
            let bare = self.bare_contents().into_iter().filter(|at| !self.sets(*at, slot));
            hits.extend(bare.map(Hit::at));
        }
        for at in self.playing(Role::RequestBuilder.into()) {
            if matches!(self.w.kind(at), Kind::Call { .. })
                && !self.sets(at, slot)
                && self.is_sent(at)
            {
                hits.push(Hit::at(at));
            }
        }
        hits
    }

    /// Whether a body is sent to where no model answers: to be counted, kept or checked.
    fn asks_no_model(&self, body: At) -> bool {
        let sends: Vec<At> = self
            .w
            .ancestors(body)
            .take_while(|up| !matches!(self.w.kind(*up), Kind::Block { .. }))
            .filter(|up| self.w.roles(*up).has(Role::HttpSend))
            .collect();
        !sends.is_empty() && !sends.iter().any(|send| self.live_at.contains(send))
    }

    /// Whether the function around a request names the slot anywhere, or spreads a request made elsewhere into it.
    fn sets(&self, at: At, slot: Slot) -> bool {
        if let Kind::Struct { rest: Some(rest), .. } = self.w.kind(at)
            && !self.w.source(at.with(*rest)).contains("default")
        {
            return true;
        }
        let around = self.w.function_at(at).and_then(|of| self.w.body(of)).unwrap_or(at);
        let text = self.w.source(around);
        // A body that is merged with another, or written to later, may get the slot there.
        let grows =
            ["merge", "as_object_mut", ".extend(", ".insert(", "additional", "extra_body", "\"] ="];
        slot.names().iter().chain(&grows).any(|name| text.contains(name))
    }

    /// Whether a request has no message yet: a draft, finished elsewhere.
    fn asks_nothing_yet(&self, at: At, fields: &[(Name, NodeId)]) -> bool {
        let messages = fields.iter().find(|(name, _)| name == "messages");
        let written = matches!(self.w.kind(at), Kind::Struct { .. });
        written
            && messages.is_some_and(|(_, value)| match self.w.kind(self.w.peel(at.with(*value))) {
                Kind::Macro { args, .. } => args.is_empty(),
                Kind::List(parts) => parts.is_empty(),
                Kind::Call { callee, args } => {
                    let made = |path: &[Name]| {
                        path.last().is_some_and(|last| last == "new" || last == "default")
                    };
                    args.is_empty()
                        && matches!(self.w.kind(at.with(*callee)), Kind::Path(path) if made(path))
                }
                _ => false,
            })
    }

    /// Whether a request is what its function returns, with a field for the slot that whoever asked for it may set.
    fn is_handed_on(&self, at: At, slot: Slot) -> bool {
        let ty = self.w.ty(at);
        let Ty::Local(Def::Struct(file, index)) = ty else { return false };
        let of = self.w.file(file).structs.get(index);
        let has = of.is_some_and(|of| {
            of.fields.iter().any(|field| slot.names().contains(&field.name.as_str()))
        });
        has && self.w.function_at(at).is_some_and(|of| self.w.ty_output(of) == ty)
    }

    /// Whether a built request is used where it is built, so that nothing can be added elsewhere.
    fn is_sent(&self, at: At) -> bool {
        let builds =
            |link: &At| matches!(self.w.kind(*link), Kind::Method { name, .. } if name == "build");
        self.links_after(at).iter().any(builds) || !self.w.source(at).contains("Args")
    }
}

/// Whether a JSON object is the body of a model request.
pub(super) fn is_request(fields: &[(Name, NodeId)]) -> bool {
    const KNOWN: &[&str] = &[
        "model",
        "messages",
        "prompt",
        "contents",
        "input",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "n",
        "stop",
        "tools",
        "tool_choice",
        "system",
        "user",
        "seed",
        "response_format",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "reasoning",
        "reasoning_effort",
        "stream_options",
        "store",
        "metadata",
        "options",
        "format",
        "keep_alive",
        "parallel_tool_calls",
        "thinking",
        "stop_sequences",
        "verbosity",
        "num_predict",
        "service_tier",
        "modalities",
        "suffix",
        "echo",
        "logprobs",
        "instructions",
        "text",
        "include",
        "think",
        "parameters",
        "generationConfig",
        "safe_prompt",
        "plugins",
        "provider",
        "dimensions",
        "encoding_format",
        "anthropic_version",
        "anthropic_beta",
        "message",
        "chat_history",
        "preamble",
        "connectors",
        "documents",
        "?",
    ];
    let has = |name: &str| fields.iter().any(|(field, _)| field == name);
    fields.iter().all(|(field, _)| KNOWN.contains(&field.as_str()))
        && (has("model") || has("anthropic_version"))
        && ["messages", "message", "prompt", "contents", "input"].into_iter().any(has)
}

/// A number as it is written, brought to a bound: `3.5_f32` and 2 make `2.0_f32`. Nothing where it is no plain literal.
fn at_bound(written: &str, bound: f64) -> Option<String> {
    let digits = written.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(written.len());
    let (number, suffix) = written.split_at_checked(digits)?;
    let plain =
        ["", "f32", "f64", "_f32", "_f64"].contains(&suffix) && number.parse::<f64>().is_ok();
    let bound = if number.contains('.') { format!("{bound:.1}") } else { format!("{bound:.0}") };
    plain.then(|| bound + suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_brought_to_its_bound_as_it_is_written() {
        assert_eq!(at_bound("3.5", 2.0).as_deref(), Some("2.0"));
        assert_eq!(at_bound("3_f32", 2.0).as_deref(), Some("2_f32"));
        assert_eq!(at_bound("1.5f64", 1.0).as_deref(), Some("1.0f64"));
        assert_eq!(at_bound("1e3", 2.0), None);
        assert_eq!(at_bound("TOO_HOT", 2.0), None);
    }
}
