//! HTTP requests: which of them go to a model.

use super::calls::Purpose;
use super::{At, Binding, Def, FnRef, Graph, Piece, Ty, Value, Workspace};
use crate::facts::Kind;
use crate::knowledge::Role;
use rustc_hash::FxHashSet as HashSet;

/// What names of functions hold that send a request to a model.
pub(crate) const SENDERS: &[&str] = &["chat_completion", "generate_content", "create_completion"];

/// What names of structs hold that are the body of a request, in lower case.
pub(crate) const BODY_NAMES: &[&str] =
    &["request", "body", "payload", "param", "completion", "query", "args"];

/// What words of a struct's name say that it is kept or counted, not answered.
const KEPT: &[&str] = &[
    "Count", "Counting", "Record", "Recorded", "Log", "Logged", "Trace", "Snapshot", "Audit",
    "Event", "Entry", "Captured", "Stored", "Saved", "Cached", "History",
];

/// Where a request's links may lie: through parameters, branches and functions that begin it.
struct Trail<'w, 'k> {
    workspace: &'w Workspace<'k>,
    graph: &'w Graph,
    links: Vec<Link>,
    seen: HashSet<At>,
    from: Context,
}

/// Functions that are looked into, and the calls they are looked into from: their parameters are what those pass.
type Context = Vec<(FnRef, At)>;

/// A link of a request, and how it was come by.
struct Link {
    at: At,
    from: Context,
}

impl Trail<'_, '_> {
    fn follow(&mut self, at: At, hops: u32) {
        let w = self.workspace;
        let at = w.peel(at);
        let Some(hops) = hops.checked_sub(1) else { return };
        if self.links.len() > 64 || !self.seen.insert(at) {
            return;
        }
        let links = w.chain(at);
        let root = match links.last() {
            Some(last) => match w.kind(*last) {
                Kind::Method { receiver, .. } => w.peel(last.with(*receiver)),
                Kind::Call { args, .. } if w.roles(*last).has(Role::HttpSend) => {
                    args.first().map_or(*last, |request| w.peel(last.with(*request)))
                }
                _ => *last,
            },
            None => at,
        };
        let begun = links.iter().any(|link| w.roles(*link).has(Role::HttpRequest));
        let made: Vec<(FnRef, At)> =
            links.iter().filter_map(|link| Some((w.callee(*link)?, *link))).collect();
        let taken: Vec<At> = links.iter().filter_map(|link| sent(w, *link)).collect();
        self.links.extend(links.into_iter().map(|at| Link { at, from: self.from.clone() }));
        if begun {
            return;
        }
        for request in taken {
            self.follow(request, hops);
        }
        for (function, site) in made {
            self.returned(function, site, hops);
        }
        self.root(root, hops);
    }

    /// What stands at the beginning of a chain that does not begin a request itself.
    fn root(&mut self, at: At, hops: u32) {
        let w = self.workspace;
        match w.kind(at) {
            Kind::Path(path) => {
                let [name] = &**path else { return };
                match w.binding(at, name) {
                    Some(Binding::Param { function, at }) => self.passed(function, at, hops),
                    Some(
                        Binding::Value { value }
                        | Binding::Typed { value: Some(value), .. }
                        | Binding::Part { value, .. },
                    ) => self.follow(value, hops),
                    Some(
                        Binding::Typed { value: None, .. }
                        | Binding::ClosureParam
                        | Binding::Element,
                    )
                    | None => {}
                }
            }
            Kind::Call { callee, args } => {
                let wraps = matches!(w.kind(at.with(*callee)), Kind::Path(path) if path.last().is_some_and(|last| last == "Ok" || last == "Some"));
                if let Some(inner) = args.first().filter(|_| wraps) {
                    self.follow(at.with(*inner), hops);
                }
            }
            Kind::If { then, otherwise, .. } => {
                for branch in [Some(*then), *otherwise].into_iter().flatten() {
                    self.follow(at.with(branch), hops);
                }
            }
            Kind::Match { arms, .. } => {
                arms.iter().for_each(|arm| self.follow(at.with(arm.body), hops));
            }
            Kind::Block { stmts, tail: true } => {
                if let Some(last) = stmts.last() {
                    self.follow(at.with(*last), hops);
                }
            }
            _ => {}
        }
    }

