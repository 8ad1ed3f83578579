//! The walk's state, and how nodes enter the arena.

use crate::facts::{FileFacts, FnId, Kind, ModId, Name, Node, NodeId};
use crate::text::{Lines, Span, index, offset};
use proc_macro2::Span as Token;
use smol_str::ToSmolStr;

/// Turns one syntax tree into facts.
pub(super) struct Lower<'a> {
    pub(super) text: &'a str,
    pub(super) facts: &'a mut FileFacts,
    pub(super) module: ModId,
    pub(super) block: Option<usize>,
    pub(super) in_fn: Option<FnId>,
    pub(super) test: bool,
    places: Places,
}

/// Turns the parser's lines and columns into bytes of the text.
///
/// It has ranges of bytes too, but finds each by counting characters from the last one it was asked for, and keeps it.
pub(super) struct Places {
    /// Where the first line begins for the parser: after a byte order mark.
    shift: u32,
    /// Which lines hold characters of more than one byte, from the first on; empty where none does.
    wide: Vec<bool>,
}

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let shift = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let wide = if text.is_ascii() {
            Vec::new()
        } else {
            text.split('\n').map(|line| !line.is_ascii()).collect()
        };
        Self { shift, wide }
    }

    /// The byte of a line, from 1, and a column in characters, from 0.
    pub(super) fn byte(&self, text: &str, lines: &Lines, at: proc_macro2::LineColumn) -> u32 {
        let line = offset(at.line);
        let start = lines.start_of(line) + if line <= 1 { self.shift } else { 0 };
        let within = || text.get(index(start)..).unwrap_or_default();
        let wide = self.wide.get(at.line.saturating_sub(1)).copied().unwrap_or(false);
        let column = if wide {
            within().chars().take(at.column).map(char::len_utf8).sum()
        } else {
            at.column
        };
        start.saturating_add(offset(column))
    }
}

impl<'a> Lower<'a> {
    pub(super) fn new(text: &'a str, facts: &'a mut FileFacts) -> Self {
        let places = Places::of(text);
        Self {
            text,
            facts,
            module: ModId::default(),
            block: None,
            in_fn: None,
            test: false,
            places,
        }
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
        Span { start: self.start(token), end: self.end(token) }
    }

    /// The byte at which a token begins.
    pub(super) fn start(&self, token: Token) -> u32 {
        self.places.byte(self.text, &self.facts.lines, token.start())
    }

    /// The byte after a token.
    pub(super) fn end(&self, token: Token) -> u32 {
        self.places.byte(self.text, &self.facts.lines, token.end())
    }

    /// The span from the first token's start to the second's end.
    pub(super) fn between(&self, first: Token, last: Token) -> Span {
        Span { start: self.start(first), end: self.end(last) }
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
    let text = ident.to_smolstr();
    text.strip_prefix("r#").map_or_else(|| text.clone(), Name::new)
}
