//! A call that has texts judged: authenticated, counted and recorded as any other, and answered by
//! the classifiers of this isolate, or by those that a configured model names.

use std::sync::Arc;

use super::{
    Gate, Stop, admit, books, classify, enter,
    exchange::{Answer, AnswerBody, Arrived},
    guards::cascade,
    head::Headers,
    host::Host,
};
use crate::{
    config::valid::{Config, Model, RateLimits},
    guard::answers::{self, Judging, Question},
    openai::Envelope,
    rate::Subject,
    record::{Endpoint, Record, RequestId, Stage},
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
    let remote = match (judging, config.models.get(&question.model)) {
        (Judging::Classify, Some(model)) if classify::classifies(model) => {
            Some(Arc::clone(caller.model(&config, &question.model)?))
        }
        (Judging::Classify | Judging::Moderations, _) => None,
    };
    if let Some(model) = remote {
        record.model = Some(Arc::clone(&model));
        let counted = subject.insert(enter::subject(&caller, &model.name, model.limits));
        record.stage = Stage::RequestLimit;
        admit::count(host, gate, counted, record).await?;
        let counted = counted.clone();
        record.stage = Stage::Provider;
        return by_model(host, gate, (&config, &model), question, &counted, record).await;
    }
    if !gate.knows(&question.model) && !config.classifiers.contains_key(&question.model) {
        let message = "no classifier of that name is loaded";
        return Err(Refusal::new(Code::ModelNotFound, message).at("model").into());
    }
    // Counted against the key alone: a classifier is none of the configured models.
    let counted = subject.insert(enter::subject(&caller, "", RateLimits::default()));
    record.stage = Stage::RequestLimit;
    admit::count(host, gate, counted, record).await?;
    let counted = counted.clone();
    record.stage = Stage::Guard;
    let texts: Vec<_> = question.texts.iter().map(|text| (text.clone(), question.source)).collect();
    let judged = cascade::judge(host, gate, &config, &question.model, &texts, record).await?;
    let answer = judging.answer(&record.id.to_string(), &question, &judged)?;
    send(host, gate, &answer, &counted, record);
    Ok(())
}

/// The answer of the classifiers of this isolate.
fn at_the_edge(
    gate: &Gate,
    judging: Judging,
    question: &Question,
    record: &Record,
) -> Result<String, Refusal> {
    let judged: Vec<_> = question
        .texts
        .iter()
        .map(|text| gate.judge(&question.model, text, question.source))
        .collect();
    judging.answer(&record.id.to_string(), question, &judged)
}

/// The answer of a configured model's targets; where none answers, that of the classifier at the edge
/// that stands in for it.
async fn by_model<H: Host>(
    host: &H,
    gate: &Gate,
    (config, model): (&Config, &Arc<Model>),
    mut question: Question,
    counted: &Subject,
    record: &mut Record,
) -> Result<(), Stop> {
    let answered = classify::classify(host, gate, config, model, &question.texts, record).await;
    let answer = match (answered, &model.edge) {
        (Ok((_, scored)), _) => answers::scored(&scored),
        (Err(Stop::Refused(_)), Some(edge)) if gate.knows(edge) => {
            question.model.clone_from(edge);
            record.fallback = true;
            record.target = None;
            at_the_edge(gate, Judging::Classify, &question, record)?
        }
        (Err(stop), _) => return Err(stop),
    };
    send(host, gate, &answer, counted, record);
    Ok(())
}

fn send<H: Host>(host: &H, gate: &Gate, answer: &str, counted: &Subject, record: &mut Record) {
    let standing = gate.standing(counted, host.now());
    record.status = 200;
    record.bytes_out = u64::try_from(answer.len()).unwrap_or(u64::MAX);
    let mut headers = Headers::new(record.id, "application/json");
    if let Some(target) = &record.target {
        headers.add("tollhouse-provider", &target.provider.name);
        headers.add("tollhouse-model", &target.model);
    } else if record.fallback {
        headers.add("tollhouse-provider", "edge");
    }
    headers.add_placements(&record.placements);
    headers.add_standing(&standing);
    let body = AnswerBody::Whole(answer.as_bytes());
    host.answer(Answer { status: 200, headers: headers.as_str(), body });
}
