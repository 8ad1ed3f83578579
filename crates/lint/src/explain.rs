//! What the linter believes about the calls on one line, so that a wrong verdict can be understood.

use crate::knowledge::{Role, Roles};
use crate::model::{At, Graph, ModelCall, Purpose, Ty, Workspace};
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
    let calls = workspace.model_calls(&graph);
    // A chain is written over many lines: what is known of it is said where it begins as well as where it ends.
    let on_line = nodes.filter(|at| {
        let span = workspace.file(file).node(at.node).span;
        let begins = lines.line(span.start) == line && workspace.known(*at).is_some();
        begins || lines.line(span.end.saturating_sub(1)) == line
    });
    for at in on_line {
        describe(workspace, &graph, at, &mut out);
        verdict(workspace, &calls, at, &mut out);
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
    if !sends(fact.roles) {
        out.push('\n');
    }
}

/// Whether what sends something is taken for a call to a model.
fn verdict(workspace: &Workspace<'_>, calls: &[ModelCall<'_>], at: At, out: &mut String) {
    if !sends(workspace.roles(at)) {
        return;
    }
    let said = match calls.iter().find(|call| call.at == at) {
        Some(call) if call.test => "a call to a model, in a test",
        Some(ModelCall { purpose: Purpose::Embedding, .. }) => "a call to a model, for embeddings",
        Some(ModelCall { purpose: Purpose::Chat, .. }) => "a call to a model, for text",
        None => "not taken for a call to a model: neither its URL nor its body says so",
    };
    let _ = writeln!(out, "  {said}\n");
}

fn sends(roles: Roles) -> bool {
    let sends = [Role::HttpSend, Role::ModelCall, Role::StreamCall, Role::EmbeddingCall];
    roles.any(sends.into_iter().collect())
}

fn names(roles: Roles) -> String {
    let names: Vec<&str> = roles.iter().map(Role::name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;
    use crate::model::Inputs;

    #[test]
    fn a_chain_is_told_where_it_begins_and_where_it_ends() {
        let text = "pub async fn ask(body: &Body) {\n    reqwest::Client::new()\n        \
                    .post(\"https://api.openai.com/v1/chat/completions\")\n        .json(body)\n        \
                    .send()\n        .await;\n}\n";
        let known = include_str!("../../../rules/knowledge/reqwest.toml");
        let hosts = include_str!("../../../rules/knowledge/endpoints.toml");
        let files = [("reqwest.toml", known), ("endpoints.toml", hosts)];
        let Ok(knowledge) = Knowledge::read(files.into_iter()) else { unreachable!() };
        let inputs = Inputs {
            files: vec![(crate::collect("lib.rs", text), text.to_owned())],
            ..Inputs::default()
        };
        let workspace = Workspace::build(inputs, &knowledge);
        for line in [2, 5] {
            let told = roles(&workspace, "lib.rs", line);
            assert!(told.contains("made at lib.rs:2"), "{told}");
            assert!(told.contains("a call to a model, for text"), "{told}");
        }
    }
}
