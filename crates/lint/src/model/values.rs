//! What a string or a number may be: followed through lets, constants, `format!`, conversions and branches.

use super::{At, Binding, Def, FnRef, Found, Ty, Workspace};
use crate::facts::{Kind, Name, NodeId};

/// A part of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// Text, and the literal it is written as.
    Text(String, At),
    /// A number as written.
    Number(f64, At),
    /// A parameter of a function.
    Param(FnRef, usize),
    /// A field of a struct of the workspace.
    Field(Def, Name),
    /// The environment, a configuration, the command line.
    Outside,
    /// Not known.
    Unknown,
}

/// One of the values an expression may have, as a concatenation.
pub(crate) type Value = Vec<Piece>;

const LIMIT: usize = 12;

const SAME: &[&str] = &[
    "to_string",
    "to_owned",
    "into",
    "as_str",
    "as_ref",
    "clone",
    "trim",
    "trim_end",
    "trim_start",
    "unwrap",
    "expect",
    "trim_end_matches",
    "trim_start_matches",
    "to_lowercase",
    "into_string",
    "as_bytes",
    "parse",
    "to_vec",
    "as_deref",
    "cloned",
    "ok",
    "into_owned",
    "into_boxed_str",
    "deref",
    "borrow",
    "unwrap_or_default",
    "context",
    "map_err",
    "ok_or_else",
    "ok_or",
    "as_mut",
    "leak",
    "to_value",
    "with_context",
];

