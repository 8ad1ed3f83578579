//! Types to [`TypeRef`]s.

use super::lower::name;
use crate::facts::TypeRef;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

/// A type as written.
pub(super) fn type_ref(ty: &Type) -> TypeRef {
    match ty {
        Type::Path(path) => path_ref(&path.path),
        Type::Reference(inner) => type_ref(&inner.elem),
        Type::Paren(inner) => type_ref(&inner.elem),
        Type::Group(inner) => type_ref(&inner.elem),
        Type::Ptr(inner) => type_ref(&inner.elem),
        Type::Array(inner) => TypeRef::Tuple([type_ref(&inner.elem)].into()),
        Type::Slice(inner) => TypeRef::Tuple([type_ref(&inner.elem)].into()),
        Type::Tuple(parts) => TypeRef::Tuple(parts.elems.iter().map(type_ref).collect()),
        Type::ImplTrait(bounds) => {
            TypeRef::Bounds(bounds.bounds.iter().filter_map(bound).collect())
        }
        Type::TraitObject(bounds) => {
            TypeRef::Bounds(bounds.bounds.iter().filter_map(bound).collect())
        }
        _ => TypeRef::Unknown,
    }
}

fn bound(bound: &TypeParamBound) -> Option<TypeRef> {
    match bound {
        TypeParamBound::Trait(of) => Some(path_ref(&of.path)),
        _ => None,
    }
}

/// A path as a type.
pub(super) fn path_ref(path: &syn::Path) -> TypeRef {
    let segments = path.segments.iter().map(|segment| name(&segment.ident)).collect();
    let last = path.segments.last().map(|segment| &segment.arguments);
    let arguments = match last {
        Some(PathArguments::AngleBracketed(inner)) => {
            inner.args.iter().filter_map(argument).collect()
        }
        Some(PathArguments::Parenthesized(inner)) => [output(&inner.output)].into(),
        _ => [].into(),
    };
    TypeRef::Path(segments, arguments)
}

fn argument(argument: &GenericArgument) -> Option<TypeRef> {
    match argument {
        GenericArgument::Type(ty) => Some(type_ref(ty)),
        GenericArgument::AssocType(of) => Some(type_ref(&of.ty)),
        _ => None,
    }
}

/// A function's return type; the unit type where none is written.
pub(super) fn output(output: &ReturnType) -> TypeRef {
    match output {
        ReturnType::Default => TypeRef::Tuple([].into()),
        ReturnType::Type(_, ty) => type_ref(ty),
    }
}
