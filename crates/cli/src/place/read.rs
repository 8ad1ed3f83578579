//! From a path to a profile: which format it is, and which bytes of it are read.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::Path,
};

use tollhouse_classify::{
    Files, Manifest,
    measure::{self, MeasureError, Measured},
    shipped_parts,
};
use tollhouse_core::placement::{Format, Profile};

/// Protobuf, and so ONNX, has no longer files; of an archive no more is held in memory.
const LARGEST: u64 = 2 << 30;
/// Bytes from which a format is told.
const SNIFFED: usize = 264;

/// A model, measured.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) profile: Profile,
    pub(super) basis: &'static str,
}

/// Why a model is not measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Unreadable(#[from] io::Error),
    /// It is of no format that is read.
    #[error("{0}")]
    Unknown(String),
    /// It is not what its format says.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

impl Problem {
    /// Its name, which never changes meaning.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::Unknown(_) => "unknown-format",
            Self::Measure(problem) => problem.code(),
        }
    }
}

/// Measures the model at `path`; `tokens` is the window of one that does not say.
pub(super) fn model(path: &str, tokens: u32) -> Result<Model, Problem> {
    let window = usize::try_from(tokens).unwrap_or(measure::USUAL_WINDOW);
    let place = Path::new(path);
    if !place.exists()
        && let Some((text, files)) = shipped_parts(path)
    {
        return Ok(named(path, Format::Manifest, measure::manifest(text, &files)?));
    }
    if place.is_dir() {
        return folder(place, window);
    }
    if place.file_name().is_some_and(|name| name == "manifest.toml") {
        return folder(place.parent().unwrap_or(Path::new(".")), window);
    }
    let mut file = File::open(place)?;
    let length = file.metadata()?.len();
    let mut start = Vec::new();
    (&mut file).take(u64::try_from(SNIFFED).unwrap_or(u64::MAX)).read_to_end(&mut start)?;
    let again = || File::open(place).map(BufReader::new);
    let stem = stem(place);
    Ok(match format(place, &start)? {
        Format::Gguf => headed(&stem, Format::Gguf, measure::gguf(again()?, length)?, tokens),
        Format::Safetensors => {
            let measured = measure::safetensors(again()?, length)?;
            headed(&stem, Format::Safetensors, measured, tokens)
        }
        Format::Nnef => named(&stem, Format::Nnef, measure::nnef(&whole(place, length)?, window)?),
        Format::Onnx | Format::Manifest => {
            let beside = beside(place)?;
            let measured = measure::onnx(&whole(place, length)?, beside, window)?;
            named(&stem, Format::Onnx, measured)
        }
    })
}

/// A header says nothing of windows, so the caller does; its own name is for people, not for configurations.
fn headed(stem: &str, format: Format, measured: Measured, tokens: u32) -> Model {
    named(stem, format, Measured { name: None, window: tokens.into(), ..measured })
}

fn named(stem: &str, format: Format, measured: Measured) -> Model {
    let basis = measured.basis.name();
    let name = measured.name.unwrap_or_else(|| stem.to_owned());
    let profile = Profile {
        format,
        parameters: measured.parameters,
        bytes: measured.bytes,
        macs_per_token: measured.macs_per_token,
        lookups_per_token: measured.lookups_per_token,
        window: measured.window.max(1),
        peak_memory: measured.peak_memory,
        unsupported: measured.unsupported,
        refused: measured.refused,
    };
    Model { name, profile, basis }
}

/// By its first bytes, else by its name.
fn format(path: &Path, start: &[u8]) -> Result<Format, Problem> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let is_tar = start.get(257..262) == Some(b"ustar");
    if start.starts_with(b"GGUF") || ends(&name, &[".gguf"]) {
        Ok(Format::Gguf)
    } else if ends(&name, &[".safetensors"]) || start.get(8) == Some(&b'{') && !is_tar {
        Ok(Format::Safetensors)
    } else if is_tar || ends(&name, &[".nnef", ".tar", ".nnef.tar"]) {
        Ok(Format::Nnef)
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Err(Problem::Unknown("it is compressed; unpack it first".into()))
    } else if ends(&name, &[".onnx"]) || start.first() == Some(&8) {
        // ONNX begins with field 1, the version of its intermediate representation.
        Ok(Format::Onnx)
    } else {
        let message = "it is neither ONNX, NNEF, safetensors, GGUF nor a classifier's manifest";
        Err(Problem::Unknown(message.into()))
    }
}

fn ends(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}

/// A classifier, or an NNEF model that is not packed.
fn folder(folder: &Path, window: usize) -> Result<Model, Problem> {
    if folder.join("manifest.toml").is_file() {
        let text = fs::read_to_string(folder.join("manifest.toml"))?;
        let parsed = Manifest::parse(&text).map_err(MeasureError::from)?;
        let mut files = Files::new();
        for name in parsed.files() {
            let path = folder.join(name);
            // One that is missing is told by the loader, with the manifest's name for it.
            if let Ok(length) = fs::metadata(&path).map(|metadata| metadata.len()) {
                files.insert(name.to_owned(), whole(&path, length)?.into());
            }
        }
        return Ok(named("", Format::Manifest, measure::manifest(&text, &files)?));
    }
    if folder.join("graph.nnef").is_file() {
        let mut tar = tar::Builder::new(Vec::new());
        tar.follow_symlinks(false);
        tar.append_dir_all(".", folder)?;
        let measured = measure::nnef(&tar.into_inner()?, window)?;
        return Ok(named(&stem(folder), Format::Nnef, measured));
    }
    Err(Problem::Unknown("the folder has neither a manifest.toml nor a graph.nnef".into()))
}

/// A whole file, unless it is larger than its format allows.
fn whole(path: &Path, length: u64) -> Result<Vec<u8>, Problem> {
    if length > LARGEST {
        let (what, found, limit) = ("the file's length".into(), length, LARGEST);
        return Err(MeasureError::Length { what, found, limit }.into());
    }
    Ok(fs::read(path)?)
}

/// Bytes of weights in files that begin with the graph's own name: `model.onnx_data`, `model.onnx.data`.
fn beside(path: &Path) -> Result<u64, Problem> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(0) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut bytes = 0;
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let other = entry.file_name();
        let other = other.to_str().unwrap_or_default();
        if other != name && other.starts_with(name) && other.ends_with("data") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// What a configuration may call a model that has no name of its own.
fn stem(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("model");
    let endings = [".nnef.tar", ".tar", ".nnef", ".onnx", ".safetensors", ".gguf"];
    let stem = endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let usable = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-') {
            letter
        } else {
            '-'
        }
    };
    stem.chars().map(usable).collect()
}
