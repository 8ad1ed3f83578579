//! All guards of one stage together: what they look for by shape, and what follows for each shape.

use std::sync::Arc;

use super::{
    Masker, Shape, Shapes, find,
    fold::Reading,
    normal::views,
    texts::{Text, place, quoted, replaced},
};
use crate::{
    config::valid::{Guard, GuardKind, OnFinding},
    openai::json::Envelope,
};

/// The guards of one stage that know things by their shape.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    guards: Vec<(Arc<Guard>, Shapes)>,
    /// What any of them looks for.
    all: Shapes,
    hidden: Shapes,
    stopped: Shapes,
}

impl Watch {
    /// Those of `guards` that know things by their shape.
    pub(crate) fn of<'g>(guards: impl IntoIterator<Item = &'g Arc<Guard>>) -> Self {
        let mut watch = Self::default();
        for guard in guards {
            let shapes = match &guard.kind {
                GuardKind::Shapes(shapes) => *shapes,
                GuardKind::Model { .. } => continue,
            };
            watch.all = watch.all.and(shapes);
            match guard.on_finding {
                OnFinding::Flag => {}
                OnFinding::Mask => watch.hidden = watch.hidden.and(shapes),
                OnFinding::Block | OnFinding::Escalate { .. } => {
                    watch.stopped = watch.stopped.and(shapes);
                }
            }
            watch.guards.push((guard.clone(), shapes));
        }
        watch
    }

    /// Whether nothing is looked for.
    pub(crate) const fn is_idle(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether text may be changed or cut off.
    pub(crate) const fn intervenes(&self) -> bool {
        !self.hidden.is_empty() || !self.stopped.is_empty()
    }

    /// Whether some of `found` stops the call.
    pub(crate) fn stops(&self, found: Shapes) -> bool {
        self.stopped.iter().any(|shape| found.has(shape))
    }

    /// Each guard with the first shape that it has found.
    pub(crate) fn findings(&self, found: Shapes) -> impl Iterator<Item = (&Arc<Guard>, Shape)> {
        self.guards.iter().filter_map(move |(guard, shapes)| {
            Some((guard, shapes.iter().find(|shape| found.has(*shape))?))
        })
    }

    /// Each guard that looked on, whatever it found.
    pub(crate) fn guards(&self) -> impl Iterator<Item = &Arc<Guard>> {
        self.guards.iter().map(|(guard, _)| guard)
    }

    /// Hides what is to be hidden in a text that comes piece by piece.
    pub(super) fn masker(&self, reading: Reading) -> Masker {
        let masker = match reading {
            Reading::Plain => Masker::new(self.all),
            Reading::Json => Masker::for_json(self.all),
        };
        masker.showing_but(self.hidden)
    }

    /// What is found in `texts` of `body`, and the body with what is to be hidden replaced, if
    /// anything is. What is encoded is looked into; if something is to be hidden in it, all of it is.
    pub(crate) fn look(&self, body: &Envelope, texts: &[Text<'_>]) -> (Shapes, Option<String>) {
        let (mut found, mut changes) = (Shapes::default(), Vec::new());
        for text in texts {
            let Some(said) = text.value.as_str() else { continue };
            let mut masker = self.masker(text.reading);
            let mut shown = String::new();
            masker.push(&said, &mut shown);
            masker.end(&mut shown);
            found = found.and(masker.found());
            let encoded = self.encoded(&said);
            found = found.and(encoded.iter().map(|(_, shape)| *shape).collect());
            let hidden: Vec<_> =
                encoded.into_iter().filter(|(_, shape)| self.hidden.has(*shape)).collect();
            if !hidden.is_empty() && masker.hidden().is_empty() {
                let changes = hidden.into_iter().map(|(at, shape)| (at, shape.mask().to_owned()));
                shown = replaced(&said, changes.collect());
            }
            if shown != *said {
                changes.push((place(body, text.value), quoted(&shown)));
            }
        }
        let shown = (!changes.is_empty()).then(|| replaced(body.text(), changes));
        (found, shown)
    }

    /// Places of `text` that hold something encoded in which a secret is found.
    fn encoded(&self, text: &str) -> Vec<(std::ops::Range<usize>, Shape)> {
        let mut places: Vec<(std::ops::Range<usize>, Shape)> = Vec::new();
        for view in views(text).into_iter().filter(|view| view.place.len() < text.len()) {
            let apart = places.last().is_none_or(|(last, _)| last.end <= view.place.start);
            let first = find(&view.text, self.all).into_iter().next();
            if let Some(first) = first.filter(|_| apart) {
                places.push((view.place, first.shape));
            }
        }
        places
    }
}

/// The body of a whole reply, with the log probabilities of its choices taken out: they spell the
/// text that was hidden.
pub(crate) fn without_logprobs(body: &Envelope) -> String {
    let choices = body.present("choices").into_iter().flat_map(crate::openai::json::Value::items);
    let changes = choices
        .filter_map(|choice| choice.get("logprobs"))
        .map(|logprobs| (place(body, logprobs), "null".to_owned()));
    replaced(body.text(), changes.collect())
}
