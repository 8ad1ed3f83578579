//! Local names: which `let`, parameter or pattern a name inside a function refers to.

use super::{At, Def, FnRef, Found, Ty, Workspace};
use crate::facts::{Kind, Name, NodeId, Pat, TypeRef};

/// Where a local name comes from.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// `let name = value`; the name is the whole value.
    Value { value: At },
    /// `let name: Type`, with or without a value.
    Typed { ty: TypeRef, value: Option<At> },
    /// A part of `value`, taken out by a pattern with the head given (`Some`, `Ok`, `Err`, a struct, `()`).
    Part { value: At, head: Name, of: Taken },
    /// A parameter of a function.
    Param { function: FnRef, at: usize },
    /// A parameter of a closure.
    ClosureParam,
    /// An element of what a `for` loop runs over.
    Element,
}

/// Where in a pattern a name stands: the path at the head, and the field or the position right below it.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    path: Box<[Name]>,
    field: Option<Name>,
}

impl Workspace<'_> {
    /// The struct a name was taken out of, and from which field: `let Settings { client, .. } = settings`.
    pub(crate) fn taken_from(&self, at: At, of: &Taken) -> Option<(Def, Name)> {
        match self.resolve_at(at, &of.path)? {
            Found::Local(def @ Def::Struct(..)) => Some((def, of.field.clone()?)),
            _ => None,
        }
    }

    /// The type of what a name was taken out of a struct or an enum's variant as.
    pub(super) fn ty_taken(&self, at: At, of: &Taken) -> Ty {
        let Some(name) = &of.field else { return Ty::Unknown };
        match self.resolve_at(at, &of.path) {
            Some(Found::Local(def @ Def::Struct(..))) => self.ty_field_of(def, name),
            Some(Found::Member(Def::Enum(file, index), variant)) => {
                let Some(of) = self.file(file).enums.get(index) else { return Ty::Unknown };
                let mut variants = of.variants.iter();
                let held = variants.find(|of| of.name == variant).map_or(&[][..], |of| &of.fields);
                let held = held.iter().find(|(field, _)| field == name);
                held.map_or(Ty::Unknown, |(_, ty)| self.ty_ref(file, of.module, None, ty))
            }
            _ => Ty::Unknown,
        }
    }

    /// The binding that `name` at `at` refers to, if it is a local one.
    pub(crate) fn binding(&self, at: At, name: &str) -> Option<Binding> {
        let mut child = at.node;
        for up in self.ancestors(at) {
            if let Some(found) = self.bound_by(up, child, name) {
                return Some(found);
            }
            child = up.node;
        }
        let function = self.function_at(at)?;
        let fact = self.function(function)?;
        let at = fact.params.iter().position(|param| param.names.iter().any(|n| n == name))?;
        Some(Binding::Param { function, at })
    }

    fn bound_by(&self, up: At, child: NodeId, name: &str) -> Option<Binding> {
        match self.kind(up) {
            Kind::Block { stmts, .. } => {
                let place = stmts.iter().position(|stmt| *stmt == child).unwrap_or(stmts.len());
                stmts
                    .get(..place)?
                    .iter()
                    .rev()
                    .find_map(|stmt| self.bound_by_let(up.with(*stmt), name))
            }
            Kind::Closure { params, .. } => {
                params.iter().any(|param| param == name).then_some(Binding::ClosureParam)
            }
            Kind::Match { value, arms } => {
                let arm = arms.iter().find(|arm| arm.body == child || arm.guard == Some(child))?;
                part(&arm.pat, up.with(*value), name)
            }
            Kind::If { cond, then, .. } if *then == child || *cond == child => {
                self.bound_by_condition(up.with(*cond), name)
            }
            Kind::Binary { left, right, .. } if *right == child => {
                self.bound_by_condition(up.with(*left), name)
            }
            Kind::Loop { pat, head: Some(head), body, .. } if *body == child => {
                if pat.names.iter().any(|n| n == name) {
                    return Some(Binding::Element);
                }
                self.bound_by_condition(up.with(*head), name)
            }
            _ => None,
        }
    }

    fn bound_by_let(&self, at: At, name: &str) -> Option<Binding> {
        let Kind::Let { pat, ty, init, .. } = self.kind(at) else { return None };
        if !pat.names.iter().any(|n| n == name) {
            return None;
        }
        let value = init.map(|init| at.with(init));
        if pat.binding().is_none() {
            return part(pat, value?, name);
        }
        match (ty, value) {
            (Some(ty), value) => Some(Binding::Typed { ty: (**ty).clone(), value }),
            (None, Some(value)) => Some(Binding::Value { value }),
            (None, None) => self.assigned(at, name),
        }
    }

    /// `let x; … x = value;`
    fn assigned(&self, at: At, name: &str) -> Option<Binding> {
        let block = self.parent(at)?;
        self.under(block).find_map(|node| match self.kind(node) {
            Kind::Assign { target, value, .. } if self.is_name(at.with(*target), name) => {
                Some(Binding::Value { value: at.with(*value) })
            }
            _ => None,
        })
    }

    fn bound_by_condition(&self, at: At, name: &str) -> Option<Binding> {
        match self.kind(at) {
            Kind::LetCond { pat, value } => part(pat, at.with(*value), name),
            Kind::Binary { left, right, .. } => self
                .bound_by_condition(at.with(*right), name)
                .or_else(|| self.bound_by_condition(at.with(*left), name)),
            _ => None,
        }
    }

    /// Whether a node is just `name`.
    pub(crate) fn is_name(&self, at: At, name: &str) -> bool {
        matches!(self.kind(self.peel(at)), Kind::Path(path) if matches!(&**path, [only] if only == name))
    }

    /// The single segment of a node that is just a name.
    pub(crate) fn name_of(&self, at: At) -> Option<&Name> {
        match self.kind(at) {
            Kind::Path(path) => match &**path {
                [only] => Some(only),
                _ => None,
            },
            _ => None,
        }
    }
}

fn part(pat: &Pat, value: At, name: &str) -> Option<Binding> {
    if !pat.names.iter().any(|n| n == name) {
        return None;
    }
    if pat.binding().is_some() {
        return Some(Binding::Value { value });
    }
    let of = Taken { path: pat.head.clone(), field: pat.field(name).cloned() };
    Some(Binding::Part { value, head: Name::new(pat.head_name()), of })
}
