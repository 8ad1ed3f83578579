//! Structures of model settings: validated, defaulted, documented, overridable.

use super::{Asked, Hit};
use crate::facts::item::FieldFact;
use crate::facts::{FileFacts, Kind, StructFact, TypeRef};
use crate::knowledge::{Role, Roles};
use crate::model::{Def, FileId};
use serde::Deserialize;

/// What a structure of settings lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lack {
    Validation,
    Defaults,
    Docs,
    Environment,
}

const BOUNDED: &[&str] =
    &["temperature", "max_tokens", "top_p", "max_completion_tokens", "max_output_tokens"];
const TUNABLE: &[&str] = &[
    "model",
    "model_name",
    "temperature",
    "max_tokens",
    "top_p",
    "timeout",
    "timeout_secs",
    "max_completion_tokens",
];
const RELATED: &[&str] = &[
    "model",
    "model_name",
    "temperature",
    "max_tokens",
    "top_p",
    "api_key",
    "api_base",
    "base_url",
    "endpoint",
    "timeout",
    "timeout_secs",
    "provider",
    "system_prompt",
    "max_completion_tokens",
    "max_retries",
];

/// What belongs to one request, not to the settings of all.
const OF_REQUESTS: &[&str] = &[
    "messages",
    "prompt",
    "contents",
    "input",
    "tools",
    "tool_choice",
    "response_format",
    "json_schema",
];

impl Asked<'_, '_> {
    /// Structures that hold model settings, are read from outside, and are not requests themselves.
    fn settings_structs(&self) -> Vec<(FileId, usize, &StructFact)> {
        let packages: rustc_hash::FxHashSet<Option<usize>> =
            self.live().map(|call| self.w.package(call.at.file)).collect();
        let mut found = Vec::new();
        for (file, facts) in self.w.files.iter().enumerate() {
            if self.w.is_test_file(file) || !packages.contains(&self.w.package(file)) {
                continue;
            }
            let fitting = facts.structs.iter().enumerate();
            let fitting =
                fitting.filter(|(_, of)| !of.test && is_settings(of) && !read_for(of, facts));
            found.extend(fitting.map(|(at, of)| (file, at, of)));
        }
        found
    }

