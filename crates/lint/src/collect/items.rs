//! Items to facts.

use super::attr::{is_doc, is_test_cfg, is_test_fn};
use super::lower::{Lower, name};
use super::pat::pattern;
use super::ty::{output, path_ref, type_ref};
use crate::facts::item::{AliasFact, FieldFact};
use crate::facts::{ConstFact, EnumFact, FnFact, FnId, ImplFact, ModFact, ModId, Name, NodeId};
use crate::facts::{Param, StructFact, TypeRef, UseFact, VariantFact};
use crate::text::{Span, offset};
use syn::{Attribute, Fields, ImplItem, Item, Signature, TraitItem, UseTree};

/// A function's parts, wherever it is written.
struct Written<'s> {
    attrs: &'s [Attribute],
    sig: &'s Signature,
    body: Option<&'s syn::Block>,
}

impl Lower<'_> {
    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(of) => {
                self.function(&Written { attrs: &of.attrs, sig: &of.sig, body: Some(&of.block) });
            }
            Item::Impl(of) => self.impl_block(of),
            Item::Trait(of) => self.trait_block(of),
            Item::Mod(of) => self.module(of),
            Item::Use(of) => self.imports(&of.tree, &mut Vec::new()),
            Item::Struct(of) => self.structure(of),
            Item::Enum(of) => self.enumeration(of),
            Item::Const(of) => self.constant(&of.ident, &of.ty, &of.expr, &of.attrs),
            Item::Static(of) => self.constant(&of.ident, &of.ty, &of.expr, &of.attrs),
            Item::Type(of) => {
                let fact =
                    AliasFact { name: name(&of.ident), module: self.module, ty: type_ref(&of.ty) };
                self.facts.aliases.push(fact);
            }
            Item::ExternCrate(of) => {
                let known = of.rename.as_ref().map_or(&of.ident, |(_, alias)| alias);
                let fact = UseFact {
                    path: vec![name(&of.ident)],
                    name: name(known),
                    module: self.module,
                    ..UseFact::default()
                };
                self.facts.uses.push(fact);
            }
            Item::Macro(of) if of.ident.is_none() => {
                self.under(&of.attrs, |this| this.item_macro(&of.mac));
            }
            _ => {}
        }
    }

    /// A macro that stands for items; what is inside counts as a test where the macro stands among tests.
    fn item_macro(&mut self, of: &syn::Macro) {
        if let (true, Some(first)) = (self.test, of.path.segments.first()) {
            let whole = self.between(first.ident.span(), of.delimiter.span().close());
            self.facts.test_items.push(whole);
        }
        self.macro_items(of);
    }

    /// Runs `inside` with the test flag raised by these attributes.
    fn under(&mut self, attrs: &[Attribute], inside: impl FnOnce(&mut Self)) {
        let before = self.test;
        self.test |= attrs.iter().any(|a| is_test_cfg(a) || is_test_fn(a));
        inside(self);
        self.test = before;
    }

    fn module(&mut self, of: &syn::ItemMod) {
        self.under(&of.attrs, |this| {
            let path = of.attrs.iter().find(|a| a.path().is_ident("path")).and_then(string_value);
            let parent = this.module;
            let id = ModId(offset(this.facts.mods.len()));
            let inline = of.content.is_some();
            this.facts.mods.push(ModFact {
                name: name(&of.ident),
                parent,
                inline,
                path,
                included: false,
                test: this.test,
            });
            this.module = id;
            if let Some((_, items)) = &of.content {
                for item in items {
                    this.item(item);
                }
            }
            this.module = parent;
        });
    }

    fn imports(&mut self, tree: &UseTree, prefix: &mut Vec<Name>) {
        match tree {
            UseTree::Path(of) => {
                prefix.push(name(&of.ident));
                self.imports(&of.tree, prefix);
                prefix.pop();
            }
            UseTree::Name(of) => self.import(prefix, &name(&of.ident), None),
            UseTree::Rename(of) => {
                self.import(prefix, &name(&of.ident), Some(name(&of.rename)));
            }
            UseTree::Glob(_) => {
                let fact = UseFact {
                    path: prefix.clone(),
                    name: Name::default(),
                    glob: true,
                    module: self.module,
                };
                self.facts.uses.push(fact);
            }
            UseTree::Group(of) => {
                of.items.iter().for_each(|inner| self.imports(inner, prefix));
            }
        }
    }

    fn import(&mut self, prefix: &[Name], last: &Name, alias: Option<Name>) {
        let mut path = prefix.to_vec();
        if last != "self" {
            path.push(last.clone());
        }
        let known = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        self.facts.uses.push(UseFact { path, name: known, glob: false, module: self.module });
    }

    fn impl_block(&mut self, of: &syn::ItemImpl) {
        let fact = ImplFact {
            of: type_ref(&of.self_ty),
            of_trait: of.trait_.as_ref().map(|(path, _)| path_ref(path)),
            is_trait: false,
            module: self.module,
        };
        self.in_block(fact, &of.attrs, |this| {
            for item in &of.items {
                match item {
                    ImplItem::Fn(of) => {
                        this.function(&Written {
                            attrs: &of.attrs,
                            sig: &of.sig,
                            body: Some(&of.block),
                        });
                    }
                    ImplItem::Const(of) => this.constant(&of.ident, &of.ty, &of.expr, &of.attrs),
                    _ => {}
                }
            }
        });
    }

    fn trait_block(&mut self, of: &syn::ItemTrait) {
        let of_type = TypeRef::Path([name(&of.ident)].into(), [].into());
        let fact = ImplFact { of: of_type, of_trait: None, is_trait: true, module: self.module };
        self.in_block(fact, &of.attrs, |this| {
            for item in &of.items {
                if let TraitItem::Fn(of) = item {
                    this.function(&Written {
                        attrs: &of.attrs,
                        sig: &of.sig,
                        body: of.default.as_ref(),
                    });
                }
            }
        });
    }

    fn in_block(&mut self, fact: ImplFact, attrs: &[Attribute], inside: impl FnOnce(&mut Self)) {
        let before = self.block.replace(self.facts.impls.len());
        self.facts.impls.push(fact);
        self.under(attrs, inside);
        self.block = before;
    }

    fn function(&mut self, of: &Written<'_>) {
        let sig = of.sig;
        self.under(of.attrs, |this| {
            let id = FnId::at(this.facts.fns.len());
            let fact = this.function_fact(of);
            this.facts.fns.push(fact);
            let before = (this.in_fn.replace(id), this.block);
            let body = of.body.map(|body| this.block_node(body));
            (this.in_fn, this.block) = before;
            let end = body.map_or_else(|| this.range(sig.ident.span()), |body| this.span(body)).end;
            if let Some(fact) = this.facts.fns.get_mut(id.index()) {
                fact.body = body;
                fact.item.end = end;
            }
        });
    }

    fn function_fact(&self, of: &Written<'_>) -> FnFact {
        let mut params = Vec::new();
        let mut has_self = false;
        for input in &of.sig.inputs {
            match input {
                syn::FnArg::Receiver(_) => has_self = true,
                syn::FnArg::Typed(typed) => {
                    params.push(Param {
                        names: pattern(&typed.pat).names.into(),
                        ty: type_ref(&typed.ty),
                    });
                }
            }
        }
        let start = self.range(of.sig.fn_token.span);
        FnFact {
            name: name(&of.sig.ident),
            module: self.module,
            block: self.block,
            span: self.range(of.sig.ident.span()),
            item: Span { start: start.start, end: start.end },
            body: None,
            is_async: of.sig.asyncness.is_some(),
            has_self,
            params,
            output: output(&of.sig.output),
            attrs: self.attrs(of.attrs),
            test: self.test,
        }
    }

    fn structure(&mut self, of: &syn::ItemStruct) {
        self.under(&of.attrs, |this| {
            let fields = this.fields(&of.fields);
            let start = this.range(of.struct_token.span);
            let end = match &of.fields {
                Fields::Named(named) => this.range(named.brace_token.span.close()),
                Fields::Unnamed(_) | Fields::Unit => this.range(of.ident.span()),
            };
            let fact = StructFact {
                name: name(&of.ident),
                module: this.module,
                span: this.range(of.ident.span()),
                item: Span { start: start.start, end: end.end },
                fields,
                derives: Self::derives(&of.attrs),
                attrs: this.attrs(&of.attrs),
                test: this.test,
            };
            this.facts.structs.push(fact);
        });
    }

    fn fields(&mut self, fields: &Fields) -> Vec<FieldFact> {
        let mut found = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let fact = FieldFact {
                name: field.ident.as_ref().map_or_else(|| Name::new(at.to_string()), name),
                ty: type_ref(&field.ty),
                span: field
                    .ident
                    .as_ref()
                    .map(|ident| self.range(ident.span()))
                    .unwrap_or_default(),
                doc: field.attrs.iter().any(is_doc),
                attrs: self.attrs(&field.attrs),
            };
            found.push(fact);
        }
        found
    }

    fn enumeration(&mut self, of: &syn::ItemEnum) {
        let variants = of.variants.iter().map(|variant| {
            let field = |(at, field): (usize, &syn::Field)| {
                let named = field.ident.as_ref().map(name);
                (named.unwrap_or_else(|| Name::new(at.to_string())), type_ref(&field.ty))
            };
            let fields = variant.fields.iter().enumerate().map(field).collect();
            VariantFact { name: name(&variant.ident), fields }
        });
        let variants = variants.collect();
        self.facts.enums.push(EnumFact { name: name(&of.ident), module: self.module, variants });
    }

    fn constant(
        &mut self,
        ident: &proc_macro2::Ident,
        ty: &syn::Type,
        value: &syn::Expr,
        attrs: &[Attribute],
    ) {
        self.under(attrs, |this| {
            let outer = this.in_fn;
            let value: NodeId = this.expr(value);
            let item = Span { start: this.start(ident.span()), end: this.span(value).end };
            this.facts.consts.push(ConstFact {
                name: name(ident),
                module: this.module,
                block: this.block.filter(|_| outer.is_none()),
                ty: type_ref(ty),
                value: Some(value),
                item,
            });
            if this.test {
                this.facts.test_items.push(item);
            }
        });
    }
}

fn string_value(attribute: &Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else {
        return None;
    };
    Some(text.value())
}
