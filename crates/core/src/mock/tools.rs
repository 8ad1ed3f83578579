//! Which tools an answer calls, and with what.
//!
//! `tool_choice: "required"` (or `"any"`) calls the tools that the last user message names, or else
//! the first; a choice of one tool calls that one; with `"auto"`, or no choice, those are called
//! that the last user message names. A name counts as a whole word. All of them are called at once
//! unless `parallel_tool_calls` is false. After a tool's result no tool is called, so that a loop
//! that demands tools ends. Older `functions` with `function_call` work alike, one at a time.

use serde_json::Value;

use super::{
    conversation::Conversation,
    digest::Digest,
    reply::Complaint,
    request::Request,
    said::{Call, Head, Kind},
    schema,
};

/// A tool that an answer can call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tool<'r> {
    kind: Kind,
    name: &'r str,
    /// The JSON Schema of its arguments.
    parameters: Option<&'r Value>,
}

/// What the caller wants of its tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'r> {
    None,
    /// Those that the user names.
    Named,
    /// Those that the user names, or the first.
    Some,
    One(Kind, &'r str),
}

/// The tools that are called in answer to `request`, none when it is answered with text.
///
/// # Errors
/// The choice names a tool that is not there.
pub(super) fn called<'r>(
    request: &'r Request,
    conversation: &Conversation,
) -> Result<Vec<Tool<'r>>, Complaint> {
    let (mut tools, wanted) = offered(request);
    if conversation.result.is_some() {
        return Ok(vec![]);
    }
    match wanted {
        Wanted::None => tools.clear(),
        Wanted::Named => tools.retain(|tool| names(&conversation.user, tool.name)),
        Wanted::Some if tools.iter().any(|tool| names(&conversation.user, tool.name)) => {
            tools.retain(|tool| names(&conversation.user, tool.name));
        }
        Wanted::Some => tools.truncate(1),
        Wanted::One(kind, name) => {
            tools.retain(|tool| tool.kind == kind && tool.name == name);
            if tools.is_empty() {
                return Err(unknown(kind, name));
            }
        }
    }
    let alone = request.get("parallel_tool_calls").is_some_and(|parallel| parallel == false);
    if alone || tools.iter().any(|tool| tool.kind == Kind::Legacy) {
        tools.truncate(1);
    }
    Ok(tools)
}

impl Tool<'_> {
    /// A call of this tool in the answer with this digest, at `position` among its calls.
    pub(super) fn call(self, digest: Digest, position: u64) -> Call {
        let digest = digest.with(b"call").branch(position);
        let arguments = match (self.kind, self.parameters) {
            (Kind::Custom, _) => format!("input {}", digest.hex(8)),
            (Kind::Function | Kind::Legacy, None) => "{}".to_owned(),
            (Kind::Function | Kind::Legacy, Some(schema)) => {
                schema::instance(schema, digest.dice()).to_string()
            }
        };
        let head = Head {
            kind: self.kind,
            id: format!("call_{}", digest.hex(24)),
            name: self.name.to_owned(),
        };
        Call { head, arguments }
    }
}

fn offered(request: &Request) -> (Vec<Tool<'_>>, Wanted<'_>) {
    let functions = request.list("functions");
    if !functions.is_empty() {
        let tools = functions.iter().filter_map(|function| tool(Kind::Legacy, function));
        let wanted = request.get("function_call").map_or(Wanted::Named, |choice| match choice {
            Value::String(mode) => mode_of(mode),
            choice => name_of(choice).map_or(Wanted::Named, |name| Wanted::One(Kind::Legacy, name)),
        });
        return (tools.collect(), wanted);
    }
    let mut tools = tools_of(request.list("tools"));
    let wanted = match request.get("tool_choice") {
        None => Wanted::Named,
        Some(Value::String(mode)) => mode_of(mode),
        Some(choice) => match choice.get("allowed_tools") {
            Some(allowed) => {
                let listed = allowed.get("tools").and_then(Value::as_array);
                let names = tools_of(listed.map_or(&[], Vec::as_slice));
                tools.retain(|tool| {
                    names.iter().any(|name| (name.kind, name.name) == (tool.kind, tool.name))
                });
                mode_of(allowed.get("mode").and_then(Value::as_str).unwrap_or("auto"))
            }
            None => tools_of(std::slice::from_ref(choice))
                .first()
                .map_or(Wanted::Named, |tool| Wanted::One(tool.kind, tool.name)),
        },
    };
    (tools, wanted)
}

