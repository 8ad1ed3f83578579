//! Joins another provider's stream to an answer of which a part was already sent.

mod seam;

use seam::{Diverged, Seam};
use serde_json::{json, value::RawValue};

use super::{
    chunk::{Choice, Chunk},
    fault::Fault,
    object::{Object, quoted},
    transcript::{Identity, Sent, Transcript, Voice},
};
use crate::{openai::usage::Reported, price::Usage};

/// How another provider goes on with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It was given [`Sent::prefill`] as the beginning of its answer and sends what follows. For a
    /// provider that repeats the beginning, use [`Resume::Restart`]. So is treated what has no
    /// prefill.
    Prefill,
    /// It was asked afresh; what follows the text already sent goes out when the answer begins with
    /// that, in all choices.
    Restart,
}

/// An answer of which a part was sent, waiting for what follows.
#[derive(Debug)]
pub(super) struct Splice {
    identity: Option<Identity>,
    joints: Vec<Joint>,
    used_before: Usage,
}

/// The seams of one choice.
#[derive(Debug, Default)]
struct Joint {
    content: Seam,
    reasoning: Seam,
    refusal: Seam,
}

/// What of a choice's chunk goes out.
struct New<'a> {
    content: &'a str,
    reasoning: &'a str,
    refusal: &'a str,
    role: bool,
}

impl From<Diverged> for Fault {
    fn from(Diverged: Diverged) -> Self {
        Self::Diverged
    }
}

impl Splice {
    /// Goes on after `sent`; earlier attempts have used `used_before`.
    pub(super) fn new(how: Resume, sent: Sent<'_>, used_before: Usage) -> Self {
        let how = if sent.prefill().is_some() { how } else { Resume::Restart };
        let joints = sent.voices().iter().map(|voice| Joint::new(how, voice)).collect();
        Self { identity: sent.identity().cloned(), joints, used_before }
    }

    /// What all earlier attempts have used.
    pub(super) const fn used_before(&self) -> Usage {
        self.used_before
    }

    /// The chunk as the caller gets it; `None` where it brings nothing new.
    pub(super) fn join(
        &mut self,
        data: &str,
        chunk: &Chunk<'_>,
        sent: &Transcript,
    ) -> Result<Option<String>, Fault> {
        let mut object = Object::parse(data).ok_or(Fault::Malformed)?;
        let choices = chunk.choices.as_deref().unwrap_or_default();
        let written: Option<Vec<&RawValue>> =
            serde_json::from_str(object.get("choices").unwrap_or("null"))
                .map_err(|_| Fault::Malformed)?;
        let mut joined = Vec::new();
        for (choice, written) in choices.iter().zip(written.into_iter().flatten()) {
            joined.extend(self.join_choice(choice, written.get(), sent)?);
        }
        if joined.is_empty() && (chunk.usage.is_none() || self.is_waiting()) {
            return Ok(None);
        }
        object.replace("choices", format!("[{}]", joined.join(",")));
        if let Some(Identity { id, created }) = &self.identity {
            object.replace("id", id.as_str());
            if let Some(created) = created {
                object.replace("created", created.as_str());
            }
        }
        if let Some(usage) = chunk.usage {
            let reported = serde_json::from_str::<Reported>(usage.get()).ok();
            let used = reported.and_then(Reported::usage).unwrap_or_default();
            object.replace("usage", written_usage(self.used_before.plus(used)));
        }
        Ok(Some(object.write()))
    }

    /// Whether some choice has yet to say again what was sent.
    fn is_waiting(&self) -> bool {
        !self.joints.iter().all(Joint::is_settled)
    }

