//! What holds of the repository itself: the README says what the code does, crates know only those
//! they may, and files are written as all the others are.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tollhouse_core::{
    config::{self, Source},
    refusal::Code,
    router,
    units::UnixMs,
};
use tollhouse_tests::{
    readme::{self, examples, generated, part, with_part},
    workerd::root,
};

/// 2026-11-01, so that no date in the price table makes a test fail one day.
const TODAY: UnixMs = UnixMs(1_793_491_200_000);

/// From here on a file should be split; from `TOO_LONG` on it must be.
const LONG: usize = 400;
const TOO_LONG: usize = 500;

/// To renew them: `UPDATE_README=1 cargo test -p tollhouse-tests --test meta`.
#[test]
fn the_readme_s_generated_parts_are_what_the_code_says() {
    let mut text = readme::text().unwrap();
    let parts = generated().unwrap();
    if env::var_os("UPDATE_README").is_some() {
        for (name, body) in &parts {
            text = with_part(&text, name, body).unwrap();
        }
        fs::write(root().unwrap().join("README.md"), &text).unwrap();
    }
    for (name, body) in &parts {
        let is = part(&text, name).unwrap_or_else(|| panic!("the README has no part `{name}`"));
        assert!(
            is == body,
            "the README's `{name}` is out of date: run this test with UPDATE_README=1"
        );
    }
}

#[test]
fn each_refusal_code_is_in_the_readme() {
    let text = readme::text().unwrap();
    for code in Code::ALL {
        assert!(text.contains(&format!("| `{}` |", code.name())), "{}", code.name());
    }
}

#[test]
fn the_readme_s_configuration_runs_without_a_warning() {
    let text = readme::text().unwrap();
    let blocks = examples(&text, "toml");
    assert!(!blocks.is_empty());
    for block in blocks {
        let source = Source { name: "README.md", text: block };
        let loaded = config::load(source, &[], TODAY).unwrap_or_else(|report| panic!("{report}"));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }
}

#[test]
fn each_path_in_the_readme_leads_somewhere() {
    let text = readme::text().unwrap();
    let mut count = 0;
    for quoted in text.split('`').skip(1).step_by(2) {
        let Some((method @ ("GET" | "POST"), path)) = quoted.split_once(' ') else { continue };
        let path = path.split('?').next().unwrap_or_default().replace("{id}", "m");
        assert!(router::route(method, &path).is_ok(), "{quoted}");
        count += 1;
    }
    assert!(count > 5, "the README's table of paths was not found");
}

#[test]
fn crates_know_only_the_crates_that_they_may() {
    let drawn = BTreeMap::from([
        ("tollhouse-core", vec![]),
        ("tollhouse-classify", vec![]),
        ("tollhouse-lint", vec!["tollhouse-core"]),
        ("tollhouse-worker", vec!["tollhouse-core", "tollhouse-classify"]),
        ("tollhouse", vec!["tollhouse-lint", "tollhouse-core", "tollhouse-classify"]),
        ("tollhouse-tests", vec!["tollhouse-core"]),
        ("xtask", vec![]),
    ]);
    let members: BTreeSet<String> = drawn.keys().map(|&name| name.to_owned()).collect();
    let packages = packages();
    assert_eq!(packages.iter().map(name).collect::<BTreeSet<_>>(), members);
    for package in &packages {
        let own = name(package);
        for dependency in dependencies(package).iter().filter(|known| members.contains(*known)) {
            let may = drawn[own.as_str()].contains(&dependency.as_str());
            assert!(may, "{own} may not know {dependency}");
        }
    }
}

#[test]
fn only_the_worker_knows_the_platform() {
    for package in packages() {
        let platform: Vec<String> = dependencies(&package)
            .into_iter()
            .filter(|known| {
                ["worker", "wasm-bindgen", "js-sys", "web-sys"].contains(&known.as_str())
            })
            .collect();
        assert_eq!(platform.is_empty(), name(&package) != "tollhouse-worker", "{platform:?}");
    }
}

#[test]
fn each_module_says_first_what_it_is_for() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_tests(path)) {
        assert!(text.starts_with("//! "), "{} does not open with `//!`", path.display());
    }
}

