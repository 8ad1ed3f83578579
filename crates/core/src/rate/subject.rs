//! Whose buckets a call draws on.

use super::{Resource, Scope, bucket::PerMinute};
use crate::config::valid::RateLimits;

/// The limits that apply to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubjectLimits {
    /// The key's, over all models.
    pub key: RateLimits,
    /// The key's for this model.
    pub key_model: RateLimits,
    /// The model's, over all callers.
    pub model: RateLimits,
}

/// One call as the limits see it. A call that no limit applies to draws on nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    draws: Vec<Draw>,
    /// How often this call was told to ask or to wait.
    rounds: u32,
}

/// A bucket that a call draws on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draw {
    pub(super) scope: Scope,
    pub(super) resource: Resource,
    pub(super) limit: PerMinute,
    /// The object that has the bucket.
    pub(super) group: String,
    /// The bucket's name in it.
    pub(super) bucket: String,
}

/// A call that is still undecided after so many rounds gives up; two or three are usual.
const MAX_ROUNDS: u32 = 32;

impl Subject {
    /// A call by the key `key` for the model that callers name `alias`.
    pub fn new(key: &str, alias: &str, limits: SubjectLimits) -> Self {
        let SubjectLimits { key: of_key, key_model, model } = limits;
        let mut draws = Vec::new();
        for (scope, limits) in
            [(Scope::Key, of_key), (Scope::KeyModel, key_model), (Scope::Model, model)]
        {
            let RateLimits { requests_per_minute, tokens_per_minute } = limits;
            let requests = requests_per_minute.map(|limit| (Resource::Requests, limit));
            let tokens = tokens_per_minute.map(|limit| (Resource::Tokens, limit.0));
            draws.extend(requests.into_iter().chain(tokens).map(|(resource, limit)| Draw {
                scope,
                resource,
                limit: PerMinute(limit),
                group: group_name(scope, key, alias),
                bucket: bucket_name(scope, resource, alias),
            }));
        }
        Self { draws, rounds: 0 }
    }

    /// The buckets of one kind that it draws on, at most three.
    pub(super) fn draws(&self, resource: Resource) -> impl Iterator<Item = &Draw> + Clone {
        self.draws.iter().filter(move |draw| draw.resource == resource)
    }

    /// Whether it has been told to wait or ask before.
    pub(super) fn has_waited(&self) -> bool {
        self.rounds > 0
    }

    /// Counts a round; false when there have been too many.
    pub(super) fn next_round(&mut self) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        self.rounds <= MAX_ROUNDS
    }
}

fn group_name(scope: Scope, key: &str, alias: &str) -> String {
    match scope {
        Scope::Key | Scope::KeyModel => format!("key:{key}"),
        Scope::Model => format!("model:{alias}"),
    }
}

fn bucket_name(scope: Scope, resource: Resource, alias: &str) -> String {
    let letter = match resource {
        Resource::Requests => 'r',
        Resource::Tokens => 't',
    };
    match scope {
        Scope::Key | Scope::Model => letter.to_string(),
        Scope::KeyModel => format!("{letter}:{alias}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Tokens;

    #[test]
    fn a_key_and_its_models_share_an_object_and_no_bucket() {
        let limits =
            RateLimits { requests_per_minute: Some(1), tokens_per_minute: Some(Tokens(2)) };
        let all = SubjectLimits { key: limits, key_model: limits, model: limits };
        let call = Subject::new("team", "fast", all);
        let names: Vec<_> =
            call.draws.iter().map(|d| format!("{} {}", d.group, d.bucket)).collect();
        assert_eq!(
            names,
            [
                "key:team r",
                "key:team t",
                "key:team r:fast",
                "key:team t:fast",
                "model:fast r",
                "model:fast t",
            ]
        );
    }
}
