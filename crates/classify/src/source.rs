//! Where a text comes from: the same words are an order from a user and an attack inside a tool's result.

use std::str::FromStr;

use serde::Deserialize;

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Written by whoever talks to the model.
    User,
    /// Retrieved or attached: a page, a mail, a file. Not trusted.
    Document,
    /// What a tool answered. Not trusted.
    Tool,
    /// Written by whoever built the application.
    System,
}

impl Source {
    /// Every source, in the order of the format's ids.
    pub const ALL: [Self; 4] = [Self::User, Self::Document, Self::Tool, Self::System];

    /// As manifests and JSON lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Document => "document",
            Self::Tool => "tool",
            Self::System => "system",
        }
    }

    /// The id that stands for it at the head of a window of hashed tokens.
    pub(crate) const fn id(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Document => 2,
            Self::Tool => 3,
            Self::System => 4,
        }
    }
}

/// A source nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no source: user, document, tool or system")]
pub struct UnknownSource(pub String);

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(name: &str) -> Result<Self, UnknownSource> {
        Self::ALL
            .into_iter()
            .find(|source| source.name() == name)
            .ok_or_else(|| UnknownSource(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_as_it_is_written() {
        for source in Source::ALL {
            assert_eq!(source.name().parse(), Ok(source));
        }
        assert_eq!("User".parse::<Source>(), Err(UnknownSource("User".into())));
    }

    #[test]
    fn ids_are_one_to_four_in_order() {
        assert_eq!(Source::ALL.map(Source::id), [1, 2, 3, 4]);
    }
}
