//! Findings as they are gathered: a hit becomes a finding with a place, a weight and an identity.

use super::Linter;
use crate::ask::{Hit, Place};
use crate::finding::{Finding, fingerprint};
use crate::model::Workspace;
use crate::rules::{Rule, Severity};
use crate::settings::{Level, Settings};
use crate::text::{Lines, Span, index};
use rustc_hash::FxHashMap as HashMap;

/// Findings as they are gathered.
pub(super) struct Draft<'d, 'k> {
    pub(super) linter: &'d Linter,
    pub(super) settings: &'d Settings,
    pub(super) workspace: &'d Workspace<'k>,
    pub(super) findings: Vec<Finding>,
    seen: HashMap<String, usize>,
}

/// A place as a reader finds it.
pub(super) struct Spot<'s> {
    pub(super) path: &'s str,
    pub(super) text: &'s str,
    pub(super) span: Span,
    pub(super) item: String,
}

impl<'d, 'k> Draft<'d, 'k> {
    pub(super) fn new(
        linter: &'d Linter,
        settings: &'d Settings,
        workspace: &'d Workspace<'k>,
    ) -> Self {
        Self { linter, settings, workspace, findings: Vec::new(), seen: HashMap::default() }
    }

    /// The findings by path and position.
    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.findings.sort_by(|a, b| {
            (&a.path, a.start, &a.rule, a.end).cmp(&(&b.path, b.start, &b.rule, b.end))
        });
        self.findings
    }

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

    pub(super) fn add(&mut self, rule: &Rule, hit: &Hit) {
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

    pub(super) fn push(
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
}