    pub(super) fn settings(&self, lacks: Lack) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (file, at, of) in self.settings_structs() {
            let missing = match lacks {
                Lack::Validation => self.unvalidated(file, at, of),
                Lack::Defaults => self.undefaulted(file, at, of),
                Lack::Docs => self.undocumented(file, of),
                Lack::Environment => self.fixed(file),
            };
            if let Some(field) = missing {
                hits.push(
                    Hit::in_file(file, of.span)
                        .with("struct", of.name.as_str())
                        .with("field", field),
                );
            }
        }
        if lacks == Lack::Environment {
            hits.truncate(1);
        }
        hits
    }

    /// A bounded field of a plain number that nothing checks.
    fn unvalidated(&self, file: FileId, at: usize, of: &StructFact) -> Option<String> {
        let number = |ty: &TypeRef| {
            ty.any(&mut |t| {
                matches!(
                    t.name(),
                    Some("f32" | "f64" | "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "usize")
                )
            })
        };
        let field = of
            .fields
            .iter()
            .find(|field| BOUNDED.contains(&field.name.as_str()) && number(&field.ty))?;
        let derived = self.derives(of, Role::Validate);
        let parsed = of
            .attrs
            .iter()
            .chain(of.fields.iter().flat_map(|f| &f.attrs))
            .any(|attr| self.w.knowledge.attribute(&attr.text).has(Role::Validate));
        let def = Def::Struct(file, at);
        let checks = [
            "validate",
            "check",
            "verify",
            "validated",
            "try_new",
            "sanitize",
            "normalize",
            "clamp",
            "is_valid",
        ];
        let method = checks.iter().any(|name| !self.w.methods_of(def, name).is_empty());
        let package = self.w.package(file);
        let texts = self
            .w
            .files
            .iter()
            .enumerate()
            .filter(|(id, _)| self.w.package(*id) == package)
            .map(|(id, _)| self.w.code(id));
        let bounded = texts.into_iter().any(|text| {
            let name = field.name.as_str();
            [
                format!("{name}.clamp("),
                format!("{name} <"),
                format!("{name} >"),
                format!("contains(&{name}"),
                format!("{name}.min("),
                format!("{name}.max("),
                format!("validate_{name}"),
                format!(".contains(&self.{name})"),
                format!(".contains(&config.{name})"),
            ]
            .iter()
            .any(|form| text.contains(form.as_str()))
                || text.lines().any(|line| line.contains(name) && line.contains(".clamp("))
        });
        (!derived && !parsed && !method && !bounded).then(|| field.name.to_string())
    }

    /// Whether a derive of the struct is known to play a role.
    fn derives(&self, of: &StructFact, role: Role) -> bool {
        of.derives.iter().any(|derive| self.w.knowledge.derive(derive).has(role))
    }

    /// A tunable field without any default.
    fn undefaulted(&self, file: FileId, at: usize, of: &StructFact) -> Option<String> {
        let derived = self.derives(of, Role::Defaults);
        let defaults = |text: &str| self.w.knowledge.attribute(text).has(Role::Defaults);
        let attributed = of.attrs.iter().any(|attr| defaults(&attr.text));
        let made = !self.w.methods_of(Def::Struct(file, at), "default").is_empty();
        let optional = |twin: &StructFact| {
            let shared = |field: &&FieldFact| of.fields.iter().any(|own| own.name == field.name);
            twin.derives.iter().any(|derive| derive == "Deserialize")
                && twin.fields.iter().filter(shared).all(|field| field.ty.name() == Some("Option"))
        };
        if derived || attributed || made || self.has_twin(file, of, optional) {
            return None;
        }
        let bare = |field: &&FieldFact| {
            let tunable = matches!(
                field.name.as_str(),
                "temperature" | "max_tokens" | "top_p" | "timeout" | "timeout_secs"
            );
            let defaulted = field.attrs.iter().any(|attr| defaults(&attr.text));
            tunable && !defaulted && field.ty.name() != Some("Option")
        };
        of.fields.iter().find(bare).map(|field| field.name.to_string())
    }

    /// Whether another structure of the file has the same settings: what a file says before it is resolved, or what came
    /// of it.
    fn has_twin(&self, file: FileId, of: &StructFact, fits: impl Fn(&StructFact) -> bool) -> bool {
        let related = |field: &&FieldFact| RELATED.contains(&field.name.as_str());
        let wanted: Vec<_> = of.fields.iter().filter(related).collect();
        let mut others = self.w.file(file).structs.iter().filter(|other| other.name != of.name);
        others.any(|other| {
            let has = |name: &str| other.fields.iter().any(|field| field.name == name);
            wanted.iter().all(|field| has(&field.name)) && fits(other)
        })
    }

    /// A tunable field of a structure that documents none, nor has a twin that does.
    fn undocumented(&self, file: FileId, of: &StructFact) -> Option<String> {
        let mut attributes = of.fields.iter().flat_map(|field| &field.attrs);
        let explained =
            attributes.any(|attr| self.w.knowledge.attribute(&attr.text).has(Role::Documents));
        let tunable = of.fields.iter().find(|field| TUNABLE.contains(&field.name.as_str()))?;
        // Of the two it is the one a file gives, parts of which may be absent, that the other speaks for.
        let partial = of.fields.iter().all(|field| field.ty.name() == Some("Option"));
        let documents = |twin: &StructFact| partial && twin.fields.iter().any(|field| field.doc);
        let none = of.fields.iter().all(|field| !field.doc)
            && !explained
            && !self.has_twin(file, of, documents);
        (none && of.fields.len() >= 3).then(|| tunable.name.to_string())
    }

    /// Settings of a package that never looks at the environment.
    fn fixed(&self, file: FileId) -> Option<String> {
        let package = self.w.package(file);
        let roles: Roles = [Role::Env, Role::SecretSource].into_iter().collect();
        let reads = self.playing(roles).any(|at| self.w.package(at.file) == package);
        let depends = self.w.manifest(file).is_some_and(|m| {
            m.dependencies
                .iter()
                .filter_map(|d| self.w.knowledge.package(&d.package))
                .any(|known| known.present.has(Role::Env) || known.present.has(Role::Config))
        });
        let by_argument =
            self.w.files.iter().enumerate().filter(|(id, _)| self.w.package(*id) == package).any(
                |(_, facts)| {
                    facts
                        .structs
                        .iter()
                        .flat_map(|of| of.fields.iter())
                        .flat_map(|field| &field.attrs)
                        .any(|attr| self.w.knowledge.attribute(&attr.text).has(Role::Env))
                },
            );
        let by_macro = self.w.nodes().any(|at| {
            matches!(self.w.kind(at), Kind::Path(path) if path.iter().any(|s| s == "env"))
                && self.w.package(at.file) == package
        });
        (!reads && !depends && !by_argument && !by_macro).then(String::new)
    }
}

fn is_settings(of: &StructFact) -> bool {
    let named = ["Config", "Settings", "Options", "Opts", "Params", "Conf"]
        .iter()
        .any(|word| of.name.contains(word));
    let has = |names: &[&str]| {
        of.fields.iter().filter(|field| names.contains(&field.name.as_str())).count()
    };
    let request = of.fields.iter().any(|field| OF_REQUESTS.contains(&field.name.as_str()));
    // A provider's own word for a part of its requests is no settings file.
    let sent = of.derives.iter().any(|derive| derive == "Serialize")
        && of
            .fields
            .iter()
            .flat_map(|field| &field.attrs)
            .any(|attr| attr.text.contains("skip_serializing_if"))
        && !["Config", "Settings", "Conf"].iter().any(|word| of.name.contains(word));
    let wire = sent
        || of.name.contains("GenerationConfig")
        || of.attrs.iter().any(|attr| attr.text.contains("camelCase"));
    let read = !wire && of.derives.iter().any(|derive| derive == "Deserialize");
    named
        && !of.name.contains("Request")
        && read
        && !request
        && has(RELATED) >= 2
        && has(TUNABLE) >= 1
        && of.fields.iter().any(|field| {
            field.name == "model" || field.name == "model_name" || field.name == "temperature"
        })
}

/// Whether another type of the file is read through this one: `#[serde(from = "…")]`. That type is the settings.
fn read_for(of: &StructFact, facts: &FileFacts) -> bool {
    let through = format!("from = \"{}\"", of.name);
    facts.structs.iter().flat_map(|other| &other.attrs).any(|attr| attr.text.contains(&through))
}
