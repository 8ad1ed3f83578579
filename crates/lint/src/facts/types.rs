//! Types as written, references and lifetimes dropped.

use super::Name;
use serde::{Deserialize, Serialize};

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum TypeRef {
    /// `a::b::C<D, E>`; the arguments are those of the last segment.
    Path(Box<[Name]>, Box<[TypeRef]>),
    /// A tuple, an array or a slice.
    Tuple(Box<[TypeRef]>),
    /// `impl A + B` or `dyn A + B`: the bounds.
    Bounds(Box<[TypeRef]>),
    /// Anything else: `_`, a function pointer, a macro.
    #[default]
    Unknown,
}

impl TypeRef {
    /// The last segment of a path type.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Path(segments, _) => segments.last().map(Name::as_str),
            Self::Tuple(_) | Self::Bounds(_) | Self::Unknown => None,
        }
    }

    /// Whether `name` is the last segment of this type or of any type inside it.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.any(&mut |inner| inner.name() == Some(name))
    }

    /// Whether this type or any type inside it satisfies `test`.
    pub(crate) fn any(&self, test: &mut dyn FnMut(&TypeRef) -> bool) -> bool {
        test(self)
            || match self {
                Self::Path(_, inner) | Self::Tuple(inner) | Self::Bounds(inner) => {
                    inner.iter().any(|t| t.any(test))
                }
                Self::Unknown => false,
            }
    }
}
