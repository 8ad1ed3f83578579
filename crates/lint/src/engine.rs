//! One run: facts in, findings out.

use crate::ask::{Asked, Hit, Place};
use crate::baseline::Baseline;
use crate::facts::FileFacts;
use crate::finding::{Finding, fingerprint};
use crate::knowledge::{Knowledge, KnowledgeError};
use crate::manifest::{Lock, Manifest};
use crate::model::{Graph, Inputs, Workspace};
use crate::rules::{Clause, Rule, RuleError, Rules, Severity, Standard};
use crate::settings::{Level, Settings};
use crate::suppress::{Directive, directives, manifest_directives};
use crate::text::{Lines, Span, index};
use include_dir::{Dir, include_dir};
use std::collections::HashMap;

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules/lint");
static KNOWLEDGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules/knowledge");
static STANDARD: &str = include_str!("../../../rules/standard.toml");

/// Rules and knowledge, ready to be asked.
pub struct Linter {
    rules: Rules,
    knowledge: Knowledge,
    standard: Standard,
    needles: aho_corasick::AhoCorasick,
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
}

/// What a run found.
#[derive(Debug, Default)]
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
        let needles = aho_corasick::AhoCorasick::new(needles(&knowledge))
            .map_err(|e| LoadError::Standard(e.to_string()))?;
        Ok(Self { rules, knowledge, standard, needles })
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The rules, to add more to.
    pub fn rules_mut(&mut self) -> &mut Rules {
        &mut self.rules
    }

    /// The standard's clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.standard.clause
    }

    /// Whether a text holds anything that a package which touches models would hold: the sieve before parsing.
    pub fn touches(&self, text: &str) -> bool {
        self.needles.is_match(text)
    }

    /// Runs every rule over the files.
    pub fn run(
        &self,
        files: Files,
        settings: &Settings,
        baseline: Option<(&str, &Baseline)>,
    ) -> Report {
        let manifests: Vec<Manifest> =
            files.manifests.iter().map(|(path, text)| Manifest::read(path, text)).collect();
        let locks =
            files.locks.iter().map(|(path, text)| (path.clone(), Lock::read(text))).collect();
        let workspace =
            Workspace::build(Inputs { files: files.rust, manifests, locks }, &self.knowledge);
        let graph = Graph::of(&workspace);
        let calls = workspace.model_calls(&graph);
        let handlers = workspace.handlers();
        let asked = Asked::new(&workspace, &graph, &calls, &handlers, &settings.today);
        let mut draft = Draft {
            linter: self,
            settings,
            workspace: &workspace,
            findings: Vec::new(),
            seen: HashMap::new(),
        };
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
        draft.findings.sort_by(|a, b| {
            (&a.path, a.start, &a.rule, a.end).cmp(&(&b.path, b.start, &b.rule, b.end))
        });
        let live = calls.iter().filter(|call| !call.test).count();
        Report { findings: draft.findings, files: workspace.files.len(), calls: live }
    }

    /// What the linter believes about the calls on one line, in words.
    pub fn explain_roles(&self, files: Files, path: &str, line: u32) -> String {
        let manifests: Vec<Manifest> =
            files.manifests.iter().map(|(path, text)| Manifest::read(path, text)).collect();
        let locks =
            files.locks.iter().map(|(path, text)| (path.clone(), Lock::read(text))).collect();
        let workspace =
            Workspace::build(Inputs { files: files.rust, manifests, locks }, &self.knowledge);
        crate::explain::roles(&workspace, path, line)
    }
}

fn needles(knowledge: &Knowledge) -> Vec<String> {
    use crate::knowledge::CrateKind;
    let mut needles: Vec<String> = knowledge.endpoints.needles().map(str::to_owned).collect();
    let touching = knowledge
        .crates()
        .iter()
        .filter(|known| matches!(known.kind, CrateKind::ModelClient | CrateKind::Inference));
    for known in touching {
        needles.push(known.package.clone());
        needles.push(known.lib.clone());
    }
    needles.extend(
        [
            "\"sk-",
            "\"gsk_",
            "\"AIza",
            "\"hf_",
            "\"xai-",
            "\"AKIA",
            "\"model\"",
            "tollhouse:",
            "messages",
        ]
        .map(str::to_owned),
    );
    needles.retain(|needle| needle.len() > 3);
    needles
}

