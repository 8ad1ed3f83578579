//! Paths into a tree, kept on the stack and written out only when there is something to say.

use std::fmt;

use super::{Node, Origin, Value};

/// The way from the root to a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) const fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    pub(crate) const fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    /// The nearest key, as messages name it; the whole way is a problem's `path`.
    pub(crate) const fn name(&self) -> &'a str {
        match self {
            Self::Root => "the configuration",
            Self::Key(_, key) => key,
            Self::Index(parent, _) => parent.name(),
        }
    }
}

impl fmt::Display for Path<'_> {
    /// `models."gpt 4".targets[0].provider`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(parent, key) => {
                if !matches!(parent, Path::Root) {
                    write!(f, "{parent}.")?;
                }
                if is_bare(key) { f.write_str(key) } else { write!(f, "{key:?}") }
            }
        }
    }
}

impl Node {
    /// The node at `path`.
    pub(crate) fn at(&self, path: &Path<'_>) -> Option<&Self> {
        match path {
            Path::Root => Some(self),
            Path::Key(parent, key) => self.at(parent)?.table()?.get(*key),
            Path::Index(parent, index) => match &self.at(parent)?.value {
                Value::List(list) => list.get(*index),
                _ => None,
            },
        }
    }

    /// Where the nearest thing on the way to `path` was written, and whether it is `path` itself.
    pub(crate) fn written_at(&self, path: &Path<'_>) -> Option<(&Self, bool)> {
        let here = self.at(path).filter(|node| node.is_written());
        let parent = match path {
            Path::Root => return None,
            Path::Key(parent, _) | Path::Index(parent, _) => parent,
        };
        match here {
            Some(node) => Some((node, true)),
            None => self.written_at(parent).map(|(node, _)| (node, false)),
        }
    }

    /// Whether somebody wrote it, rather than a default or the price table.
    pub(crate) const fn is_written(&self) -> bool {
        match self.origin {
            Origin::Text { .. } | Origin::Variable { .. } => true,
            Origin::Prices | Origin::Default => false,
        }
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