    fn passed(&mut self, function: FnRef, at: usize, hops: u32) {
        let looked_into = self.from.iter().rposition(|(of, _)| *of == function);
        let known = looked_into.and_then(|place| Some((place, self.from.get(place)?.1)));
        if let Some((place, site)) = known {
            let within = self.from.split_off(place);
            if let Some(arg) = self.workspace.passed_at(site, function, at) {
                self.follow(arg, hops);
            }
            self.from.extend(within);
            return;
        }
        for edge in self.graph.callers(function).iter().filter(|edge| edge.exact).take(8) {
            if let Some(arg) = self.workspace.passed_at(edge.site, function, at) {
                self.follow(arg, hops);
            }
        }
    }

    fn returned(&mut self, function: FnRef, site: At, hops: u32) {
        let Some(body) = self.workspace.body(function) else { return };
        self.from.push((function, site));
        self.root(body, hops);
        self.from.pop();
    }
}

/// The words of a type's name: `RecordedRequest` has two.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> =
        name.char_indices().filter(|(_, c)| c.is_uppercase()).map(|(at, _)| at).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([name.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| name.get(start..end))
}

/// The request that a client is given to send: `client.execute(request)`.
fn sent(w: &Workspace<'_>, link: At) -> Option<At> {
    let roles = w.roles(link);
    let gives = roles.has(Role::HttpSend) && !roles.has(Role::HttpBody);
    let method = matches!(w.kind(link), Kind::Method { .. });
    w.argument(link, 0).filter(|_| gives && method)
}

