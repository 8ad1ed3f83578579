//! An NNEF archive: a graph in text and its weights, one file each, in a tar.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
};

use tract_nnef::{
    ast::{Assignment, ProtoModel, RValue},
    framework::Nnef,
    prelude::Framework as _,
};

use super::{MeasureError, Measured, caught, onnx::by_graph, weigh::weigh, wide};

/// A file of weights begins with this many bytes that say what is in it.
const HEADER: usize = 128;
const MAGIC: [u8; 2] = [0x4e, 0xef];

/// Measures an NNEF model: the bytes of its tar; dimensions that the graph leaves open have `window`
/// tokens.
///
/// # Errors
/// [`MeasureError::Truncated`] and [`MeasureError::Malformed`].
pub fn nnef(archive: &[u8], window: usize) -> Result<Measured, MeasureError> {
    let weights = weights(archive)?;
    let framework = tract_nnef::nnef();
    // The library is not written for hostile archives: what it trips over is no more than malformed.
    let read = || framework.proto_model_for_read(&mut Cursor::new(archive));
    let proto = caught(read)?.map_err(|problem| {
        MeasureError::Malformed(format!("this is no NNEF model: {problem:#}"))
    })?;
    let header =
        Measured { window: wide(window), unsupported: foreign(&framework, &proto), ..weights };
    if !header.unsupported.is_empty() {
        return Ok(header);
    }
    let weighed = caught(|| {
        let model = framework.model_for_proto_model(&proto)?.into_decluttered()?;
        weigh(&model, window)
    })?;
    Ok(match weighed {
        Ok(weighed) => by_graph(header, weighed, window),
        Err(problem) => Measured { refused: Some(format!("{problem:#}")), ..header },
    })
}

/// What the headers of the weights tell.
fn weights(archive: &[u8]) -> Result<Measured, MeasureError> {
    let malformed = |problem: std::io::Error| {
        MeasureError::Malformed(format!("this is no tar archive: {problem}"))
    };
    let mut measured = Measured::default();
    let mut tar = tar::Archive::new(archive);
    for entry in tar.entries().map_err(malformed)? {
        let mut entry = entry.map_err(malformed)?;
        let (size, path) = (entry.size(), entry.path().map_err(malformed)?.into_owned());
        let what = path.display().to_string();
        if size > wide(archive.len()) {
            return Err(MeasureError::Truncated { what, wanted: size, found: wide(archive.len()) });
        }
        measured.bytes = measured.bytes.saturating_add(size);
        if path.extension().is_some_and(|extension| extension == "dat") {
            let mut header = [0; HEADER];
            let short = |_| MeasureError::Truncated {
                what: what.clone(),
                wanted: wide(HEADER),
                found: size,
            };
            entry.read_exact(&mut header).map_err(short)?;
            let (volume, rank) = tensor(&header, size, &what)?;
            measured.parameters = measured.parameters.saturating_add(volume);
            if rank >= 2 {
                measured.macs_per_token = measured.macs_per_token.saturating_add(volume);
            }
        }
    }
    measured.peak_memory = measured.bytes.saturating_mul(2);
    Ok(measured)
}

/// Numbers in a file of weights of `size` bytes, and their rank.
fn tensor(header: &[u8; HEADER], size: u64, what: &str) -> Result<(u64, u32), MeasureError> {
    let malformed = |problem: &str| MeasureError::Malformed(format!("{what} {problem}"));
    let word = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    if !header.starts_with(&MAGIC) {
        return Err(malformed("does not begin as NNEF's tensors do"));
    }
    let wanted = wide(HEADER) + u64::from(word(4));
    if wanted > size {
        return Err(MeasureError::Truncated { what: what.to_owned(), wanted, found: size });
    }
    let rank = word(8);
    if rank > 8 {
        let (found, what) = (u64::from(rank), format!("the rank of {what}"));
        return Err(MeasureError::Length { what, found, limit: 8 });
    }
    let dims = (0..8).take_while(|at| *at < rank).map(|at| usize::try_from(at).unwrap_or_default());
    let volume = dims.map(|at| u64::from(word(12 + 4 * at))).try_fold(1_u64, u64::checked_mul);
    Ok((volume.ok_or_else(|| malformed("has a shape out of range"))?, rank))
}

/// Operators that tract has not, sorted.
fn foreign(framework: &Nnef, proto: &ProtoModel) -> Vec<String> {
    let mut called = BTreeSet::new();
    for Assignment { right, .. } in &proto.doc.graph_def.body {
        calls(right, &mut called);
    }
    let own = proto.doc.fragments.iter().chain(&framework.stdlib);
    let mut known: BTreeSet<&str> = own.map(|fragment| fragment.decl.id.0.as_str()).collect();
    known.insert("external");
    for registry in &framework.registries {
        known.extend(registry.fragments.keys().map(|id| id.0.as_str()));
        known.extend(registry.primitives.keys().map(|id| id.0.as_str()));
        known.extend(registry.unit_element_wise_ops.iter().map(|(id, _)| id.0.as_str()));
        known.extend(registry.element_wise_ops.iter().map(|(id, ..)| id.0.as_str()));
        known.extend(registry.binary_ops.iter().map(|(id, _)| id.0.as_str()));
    }
    called.into_iter().filter(|name| !known.contains(name)).map(str::to_owned).collect()
}

fn calls<'a>(value: &'a RValue, called: &mut BTreeSet<&'a str>) {
    match value {
        RValue::Invocation(invocation) => {
            called.insert(invocation.id.0.as_str());
            for argument in &invocation.arguments {
                calls(&argument.rvalue, called);
            }
        }
        RValue::Binary(left, _, right) => {
            calls(left, called);
            calls(right, called);
        }
        RValue::Unary(_, inner) | RValue::Subscript(inner, _) => calls(inner, called),
        RValue::Tuple(values) | RValue::Array(values) => {
            for value in values {
                calls(value, called);
            }
        }
        RValue::Identifier(_)
        | RValue::Literal(_)
        | RValue::Comprehension(_)
        | RValue::IfThenElse(_) => {}
    }
}
