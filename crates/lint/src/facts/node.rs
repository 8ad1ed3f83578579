//! Expressions as an arena of small nodes.

use super::{Name, TypeRef};
use crate::text::{Span, index, offset};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// A node of one file's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NodeId(NonZeroU32);

impl NodeId {
    pub(crate) fn at(position: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(offset(position)))
    }

    pub(crate) fn index(self) -> usize {
        index(self.0.get() - 1)
    }
}

/// A function of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FnId(NonZeroU32);

impl FnId {
    pub(crate) fn at(position: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(offset(position)))
    }

    pub(crate) fn index(self) -> usize {
        index(self.0.get() - 1)
    }
}

/// A module written in one file; the default is the file itself.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub(crate) struct ModId(pub(crate) u32);

/// An expression, a statement or a pattern's value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) span: Span,
    /// The node around it.
    pub(crate) parent: Option<NodeId>,
    /// The function it stands in; absent for the value of a constant.
    pub(crate) in_fn: Option<FnId>,
}

impl Node {
    pub(crate) const MISSING: Node =
        Node { kind: Kind::Empty, span: Span { start: 0, end: 0 }, parent: None, in_fn: None };
}

/// The kinds of loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LoopKind {
    /// `loop`.
    Forever,
    /// `while`, `while let`.
    While,
    /// `for`.
    For,
}

/// A pattern, as far as the questions need it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pat {
    /// The names it binds.
    pub(crate) names: Box<[Name]>,
    /// Of each name the field or the position it is taken from, where it stands right below the head.
    pub(crate) fields: Box<[Option<Name>]>,
    /// The path at its head: `Err` in `Err(e)`.
    pub(crate) head: Box<[Name]>,
    /// `_`, or `Head(_)`.
    pub(crate) ignores: bool,
}

impl Pat {
    /// The one name a plain binding (`x`, `mut x`, `x: T`) gives to the whole value.
    pub(crate) fn binding(&self) -> Option<&Name> {
        match (&*self.names, &*self.head) {
            ([name], []) => Some(name),
            _ => None,
        }
    }

    /// The field or the position that a name is taken from.
    pub(crate) fn field(&self, name: &str) -> Option<&Name> {
        let at = self.names.iter().position(|of| of == name)?;
        self.fields.get(at)?.as_ref()
    }

    /// The last segment of the path at its head.
    pub(crate) fn head_name(&self) -> &str {
        self.head.last().map_or("", Name::as_str)
    }
}

/// One arm of a `match`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Arm {
    /// Its pattern.
    pub(crate) pat: Pat,
    /// Its guard.
    pub(crate) guard: Option<NodeId>,
    /// Its value.
    pub(crate) body: NodeId,
}

/// What a node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// `a`, `a::b`.
    Path(Box<[Name]>),
    /// A string literal's value.
    Str(Box<str>),
    /// A number, digits and suffix as written.
    Num(Name),
    /// `true`, `false`.
    Bool(bool),
    /// `callee(args)`.
    Call { callee: NodeId, args: Box<[NodeId]> },
    /// `receiver.name(args)`; `at` is where the name begins.
    Method { receiver: NodeId, name: Name, args: Box<[NodeId]>, at: u32 },
    /// `base.name`.
    Field { base: NodeId, name: Name },
    /// `path { name: value, ..rest }`.
    Struct { path: Box<[Name]>, fields: Box<[(Name, NodeId)]>, rest: Option<NodeId> },
    /// `path!(args)`; arguments that could be read as expressions.
    Macro { path: Box<[Name]>, args: Box<[NodeId]> },
    /// A JSON object inside `json!`.
    Object(Box<[(Name, NodeId)]>),
    /// A closure and the names its parameters bind.
    Closure { params: Box<[Name]>, body: NodeId, is_async: bool },
    /// `async { … }`.
    Async(NodeId),
    /// Statements; `tail` tells whether the last one is the block's value.
    Block { stmts: Box<[NodeId]>, tail: bool },
    /// `let pat: ty = init else { otherwise };`.
    Let { pat: Box<Pat>, ty: Option<Box<TypeRef>>, init: Option<NodeId>, otherwise: Option<NodeId> },
    /// `let pat = value` as a condition.
    LetCond { pat: Box<Pat>, value: NodeId },
    /// `target = value`, `target += value`.
    Assign { target: NodeId, value: NodeId, op: Name },
    /// `if`.
    If { cond: NodeId, then: NodeId, otherwise: Option<NodeId> },
    /// `match`.
    Match { value: NodeId, arms: Box<[Arm]> },
    /// Any loop; `head` is the condition or the iterated value.
    Loop { kind: LoopKind, pat: Box<Pat>, head: Option<NodeId>, body: NodeId },
    /// `value.await`.
    Await(NodeId),
    /// `value?`.
    Try(NodeId),
    /// References, parentheses, casts, unary operators other than `!`.
    Wrap(NodeId),
    /// `left op right`.
    Binary { op: Name, left: NodeId, right: NodeId },
    /// `base[index]`.
    Index { base: NodeId, at: NodeId },
    /// `return value`.
    Return(Option<NodeId>),
    /// `break value`.
    Break(Option<NodeId>),
    /// `continue`.
    Continue,
    /// A tuple, an array, a range, `!value`, or what else has parts.
    List(Box<[NodeId]>),
    /// Nothing that is read.
    Empty,
}

impl Kind {
    /// Calls `visit` on each direct child, in source order.
    pub(crate) fn each_child(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Path(_)
            | Self::Str(_)
            | Self::Num(_)
            | Self::Bool(_)
            | Self::Continue
            | Self::Empty => {}
            Self::Call { callee: first, args } | Self::Method { receiver: first, args, .. } => {
                visit(*first);
                args.iter().copied().for_each(visit);
            }
            Self::Field { base: only, .. }
            | Self::Closure { body: only, .. }
            | Self::Async(only)
            | Self::LetCond { value: only, .. }
            | Self::Await(only)
            | Self::Try(only)
            | Self::Wrap(only) => visit(*only),
            Self::Struct { fields, rest, .. } => {
                fields.iter().map(|(_, value)| *value).chain(*rest).for_each(visit);
            }
            Self::Object(fields) => fields.iter().map(|(_, value)| *value).for_each(visit),
            Self::Macro { args: parts, .. }
            | Self::Block { stmts: parts, .. }
            | Self::List(parts) => {
                parts.iter().copied().for_each(visit);
            }
            Self::Let { init: first, otherwise: second, .. } => {
                first.iter().chain(second).copied().for_each(visit);
            }
            Self::Assign { target: left, value: right, .. }
            | Self::Binary { left, right, .. }
            | Self::Index { base: left, at: right } => [*left, *right].into_iter().for_each(visit),
            Self::If { cond, then, otherwise } => {
                [*cond, *then].into_iter().chain(*otherwise).for_each(visit);
            }
            Self::Match { value, arms } => {
                visit(*value);
                arms.iter().flat_map(|arm| arm.guard.into_iter().chain([arm.body])).for_each(visit);
            }
            Self::Loop { head, body, .. } => head.iter().copied().chain([*body]).for_each(visit),
            Self::Return(value) | Self::Break(value) => value.iter().copied().for_each(visit),
        }
    }
}
