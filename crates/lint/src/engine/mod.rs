//! One run: facts in, findings out.

mod draft;
mod sieve;
mod traces;
mod upkeep;

pub use traces::Traces;

use crate::ask::Asked;
use crate::baseline::Baseline;
use crate::facts::FileFacts;
use crate::finding::Finding;
use crate::knowledge::{Knowledge, KnowledgeError};
use crate::manifest::{Lock, Manifest};
use crate::model::{Graph, Inputs, Workspace};
use crate::rules::{Clause, RuleError, Rules, Standard};
use crate::settings::Settings;
use draft::Draft;
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use traces::Tracker;

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules/lint");
static KNOWLEDGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules/knowledge");
static STANDARD: &str = include_str!("../../../../rules/standard.toml");

/// Rules and knowledge, ready to be asked.
pub struct Linter {
    rules: Rules,
    knowledge: Knowledge,
    standard: Standard,
    tracker: Tracker,
    identity: Sha256,
}

/// Why a linter could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A rule file.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A knowledge file.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// The standard.
    #[error("standard.toml: {0}")]
    Standard(String),
    /// The words of the knowledge that mark a source file.
    #[error("the words to look for: {0}")]
    Words(String),
}

/// What a run reads, every path relative to the folder linted.
#[derive(Default)]
pub struct Files {
    /// Rust files: facts and text.
    pub rust: Vec<(FileFacts, String)>,
    /// `Cargo.toml` files: path and text.
    pub manifests: Vec<(String, String)>,
    /// `Cargo.lock` files: path and text.
    pub locks: Vec<(String, String)>,
    /// Models that lie beside the code, measured.
    pub models: Vec<ModelFile>,
}

/// A model that lies beside the code.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// Its path, relative to the folder linted.
    pub path: String,
    /// What it takes.
    pub profile: tollhouse_core::placement::Profile,
}

/// What a run found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Findings, suppressed ones included, by path and position.
    pub findings: Vec<Finding>,
    /// How many Rust files were read.
    pub files: usize,
    /// How many calls to models were found outside tests.
    pub calls: usize,
}

fn texts<'d>(folder: &'d Dir<'d>) -> impl Iterator<Item = (&'d str, &'d str)> {
    folder.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
}

impl Linter {
    /// The linter with the rules and the knowledge it carries.
    ///
    /// # Errors
    /// When what it carries cannot be read; a test holds that it can.
    pub fn new() -> Result<Self, LoadError> {
        let rules = Rules::read(texts(&RULES))?;
        let knowledge = Knowledge::read(texts(&KNOWLEDGE))?;
        let standard =
            toml::from_str(STANDARD).map_err(|error| LoadError::Standard(error.to_string()))?;
        let tracker =
            Tracker::of(&knowledge).map_err(|error| LoadError::Words(error.to_string()))?;
        let identity = Sha256::new_with_prefix(env!("TOLLHOUSE_LINT_BUILD"));
        Ok(Self { rules, knowledge, standard, tracker, identity })
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Adds a rule of one's own; `path` names it in errors.
    ///
    /// # Errors
    /// What is wrong with the rule.
    pub fn add_rule(&mut self, path: &str, text: &str) -> Result<(), RuleError> {
        self.identity.update(text.as_bytes());
        self.rules.add(path, text)
    }

    /// The names of the packages of which anything is known.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.knowledge.packages()
    }

    /// What changes whenever this build of the linter, its rules or its knowledge change: 32 bytes.
    pub fn identity(&self) -> [u8; 32] {
        self.identity.clone().finalize().into()
    }

    /// The standard's clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.standard.clause
    }

    /// Runs every rule over the files.
    pub fn run(
        &self,
        files: Files,
        settings: &Settings,
        baseline: Option<(&str, &Baseline)>,
    ) -> Report {
        let workspace = self.workspace(files);
        let graph = Graph::of(&workspace);
        let calls = workspace.model_calls(&graph);
        let handlers = workspace.handlers();
        let asked = Asked::new(&workspace, &graph, &calls, &handlers, &settings.today);
        let mut draft = Draft::new(self, settings, &workspace);
        for rule in self.rules.iter().filter(|rule| settings.selects(&rule.id, &rule.clause)) {
            for hit in asked.answer(&rule.ask) {
                draft.add(rule, &hit);
            }
        }
        draft.broken_files();
        draft.suppress();
        if let Some((path, baseline)) = baseline {
            draft.apply(path, baseline);
        }
        draft.attest();
        let live = calls.iter().filter(|call| !call.test).count();
        Report { findings: draft.sorted(), files: workspace.files.len(), calls: live }
    }

    /// What the linter believes about the calls on one line, in words.
    pub fn explain_roles(&self, files: Files, path: &str, line: u32) -> String {
        let workspace = self.workspace(files);
        crate::explain::roles(&workspace, path, line)
    }

    fn workspace(&self, files: Files) -> Workspace<'_> {
        let manifests =
            files.manifests.iter().map(|(path, text)| Manifest::read(path, text)).collect();
        let locks =
            files.locks.iter().map(|(path, text)| (path.clone(), Lock::read(text))).collect();
        let inputs = Inputs { files: files.rust, manifests, locks, models: files.models };
        Workspace::build(inputs, &self.knowledge)
    }
}
