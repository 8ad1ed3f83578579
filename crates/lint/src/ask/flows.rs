//! Values that flow where they must not: a model's output into a shell, a page or a query; a request into a prompt.

use super::evidence::Evidence;
use super::{Asked, Hit};
use crate::facts::{Kind, LoopKind, Name};
use crate::knowledge::{Role, Roles};
use crate::model::{At, FnRef};
use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;

/// A flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flow {
    /// A model's output into a shell.
    OutputToShell,
    /// A model's output into a page, unescaped.
    OutputToHtml,
    /// A model's output into SQL text.
    OutputToSql,
    /// A request's text into a prompt, unchecked.
    InputToPrompt,
    /// A model that calls tools in a loop nothing ends.
    EndlessAgent,
}

impl Asked<'_, '_> {
    pub(super) fn flows(&self, flow: Flow) -> Vec<Hit> {
        match flow {
            Flow::OutputToShell => self.output_to(Role::CommandSink),
            Flow::OutputToHtml => self.output_to(Role::HtmlSink),
            Flow::OutputToSql => self.output_to(Role::SqlSink),
            Flow::InputToPrompt => self.input_to_prompt(),
            Flow::EndlessAgent => self.endless_agents(),
        }
    }

    /// Functions that return what a model said.
    fn speakers(&self) -> HashSet<FnRef> {
        let texts = |of: &FnRef| {
            self.w.function(*of).is_some_and(|fact| {
                fact.output.any(&mut |ty| matches!(ty.name(), Some("String" | "str")))
            })
        };
        self.live().map(|call| call.function).filter(texts).collect()
    }

    /// The names in a function that hold a model's output.
    fn tainted(&self, function: FnRef, speakers: &HashSet<FnRef>) -> HashSet<Name> {
        let Some(body) = self.w.body(function) else { return HashSet::default() };
        let mut names: HashSet<Name> = HashSet::default();
        for at in self.w.under(body) {
            let (pat, init) = match self.w.kind(at) {
                Kind::Let { pat, init: Some(init), .. } => (pat, at.with(*init)),
                Kind::LetCond { pat, value } => (pat, at.with(*value)),
                _ => continue,
            };
            let speaks = self.w.under(init).any(|inner| {
                self.live_at.contains(&inner)
                    || self.w.callee(inner).is_some_and(|target| speakers.contains(&target))
                    || self.holds(inner, &names)
            });
            if speaks {
                names.extend(pat.names.iter().cloned());
            }
        }
        names
    }

    /// Whether a node is one of the names, or a format string that captures one.
    fn holds(&self, at: At, names: &HashSet<Name>) -> bool {
        match self.w.kind(at) {
            Kind::Path(path) => matches!(&**path, [only] if names.contains(only)),
            Kind::Str(text) => names.iter().any(|name| text.contains(&format!("{{{name}}}"))),
            _ => false,
        }
    }

    fn output_to(&self, sink: Role) -> Vec<Hit> {
        let speakers = self.speakers();
        let mut hits = Vec::new();
        for at in self.playing(sink.into()) {
            let Some(function) = self.w.function_at(at) else { continue };
            let names = self.tainted(function, &speakers);
            if names.is_empty() || !self.reaches_sink(at, sink, &names) || self.cleaned(function) {
                continue;
            }
            hits.push(Hit::at(at));
        }
        hits
    }

    fn reaches_sink(&self, at: At, sink: Role, names: &HashSet<Name>) -> bool {
        let arguments: Vec<At> = match self.w.kind(at) {
            Kind::Call { args, .. } | Kind::Method { args, .. } | Kind::Macro { args, .. } => {
                args.iter().map(|arg| at.with(*arg)).collect()
            }
            _ => return false,
        };
        let taken =
            arguments.iter().any(|arg| self.w.under(*arg).any(|inner| self.holds(inner, names)));
        match (sink, self.w.kind(at)) {
            // An argument of a program is data; an argument of `sh -c` is code.
            (Role::CommandSink, Kind::Method { .. }) => taken && self.is_shell(at),
            _ => taken,
        }
    }

    fn is_shell(&self, at: At) -> bool {
        let links = self.w.chain(at);
        let text = |link: &At| self.w.source(*link);
        let shell = links.last().is_some_and(|root| {
            [
                "\"sh\"",
                "\"bash\"",
                "\"zsh\"",
                "\"cmd\"",
                "\"powershell\"",
                "\"/bin/sh\"",
                "\"/bin/bash\"",
                "\"pwsh\"",
            ]
            .iter()
            .any(|name| text(root).contains(name))
        });
        shell
            && links.iter().any(|link| {
                ["\"-c\"", "\"/C\"", "\"-Command\"", "\"/c\""]
                    .iter()
                    .any(|flag| text(link).contains(flag))
            })
    }

