//! Code frames: a problem beside the line it stands on.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use tollhouse_core::config::{Place, Problem, Severity};

/// The problem in colours; `text` is the configuration's, with its secrets masked.
pub(super) fn render(name: &str, text: &str, problem: &Problem) -> String {
    let level = match problem.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(problem.message.as_str()).id(problem.rule.name());
    let mut groups = match &problem.place {
        Place::Text { span, .. } => {
            let annotation = AnnotationKind::Primary.span(span.clone());
            vec![title.element(Snippet::source(text).path(name).annotation(annotation))]
        }
        Place::Variable(variable) => {
            let note = format!("in the environment variable {variable}");
            vec![title.element(Level::NOTE.message(note))]
        }
    };
    if let Some(help) = &problem.help {
        groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
    }
    Renderer::styled().render(&groups)
}
