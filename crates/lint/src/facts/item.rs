//! Items: functions, types, constants, modules and imports, as written.

use super::{ModId, Name, NodeId, TypeRef};
use crate::text::Span;
use serde::{Deserialize, Serialize};

/// An attribute: `#[path(text)]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attr {
    /// Its path, joined with `::`.
    pub(crate) path: Name,
    /// Everything between the brackets.
    pub(crate) text: String,
}

/// A function parameter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Param {
    /// The names its pattern binds; more than one for a destructuring pattern.
    pub(crate) names: Vec<Name>,
    /// Its type.
    pub(crate) ty: TypeRef,
}

/// A function, a method, or a trait's method.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FnFact {
    /// Its name.
    pub(crate) name: Name,
    /// The module it stands in.
    pub(crate) module: ModId,
    /// The `impl` or `trait` block it stands in: an index into `impls`.
    pub(crate) block: Option<usize>,
    /// The span of its name.
    pub(crate) span: Span,
    /// The span of the whole item, attributes left out.
    pub(crate) item: Span,
    /// Its body; absent for a required trait method.
    pub(crate) body: Option<NodeId>,
    /// `async fn`.
    pub(crate) is_async: bool,
    /// Whether it takes `self`.
    pub(crate) has_self: bool,
    /// Parameters other than `self`.
    pub(crate) params: Vec<Param>,
    /// The return type.
    pub(crate) output: TypeRef,
    /// Attributes other than doc comments.
    pub(crate) attrs: Vec<Attr>,
    /// Whether it stands under `#[cfg(test)]` or is a test itself, as far as this file tells.
    pub(crate) test: bool,
}

impl FnFact {
    /// Whether an attribute's path ends in `name`.
    pub(crate) fn has_attr(&self, name: &str) -> bool {
        self.attrs.iter().any(|attr| attr.path.rsplit("::").next() == Some(name))
    }
}

/// An `impl` block or a trait definition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ImplFact {
    /// The type it is for; for a trait definition the trait itself.
    pub(crate) of: TypeRef,
    /// The trait, where it implements one.
    pub(crate) of_trait: Option<TypeRef>,
    /// Whether this is a trait definition.
    pub(crate) is_trait: bool,
    /// The module it stands in.
    pub(crate) module: ModId,
}

/// A field of a struct or of an enum variant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FieldFact {
    /// Its name, or its position.
    pub(crate) name: Name,
    /// Its type.
    pub(crate) ty: TypeRef,
    /// The span of the name, or of nothing for a tuple field.
    pub(crate) span: Span,
    /// Whether it has a doc comment.
    pub(crate) doc: bool,
    /// Attributes other than doc comments.
    pub(crate) attrs: Vec<Attr>,
}

/// A struct.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct StructFact {
    /// Its name.
    pub(crate) name: Name,
    /// The module it stands in.
    pub(crate) module: ModId,
    /// The span of its name.
    pub(crate) span: Span,
    /// The whole item.
    pub(crate) item: Span,
    /// Its fields.
    pub(crate) fields: Vec<FieldFact>,
    /// What it derives, last segments.
    pub(crate) derives: Vec<Name>,
    /// Other attributes.
    pub(crate) attrs: Vec<Attr>,
    /// Whether it stands under `#[cfg(test)]`.
    pub(crate) test: bool,
}

/// An enum.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EnumFact {
    /// Its name.
    pub(crate) name: Name,
    /// The module it stands in.
    pub(crate) module: ModId,
    /// Its variants.
    pub(crate) variants: Vec<VariantFact>,
}

/// A variant of an enum.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct VariantFact {
    /// Its name.
    pub(crate) name: Name,
    /// What it holds: names or positions, and types.
    pub(crate) fields: Vec<(Name, TypeRef)>,
}

/// A constant or a static.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ConstFact {
    /// Its name.
    pub(crate) name: Name,
    /// The module it stands in.
    pub(crate) module: ModId,
    /// The `impl` block it stands in.
    pub(crate) block: Option<usize>,
    /// Its type.
    pub(crate) ty: TypeRef,
    /// Its value.
    pub(crate) value: Option<NodeId>,
    /// The whole item.
    pub(crate) item: Span,
}

/// A type alias.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AliasFact {
    /// Its name.
    pub(crate) name: Name,
    /// The module it stands in.
    pub(crate) module: ModId,
    /// What it stands for.
    pub(crate) ty: TypeRef,
}

/// One imported name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UseFact {
    /// The path, as written.
    pub(crate) path: Vec<Name>,
    /// The name it is known by here; empty for a glob.
    pub(crate) name: Name,
    /// `use path::*`.
    pub(crate) glob: bool,
    /// The module it stands in.
    pub(crate) module: ModId,
}

/// A module written in this file, or declared in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ModFact {
    /// Its name; empty for the file itself.
    pub(crate) name: Name,
    /// The module it is written in; the file's own root has itself.
    pub(crate) parent: ModId,
    /// Whether its body is here.
    pub(crate) inline: bool,
    /// `#[path = "…"]`, or what `include!` names.
    pub(crate) path: Option<String>,
    /// Whether `include!` puts the file's items into the module it is written in.
    pub(crate) included: bool,
    /// Whether it, or a module around it in this file, is `#[cfg(test)]`.
    pub(crate) test: bool,
}
