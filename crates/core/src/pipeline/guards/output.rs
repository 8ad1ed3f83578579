//! What the model answers: whole, streamed, or kept in the cache.
//!
//! The cache holds answers as they came; each caller gets one through the guards of now.

use std::sync::Arc;

use super::{
    super::{Gate, Stop, host::Host, stages::Guarded},
    is_by_score, note_shapes, score, split, unjudged,
};
use crate::{
    config::valid::{Guard, OnError},
    guard::{
        Source, texts,
        veil::{Stopped, Veil},
        watch::{Watch, without_logprobs},
    },
    openai::Envelope,
    record::{GuardAction, GuardStage, Record},
    refusal::{Code, Refusal},
};

const STAGE: GuardStage = GuardStage::Output;
/// After how many further bytes a streamed text is judged again.
const JUDGED_EVERY: usize = 1024;

/// Judges a whole reply; the body as the caller gets it, where that differs.
pub(in crate::pipeline) async fn whole<H: Host>(
    host: &H,
    gate: &Gate,
    guarded: &Guarded,
    body: &[u8],
    record: &mut Record,
) -> Result<Option<Vec<u8>>, Stop> {
    let (guards, _) = split(&guarded.1, STAGE);
    if guards.is_empty() {
        return Ok(None);
    }
    let Ok(read) = Envelope::parse(body.to_vec()) else {
        return match guards.iter().find(|guard| guard.on_error == OnError::Closed) {
            Some(guard) => Err(Stop::Refused(unjudged(guard))),
            None => Ok(None),
        };
    };
    let texts = texts::of_reply(&read);
    let watch = Watch::of(guards.iter());
    let (found, changed) = watch.look(&read, &texts);
    note_shapes(&watch, found, STAGE, record)?;
    let said: Vec<(String, Source)> = texts.iter().filter_map(super::said).collect();
    score::judge(host, gate, &gate.config(), &guards, &said, STAGE, record).await?;
    let Some(changed) = changed else { return Ok(None) };
    let changed = Envelope::parse(changed.into_bytes())?;
    Ok(Some(without_logprobs(&changed).into_bytes()))
}

/// Judges a stream that was kept, before any of it goes out.
pub(in crate::pipeline) fn kept_stream(
    gate: &Gate,
    guarded: &Guarded,
    events: &[u8],
    record: &mut Record,
) -> Result<Option<Vec<u8>>, Refusal> {
    let mut veiled = Veiled::new(guarded);
    if veiled.is_idle() {
        return Ok(None);
    }
    let mut shown = events.to_vec();
    let passed = veiled.pass(gate, &mut shown);
    veiled.close(gate, record);
    match passed {
        Ok(()) => Ok(Some(shown)),
        Err(code) => Err(Refusal::new(code, code.facts().meaning).final_answer()),
    }
}

/// The guards over one streamed answer.
#[derive(Debug)]
pub(in crate::pipeline) struct Veiled {
    veil: Veil,
    by_score: Vec<Arc<Guard>>,
    judged: usize,
    is_idle: bool,
}

impl Veiled {
    /// Those that read the answer.
    pub(in crate::pipeline) fn new(guarded: &Guarded) -> Self {
        let (guards, _) = split(&guarded.1, STAGE);
        let by_score: Vec<_> = guards.iter().filter(|guard| is_by_score(guard)).cloned().collect();
        let watch = Watch::of(guards.iter());
        let is_idle = watch.is_idle() && by_score.is_empty();
        Self { veil: Veil::new(watch, !by_score.is_empty()), by_score, judged: 0, is_idle }
    }

    /// Whether nothing is looked for.
    pub(in crate::pipeline) const fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// Puts whole events through the guards: `events` becomes what the caller gets.
    ///
    /// Classifiers judge what has been said so far from time to time; what went out before is out.
    ///
    /// # Errors
    /// The stream ends here, with this code; what is in `events` may still go out.
    pub(in crate::pipeline) fn pass(
        &mut self,
        gate: &Gate,
        events: &mut Vec<u8>,
    ) -> Result<(), Code> {
        if self.is_idle || events.is_empty() {
            return Ok(());
        }
        let received = std::mem::take(events);
        let result = self.veil.push(&received, events);
        let is_last = received.ends_with(b"data: [DONE]\n\n");
        match result {
            Ok(()) => {}
            Err(Stopped::Found) => return Err(Code::GuardBlocked),
            Err(Stopped::Unreadable) => return Err(Code::UpstreamInvalid),
        }
        let said: usize = self.veil.said().map(str::len).sum();
        if self.by_score.is_empty() || (said < self.judged + JUDGED_EVERY && !is_last) {
            return Ok(());
        }
        self.judged = said;
        let texts = self.texts();
        for guard in &self.by_score {
            let decision = score::decide(guard, &score::worst(gate, guard, &texts), STAGE);
            match decision.action {
                GuardAction::Block => {
                    events.clear();
                    return Err(Code::GuardBlocked);
                }
                GuardAction::FailedClosed => {
                    events.clear();
                    return Err(Code::GuardUnavailable);
                }
                GuardAction::Pass
                | GuardAction::Flag
                | GuardAction::Mask
                | GuardAction::FailedOpen => {}
            }
        }
        Ok(())
    }

    /// Notes what the guards have found in all.
    pub(in crate::pipeline) fn close(&self, gate: &Gate, record: &mut Record) {
        // The stream has ended by now, so that nothing more follows from a refusal.
        let _ = note_shapes(self.veil.watch(), self.veil.found(), STAGE, record);
        if self.by_score.is_empty() {
            return;
        }
        let texts = self.texts();
        for guard in &self.by_score {
            record.guards.push(score::decide(guard, &score::worst(gate, guard, &texts), STAGE));
        }
    }

    fn texts(&self) -> Vec<(String, Source)> {
        self.veil.said().map(|said| (said.to_owned(), Source::User)).collect()
    }
}