impl Workspace<'_> {
    /// The links of an HTTP request wherever they lie: in the chain that sends it, in callers that hand it over, in
    /// functions that begin it.
    pub(crate) fn request_links(&self, at: At, graph: &Graph) -> Vec<At> {
        self.trail(at, graph).into_iter().map(|link| link.at).collect()
    }

    fn trail(&self, at: At, graph: &Graph) -> Vec<Link> {
        let mut trail = Trail {
            workspace: self,
            graph,
            links: Vec::new(),
            seen: HashSet::default(),
            from: Context::new(),
        };
        trail.follow(at, 12);
        trail.links
    }

    /// Values of an argument as the calls in its context give them.
    fn values_in(&self, at: At, from: &Context) -> Vec<Value> {
        let mut found = self.values(at);
        for (function, site) in from.iter().rev() {
            found =
                found.into_iter().flat_map(|value| self.given(value, *function, *site)).collect();
        }
        found
    }

    /// A value with the parameters of one function replaced by what one call passes.
    fn given(&self, value: Value, function: FnRef, site: At) -> Vec<Value> {
        let mut whole: Vec<Value> = vec![Vec::new()];
        for piece in value {
            let options = match &piece {
                Piece::Param(of, at) if *of == function => self
                    .passed_at(site, function, *at)
                    .map_or_else(|| vec![vec![Piece::Unknown]], |arg| self.values(arg)),
                _ => vec![vec![piece.clone()]],
            };
            let longer = whole
                .iter()
                .flat_map(|head| options.iter().map(move |tail| [head.as_slice(), tail].concat()));
            whole = longer.take(24).collect();
        }
        whole
    }

    /// Whether an HTTP request goes to a model, and what for.
    pub(super) fn http_purpose(&self, at: At, graph: &Graph) -> Option<Purpose> {
        let links = self.trail(at, graph);
        if links.iter().any(|link| self.names_upkeep(link.at)) {
            return None;
        }
        let body = links.iter().find_map(|link| {
            self.roles(link.at).has(Role::HttpBody).then(|| self.argument(link.at, 0)).flatten()
        });
        let by_body = body.is_some_and(|body| {
            self.is_model_request(body) || self.hands_model_request(body, graph)
        });
        let spoken = by_body || self.speaks_of_ollama(at);
        for link in links.iter().filter(|link| self.roles(link.at).has(Role::HttpRequest)) {
            let gets = matches!(self.kind(link.at), Kind::Method { name, .. } if name == "get");
            let fact = self.known(link.at)?;
            let Some(url) = self.argument(link.at, fact.arg).filter(|_| !gets) else { continue };
            let values = self.values_in(url, &link.from);
            let urls: Vec<String> =
                self.expanded(values, graph, 3).iter().map(Self::rendered).collect();
            let known = &self.knowledge.endpoints;
            let answers =
                |url: &&String| known.is_model(url) || (spoken && known.may_be_model(url));
            if let Some(url) = urls.iter().find(answers) {
                let embeds = url.contains("embed");
                return Some(if embeds { Purpose::Embedding } else { Purpose::Chat });
            }
            if urls.iter().any(|url| known.is_upkeep(url)) {
                return None;
            }
        }
        (by_body || self.sends_given_request(at, &self.chain(at))).then_some(Purpose::Chat)
    }

    /// Whether a function of the workspace is told to begin a request that no model answers: `self.post("countTokens")`.
    fn names_upkeep(&self, link: At) -> bool {
        let told = (0..3).filter_map(|n| self.argument(link, n)).flat_map(|arg| self.values(arg));
        self.callee(link).is_some()
            && told.into_iter().any(|value| match value.as_slice() {
                [Piece::Text(word, _)] => self.knowledge.endpoints.names_upkeep(word),
                _ => false,
            })
    }

    /// Whether the function, type, file or package around a node is named for Ollama.
    fn speaks_of_ollama(&self, at: At) -> bool {
        let title = self.function_at(at).map(|of| self.title(of)).unwrap_or_default();
        let package = self.manifest(at.file).and_then(|m| m.name.as_deref()).unwrap_or_default();
        let path = self.file(at.file).path.as_str();
        [title.as_str(), package, path].iter().any(|of| of.to_ascii_lowercase().contains("ollama"))
    }

    /// Whether a function named for a model's endpoint sends a request that it was handed.
    fn sends_given_request(&self, at: At, links: &[At]) -> bool {
        let named = self
            .function_at(at)
            .and_then(|of| self.function(of))
            .is_some_and(|fact| SENDERS.iter().any(|name| fact.name.contains(name)));
        let root = links.last().and_then(|last| match self.kind(*last) {
            Kind::Method { receiver, .. } => Some(self.peel(last.with(*receiver))),
            _ => None,
        });
        let handed = root.and_then(|root| Some((root, self.name_of(root)?.clone())));
        named
            && handed.is_some_and(|(root, name)| {
                matches!(self.binding(root, &name), Some(Binding::Param { .. }))
            })
    }

    /// Whether a request body is one for a model: it names a model and carries a prompt.
    pub(crate) fn is_model_request(&self, at: At) -> bool {
        const PROMPTS: &[&str] = &["messages", "prompt", "contents", "input", "inputs"];
        let names = |fields: &[&str]| {
            fields.contains(&"model") && PROMPTS.iter().any(|p| fields.contains(p))
        };
        let at = self.peel(at);
        match self.kind(at) {
            Kind::Path(path) => match &**path {
                [name] => match self.binding(at, name) {
                    Some(Binding::Value { value } | Binding::Typed { value: Some(value), .. }) => {
                        self.is_model_request(value)
                    }
                    _ => self.is_model_struct(&self.ty(at)),
                },
                _ => false,
            },
            Kind::Macro { args, .. } => {
                args.first().is_some_and(|first| match self.kind(at.with(*first)) {
                    Kind::Object(fields) => {
                        names(&fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
                    }
                    _ => false,
                })
            }
            _ => self.is_model_struct(&self.ty(at)),
        }
    }

    /// Whether a type of the workspace is the body of a model request.
    pub(crate) fn is_model_struct(&self, ty: &Ty) -> bool {
        let Ty::Local(Def::Struct(file, at)) = ty else { return false };
        let Some(of) = self.file(*file).structs.get(*at) else { return false };
        let has = |name: &str| of.fields.iter().any(|field| field.name == name);
        let name = of.name.to_ascii_lowercase();
        let named = BODY_NAMES.iter().any(|word| name.contains(word))
            && !words(&of.name).any(|word| KEPT.contains(&word));
        let prompts = has("messages") || has("prompt") || has("contents") || has("input");
        has("model") && prompts && named && of.derives.iter().any(|derive| derive == "Serialize")
    }

    /// Whether a parameter is given the body of a model request by some caller.
    fn hands_model_request(&self, body: At, graph: &Graph) -> bool {
        let body = self.peel(body);
        let Some(Binding::Param { function, at }) =
            self.name_of(body).and_then(|name| self.binding(body, name))
        else {
            return false;
        };
        let given = graph.callers(function).iter().filter(|edge| edge.exact).take(8);
        given
            .filter_map(|edge| self.passed_at(edge.site, function, at))
            .any(|given| self.is_model_request(given))
    }
}
