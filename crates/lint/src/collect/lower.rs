//! The walk's state, and how nodes enter the arena.

use crate::facts::{FileFacts, FnId, Kind, ModId, Name, Node, NodeId};
use crate::text::Span;
use proc_macro2::Span as Token;

/// Turns one syntax tree into facts.
pub(super) struct Lower<'a> {
    pub(super) text: &'a str,
    pub(super) facts: &'a mut FileFacts,
    pub(super) module: ModId,
    pub(super) block: Option<usize>,
    pub(super) in_fn: Option<FnId>,
    pub(super) test: bool,
    /// Where the file begins for the parser: after a byte order mark.
    shift: usize,
}

impl<'a> Lower<'a> {
    pub(super) fn new(text: &'a str, facts: &'a mut FileFacts) -> Self {
        let shift = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, facts, module: ModId::default(), block: None, in_fn: None, test: false, shift }
    }

    pub(super) fn file(&mut self, file: &syn::File) {
        self.test = file.attrs.iter().any(super::attr::is_test_cfg);
        if let Some(root) = self.facts.mods.first_mut() {
            root.test = self.test;
        }
        file.items.iter().for_each(|item| self.item(item));
    }

    /// The byte range of one token.
    pub(super) fn range(&self, token: Token) -> Span {
        let range = token.byte_range();
        Span::new(range.start + self.shift, range.end + self.shift)
    }

    /// The span from the first token's start to the second's end.
    pub(super) fn between(&self, first: Token, last: Token) -> Span {
        Span { start: self.range(first).start, end: self.range(last).end }
    }

    pub(super) fn span(&self, id: NodeId) -> Span {
        self.facts.node(id).span
    }

    /// Adds a node and becomes the parent of its children.
    pub(super) fn push(&mut self, kind: Kind, span: Span) -> NodeId {
        let id = NodeId::at(self.facts.nodes.len());
        let nodes = &mut self.facts.nodes;
        kind.each_child(&mut |child| {
            if let Some(node) = nodes.get_mut(child.index()) {
                node.parent = Some(id);
            }
        });
        nodes.push(Node { kind, span, parent: None, in_fn: self.in_fn });
        id
    }

    /// The segments of a path and the span over its identifiers.
    pub(super) fn path(&mut self, path: &syn::Path) -> (Box<[Name]>, Span) {
        let names = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        let span = match (path.segments.first(), path.segments.last()) {
            (Some(first), Some(last)) => self.between(first.ident.span(), last.ident.span()),
            _ => Span::default(),
        };
        (names, span)
    }
}

/// An identifier, raw prefix dropped.
pub(super) fn name(ident: &proc_macro2::Ident) -> Name {
    let text = ident.to_string();
    Name::new(text.strip_prefix("r#").unwrap_or(&text))
}
