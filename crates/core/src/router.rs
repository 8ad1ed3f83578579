//! Which path and method mean what.
//!
//! Paths are matched as a whole; a slash at the end is forgiven. What follows is decided elsewhere.

use crate::{
    guard::answers::Judging,
    openai::Endpoint,
    refusal::{Code, Refusal},
};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A model call.
    Model(Endpoint),
    /// Texts are judged by a classifier at the edge.
    Judge(Judging),
    /// A caller says what it thinks of an answer.
    Feedback,
    /// The list of models.
    Models,
    /// One model by name.
    ModelNamed(String),
    /// Whether the process answers.
    HealthLive,
    /// Whether it can do its work.
    HealthReady,
    /// Prometheus metrics.
    Metrics,
    /// The operators' page, or a part of it.
    AdminPage(PagePart),
    /// How the gateway stands, and what happened lately.
    AdminStatus,
    /// Requests that failed lately.
    AdminErrors,
    /// What became of one request that asked to be traced.
    AdminTrace,
    /// The effective configuration.
    AdminConfig,
    /// What was used, by key, model and day.
    AdminUsage,
}

/// A file of the operators' page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePart {
    /// Its path; the page's own is `/admin`.
    pub path: &'static str,
    /// Its name in the folder `crates/worker/admin`.
    pub file: &'static str,
    /// Its media type.
    pub content_type: &'static str,
}

impl PagePart {
    /// Every file.
    pub const ALL: [Self; 16] = [
        Self { path: "/admin", file: "index.html", content_type: "text/html; charset=utf-8" },
        Self { path: "/admin/app.css", file: "app.css", content_type: "text/css; charset=utf-8" },
        Self { path: "/admin/icon.svg", file: "icon.svg", content_type: "image/svg+xml" },
        Self::script("/admin/app.js", "app.js"),
        Self::script("/admin/ask.js", "ask.js"),
        Self::script("/admin/charts.js", "charts.js"),
        Self::script("/admin/dom.js", "dom.js"),
        Self::script("/admin/figures.js", "figures.js"),
        Self::script("/admin/overview.js", "overview.js"),
        Self::script("/admin/spend.js", "spend.js"),
        Self::script("/admin/providers.js", "providers.js"),
        Self::script("/admin/guards.js", "guards.js"),
        Self::script("/admin/errors.js", "errors.js"),
        Self::script("/admin/config.js", "config.js"),
        Self::script("/admin/playground.js", "playground.js"),
        Self::script("/admin/stages.js", "stages.js"),
    ];

    const fn script(path: &'static str, file: &'static str) -> Self {
        Self { path, file, content_type: "text/javascript; charset=utf-8" }
    }

    fn at(path: &str) -> Option<Self> {
        path.starts_with("/admin").then(|| Self::ALL.into_iter().find(|part| part.path == path))?
    }
}

/// Reads the method and the path (without its query).
///
/// # Errors
/// [`Code::RouteNotFound`], and [`Code::MethodNotAllowed`] for a known path.
pub fn route(method: &str, path: &str) -> Result<Route, Refusal> {
    let (expected, route) = find(path).ok_or_else(not_found)?;
    if method == expected || (expected == "GET" && method == "HEAD") {
        return Ok(route);
    }
    Err(Refusal::new(Code::MethodNotAllowed, format!("this path takes {expected}")))
}

/// The method that a path takes, for `allow`.
pub fn allowed(path: &str) -> Option<&'static str> {
    find(path).map(|(method, _)| method)
}

fn find(path: &str) -> Option<(&'static str, Route)> {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    if let Some(endpoint) = Endpoint::at(path) {
        return Some(("POST", Route::Model(endpoint)));
    }
    if let Some(judging) = Judging::at(path) {
        return Some(("POST", Route::Judge(judging)));
    }
    if path == "/v1/feedback" {
        return Some(("POST", Route::Feedback));
    }
    if let Some(part) = PagePart::at(path) {
        return Some(("GET", Route::AdminPage(part)));
    }
    let route = match path {
        "/v1/models" => Route::Models,
        "/health/live" | "/healthz" | "/health/liveness" | "/health/liveliness" => {
            Route::HealthLive
        }
        "/health/ready" | "/readyz" | "/health/readiness" | "/health" => Route::HealthReady,
        "/metrics" => Route::Metrics,
        "/admin/status" => Route::AdminStatus,
        "/admin/errors" => Route::AdminErrors,
        "/admin/trace" => Route::AdminTrace,
        "/admin/config" => Route::AdminConfig,
        "/admin/usage" => Route::AdminUsage,
        other => match other.strip_prefix("/v1/models/") {
            Some(name) if !name.is_empty() => Route::ModelNamed(decode(name)),
            Some(_) | None => return None,
        },
    };
    Some(("GET", route))
}

fn not_found() -> Refusal {
    Refusal::new(
        Code::RouteNotFound,
        "there is nothing at this path; model calls go to /v1/chat/completions, /v1/completions and \
         /v1/embeddings, texts to be judged to /v1/classify and /v1/moderations",
    )
}

/// Undoes percent-encoding; what is no valid escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = if let (b'%', [high, low, ..]) = (first, tail) {
            hex(*high).zip(hex(*low))
        } else {
            None
        };
        let (byte, length) = escape.map_or((*first, 0), |(high, low)| (high << 4 | low, 2));
        bytes.push(byte);
        rest = tail.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_name_may_hold_a_slash() {
        let expected = Route::ModelNamed("meta/llama".into());
        assert_eq!(route("GET", "/v1/models/meta%2Fllama"), Ok(expected.clone()));
        assert_eq!(route("GET", "/v1/models/meta/llama"), Ok(expected));
    }

    #[test]
    fn the_operators_page_and_its_files_are_found() {
        let file = |path| match route("GET", path) {
            Ok(Route::AdminPage(part)) => Some(part.file),
            Ok(_) | Err(_) => None,
        };
        assert_eq!(file("/admin/"), Some("index.html"));
        assert_eq!(file("/admin/app.js"), Some("app.js"));
        assert_eq!(route("GET", "/admin/index.html").unwrap_err().code, Code::RouteNotFound);
        assert_eq!(route("POST", "/admin").unwrap_err().code, Code::MethodNotAllowed);
    }

    #[test]
    fn every_file_of_the_page_has_a_path_and_every_path_a_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/admin");
        let names = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut known: Vec<_> = PagePart::ALL.iter().map(|part| part.file.to_owned()).collect();
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known);
    }

    #[test]
    fn the_wrong_method_is_told_apart_from_the_wrong_path() {
        assert_eq!(route("GET", "/v1/embeddings").unwrap_err().code, Code::MethodNotAllowed);
        assert_eq!(route("POST", "/v1/nothing").unwrap_err().code, Code::RouteNotFound);
        assert_eq!(route("HEAD", "/healthz"), Ok(Route::HealthLive));
    }
}
