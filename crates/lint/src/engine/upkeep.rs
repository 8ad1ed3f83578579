//! What is said about the findings themselves: files that do not parse, suppressions, baselines, attestations.

use super::draft::{Draft, Spot};
use crate::baseline::Baseline;
use crate::finding::Finding;
use crate::settings::Level;
use crate::suppress::{Directive, directives, manifest_directives};
use crate::text::{Span, index};

impl Draft<'_, '_> {
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

    pub(super) fn broken_files(&mut self) {
        let workspace = self.workspace;
        for (file, facts) in workspace.files.iter().enumerate() {
            if let Some((reason, span)) = &facts.broken
                && !workspace.is_loose(file)
            {
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

    pub(super) fn suppress(&mut self) {
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

    pub(super) fn apply(&mut self, path: &str, baseline: &Baseline) {
        for (rule, file) in baseline.apply(&mut self.findings) {
            let spot =
                Spot { path, text: "", span: Span::default(), item: format!("{rule} {file}") };
            self.upkeep("stale-baseline", &spot, &format!("`{rule}` in {file}"), None);
        }
    }

    /// Findings that an attestation answers, while it holds.
    pub(super) fn attest(&mut self) {
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
