//! A caller says what it thinks of an answer: authenticated, counted and recorded as any other call.

use super::{
    Gate, Stop, admit, books, enter,
    exchange::{Answer, AnswerBody, Arrived},
    head::Headers,
    host::{Host, Unavailable},
};
use crate::{
    config::valid::RateLimits,
    experiments::feedback::{self, Feedback},
    openai::Envelope,
    rate::Subject,
    record::{Endpoint, Record, RequestId, Stage},
    refusal::{Code, Refusal},
};

/// Serves one such call and hands its record to the host. `keep` puts down what was said; the caller
/// is told only once it is kept.
pub async fn receive<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: Arrived,
    id: RequestId,
    keep: impl AsyncFnOnce(&Feedback) -> Result<(), Unavailable>,
) {
    let mut record = Record::new(id, host.now(), Endpoint::Feedback);
    let mut subject = None;
    let end = serve(host, gate, &arrived, keep, &mut subject, &mut record).await;
    let standing = subject.map(|subject| gate.standing(&subject, host.now()));
    books::close(host, &mut record, standing.as_ref(), end);
}

async fn serve<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: &Arrived,
    keep: impl AsyncFnOnce(&Feedback) -> Result<(), Unavailable>,
    subject: &mut Option<Subject>,
    record: &mut Record,
) -> Result<(), Stop> {
    let config = gate.config();
    let headers = enter::headers(arrived, record)?;
    let caller = enter::caller(&config, arrived, host.now(), record)?;
    let body = Envelope::parse(enter::body(host, &config, record).await?)?;
    // Counted against the key alone: a guess at an id costs what a call costs.
    let counted = subject.insert(enter::subject(&caller, "", RateLimits::default()));
    record.stage = Stage::RequestLimit;
    admit::count(host, gate, counted, record).await?;
    let standing = gate.standing(counted, host.now());
    let key = caller.key().map(AsRef::as_ref);
    let trace = headers.trace.map(|trace| trace.trace_id);
    record.stage = Stage::Validate;
    let said = feedback::read(&body, key, trace, &config)?;
    if keep(&said).await.is_err() {
        let message = "what was said could not be kept: say it again";
        return Err(Refusal::new(Code::LedgerUnavailable, message).into());
    }
    let answer = serde_json::json!({ "id": said.id, "object": "feedback", "recorded": true });
    let answer = answer.to_string();
    record.status = 200;
    record.bytes_out = u64::try_from(answer.len()).unwrap_or(u64::MAX);
    let mut headers = Headers::new(record.id, "application/json");
    headers.add_variant_named(&said.variant);
    headers.add_standing(&standing);
    let body = AnswerBody::Whole(answer.as_bytes());
    host.answer(Answer { status: 200, headers: headers.as_str(), body });
    Ok(())
}