/// Findings as they are gathered.
struct Draft<'d, 'k> {
    linter: &'d Linter,
    settings: &'d Settings,
    workspace: &'d Workspace<'k>,
    findings: Vec<Finding>,
    seen: HashMap<String, usize>,
}

/// A place as a reader finds it.
struct Spot<'s> {
    path: &'s str,
    text: &'s str,
    span: Span,
    item: String,
}

impl<'d> Draft<'d, '_> {
    fn spot(&self, place: Place) -> Option<Spot<'d>> {
        let workspace = self.workspace;
        match place {
            Place::Node(at) => {
                let file = workspace.files.get(at.file)?;
                let item =
                    workspace.function_at(at).map(|of| workspace.title(of)).unwrap_or_default();
                Some(Spot {
                    path: &file.path,
                    text: workspace.text(at.file),
                    span: file.node(at.node).span,
                    item,
                })
            }
            Place::Range(file, span) => {
                let facts = workspace.files.get(file)?;
                let item = facts
                    .fns
                    .iter()
                    .filter(|of| of.item.holds(span))
                    .map(|of| of.name.to_string())
                    .next_back();
                Some(Spot {
                    path: &facts.path,
                    text: workspace.text(file),
                    span,
                    item: item.unwrap_or_default(),
                })
            }
            Place::Package(package) => {
                let manifest = workspace.packages.get(package)?;
                Some(Spot {
                    path: &manifest.path,
                    text: &manifest.text,
                    span: manifest.place(),
                    item: String::new(),
                })
            }
        }
    }

    fn add(&mut self, rule: &Rule, hit: &Hit) {
        let Some(spot) = self.spot(hit.place) else { return };
        let mut message = rule.message.clone();
        for (name, value) in &hit.details {
            message = message.replace(&format!("{{{name}}}"), value);
        }
        let severity = if hit.lighter { rule.severity.lighter() } else { rule.severity };
        let fix = hit
            .fix
            .as_ref()
            .map(|(_, span, text)| (index(span.start)..index(span.end), text.clone()));
        self.push(rule, severity, &spot, message, fix);
    }

    fn push(
        &mut self,
        rule: &Rule,
        severity: Severity,
        spot: &Spot<'_>,
        message: String,
        fix: Option<(std::ops::Range<usize>, String)>,
    ) {
        let severity = match self.settings.level(&rule.id, spot.path) {
            Some(Level::Off) => return,
            Some(Level::At(severity)) => severity,
            None => severity,
        };
        let subject: String = spot.span.of(spot.text).chars().take(200).collect();
        let key = format!("{}\0{}\0{}\0{subject}", rule.id, spot.path, spot.item);
        let ordinal = *self.seen.entry(key).and_modify(|n| *n += 1).or_insert(0);
        let lines = Lines::of(spot.text);
        let (start, end) =
            (lines.position(spot.text, spot.span.start), lines.position(spot.text, spot.span.end));
        self.findings.push(Finding {
            rule: rule.id.clone(),
            clause: rule.clause.clone(),
            severity,
            path: spot.path.to_owned(),
            start,
            end,
            range: index(spot.span.start)..index(spot.span.end),
            message,
            help: rule.help.clone(),
            fingerprint: fingerprint(&rule.id, spot.path, &spot.item, &subject, ordinal),
            suppressed: None,
            fix,
        });
    }

    /// A finding about the linter's own upkeep.
    fn upkeep(
        &mut self,
        id: &str,
        spot: &Spot<'_>,
        detail: &str,
        fix: Option<(std::ops::Range<usize>, String)>,
    ) {
        let Some(rule) = self.linter.rules.get(id) else { return };
        if self.settings.selects(id, &rule.clause) {
            self.push(rule, rule.severity, spot, rule.message.replace("{detail}", detail), fix);
        }
    }

    fn broken_files(&mut self) {
        let workspace = self.workspace;
        for (file, facts) in workspace.files.iter().enumerate() {
            if let Some((reason, span)) = &facts.broken {
                let spot = Spot {
                    path: &facts.path,
                    text: workspace.text(file),
                    span: *span,
                    item: String::new(),
                };
                self.upkeep("unparsed-file", &spot, reason, None);
            }
        }
        for manifest in &workspace.packages {
            if let Some((reason, span)) = &manifest.broken {
                let spot = Spot {
                    path: &manifest.path,
                    text: &manifest.text,
                    span: *span,
                    item: String::new(),
                };
                self.upkeep("unparsed-file", &spot, reason, None);
            }
        }
    }

    fn suppress(&mut self) {
        let workspace = self.workspace;
        let rust = workspace.files.iter().enumerate().map(|(file, facts)| {
            let text = workspace.text(file);
            (facts.path.as_str(), text, directives(facts, text))
        });
        let manifests = workspace
            .packages
            .iter()
            .map(|m| (m.path.as_str(), m.text.as_str(), manifest_directives(&m.text)));
        let all: Vec<_> = rust.chain(manifests).collect();
        for (path, text, directives) in all {
            for directive in directives {
                self.obey(path, text, &directive);
            }
        }
    }

    fn obey(&mut self, path: &str, text: &str, directive: &Directive) {
        let spot = Spot { path, text, span: directive.span, item: String::new() };
        if directive.reason.is_empty() {
            self.upkeep("unexplained-suppression", &spot, "", None);
            return;
        }
        for rule in &directive.rules {
            let Some(known) = self.linter.rules.get(rule) else {
                let nearest = self
                    .linter
                    .rules
                    .nearest(rule)
                    .map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
                self.upkeep(
                    "idle-suppression",
                    &spot,
                    &format!("`{rule}` is not a rule{nearest}"),
                    None,
                );
                continue;
            };
            let (first, last) = directive.lines;
            let covers = |of: &Finding| {
                of.path == path
                    && of.rule == *rule
                    && first <= of.start.line
                    && of.start.line <= last
            };
            let mut used = false;
            for finding in self.findings.iter_mut().filter(|of| covers(of)) {
                finding.suppressed = Some(directive.reason.clone());
                used = true;
            }
            let asked = self.settings.selects(&known.id, &known.clause)
                && self.settings.level(&known.id, path) != Some(Level::Off);
            if !used && asked {
                let alone = directive.rules.len() == 1;
                let fix = alone.then(|| (removal(text, directive.span), String::new()));
                self.upkeep(
                    "idle-suppression",
                    &spot,
                    &format!("there is no `{rule}` here to suppress"),
                    fix,
                );
            }
        }
    }

    fn apply(&mut self, path: &str, baseline: &Baseline) {
        for (rule, file) in baseline.apply(&mut self.findings) {
            let spot =
                Spot { path, text: "", span: Span::default(), item: format!("{rule} {file}") };
            self.upkeep("stale-baseline", &spot, &format!("`{rule}` in {file}"), None);
        }
    }

    /// Findings that an attestation answers, while it holds.
    fn attest(&mut self) {
        for of in &self.settings.attestations {
            if of.until.as_str() < self.settings.today.as_str() {
                continue;
            }
            for finding in self.findings.iter_mut().filter(|finding| finding.rule == of.rule) {
                finding
                    .suppressed
                    .get_or_insert_with(|| format!("attested until {}: {}", of.until, of.reason));
            }
        }
    }
}

/// What to take out so that a directive is gone: its whole line where it stands alone.
fn removal(text: &str, span: Span) -> std::ops::Range<usize> {
    let (start, end) = (index(span.start), index(span.end));
    let head = text.get(..start).unwrap_or_default();
    let line = head.rfind('\n').map_or(0, |at| at + 1);
    let alone = text.get(line..start).is_some_and(|head| head.trim().is_empty());
    if alone {
        let after =
            text.get(end..).and_then(|tail| tail.find('\n')).map_or(text.len(), |at| end + at + 1);
        return line..after;
    }
    head.trim_end_matches([' ', '\t']).len()..end
}
