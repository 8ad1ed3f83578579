//! The digest of an effective configuration, by which cached replies and reports tell one
//! configuration from another.

use sha2::{Digest, Sha256};

use super::tree::{Node, Value};

/// SHA-256 over every value in the tree. Where values came from, their order in the text and its
/// comments do not count.
pub(crate) fn of(root: &Node) -> [u8; 32] {
    let mut hash = Sha256::new();
    add(&mut hash, &root.value);
    hash.finalize().into()
}

/// A tag, then the content with its length before it: no two trees give the same bytes.
fn add(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(flag) => hash.update([b'b', u8::from(*flag)]),
        Value::Int(int) => tagged(hash, b'i', &int.to_be_bytes()),
        Value::Float(float) => tagged(hash, b'f', &float.to_be_bytes()),
        Value::Text(text) | Value::Date(text) => tagged(hash, b't', text.as_bytes()),
        Value::List(list) => {
            length(hash, b'l', list.len());
            for node in list {
                add(hash, &node.value);
            }
        }
        Value::Table(table) => {
            length(hash, b'm', table.len());
            for (key, node) in table {
                tagged(hash, b'k', key.as_bytes());
                add(hash, &node.value);
            }
        }
    }
}

fn tagged(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    length(hash, tag, bytes.len());
    hash.update(bytes);
}

fn length(hash: &mut Sha256, tag: u8, length: usize) {
    hash.update([tag]);
    hash.update(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
}