    /// Whether a function asks a person, or cleans the text, before it goes on.
    fn cleaned(&self, function: FnRef) -> bool {
        let names = [
            "confirm",
            "sanit",
            "escape",
            "clean",
            "allow",
            "inquire",
            "prompt_user",
            "approve",
            "valid",
            "ask_user",
            "read_line",
            "select",
            "encode",
        ];
        let evidence =
            Evidence::of([Role::Sanitize, Role::Validate].into_iter().collect::<Roles>(), names);
        self.named_function(function, &evidence)
            || self.body_shows(function, &evidence)
            || self
                .graph
                .callers(function)
                .iter()
                .filter_map(|edge| edge.from)
                .any(|from| self.body_shows(from, &evidence))
    }

    /// Handlers whose extracted text reaches a model call in the same function, or one call on, unchecked.
    fn input_to_prompt(&self) -> Vec<Hit> {
        let names = [
            "valid",
            "len",
            "is_empty",
            "sanit",
            "moderat",
            "guard",
            "truncate",
            "too_long",
            "trim",
            "filter",
            "check",
            "ensure",
            "max_",
            "token_count",
            "count_tokens",
            "screen",
            "parse",
            "verify",
        ];
        let evidence = Evidence::of(
            [Role::Validate, Role::Moderation, Role::Sanitize].into_iter().collect::<Roles>(),
            names,
        );
        let mut hits = Vec::new();
        for handler in self.handlers {
            let Some(fact) = self.w.function(*handler) else { continue };
            let extracted = fact.params.iter().find(|param| {
                matches!(param.ty.name(), Some("Json" | "Form" | "Query" | "String" | "Bytes"))
                    && !param.names.is_empty()
            });
            let Some(param) = extracted.filter(|_| !fact.test) else { continue };
            let checked_type = param.ty.any(&mut |ty| {
                ty.name().is_some_and(|name| name.contains("Valid") || self.derives_validate(name))
            });
            let reach = self.graph.reach(*handler, 2);
            let calls = self.live().find(|call| reach.contains(&call.function));
            let Some(call) = calls else { continue };
            let checked = reach.iter().any(|of| {
                self.named_function(*of, &evidence) || self.looks_at_input(*of, &evidence)
            });
            if !checked && !checked_type {
                let hit = Hit::in_file(handler.file, fact.span).with("handler", fact.name.as_str());
                hits.push(hit.with("call", self.w.title(call.function)));
            }
        }
        hits
    }

    /// Whether a body shows evidence that is not the bound of an answer.
    fn looks_at_input(&self, of: FnRef, evidence: &Evidence) -> bool {
        let body = self.w.body(of).into_iter().flat_map(|body| self.w.under(body));
        let mut asked = body.filter(|at| !self.bounds_tokens(*at));
        asked.any(|at| self.shows(at, evidence))
    }

    fn derives_validate(&self, name: &str) -> bool {
        let structs = self.w.files.iter().flat_map(|file| file.structs.iter());
        structs.filter(|of| of.name == name).any(|of| {
            of.derives.iter().any(|d| self.w.knowledge.derive(d).has(Role::Validate))
                || of.attrs.iter().any(|a| self.w.knowledge.attribute(&a.text).has(Role::Validate))
        })
    }

    /// `loop { call; run tools }` with no count of its turns and nobody to ask in between.
    fn endless_agents(&self) -> Vec<Hit> {
        let names = [
            "max",
            "limit",
            "step",
            "turn",
            "iter",
            "budget",
            "round",
            "depth",
            "count",
            "attempt",
            "retries",
            "cancel",
            "deadline",
            "timeout",
            "stdin",
            "read_line",
            "readline",
            "recv",
            "poll",
            "accept",
            "input",
            "select",
            "next",
        ];
        let evidence = Evidence::of(Roles::default(), names);
        let mut found = HashSet::default();
        let mut hits = Vec::new();
        for call in self.live() {
            let mut sites = vec![call.at];
            sites.extend(
                self.graph
                    .callers(call.function)
                    .iter()
                    .filter(|edge| edge.exact)
                    .map(|edge| edge.site),
            );
            for site in sites {
                let Some(around) = self.loop_around(site) else { continue };
                let Kind::Loop { kind: LoopKind::Forever, body, .. } = self.w.kind(around) else {
                    continue;
                };
                let text = self.w.source(around.with(*body)).to_ascii_lowercase();
                let tools = text.contains("tool_call")
                    || text.contains("tool_use")
                    || text.contains("function_call");
                let bounded = self
                    .w
                    .under(around)
                    .filter(|inner| !self.bounds_tokens(*inner) && !self.leads_to_call(*inner))
                    .any(|inner| self.shows(inner, &evidence));
                if tools && !bounded && found.insert(around) {
                    hits.push(Hit::at(around));
                }
            }
        }
        hits
    }

    /// Whether what a node is named for is the length of one answer, not the number of turns.
    fn bounds_tokens(&self, at: At) -> bool {
        let name = match self.w.kind(at) {
            Kind::Method { name, .. } | Kind::Field { name, .. } => name,
            Kind::Path(path) => match path.last() {
                Some(last) => last,
                None => return false,
            },
            _ => return false,
        };
        name.to_ascii_lowercase().contains("token")
    }
}
