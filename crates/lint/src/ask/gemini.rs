//! What Gemini's requests have in other places than those of other models: the model's name in the address, the
//! answer's bound in a part of the body.

use super::Asked;
use crate::facts::{Kind, Name, NodeId};
use crate::knowledge::Role;
use crate::model::{At, Binding, Piece, Purpose};

/// Where a body says how an answer is made.
const HOW: &[&str] = &["generationConfig", "generation_config", "config", "?"];

impl Asked<'_, '_> {
    /// Literals of addresses with a model's name in them, and the name.
    pub(super) fn models_in_addresses(&self) -> Vec<(At, String)> {
        let mut found = Vec::new();
        for call in self.live().filter(|call| call.http) {
            let links = self.w.request_links(call.at, self.graph);
            for link in links.into_iter().filter(|at| self.w.roles(*at).has(Role::HttpRequest)) {
                let position = self.w.known(link).map_or(0, |fact| fact.arg);
                let Some(address) = self.w.argument(link, position) else { continue };
                let values = self.w.values(address);
                let [value] = values.as_slice() else { continue };
                let name = value.iter().find_map(|piece| match piece {
                    Piece::Text(text, at) => named_in(text).map(|name| (*at, name.to_owned())),
                    _ => None,
                });
                found.extend(name);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Bodies of `contents` that say nothing of how the answer is to be made.
    pub(super) fn bare_contents(&self) -> Vec<At> {
        let mut found = Vec::new();
        let calls = self.live().filter(|call| call.http && call.purpose == Purpose::Chat);
        for link in calls.flat_map(|call| self.w.request_links(call.at, self.graph)) {
            let body = self.w.argument(link, 0).filter(|_| self.w.roles(link).has(Role::HttpBody));
            let Some((at, fields)) = body.and_then(|body| self.written_out(body, 3)) else {
                continue;
            };
            let has = |name: &str| fields.iter().any(|(field, _)| field == name);
            if has("contents") && !HOW.iter().any(|name| has(name)) {
                found.push(at);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// The struct literal or the JSON object that a body is, and its fields.
    fn written_out(&self, body: At, lets: u32) -> Option<(At, &[(Name, NodeId)])> {
        let at = self.w.peel(body);
        match self.w.kind(at) {
            Kind::Struct { fields, rest: None, .. } | Kind::Object(fields) => Some((at, fields)),
            Kind::Macro { args, .. } => self.written_out(at.with(*args.first()?), lets),
            Kind::Path(_) => match self.w.binding(at, self.w.name_of(at)?)? {
                Binding::Value { value } | Binding::Typed { value: Some(value), .. } => {
                    self.written_out(value, lets.checked_sub(1)?)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The model that `…/models/gemini-2.5-flash:generateContent` names.
fn named_in(address: &str) -> Option<&str> {
    let (_, tail) = address.split_once("models/")?;
    let (name, method) = tail.split_once(':')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let generates = method.starts_with("generate") || method.starts_with("streamGenerate");
    (generates && !name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_between_models_and_a_method() {
        let host = "https://generativelanguage.googleapis.com/v1beta";
        let whole = format!("{host}/models/gemini-2.5-flash:generateContent?key=");
        assert_eq!(named_in(&whole), Some("gemini-2.5-flash"));
        assert_eq!(named_in(&format!("{host}/models/:generateContent")), None);
        assert_eq!(named_in(&format!("{host}/models/gemini-2.5-flash:countTokens")), None);
        assert_eq!(named_in(&format!("{host}/models")), None);
    }
}
