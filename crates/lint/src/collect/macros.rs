//! What stands inside macro calls: arguments as expressions where they can be read as such, `json!` as objects.
//!
//! More than half of all string literals of real code stand here, and request bodies nearly always do.

use super::lower::{Lower, name};
use crate::facts::{Kind, ModFact, Name, NodeId};
use crate::text::Span;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Token};

impl Lower<'_> {
    pub(super) fn macro_node(&mut self, mac: &Macro) -> NodeId {
        let (path, start) = self.path(&mac.path);
        let close = match &mac.delimiter {
            syn::MacroDelimiter::Paren(of) => of.span.close(),
            syn::MacroDelimiter::Brace(of) => of.span.close(),
            syn::MacroDelimiter::Bracket(of) => of.span.close(),
        };
        let span = Span { start: start.start, end: self.range(close).end };
        let args = match path.last().map(Name::as_str) {
            Some("json" | "json_internal") => {
                vec![self.json(&mac.tokens.clone().into_iter().collect::<Vec<_>>())]
            }
            Some("quote" | "quote_spanned" | "parse_quote") => Vec::new(),
            _ => self.arguments(&mac.tokens),
        };
        self.push(Kind::Macro { path, args: args.into() }, span)
    }

    /// A macro call in item position: `lazy_static! { … }`, `tokio::task_local! { … }`.
    pub(super) fn macro_items(&mut self, mac: &Macro) {
        let last = mac.path.segments.last().map(|segment| segment.ident.to_string());
        if last.as_deref() == Some("lazy_static") {
            self.lazy_statics(&mac.tokens);
            return;
        }
        if last.as_deref() == Some("include")
            && let Ok(path) = syn::parse2::<syn::LitStr>(mac.tokens.clone())
        {
            self.include(path.value());
            return;
        }
        if let Ok(file) = syn::parse2::<syn::File>(mac.tokens.clone()) {
            file.items.iter().for_each(|item| self.item(item));
            return;
        }
        // Tests in a grammar of their own: what they hold stands in no function that could be marked as a test's.
        let testing = self.test || matches!(last.as_deref(), Some("proptest" | "quickcheck"));
        if !testing {
            self.macro_node(mac);
        }
    }

    /// A file whose items stand here.
    fn include(&mut self, path: String) {
        let (parent, test) = (self.module, self.test);
        let of = ModFact { parent, test, path: Some(path), included: true, ..ModFact::default() };
        self.facts.mods.push(of);
    }

    /// `static ref NAME: Type = value;` as the statics they stand for.
    fn lazy_statics(&mut self, tokens: &TokenStream) {
        let trees = tokens.clone().into_iter();
        let plain: TokenStream =
            trees.filter(|tree| !matches!(tree, TokenTree::Ident(word) if word == "ref")).collect();
        if let Ok(file) = syn::parse2::<syn::File>(plain) {
            file.items.iter().for_each(|item| self.item(item));
        }
    }

    fn arguments(&mut self, tokens: &TokenStream) -> Vec<NodeId> {
        if tokens.is_empty() {
            return Vec::new();
        }
        let whole = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone());
        if let Ok(exprs) = whole {
            return exprs.iter().map(|expr| self.expr(expr)).collect();
        }
        let block = syn::Block::parse_within.parse2(tokens.clone());
        if let Ok(stmts) = block {
            let braced = syn::Block { brace_token: syn::token::Brace::default(), stmts };
            let id = self.block_node(&braced);
            return vec![id];
        }
        self.pieces(tokens)
    }

    /// Arguments one by one, for macros with a grammar of their own (`select!`, `info!(field = %value, …)`).
    fn pieces(&mut self, tokens: &TokenStream) -> Vec<NodeId> {
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut found = Vec::new();
        for piece in split(&trees) {
            self.piece(piece, &mut found);
        }
        found
    }

    fn piece(&mut self, piece: &[TokenTree], found: &mut Vec<NodeId>) {
        let piece = unsigiled(piece);
        if piece.is_empty() {
            return;
        }
        if let Ok(expr) = syn::parse2::<Expr>(piece.iter().cloned().collect()) {
            found.push(self.expr(&expr));
            return;
        }
        if let Some(at) = piece.iter().position(|tree| is_punct(tree, '=')) {
            let value = unsigiled(piece.get(at + 1..).unwrap_or_default());
            if let Ok(expr) = syn::parse2::<Expr>(value.iter().cloned().collect()) {
                let field: Vec<String> = piece.iter().take(at).map(ToString::to_string).collect();
                let value = self.expr(&expr);
                let span = self.span(value);
                let target = self.push(Kind::Path([Name::new(field.concat())].into()), span);
                let op = Name::new_static("=");
                found.push(self.push(Kind::Assign { target, value, op }, span));
                return;
            }
        }
        for tree in piece {
            match tree {
                TokenTree::Group(group) => found.extend(self.arguments(&group.stream())),
                TokenTree::Literal(literal) => {
                    if let Ok(expr) = syn::parse2::<Expr>(TokenTree::from(literal.clone()).into()) {
                        found.push(self.expr(&expr));
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn json(&mut self, trees: &[TokenTree]) -> NodeId {
        if let [TokenTree::Group(group)] = trees {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let span = self.range(group.span());
            match group.delimiter() {
                Delimiter::Brace => {
                    let fields: Box<[_]> =
                        commas(&inner).filter_map(|pair| self.json_pair(pair)).collect();
                    return self.push(Kind::Object(fields), span);
                }
                Delimiter::Bracket => {
                    let parts: Box<[_]> = commas(&inner)
                        .filter(|part| !part.is_empty())
                        .map(|part| self.json(part))
                        .collect();
                    return self.push(Kind::List(parts), span);
                }
                Delimiter::Parenthesis | Delimiter::None => {}
            }
        }
        if let Ok(expr) = syn::parse2::<Expr>(trees.iter().cloned().collect()) {
            return self.expr(&expr);
        }
        self.push(Kind::Empty, Span::default())
    }

    fn json_pair(&mut self, pair: &[TokenTree]) -> Option<(Name, NodeId)> {
        let colon = pair.iter().position(|tree| {
            matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Alone)
        })?;
        let key = match pair.get(..colon)? {
            [TokenTree::Literal(literal)] => {
                match syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    Ok(text) => Name::new(text.value()),
                    Err(_) => return None,
                }
            }
            [TokenTree::Ident(ident)] => name(ident),
            _ => Name::new_static("?"),
        };
        Some((key, self.json(pair.get(colon + 1..)?)))
    }
}

fn is_punct(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Without the `%` and `?` that tracing's macros put before a value.
fn unsigiled(piece: &[TokenTree]) -> &[TokenTree] {
    match piece {
        [first, rest @ ..] if is_punct(first, '%') || is_punct(first, '?') => rest,
        _ => piece,
    }
}

fn commas(trees: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    trees.split(|tree| is_punct(tree, ',')).filter(|part| !part.is_empty())
}

/// Splits at commas, semicolons and fat arrows.
fn split(trees: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, pair) in trees.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        let arrow = is_punct(first, '=') && is_punct(second, '>');
        if is_punct(first, ',') || is_punct(first, ';') || arrow {
            found.extend(trees.get(start..at));
            start = at + if arrow { 2 } else { 1 };
        }
    }
    found.extend(trees.get(start..));
    found
}
