//! The chief asks replicas whether they are ready, by its alarm and only where that is configured.

use tollhouse_core::{
    pool::probe::{self, Found, Question, Report},
    units::{DurationMs, UnixMs},
};
use worker::{AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, Result};

use super::Ledger;
use crate::{
    clock::read as now,
    env,
    objects::{race, together},
};

/// How long a replica may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// What asking has brought last.
#[derive(Debug, Default)]
pub(super) struct Board {
    asked_at: UnixMs,
    reports: Vec<Report>,
}

impl Board {
    /// When replicas are asked again, `every` being how often.
    pub(super) fn next(&self, every: DurationMs) -> UnixMs {
        self.asked_at.plus(every)
    }

    /// What was found.
    pub(super) fn reports(&self) -> &[Report] {
        &self.reports
    }
}

impl Ledger {
    /// Asks every replica, where it is time for it.
    pub(super) async fn probe(&self) -> Result<()> {
        let at = now();
        let questions = self.with_chief(|chief| {
            let every = chief.probes_every().filter(|every| chief.probes.next(*every) <= at);
            let questions = every.and_then(|_| Some(probe::questions(chief.config()?)));
            if questions.is_some() {
                chief.probes.asked_at = at;
            }
            Ok(questions.unwrap_or_default())
        })?;
        if questions.is_empty() {
            return Ok(());
        }
        let reports = together(questions.iter().map(|question| Box::pin(ask(question)))).await;
        self.with_chief(|chief| {
            chief.probes.reports = reports;
            Ok(())
        })
    }

    /// What is known, for isolates.
    pub(super) fn reports(&self) -> Result<String> {
        self.with_chief(|chief| Ok(probe::to_json(&chief.probes.reports)))
    }
}

async fn ask(question: &Question) -> Report {
    let status = get(&question.ready_url, question).await.ok().flatten().map(|(status, _)| status);
    let metrics = match &question.metrics_url {
        Some(url) => get(url, question).await.ok().flatten().map(|(_, text)| text),
        None => None,
    };
    Report::of(question, &Found { status, metrics }, now())
}

/// The status and text at an address; `None` where they take too long.
async fn get(url: &str, question: &Question) -> Result<Option<(u16, String)>> {
    let headers = Headers::new();
    for (name, value) in &question.headers {
        headers.set(name, value)?;
    }
    if let Some(key) = question.api_key.as_ref().and_then(|name| env::text(&name.0)) {
        headers.set("authorization", &format!("Bearer {key}"))?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    init.with_redirect(worker::RequestRedirect::Manual);
    let request = Fetch::Request(Request::new_with_init(url, &init)?);
    let controller = AbortController::default();
    let signal = controller.signal();
    let reading = async {
        let mut reply = request.send_with_signal(&signal).await?;
        Ok::<_, worker::Error>((reply.status_code(), reply.text().await?))
    };
    let read = race(reading, Delay::from(PATIENCE)).await;
    if read.is_none() {
        controller.abort();
    }
    read.transpose()
}
