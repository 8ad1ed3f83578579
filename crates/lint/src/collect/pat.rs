//! Patterns: the names they bind, the path at their head, the texts they compare with.

use super::lower::name;
use crate::facts::{Name, Pat, TypeRef};
use syn::Pat as Syntax;

/// A pattern's facts.
pub(super) fn pattern(pat: &Syntax) -> Pat {
    let mut found = Found::default();
    found.visit(pat, true);
    let (names, fields) = found.names.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let head = found.head.into();
    Pat { names: names.into(), fields: fields.into(), head, ignores: ignores(pat) }
}

/// The type a pattern is annotated with.
pub(super) fn annotation(pat: &Syntax) -> Option<TypeRef> {
    match pat {
        Syntax::Type(typed) => Some(super::ty::type_ref(&typed.ty)),
        _ => None,
    }
}

fn ignores(pat: &Syntax) -> bool {
    match pat {
        Syntax::Wild(_) | Syntax::Rest(_) => true,
        Syntax::TupleStruct(of) => of.elems.iter().all(ignores),
        Syntax::Ident(of) => of.ident.to_string().starts_with('_') && of.subpat.is_none(),
        Syntax::Type(of) => ignores(&of.pat),
        _ => false,
    }
}

#[derive(Default)]
struct Found {
    names: Vec<(Name, Option<Name>)>,
    head: Vec<Name>,
    /// The field or the position right below the head that is being visited.
    field: Option<Name>,
}

impl Found {
    fn head(&mut self, path: &syn::Path, outermost: bool) {
        if outermost && self.head.is_empty() {
            self.head = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        }
    }

    /// A part of a pattern. What lies deeper than right below the head is taken from no field of the head's.
    fn below(&mut self, field: Name, pat: &Syntax, outermost: bool) {
        let plain = matches!(pat, Syntax::Ident(of) if of.subpat.is_none());
        self.field = (outermost && plain).then_some(field);
        self.visit(pat, false);
        self.field = None;
    }

    fn visit(&mut self, pat: &Syntax, outermost: bool) {
        match pat {
            Syntax::Ident(of) => {
                self.names.push((name(&of.ident), self.field.clone()));
                if let Some((_, inner)) = &of.subpat {
                    self.visit(inner, outermost);
                }
            }
            Syntax::Type(of) => self.visit(&of.pat, outermost),
            Syntax::Paren(of) => self.visit(&of.pat, outermost),
            Syntax::Reference(of) => self.visit(&of.pat, outermost),
            Syntax::Or(of) => of.cases.iter().for_each(|case| self.visit(case, outermost)),
            Syntax::Path(of) => self.head(&of.path, outermost),
            Syntax::TupleStruct(of) => {
                self.head(&of.path, outermost);
                for (at, inner) in of.elems.iter().enumerate() {
                    self.below(Name::new(at.to_string()), inner, outermost);
                }
            }
            Syntax::Struct(of) => {
                self.head(&of.path, outermost);
                for field in &of.fields {
                    let member = match &field.member {
                        syn::Member::Named(ident) => name(ident),
                        syn::Member::Unnamed(at) => Name::new(at.index.to_string()),
                    };
                    self.below(member, &field.pat, outermost);
                }
            }
            Syntax::Tuple(of) => {
                self.head.push(Name::new_static("()"));
                of.elems.iter().for_each(|inner| self.visit(inner, false));
            }
            Syntax::Slice(of) => {
                self.head.push(Name::new_static("[]"));
                of.elems.iter().for_each(|inner| self.visit(inner, false));
            }
            _ => {}
        }
    }
}
