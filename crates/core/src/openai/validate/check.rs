//! Holds a value against a rule.
//!
//! Messages name fields, types and numbers, and never quote a string: it may be a prompt or a key.

use super::problem::{At, Problems};
use super::rule::{self, Bound, Field, Need, Others, Rule, Tagged};
use crate::config::valid::Bounds;
use crate::openai::json::{Kind, Value};
use crate::refusal::Code;

/// The longest spelling of a number that a message repeats.
const LONGEST_NUMBER: usize = 32;

pub(super) struct Check<'m> {
    pub(super) bounds: &'m Bounds,
    pub(super) problems: Problems,
}

impl Check<'_> {
    /// Holds an object against its fields: those that are there, in their order, then those that
    /// are missing.
    pub(super) fn fields(&mut self, object: Value<'_>, fields: &'static [Field], at: &At<'_>) {
        for member in object.members() {
            if let Some(field) = fields.iter().find(|field| member.key.is_str(field.name)) {
                self.field(member.value, field, at);
            }
        }
        for field in fields.iter().filter(|field| field.need == Need::Required) {
            if object.get(field.name).is_none() {
                let at = at.key(field.name);
                self.problems.add(Code::MissingField, &at, || "is required".to_owned());
            }
        }
    }

    fn field(&mut self, value: Value<'_>, field: &'static Field, at: &At<'_>) {
        let absent = value.kind() == Kind::Null && field.need == Need::Nullable;
        if !absent {
            self.value(value, &field.rule, &at.key(field.name));
        }
    }

    fn value(&mut self, value: Value<'_>, rule: &'static Rule, at: &At<'_>) {
        if !takes(rule, value.kind()) {
            return self.wrong_type(value, std::slice::from_ref(rule), at);
        }
        match rule {
            Rule::Null | Rule::Bool => {}
            Rule::Integer { from, to } => {
                self.integer(value, i128::from(*from), i128::from(*to), at);
            }
            Rule::Number { from, to } => self.number(value, *from, *to, at),
            Rule::Bounded(bound) => self.bounded(value, *bound, at),
            Rule::Text { from, to } => self.text(value, *from, *to, at),
            Rule::OneOf(words) => self.one_of(value, words, at),
            Rule::List { from, to, items } => {
                self.length(value.items().count(), *from, *to, "items", at);
                self.items(value, items, at);
            }
            Rule::Map { most, longest_key, value: rule } => {
                self.length(value.members().count(), 0, *most, "keys", at);
                self.map(value, *longest_key, rule, at);
            }
            Rule::Object(fields) => self.fields(value, fields, at),
            Rule::Tagged(tagged) => self.tagged(value, tagged, at),
            Rule::Either(rules) => {
                if let Some(rule) = rules.iter().find(|rule| takes(rule, value.kind())) {
                    self.value(value, rule, at);
                }
            }
        }
    }

    fn bounded(&mut self, value: Value<'_>, bound: Bound, at: &At<'_>) {
        let Bounds { temperature, max_tokens, top_p } = self.bounds;
        match bound {
            Bound::Temperature => self.number(value, temperature.0, temperature.1, at),
            Bound::TopP => self.number(value, top_p.0, top_p.1, at),
            Bound::MaxTokens => {
                self.integer(value, i128::from(max_tokens.0), i128::from(max_tokens.1), at);
            }
        }
    }

    fn integer(&mut self, value: Value<'_>, from: i128, to: i128, at: &At<'_>) {
        let raw = value.raw();
        if raw.contains(['.', 'e', 'E']) {
            let what = || "must be an integer, not a decimal number".to_owned();
            return self.problems.add(Code::InvalidType, at, what);
        }
        // What does not fit 128 bits is beyond every range; its sign says on which side.
        let beyond = if raw.starts_with('-') { i128::MIN } else { i128::MAX };
        let number = raw.parse().unwrap_or(beyond);
        self.range(value, (number < from).then_some(from), (number > to).then_some(to), at);
    }

    fn number(&mut self, value: Value<'_>, from: f64, to: f64, at: &At<'_>) {
        let number = value.as_f64().unwrap_or(f64::NAN);
        self.range(value, (number < from).then_some(from), (number > to).then_some(to), at);
    }

    /// Tells of a number under its least value or above its limit.
    fn range<N>(&mut self, value: Value<'_>, under: Option<N>, above: Option<N>, at: &At<'_>)
    where
        N: std::fmt::Display,
    {
        let number: String = value.raw().chars().take(LONGEST_NUMBER).collect();
        if let Some(least) = under {
            let what = || format!("is {number}, the least is {least}");
            self.problems.add(Code::InvalidValue, at, what);
        }
        if let Some(limit) = above {
            let what = || format!("is {number}, the limit is {limit}");
            self.problems.add(Code::InvalidValue, at, what);
        }
    }

    fn text(&mut self, value: Value<'_>, from: usize, to: usize, at: &At<'_>) {
        if from == 0 && to == usize::MAX {
            return;
        }
        let length = value.as_str().map_or(0, |text| text.chars().count());
        self.length(length, from, to, "characters", at);
    }

    fn length(&mut self, length: usize, from: usize, to: usize, of: &str, at: &At<'_>) {
        if length < from {
            let what = || format!("has {length} {of}, the least is {from}");
            self.problems.add(Code::InvalidValue, at, what);
        }
        if length > to {
            let what = || format!("has {length} {of}, the limit is {to}");
            self.problems.add(Code::InvalidValue, at, what);
        }
    }

    fn one_of(&mut self, value: Value<'_>, words: &[&str], at: &At<'_>) {
        if !words.iter().any(|word| value.is_str(word)) {
            let what = || format!("must be one of {}", quoted(words.iter().copied()));
            self.problems.add(Code::InvalidValue, at, what);
        }
    }

    fn items(&mut self, list: Value<'_>, rules: &'static [Rule], at: &At<'_>) {
        let Some(first) = list.items().next() else { return };
        let Some(rule) = rules.iter().find(|rule| takes(rule, first.kind())) else {
            return self.items_of_no_kind(list, rules, at);
        };
        for (index, item) in list.items().enumerate() {
            self.value(item, rule, &at.index(index));
        }
    }

    /// The first item is of no kind that the list may have, so no alternative is decided.
    fn items_of_no_kind(&mut self, list: Value<'_>, rules: &'static [Rule], at: &At<'_>) {
        for (index, item) in list.items().enumerate() {
            if !rules.iter().any(|rule| takes(rule, item.kind())) {
                self.wrong_type(item, rules, &at.index(index));
            }
        }
    }

    fn wrong_type(&mut self, value: Value<'_>, rules: &[Rule], at: &At<'_>) {
        let found = value.kind().with_article();
        let what = || format!("must be {}, not {found}", kinds(rules));
        self.problems.add(Code::InvalidType, at, what);
    }

    fn map(&mut self, map: Value<'_>, longest_key: usize, rule: &'static Rule, at: &At<'_>) {
        for member in map.members() {
            let key = member.key.as_str().unwrap_or_default();
            let at = at.key(&key);
            if longest_key < key.len() && longest_key < key.chars().count() {
                let what = || format!("is a key longer than {longest_key} characters");
                self.problems.add(Code::InvalidValue, &at, what);
            }
            self.value(member.value, rule, &at);
        }
    }

    fn tagged(&mut self, object: Value<'_>, tagged: &'static Tagged, at: &At<'_>) {
        let at_tag = at.key(tagged.tag);
        let Some(tag) = object.get(tagged.tag) else {
            return self.problems.add(Code::MissingField, &at_tag, || "is required".to_owned());
        };
        if tag.kind() != Kind::String {
            return self.wrong_type(tag, &[rule::TEXT], &at_tag);
        }
        match tagged.variants.iter().find(|(name, _)| tag.is_str(name)) {
            Some((_, fields)) => self.fields(object, fields, at),
            None if tagged.others == Others::PassedOn => {}
            None => {
                let names = tagged.variants.iter().map(|(name, _)| *name);
                let what = || format!("must be one of {}", quoted(names));
                self.problems.add(Code::InvalidValue, &at_tag, what);
            }
        }
    }
}