fn mode_of(mode: &str) -> Wanted<'static> {
    match mode {
        "none" => Wanted::None,
        "required" | "any" => Wanted::Some,
        // "auto", which is also what no choice means.
        _ => Wanted::Named,
    }
}

/// Tools, or choices of tools, of the types that the mock knows.
fn tools_of(list: &[Value]) -> Vec<Tool<'_>> {
    let typed = |item| {
        let inner = |name: &str| Value::get(item, name);
        inner("function")
            .and_then(|function| tool(Kind::Function, function))
            .or_else(|| inner("custom").and_then(|custom| tool(Kind::Custom, custom)))
    };
    list.iter().filter_map(typed).collect()
}

fn tool(kind: Kind, described: &Value) -> Option<Tool<'_>> {
    let name = name_of(described)?;
    Some(Tool { kind, name, parameters: described.get("parameters") })
}

fn name_of(described: &Value) -> Option<&str> {
    described.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// Whether `name` stands in `text` as a whole word.
fn names(text: &str, name: &str) -> bool {
    let in_word = |character: char| character.is_alphanumeric() || "_-".contains(character);
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

fn unknown(kind: Kind, name: &str) -> Complaint {
    let (param, list) = match kind {
        Kind::Function | Kind::Custom => ("tool_choice", "tools"),
        Kind::Legacy => ("function_call", "functions"),
    };
    Complaint::new(format!("`{param}` names `{name}`, which is not among `{list}`")).at(param)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The names of the tools called, with `weather` and `clock` on offer.
    fn called_with(changes: &Value) -> Result<Vec<String>, String> {
        let function = |name: &str| json!({"type": "function", "function": {"name": name}});
        let mut body = json!({
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [function("weather"), function("clock")],
        });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let request = Request::parse(body.to_string().as_bytes()).unwrap();
        let conversation = Conversation::read(request.list("messages"));
        match called(&request, &conversation) {
            Ok(tools) => Ok(tools.iter().map(|tool| tool.name.to_owned()).collect()),
            Err(complaint) => Err(complaint.message().to_owned()),
        }
    }

    #[track_caller]
    fn calls(changes: &Value, names: &[&str]) {
        assert_eq!(called_with(changes).unwrap(), names, "{changes}");
    }

    fn user(text: &str) -> Value {
        json!([{"role": "user", "content": text}])
    }

    #[test]
    fn tools_are_called_when_named_as_whole_words() {
        calls(&json!({}), &[]);
        calls(&json!({"messages": user("Call clock!")}), &["clock"]);
        calls(&json!({"messages": user("clockwork and a-clock")}), &[]);
        calls(&json!({"messages": user("clock, weather")}), &["weather", "clock"]);
        calls(
            &json!({"messages": user("clock, weather"), "parallel_tool_calls": false}),
            &["weather"],
        );
        calls(&json!({"messages": user("clock"), "tool_choice": "none"}), &[]);
    }

    #[test]
    fn a_demand_is_met_by_the_tool_named_or_the_first() {
        calls(&json!({"tool_choice": "required"}), &["weather"]);
        calls(&json!({"tool_choice": "any"}), &["weather"]);
        calls(&json!({"tool_choice": "required", "messages": user("clock")}), &["clock"]);
    }

    #[test]
    fn a_choice_of_one_tool_calls_that_one() {
        let choice = |name: &str| json!({"type": "function", "function": {"name": name}});
        calls(&json!({"tool_choice": choice("clock")}), &["clock"]);
        assert_eq!(
            called_with(&json!({"tool_choice": choice("oven")})).unwrap_err(),
            "`tool_choice` names `oven`, which is not among `tools`"
        );
    }

    #[test]
    fn only_allowed_tools_are_called() {
        let allowed = json!({"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{"type": "function", "function": {"name": "clock"}}],
        }});
        calls(&json!({"tool_choice": allowed, "messages": user("weather")}), &["clock"]);
    }

    #[test]
    fn after_a_result_no_tool_is_called() {
        let messages = json!([
            {"role": "user", "content": "clock"},
            {"role": "tool", "tool_call_id": "1", "content": "noon"},
        ]);
        calls(&json!({"messages": messages, "tool_choice": "required"}), &[]);
    }

    #[test]
    fn older_functions_are_called_one_at_a_time() {
        let functions = json!([{"name": "weather"}, {"name": "clock"}]);
        let old = |extra: &str, value: Value| json!({"functions": functions, extra: value});
        calls(&old("messages", user("weather and clock")), &["weather"]);
        calls(&old("function_call", json!({"name": "clock"})), &["clock"]);
        calls(&old("function_call", json!("none")), &[]);
    }
}