    fn join_choice(
        &mut self,
        choice: &Choice<'_>,
        written: &str,
        sent: &Transcript,
    ) -> Result<Option<String>, Fault> {
        let index = usize::try_from(choice.index).unwrap_or(usize::MAX);
        let voice = sent.voice(index);
        if voice.is_some_and(|voice| voice.is_finished) {
            return Ok(None);
        }
        if self.joints.len() <= index {
            self.joints.resize_with(index.saturating_add(1), Joint::default);
        }
        let joint = self.joints.get_mut(index).ok_or(Fault::Malformed)?;
        let new = joint.feed(choice, voice.is_some_and(|voice| voice.has_role))?;
        let has_more = choice.delta.as_ref().is_some_and(|delta| delta.has_more);
        if has_more || choice.finish().is_some() {
            if !joint.is_settled() {
                return Err(Fault::Diverged);
            }
        } else if new.is_nothing() {
            return Ok(None);
        }
        rewrite(choice, written, &new).ok_or(Fault::Malformed).map(Some)
    }
}

impl Joint {
    fn new(how: Resume, voice: &Voice) -> Self {
        if voice.is_finished {
            return Self::default();
        }
        let content = match how {
            Resume::Prefill => Seam::after(&voice.content),
            Resume::Restart => Seam::after_repeating(&voice.content),
        };
        // Whoever has got a part of the answer has got all of the reasoning before it.
        let reasoning = if voice.content.trim_end().is_empty() {
            Seam::after_repeating(&voice.reasoning)
        } else {
            Seam::Mute
        };
        Self { content, reasoning, refusal: Seam::after_repeating(&voice.refusal) }
    }

    const fn is_settled(&self) -> bool {
        self.content.is_settled() && self.reasoning.is_settled() && self.refusal.is_settled()
    }

    fn feed<'a>(&mut self, choice: &'a Choice<'_>, has_role: bool) -> Result<New<'a>, Diverged> {
        let (reasoning, refusal, role) = match &choice.delta {
            Some(delta) => (delta.reasoning.as_ref(), delta.refusal.as_ref(), delta.has_role),
            None => ("", "", false),
        };
        let new = New {
            reasoning: self.reasoning.feed(reasoning)?,
            refusal: self.refusal.feed(refusal)?,
            content: self.content.feed(choice.content())?,
            role: role && !has_role,
        };
        // The answer has begun before the reasoning was said again.
        if !choice.content().is_empty() && !self.reasoning.is_settled() {
            return Err(Diverged);
        }
        Ok(new)
    }
}

impl New<'_> {
    const fn is_nothing(&self) -> bool {
        self.content.is_empty()
            && self.reasoning.is_empty()
            && self.refusal.is_empty()
            && !self.role
    }
}

/// The choice with nothing in it that was sent before.
fn rewrite(choice: &Choice<'_>, written: &str, new: &New<'_>) -> Option<String> {
    let mut object = Object::parse(written)?;
    if new.content != choice.content() {
        object.replace("logprobs", "null");
    }
    if object.get("text").is_some_and(|text| text != "null") {
        object.replace("text", quoted(new.content));
    }
    let delta = match (&choice.delta, object.get("delta")) {
        (Some(read), Some(written)) => {
            let mut delta = Object::parse(written)?;
            if !new.role {
                delta.remove("role");
            }
            if !read.content.is_empty() {
                delta.replace("content", quoted(new.content));
            }
            if !read.refusal.is_empty() {
                delta.replace("refusal", quoted(new.refusal));
            }
            if new.reasoning != read.reasoning {
                for name in ["reasoning", "reasoning_content"] {
                    if delta.get(name).is_some_and(|text| text != "null") {
                        delta.replace(name, quoted(new.reasoning));
                    }
                }
                delta.remove("reasoning_details");
            }
            Some(delta.write())
        }
        (None, _) | (_, None) => None,
    };
    if let Some(delta) = delta {
        object.replace("delta", delta);
    }
    Some(object.write())
}

/// Usage in OpenAI's form.
fn written_usage(usage: Usage) -> String {
    json!({
        "prompt_tokens": usage.prompt.0,
        "completion_tokens": usage.completion.0,
        "total_tokens": usage.total().0,
        "prompt_tokens_details": { "cached_tokens": usage.cached.0 },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning.0 },
    })
    .to_string()
}
