//! Label values as small numbers: a text is hashed once a request, and series are keyed by integers.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;

/// A label value of one [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(pub(crate) u32);

/// Every label value seen, numbered in the order of appearance.
///
/// The hash is not keyed: names are the operator's and our own, so nobody can choose collisions.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    ids: HashMap<Arc<str>, NameId, FxBuildHasher>,
    texts: Vec<Arc<str>>,
    statuses: HashMap<u16, NameId, FxBuildHasher>,
}

impl NameId {
    /// The empty text: Prometheus treats a label without a value as absent.
    pub(crate) const ABSENT: Self = Self(0);
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut names =
            Self { ids: HashMap::default(), texts: Vec::new(), statuses: HashMap::default() };
        names.number("");
        names
    }

    /// The number of `text`, which it is given now if it has none.
    pub(crate) fn id(&mut self, text: &str) -> NameId {
        match self.ids.get(text) {
            Some(id) => *id,
            None => self.number(text),
        }
    }

    /// The number of an HTTP status; none is absent.
    pub(crate) fn status(&mut self, status: u16) -> NameId {
        if let Some(id) = self.statuses.get(&status) {
            return *id;
        }
        let id = if status == 0 { NameId::ABSENT } else { self.id(&status.to_string()) };
        self.statuses.insert(status, id);
        id
    }

    /// The text behind `id`; empty for a number that was never given.
    pub(crate) fn text(&self, id: NameId) -> &str {
        let place = usize::try_from(id.0).unwrap_or(usize::MAX);
        self.texts.get(place).map_or("", |text| text)
    }

    fn number(&mut self, text: &str) -> NameId {
        // Four thousand million names are never reached; if they were, the last one would be shared.
        let id = NameId(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number_and_a_number_its_text() {
        let mut names = Names::new();
        let (fast, empty) = (names.id("fast"), names.id(""));
        assert_eq!(empty, NameId::ABSENT);
        assert_eq!(names.id("fast"), fast);
        assert_eq!(names.text(fast), "fast");
        assert_eq!(names.text(NameId(99)), "");
    }

    #[test]
    fn a_status_is_numbered_as_its_digits() {
        let mut names = Names::new();
        assert_eq!(names.status(404), names.id("404"));
        assert_eq!(names.status(0), NameId::ABSENT);
    }
}
