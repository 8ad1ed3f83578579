//! The older completions: a text to each prompt, `n` times. `suffix` and `best_of` change nothing.

use super::{
    chat::in_turn,
    conversation::repeated,
    digest::{Dice, Digest},
    logprobs,
    piece::pieces,
    prompt::{self, Prompt},
    reply::{Answer, Setting},
    request::Request,
    said::{Finish, Said},
    wire::{self, CompletionChoice, CompletionLogprobs, Field, Reply, Usage},
};
use crate::openai::Delivery;

/// What one choice is made of.
struct Choice {
    index: u64,
    digest: Digest,
    /// The pieces of the prompt, where that is echoed.
    echoed: Vec<String>,
    said: Said,
}

pub(super) fn answer(request: &Request, setting: &Setting) -> Answer {
    let prompts = Prompt::read(request.get("prompt"));
    let texts =
        prompts.iter().flat_map(|prompt| (0..request.choices()).map(move |_| prompt.text()));
    let choices: Vec<_> =
        (0..).zip(texts).map(|(index, text)| choice(request, setting, index, &text)).collect();
    let completion = choices.iter().map(|choice| choice.said.count()).sum();
    let usage = Usage::new(prompt::of_batch(&prompts), completion);
    match request.delivery() {
        Delivery::Whole => whole(request, setting, &choices, usage),
        Delivery::Stream { usage_asked } => {
            stream(request, setting, &choices, setting.stream_usage(usage, usage_asked))
        }
    }
}

fn choice(request: &Request, setting: &Setting, index: u64, prompt: &str) -> Choice {
    let digest = request.digest().branch(index);
    let text = setting.text.clone().unwrap_or_else(|| {
        let repeated = repeated("You", prompt).unwrap_or_default();
        format!("{repeated}This is a mock answer ({}).", digest.hex(8))
    });
    let said = Said::text(&text, &request.stops(), request.max_tokens());
    let echoed = if request.is_true("echo") { prompt } else { "" };
    Choice { index, digest, echoed: pieces(echoed).map(str::to_owned).collect(), said }
}

impl Choice {
    /// The text's pieces, the echoed ones first.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.echoed.iter().map(String::as_str).chain(self.said.pieces())
    }

    /// What is written of each piece: the piece, and its log probabilities where they are asked.
    fn written(&self, top: Option<u64>) -> Vec<(&str, Option<CompletionLogprobs>)> {
        let mut dice = self.digest.with(b"logprobs").dice();
        let mut offset = 0;
        let mut written = Vec::new();
        for piece in self.pieces() {
            let logprobs = top.map(|top| self.logprobs(piece, offset, top, &mut dice));
            offset += piece.chars().count();
            written.push((piece, logprobs));
        }
        written
    }

    fn logprobs(
        &self,
        piece: &str,
        offset: usize,
        top: u64,
        dice: &mut Dice,
    ) -> CompletionLogprobs {
        if offset == 0 && !self.echoed.is_empty() {
            return logprobs::first(piece);
        }
        logprobs::completion(piece, offset, top, dice)
    }
}

fn whole(request: &Request, setting: &Setting, choices: &[Choice], usage: Usage) -> Answer {
    let top = request.count("logprobs");
    let choices = choices.iter().map(|choice| {
        let mut all = top.map(|_| CompletionLogprobs::default());
        for logprobs in choice.written(top).into_iter().filter_map(|(_, logprobs)| logprobs) {
            if let Some(all) = &mut all {
                all.append(logprobs);
            }
        }
        CompletionChoice {
            text: choice.pieces().collect(),
            index: choice.index,
            logprobs: all,
            finish_reason: Some(choice.said.finish.name()),
        }
    });
    Answer::whole(&frame(
        request,
        setting,
        &id(request),
        choices.collect(),
        setting.whole_usage(usage),
    ))
}

/// Chunks of all choices in turn, then one with the usage where that is wanted.
fn stream(
    request: &Request,
    setting: &Setting,
    choices: &[Choice],
    (meanwhile, at_last): (Field<Usage>, Option<Usage>),
) -> Answer {
    let id = id(request);
    let choices = choices.iter().map(|choice| chunk_choices(request, choice));
    let events: Vec<_> = in_turn(choices.collect())
        .into_iter()
        .map(|choice| frame(request, setting, &id, vec![choice], meanwhile))
        .collect();
    let last = at_last.map(|usage| frame(request, setting, &id, vec![], Field::Is(usage)));
    Answer::stream(&events, last.as_ref())
}

fn chunk_choices(request: &Request, choice: &Choice) -> Vec<CompletionChoice> {
    let chunk = |text: &str, logprobs, finish: Option<Finish>| CompletionChoice {
        text: text.to_owned(),
        index: choice.index,
        logprobs,
        finish_reason: finish.map(Finish::name),
    };
    let pieces = choice.written(request.count("logprobs")).into_iter();
    let mut chunks: Vec<_> = pieces.map(|(piece, logprobs)| chunk(piece, logprobs, None)).collect();
    chunks.push(chunk("", None, Some(choice.said.finish)));
    chunks
}

fn frame<'r>(
    request: &'r Request,
    setting: &Setting,
    id: &'r str,
    choices: Vec<CompletionChoice>,
    usage: Field<Usage>,
) -> Reply<'r, CompletionChoice> {
    Reply {
        id,
        object: "text_completion",
        created: setting.created(),
        model: request.model(),
        choices,
        usage,
        system_fingerprint: wire::FINGERPRINT,
    }
}

fn id(request: &Request) -> String {
    format!("cmpl-{}", request.digest().hex(24))
}