impl Workspace<'_> {
    /// The values an expression may have; several where it branches.
    pub(crate) fn values(&self, at: At) -> Vec<Value> {
        if let Some(known) = self.valued.borrow().get(&at) {
            return known.clone();
        }
        let Some(_guard) = self.enter() else { return unknown() };
        // A value that is asked for while it is being found depends on itself.
        self.valued.borrow_mut().insert(at, unknown());
        let mut found = self.values_of(at);
        found.truncate(LIMIT);
        self.valued.borrow_mut().insert(at, found.clone());
        found
    }

    fn values_of(&self, at: At) -> Vec<Value> {
        match self.kind(at) {
            Kind::Str(text) => vec![vec![Piece::Text(text.to_string(), at)]],
            Kind::Num(digits) => vec![vec![number(digits, at)]],
            Kind::Wrap(inner) | Kind::Await(inner) | Kind::Try(inner) => {
                self.values(at.with(*inner))
            }
            Kind::List(parts) => match (&**parts, self.source(at).starts_with('-')) {
                ([only], true) => self.values(at.with(*only)).into_iter().map(negated).collect(),
                _ => unknown(),
            },
            Kind::Path(path) => self.values_path(at, path),
            Kind::Field { base, name } => self.values_field(at, at.with(*base), name),
            Kind::Macro { path, args } => self.values_macro(at, path, args),
            Kind::Method { receiver, name, args, .. } => {
                self.values_method(at, at.with(*receiver), name, args)
            }
            Kind::Call { callee, args } => self.values_call(at, at.with(*callee), args),
            Kind::Binary { op, left, right } if op == "+" => {
                product(&self.values(at.with(*left)), &self.values(at.with(*right)))
            }
            Kind::If { then, otherwise: Some(otherwise), .. } => {
                [self.values(at.with(*then)), self.values(at.with(*otherwise))].concat()
            }
            Kind::Match { arms, .. } => {
                arms.iter().flat_map(|arm| self.values(at.with(arm.body))).collect()
            }
            Kind::Block { stmts, tail: true } => {
                stmts.last().map_or_else(unknown, |last| self.values(at.with(*last)))
            }
            Kind::Closure { body, .. } => self.values(at.with(*body)),
            _ => unknown(),
        }
    }

    fn values_path(&self, at: At, path: &[Name]) -> Vec<Value> {
        if let [only] = path
            && let Some(binding) = self.binding(at, only)
        {
            return match binding {
                Binding::Value { value } | Binding::Typed { value: Some(value), .. } => {
                    self.values_let(at, only, value)
                }
                Binding::Param { function, at } => vec![vec![Piece::Param(function, at)]],
                Binding::Part { value, head, .. } if matches!(head.as_str(), "Some" | "Ok") => {
                    self.values(value)
                }
                Binding::Part { of, .. } => match self.taken_from(at, &of) {
                    Some((def, name)) => vec![vec![Piece::Field(def, name)]],
                    None => unknown(),
                },
                Binding::Typed { value: None, .. } | Binding::ClosureParam | Binding::Element => {
                    unknown()
                }
            };
        }
        match self.resolve_at(at, path) {
            Some(Found::Local(Def::Const(file, index))) => {
                let value = self.file(file).consts.get(index).and_then(|of| of.value);
                value.map_or_else(unknown, |node| self.values(At { file, node }))
            }
            Some(Found::External(path)) => {
                let known = self.fact(at.file, &path).and_then(|fact| fact.value.clone());
                known.map_or_else(unknown, |text| vec![vec![Piece::Text(text, at)]])
            }
            _ => unknown(),
        }
    }

    /// A `let`'s value, and what else is assigned to the name later.
    fn values_let(&self, at: At, name: &str, value: At) -> Vec<Value> {
        let mut found = self.values(value);
        let mut longer = found.clone();
        if self.source(value).len() < 4096
            && let Some(body) = self.function_at(at).and_then(|of| self.body(of))
        {
            for node in self.under(body) {
                match self.kind(node) {
                    Kind::Assign { target, value, op }
                        if self.is_name(node.with(*target), name) =>
                    {
                        if op == "=" {
                            found.extend(self.values(node.with(*value)));
                        } else {
                            found.push(vec![Piece::Unknown]);
                        }
                    }
                    Kind::Method { receiver, name: method, args, .. }
                        if self.is_name(node.with(*receiver), name) =>
                    {
                        match (method.as_str(), &**args) {
                            ("push_str" | "push", [tail]) => {
                                longer = product(&longer, &self.values(node.with(*tail)));
                            }
                            ("extend" | "insert_str" | "clear", _) => {
                                found.push(vec![Piece::Unknown]);
                            }
                            _ => {}
                        }
                    }
                    _ => {}
                }
            }
        }
        // What is pushed may be pushed on one way only.
        if longer != found.get(..longer.len()).unwrap_or_default() {
            found.push(vec![Piece::Unknown]);
            found.splice(0..0, longer);
        }
        found
    }

    fn values_field(&self, at: At, base: At, name: &Name) -> Vec<Value> {
        if let Ty::Local(def @ Def::Struct(..)) = self.ty(base) {
            vec![vec![Piece::Field(def, name.clone())]]
        } else {
            // A field of something that came from outside (arguments, a parsed file) is from outside too.
            let _ = at;
            unknown()
        }
    }

    fn values_macro(&self, at: At, path: &[Name], args: &[NodeId]) -> Vec<Value> {
        match path.last().map(Name::as_str) {
            Some("format" | "format_args") => self.values_format(at, args),
            Some("concat") => {
                let parts: Vec<Vec<Value>> =
                    args.iter().map(|arg| self.values(at.with(*arg))).collect();
                parts.iter().fold(vec![Vec::new()], |whole, part| product(&whole, part))
            }
            Some("env" | "option_env") => vec![vec![Piece::Outside]],
            _ => unknown(),
        }
    }

    /// `format!("{base}/chat/{}", x)`, with the captured names looked up where the macro stands.
    fn values_format(&self, at: At, args: &[NodeId]) -> Vec<Value> {
        let Some((first, rest)) = args.split_first() else { return unknown() };
        let first = at.with(*first);
        let Kind::Str(template) = self.kind(first) else { return unknown() };
        let mut plain =
            rest.iter().filter(|arg| !matches!(self.kind(at.with(**arg)), Kind::Assign { .. }));
        let mut whole: Vec<Value> = vec![Vec::new()];
        for part in template_parts(template) {
            let next = match part {
                Part::Text(text) => vec![vec![Piece::Text(text, first)]],
                Part::Next => plain.next().map_or_else(unknown, |arg| self.values(at.with(*arg))),
                Part::Named(name) => {
                    let given = rest.iter().find_map(|arg| match self.kind(at.with(*arg)) {
                        Kind::Assign { target, value, .. }
                            if self.is_name(at.with(*target), &name) =>
                        {
                            Some(at.with(*value))
                        }
                        _ => None,
                    });
                    match given {
                        Some(value) => self.values(value),
                        None => self.values_path(at, &[Name::new(&name)]),
                    }
                }
            };
            whole = product(&whole, &next);
        }
        whole
    }

    fn values_method(&self, at: At, receiver: At, name: &str, args: &[NodeId]) -> Vec<Value> {
        if SAME.contains(&name) {
            return self.values(receiver);
        }
        match (name, args) {
            ("unwrap_or" | "unwrap_or_else" | "or_else" | "or", [fallback]) => {
                [self.values(receiver), self.values(at.with(*fallback))].concat()
            }
            ("join", [tail]) => product(&self.values(receiver), &self.values(at.with(*tail))),
            ("replace", _) => self
                .values(receiver)
                .into_iter()
                .map(|mut value| {
                    value.push(Piece::Unknown);
                    value
                })
                .collect(),
            _ => self.values_function(at),
        }
    }

    fn values_call(&self, at: At, callee: At, args: &[NodeId]) -> Vec<Value> {
        let Kind::Path(path) = self.kind(callee) else { return unknown() };
        let last = path.last().map_or("", Name::as_str);
        if let (
            "from" | "Some" | "Ok" | "parse" | "new" | "from_static" | "Borrowed" | "Owned",
            [only],
        ) = (last, args)
        {
            return self.values(at.with(*only));
        }
        if let Some(Found::External(path)) = self.resolve_at(at, path) {
            let roles = self.fact(at.file, &path).map(|fact| fact.roles).unwrap_or_default();
            let outside = [
                crate::knowledge::Role::Env,
                crate::knowledge::Role::SecretSource,
                crate::knowledge::Role::Config,
            ];
            if roles.any(outside.into_iter().collect()) {
                return vec![vec![Piece::Outside]];
            }
        }
        self.values_function(at)
    }

    /// What a function of the workspace returns, where its body is a plain value.
    fn values_function(&self, at: At) -> Vec<Value> {
        let Some(target) = self.callee(at) else { return unknown() };
        let Some(body) = self.body(target) else { return unknown() };
        match self.kind(body) {
            Kind::Block { stmts, tail: true } if stmts.len() <= 8 => self.values(body),
            _ => unknown(),
        }
    }

    /// The texts a value certainly contains, joined with a mark for what is not known.
    pub(crate) fn rendered(value: &Value) -> String {
        let texts = value.iter().map(|piece| match piece {
            Piece::Text(text, _) => text.clone(),
            Piece::Number(number, _) => number.to_string(),
            Piece::Param(..) | Piece::Field(..) | Piece::Outside | Piece::Unknown => {
                "\u{0}".to_owned()
            }
        });
        texts.collect()
    }
}

fn unknown() -> Vec<Value> {
    vec![vec![Piece::Unknown]]
}

fn number(digits: &str, at: At) -> Piece {
    digits.parse::<f64>().map_or(Piece::Unknown, |number| Piece::Number(number, at))
}

fn negated(value: Value) -> Value {
    value
        .into_iter()
        .map(|piece| if let Piece::Number(n, at) = piece { Piece::Number(-n, at) } else { piece })
        .collect()
}

fn product(left: &[Value], right: &[Value]) -> Vec<Value> {
    let pairs =
        left.iter().flat_map(|l| right.iter().map(move |r| [l.as_slice(), r.as_slice()].concat()));
    pairs.take(LIMIT).collect()
}

enum Part {
    Text(String),
    Next,
    Named(String),
}

/// The parts of a format string.
fn template_parts(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                text.push(c);
            }
            '{' => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                let inner: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let name = inner.split(':').next().unwrap_or_default().trim().to_owned();
                let positional = name.chars().all(|c| c.is_ascii_digit());
                parts.push(if positional { Part::Next } else { Part::Named(name) });
            }
            c => text.push(c),
        }
    }
    parts.push(Part::Text(text));
    parts
}
