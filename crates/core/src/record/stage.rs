//! How far a request came.

/// A stage of a request, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its head and body are read, and who sent it.
    Authenticate,
    /// It is counted against limits of requests.
    RequestLimit,
    /// It is held against the API and the model's bounds.
    Validate,
    /// Guards judge it.
    Guard,
    /// A kept reply is looked for, and what it may cost is set aside.
    CacheAndBudget,
    /// Tokens are set aside.
    TokenLimit,
    /// Providers answer it, and guards judge what they say.
    Provider,
}

impl Stage {
    /// The log's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::RequestLimit => "request_limit",
            Self::Validate => "validate",
            Self::Guard => "guard",
            Self::CacheAndBudget => "cache_and_budget",
            Self::TokenLimit => "token_limit",
            Self::Provider => "provider",
        }
    }
}
