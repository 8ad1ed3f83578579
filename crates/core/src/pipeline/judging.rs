//! A call that has texts judged: authenticated, counted and recorded as any other, and answered by
//! the classifiers of this isolate.

use super::{
    Gate, Stop, admit, books, enter,
    exchange::{Answer, AnswerBody, Arrived},
    guards::cascade,
    head::Headers,
    host::Host,
};
use crate::{
    config::valid::RateLimits,
    guard::answers::Judging,
    openai::Envelope,
    rate::Subject,
    record::{Endpoint, Record, RequestId},
    refusal::{Code, Refusal},
};

/// Serves one such call and hands its record to the host.
pub async fn judge<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: Arrived,
    judging: Judging,
    id: RequestId,
) {
    let endpoint = match judging {
        Judging::Classify => Endpoint::Classify,
        Judging::Moderations => Endpoint::Moderations,
    };
    let mut record = Record::new(id, host.now(), endpoint);
    let mut subject = None;
    let end = serve(host, gate, &arrived, judging, &mut subject, &mut record).await;
    let standing = subject.map(|subject| gate.standing(&subject, host.now()));
    books::close(host, &mut record, standing.as_ref(), end);
}

async fn serve<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: &Arrived,
    judging: Judging,
    subject: &mut Option<Subject>,
    record: &mut Record,
) -> Result<(), Stop> {
    let config = gate.config();
    enter::headers(arrived, record)?;
    let caller = enter::caller(&config, arrived, host.now(), record)?;
    let body = Envelope::parse(enter::body(host, &config, record).await?)?;
    let question = judging.read(&body)?;
    if !gate.knows(&question.model) && !config.classifiers.contains_key(&question.model) {
        let message = "no classifier of that name is loaded";
        return Err(Refusal::new(Code::ModelNotFound, message).at("model").into());
    }
    // Counted against the key alone: a classifier is none of the configured models.
    let counted = subject.insert(enter::subject(&caller, "", RateLimits::default()));
    admit::count(host, gate, counted, record).await?;
    let standing = gate.standing(counted, host.now());
    let texts: Vec<_> = question.texts.iter().map(|text| (text.clone(), question.source)).collect();
    let judged = cascade::judge(host, gate, &config, &question.model, &texts, record).await?;
    let answer = judging.answer(&record.id.to_string(), &question, &judged)?;
    record.status = 200;
    record.bytes_out = u64::try_from(answer.len()).unwrap_or(u64::MAX);
    let mut headers = Headers::new(record.id, "application/json");
    headers.add_placements(&record.placements);
    headers.add_standing(&standing);
    let body = AnswerBody::Whole(answer.as_bytes());
    host.answer(Answer { status: 200, headers: headers.as_str(), body });
    Ok(())
}