#[test]
fn no_crate_allows_unsafe_code() {
    for package in packages() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let lints = &manifest["lints"];
        let own = lints.get("rust").and_then(|rust| rust.get("unsafe_code")?.as_str());
        let inherits = lints.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        assert!(inherits || own == Some("deny"), "{}", name(&package));
    }
    let workspace = fs::read_to_string(root().unwrap().join("Cargo.toml")).unwrap();
    let workspace: toml::Table = toml::from_str(&workspace).unwrap();
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("deny"));
    for (path, text) in sources() {
        assert!(!text.contains("(unsafe_code"), "{} makes an exception", path.display());
    }
}

#[test]
fn no_file_is_too_long() {
    let mut too_long = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_tests(path)) {
        let length = length(&text);
        if length > LONG {
            eprintln!("{} has {length} lines: look for the split that is there", path.display());
        }
        if length > TOO_LONG {
            too_long.push((path, length));
        }
    }
    assert!(too_long.is_empty(), "above {TOO_LONG} lines: {too_long:?}");
}

#[test]
fn wrangler_binds_what_the_worker_uses() {
    let root = root().unwrap();
    let text = fs::read_to_string(root.join("wrangler.toml")).unwrap();
    let wrangler: toml::Table = toml::from_str(&text).unwrap();
    let texts = |tables: &toml::Value, key: &str| -> Vec<String> {
        let tables = tables.as_array().unwrap().iter();
        tables.map(|table| table[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&wrangler["kv_namespaces"], "binding"), ["CACHE", "CONFIG"]);
    let objects = &wrangler["durable_objects"]["bindings"];
    assert_eq!(texts(objects, "name"), ["LIMITER", "LEDGER"]);
    let classes = texts(objects, "class_name");
    assert_eq!(classes, ["Limiter", "Ledger"]);
    let migrations = wrangler["migrations"].as_array().unwrap().iter();
    let with_sqlite: Vec<&str> = migrations
        .flat_map(|migration| migration["new_sqlite_classes"].as_array().unwrap())
        .filter_map(toml::Value::as_str)
        .collect();
    assert_eq!(with_sqlite, classes);
    let entry = fs::read_to_string(root.join("crates/worker/glue/entry.js")).unwrap();
    for class in classes {
        assert!(entry.contains(&format!("export const {class} =")), "{class} is not exported");
    }
}

#[test]
fn wrangler_watches_what_the_worker_is_made_of_and_not_what_is_built() {
    let root = root().unwrap();
    let text = fs::read_to_string(root.join("wrangler.toml")).unwrap();
    let wrangler: toml::Table = toml::from_str(&text).unwrap();
    let watched: Vec<PathBuf> = wrangler["build"]["watch_dir"]
        .as_array()
        .unwrap()
        .iter()
        .map(|folder| root.join(folder.as_str().unwrap()))
        .collect();
    for folder in &watched {
        assert!(folder.is_dir(), "{} is not there", folder.display());
        assert!(!root.join("crates/worker/build").starts_with(folder), "{}", folder.display());
    }
    let worker = packages().into_iter().find(|package| name(package) == "tollhouse-worker");
    let own = dependencies(&worker.unwrap()).into_iter().filter_map(|dependency| {
        dependency.strip_prefix("tollhouse-").map(|of| root.join("crates").join(of).join("src"))
    });
    for source in own.chain(["crates/worker/src", "rules"].map(|folder| root.join(folder))) {
        assert!(watched.contains(&source), "{} is not watched", source.display());
    }
}

/// The workspace's packages, as cargo tells of them.
fn packages() -> Vec<Value> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(package: &Value) -> String {
    package["name"].as_str().unwrap().to_owned()
}

/// All of them, those for tests and builds included.
fn dependencies(package: &Value) -> Vec<String> {
    package["dependencies"].as_array().unwrap().iter().map(name).collect()
}

/// Every Rust file of our own that is no integration test, by its path in the repository.
fn sources() -> Vec<(PathBuf, String)> {
    let root = root().unwrap();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.extend([root.join("tests"), root.join("xtask")]);
    let mut files = Vec::new();
    for folder in folders {
        collect(&folder.join("src"), &mut files);
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&root).unwrap().to_owned(), text)
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Whether a file holds unit tests and nothing else.
fn is_tests(path: &Path) -> bool {
    path.starts_with("crates")
        && (path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs"))
}

/// How many lines a file has, without its tests.
fn length(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().count()
}
