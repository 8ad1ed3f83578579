//! Lists the models in `models/` and in the folder that `TOLLHOUSE_MODELS` names, so that adding one
//! is adding a folder. Their manifests are read here and written down as JSON, which is less to read
//! where they are embedded: in WebAssembly a reader of TOML for the manifest's many tables weighs more
//! than all that is said in them.

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    println!("cargo::rerun-if-env-changed=TOLLHOUSE_MODELS");
    let brought = env::var("TOLLHOUSE_MODELS").ok().filter(|path| !path.is_empty());
    // Relative to the workspace, as a command typed there means it.
    let brought = brought.map(|path| package.join("../..").join(path));
    let mut models = Vec::new();
    for folder in [Some(package.join("models")), brought].into_iter().flatten() {
        println!("cargo::rerun-if-changed={}", folder.display());
        if !folder.is_dir() {
            return Err(io::Error::other(format!("{}: no such folder", folder.display())));
        }
        models.append(&mut children(&folder)?);
    }
    models.sort_by(|a, b| name(a).cmp(name(b)));
    let mut table = String::from("[\n");
    for model in models {
        let manifest = model.join("manifest.toml");
        if !manifest.is_file() {
            continue;
        }
        let files: Vec<String> = children(&model)?
            .iter()
            .filter(|file| is_weights(file))
            .map(|file| {
                format!(
                    "({:?}, include_bytes!({:?}).as_slice())",
                    name(file),
                    file.to_string_lossy()
                )
            })
            .collect();
        let json = as_json(&manifest)?;
        let (name, manifest, files) = (name(&model), manifest.to_string_lossy(), files.join(", "));
        writeln!(table, "    ({name:?}, include_str!({manifest:?}), {json:?}, &[{files}]),")
            .map_err(io::Error::other)?;
    }
    table.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("shipped.rs"), table)
}

/// A manifest as JSON; empty where it cannot be read, which whoever loads the model is told.
fn as_json(manifest: &Path) -> io::Result<String> {
    let text = fs::read_to_string(manifest)?;
    let table = toml::from_str::<serde_json::Value>(&text);
    Ok(table.map(|table| table.to_string()).unwrap_or_default())
}

/// What is in a folder, sorted.
fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Whether a manifest may name the file: cards and golden scores are for people and tests.
fn is_weights(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("bin" | "onnx" | "json"))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
