//! Everything that is no model call: lists of models, health, metrics, administration.

use tollhouse_core::{
    auth, health,
    openai::models,
    pipeline::{Gate, exchange::Arrived, head},
    record::RequestId,
    refusal::{Code, Refusal},
    router::{self, Route},
};

use crate::{
    admin, clock, door, env, glue,
    isolate::{Isolate, LEDGER},
    ops::{Ending, Op},
};

/// The secret that closes `/metrics` to others, where it is set.
const METRICS_KEY: &str = "TOLLHOUSE_METRICS_KEY";

/// A page as it goes out.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// Headers that other pages have not.
    pub(crate) further: &'static [(&'static str, &'static str)],
}

impl Page {
    fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: "application/json".to_owned(),
            body: body.into(),
            further: &[],
        }
    }
}

/// Answers a request for a page.
pub(crate) async fn serve(
    call: u32,
    id: RequestId,
    isolate: &Isolate,
    gate: Option<&Gate>,
    route: Route,
    arrived: &Arrived,
) {
    match page(call, isolate, gate, route, arrived).await {
        Ok(page) => {
            let mut headers = head::Headers::new(id, &page.content_type);
            headers.add("cache-control", "no-store");
            headers.add("x-content-type-options", "nosniff");
            for (name, value) in page.further {
                headers.add(name, value);
            }
            glue::answer(call, page.status, headers.as_str(), &page.body);
        }
        Err(refusal) => refuse(call, id, &refusal),
    }
}

/// Answers with a refusal.
pub(crate) fn refuse(call: u32, id: RequestId, refusal: &Refusal) {
    let (status, headers, body) = head::refusal(id, refusal);
    glue::answer(call, status, headers.as_str(), &body);
}

/// Answers a request that the router refuses; a wrong method is told which one is right.
pub(crate) fn refuse_route(call: u32, id: RequestId, path: &str, refusal: &Refusal) {
    let (status, mut headers, body) = head::refusal(id, refusal);
    if let Some(method) = router::allowed(path) {
        headers.add("allow", method);
    }
    glue::answer(call, status, headers.as_str(), &body);
}

async fn page(
    call: u32,
    isolate: &Isolate,
    gate: Option<&Gate>,
    route: Route,
    arrived: &Arrived,
) -> Result<Page, Refusal> {
    match route {
        Route::HealthLive => Ok(health_page(health::live())),
        Route::HealthReady => Ok(health_page(health::ready(&isolate.facts()))),
        Route::Metrics => metrics(call, isolate, arrived).await,
        Route::Models | Route::ModelNamed(_) => model_list(gate, &route, arrived),
        Route::AdminPage(part) => admin::page(call, part).await,
        Route::AdminConfig => {
            admin::open(arrived)?;
            let shown = isolate.shown_config();
            Ok(Page::json(200, shown.ok_or_else(no_config)?))
        }
        Route::AdminUsage => of_ledger(call, isolate, "/usage", arrived).await,
        Route::AdminStatus => of_ledger(call, isolate, "/status", arrived).await,
        Route::AdminErrors => of_ledger(call, isolate, "/errors", arrived).await,
        Route::AdminTrace => of_ledger(call, isolate, "/traced", arrived).await,
        // Model calls go through the pipeline.
        Route::Model(_) | Route::Judge(_) | Route::Feedback => {
            Err(Refusal::new(Code::Internal, "a model call is no page"))
        }
    }
}

/// What the ledger tells operators, with what this isolate has counted up to now.
async fn of_ledger(
    call: u32,
    isolate: &Isolate,
    path: &str,
    arrived: &Arrived,
) -> Result<Page, Refusal> {
    admin::open(arrived)?;
    isolate.flush(call).await;
    ledger(call, path, &arrived.query).await
}

fn health_page(answer: health::Answer) -> Page {
    Page::json(answer.status, answer.body)
}

fn no_config() -> Refusal {
    Refusal::new(Code::ConfigInvalid, Code::ConfigInvalid.facts().meaning)
}

fn model_list(gate: Option<&Gate>, route: &Route, arrived: &Arrived) -> Result<Page, Refusal> {
    let config = gate.ok_or_else(no_config)?.config();
    let (bearer, plain) = (arrived.header("authorization"), arrived.header("x-api-key"));
    let caller = auth::authenticate(&config.auth, bearer, plain, clock::now())?;
    let body = match route {
        Route::ModelNamed(name) => models::one(&config, &caller, name)?,
        _ => models::list(&config, &caller),
    };
    Ok(Page::json(200, body))
}

async fn metrics(call: u32, isolate: &Isolate, arrived: &Arrived) -> Result<Page, Refusal> {
    if let Some(key) = env::text(METRICS_KEY) {
        door::check(arrived, &key)?;
    }
    isolate.flush(call).await;
    ledger(call, "/metrics", arrived.header("accept").unwrap_or_default()).await
}

/// What the ledger object says.
async fn ledger(call: u32, path: &str, question: &str) -> Result<Page, Refusal> {
    let done =
        Op::start(|slot| glue::object(call, slot, "LEDGER", LEDGER, path, question.as_bytes()))
            .await;
    match done.ending {
        Ending::Done(200) => {
            Ok(Page { status: 200, content_type: done.head, body: done.body, further: &[] })
        }
        Ending::Done(_) => {
            let said = String::from_utf8_lossy(&done.body).into_owned();
            Err(Refusal::new(Code::InvalidValue, said))
        }
        Ending::TimedOut
        | Ending::ConnectTimedOut
        | Ending::Failed
        | Ending::CallerLeft
        | Ending::TooLong
        | Ending::Nothing => {
            Err(Refusal::new(Code::Internal, "the ledger object does not answer at the moment"))
        }
    }
}
