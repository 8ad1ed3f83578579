//! What one visit of one file leaves behind: plain data with byte ranges, no syntax tree.
//!
//! Expressions become [`Node`]s in one arena per file, each knowing its parent and the function it stands in; items
//! become [`item`] facts that point into the arena. Nothing here is resolved: names are as written.

pub(crate) mod item;
mod node;
mod types;

pub(crate) use item::{
    Attr, ConstFact, EnumFact, FnFact, ImplFact, ModFact, Param, StructFact, UseFact, VariantFact,
};
pub(crate) use node::{Arm, FnId, Kind, LoopKind, ModId, Node, NodeId, Pat};
pub(crate) use types::TypeRef;

use crate::text::{Lines, Scan, Span};
use serde::{Deserialize, Serialize};
pub(crate) use smol_str::SmolStr as Name;

/// Everything known of one file before it is joined with others.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct FileFacts {
    /// Path relative to the folder linted, with forward slashes.
    pub(crate) path: String,
    /// Newlines.
    pub(crate) lines: Lines,
    /// Comments, strings, nesting.
    pub(crate) scan: Scan,
    /// The expression arena.
    pub(crate) nodes: Vec<Node>,
    /// Modules written in this file; the first is the file itself.
    pub(crate) mods: Vec<ModFact>,
    /// `use` declarations, flattened.
    pub(crate) uses: Vec<UseFact>,
    /// Functions and methods.
    pub(crate) fns: Vec<FnFact>,
    /// `impl` blocks and traits.
    pub(crate) impls: Vec<ImplFact>,
    /// Structs.
    pub(crate) structs: Vec<StructFact>,
    /// Enums.
    pub(crate) enums: Vec<EnumFact>,
    /// Constants and statics.
    pub(crate) consts: Vec<ConstFact>,
    /// Type aliases.
    pub(crate) aliases: Vec<item::AliasFact>,
    /// Constants and macros in the place of items, among tests: `proptest!` for one.
    pub(crate) test_items: Vec<Span>,
    /// Why the file could not be parsed, and where.
    pub(crate) broken: Option<(String, Span)>,
}

impl FileFacts {
    pub(crate) const NONE: FileFacts = FileFacts {
        path: String::new(),
        lines: Lines::NONE,
        scan: Scan::NONE,
        nodes: Vec::new(),
        mods: Vec::new(),
        uses: Vec::new(),
        fns: Vec::new(),
        impls: Vec::new(),
        structs: Vec::new(),
        enums: Vec::new(),
        consts: Vec::new(),
        aliases: Vec::new(),
        test_items: Vec::new(),
        broken: None,
    };

    /// The file's path, relative to the folder linted.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The node behind an id.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        const MISSING: &Node = &Node::MISSING;
        self.nodes.get(id.index()).unwrap_or(MISSING)
    }

    /// The kind of a node.
    pub(crate) fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// The function behind an id.
    pub(crate) fn function(&self, id: FnId) -> Option<&FnFact> {
        self.fns.get(id.index())
    }

    /// All nodes with their ids.
    pub(crate) fn each_node(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(at, node)| (NodeId::at(at), node))
    }

    /// The node and everything under it, parents before children.
    pub(crate) fn under(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(node) = found.get(next).copied() {
            self.kind(node).each_child(&mut |child| found.push(child));
            next += 1;
        }
        found
    }

    /// Looks through references, parentheses, `?`, `.await`, casts and the like.
    pub(crate) fn peel(&self, mut id: NodeId) -> NodeId {
        while let Kind::Wrap(inner) | Kind::Await(inner) | Kind::Try(inner) = self.kind(id) {
            id = *inner;
        }
        id
    }
}
