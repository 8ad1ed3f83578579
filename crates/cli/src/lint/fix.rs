//! Safe changes: made, or shown as a diff.

use super::LintError;
use std::collections::BTreeMap;
use std::path::Path;
use tollhouse_lint::Finding;

/// Makes the changes of all findings that have one, or prints them.
pub(super) fn apply(root: &Path, findings: &[Finding], only_show: bool) -> Result<(), LintError> {
    for (path, edits) in edits(findings) {
        let place = root.join(path);
        let before = std::fs::read_to_string(&place).map_err(|e| LintError::file(&place, e))?;
        let after = edited(&before, &edits);
        if only_show {
            let diff = similar::TextDiff::from_lines(&before, &after);
            anstream::print!(
                "{}",
                diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}"))
            );
        } else if after != before {
            std::fs::write(&place, after).map_err(|e| LintError::file(&place, e))?;
            anstream::eprintln!("changed {path}");
        }
    }
    Ok(())
}

/// The findings that no change answers.
pub(super) fn left(findings: &[Finding]) -> Vec<Finding> {
    findings.iter().filter(|of| of.fix.is_none()).cloned().collect()
}

type Edit<'f> = &'f (std::ops::Range<usize>, String);

fn edits(findings: &[Finding]) -> BTreeMap<&str, Vec<Edit<'_>>> {
    let mut found: BTreeMap<&str, Vec<Edit<'_>>> = BTreeMap::new();
    for of in findings.iter().filter(|of| of.suppressed.is_none()) {
        if let Some(fix) = &of.fix {
            found.entry(&of.path).or_default().push(fix);
        }
    }
    found
}

/// Applies edits from the last to the first; one that overlaps a later one is left for the next run.
fn edited(text: &str, edits: &[Edit<'_>]) -> String {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut out = text.to_owned();
    let mut limit = text.len();
    for (range, replacement) in edits {
        if range.end <= limit
            && out.is_char_boundary(range.start)
            && out.is_char_boundary(range.end)
        {
            out.replace_range(range.clone(), replacement);
            limit = range.start;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_edits_are_made_one_at_a_time() {
        let (a, b) = ((0..3, String::new()), (2..5, "x".to_owned()));
        assert_eq!(edited("abcdef", &[&a, &b]), "abxf");
    }
}
