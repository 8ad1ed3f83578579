//! What the linter believes about the calls on one line, so that a wrong verdict can be understood.

use crate::knowledge::Roles;
use crate::model::{At, Graph, Ty, Workspace};
use std::fmt::Write;

/// The roles, types and origins of every call on a line.
pub(crate) fn roles(workspace: &Workspace<'_>, path: &str, line: u32) -> String {
    let graph = Graph::of(workspace);
    let Some(file) = workspace.files.iter().position(|file| file.path == path) else {
        return format!("{path} is not among the files read\n");
    };
    let mut out = String::new();
    let lines = &workspace.file(file).lines;
    let nodes = workspace.file(file).each_node().map(|(node, _)| At { file, node });
    let on_line = nodes.filter(|at| {
        lines.line(workspace.file(file).node(at.node).span.end.saturating_sub(1)) == line
    });
    for at in on_line {
        describe(workspace, &graph, at, &mut out);
    }
    if out.is_empty() {
        out.push_str("nothing on this line is known to play a role\n");
    }
    out
}

fn describe(workspace: &Workspace<'_>, graph: &Graph, at: At, out: &mut String) {
    let ty = workspace.ty(at);
    let Some(fact) = workspace.known(at) else {
        if let Ty::External(path) = ty {
            let text: String = workspace
                .source(at)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(60)
                .collect();
            let _ = writeln!(out, "`{text}`\n  type: {}\n", path.join("::"));
        }
        return;
    };
    let text: String = workspace
        .source(at)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(80)
        .collect();
    let _ = writeln!(out, "`{text}`\n  known as: {}", fact.path.join("::"));
    let _ = writeln!(out, "  roles: {}", names(fact.roles));
    if !fact.gives.is_empty() {
        let _ = writeln!(out, "  by default: {}", names(fact.gives));
    }
    if !fact.source.is_empty() {
        let _ = writeln!(out, "  source: {}", fact.source);
    }
    if let Ty::External(path) = ty {
        let _ = writeln!(out, "  type: {}", path.join("::"));
    }
    let origins = workspace.origins(at, graph);
    for origin in &origins.known {
        let place = workspace.file(origin.made.file);
        let line = place.lines.line(place.node(origin.made.node).span.start);
        let vague = if origin.vague { ", not followed to its end" } else { "" };
        let _ =
            writeln!(out, "  made at {}:{line} with {}{vague}", place.path, names(origin.roles));
    }
    if origins.vague {
        let _ = writeln!(out, "  may also be made where it could not be followed");
    }
    out.push('\n');
}

fn names(roles: Roles) -> String {
    let names: Vec<&str> = roles.iter().map(crate::knowledge::Role::name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