/// Whether a value of this JSON kind can satisfy the rule.
fn takes(rule: &Rule, kind: Kind) -> bool {
    match rule {
        Rule::Null => kind == Kind::Null,
        Rule::Bool => kind == Kind::Bool,
        Rule::Integer { .. } | Rule::Number { .. } | Rule::Bounded(_) => kind == Kind::Number,
        Rule::Text { .. } | Rule::OneOf(_) => kind == Kind::String,
        Rule::List { .. } => kind == Kind::Array,
        Rule::Map { .. } | Rule::Object(_) | Rule::Tagged(_) => kind == Kind::Object,
        Rule::Either(rules) => rules.iter().any(|rule| takes(rule, kind)),
    }
}

/// The types of alternatives for a message: `a string or an array`.
fn kinds(rules: &[Rule]) -> String {
    rules.iter().map(kind).collect::<Vec<_>>().join(" or ")
}

fn kind(rule: &Rule) -> String {
    let name = match rule {
        Rule::Null => "null",
        Rule::Bool => "a boolean",
        Rule::Integer { .. } | Rule::Bounded(Bound::MaxTokens) => "an integer",
        Rule::Number { .. } | Rule::Bounded(Bound::Temperature | Bound::TopP) => "a number",
        Rule::Text { .. } | Rule::OneOf(_) => "a string",
        Rule::List { .. } => "an array",
        Rule::Map { .. } | Rule::Object(_) | Rule::Tagged(_) => "an object",
        Rule::Either(rules) => return kinds(rules),
    };
    name.to_owned()
}

fn quoted<'w>(words: impl Iterator<Item = &'w str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
