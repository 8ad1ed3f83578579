//! What a request asked for, as metrics, logs and OpenTelemetry name it.

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/messages`
    Messages,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `POST /v1/moderations`
    Moderations,
    /// `POST /v1/classify`
    Classify,
    /// `POST /v1/feedback`
    Feedback,
    /// `GET /v1/models` and `GET /v1/models/{id}`
    Models,
    /// `/health/…`
    Health,
    /// `/metrics`
    Metrics,
    /// `/admin/…`
    Admin,
    /// A path that is none of ours.
    Unknown,
}

impl From<crate::openai::Endpoint> for Endpoint {
    fn from(endpoint: crate::openai::Endpoint) -> Self {
        match endpoint {
            crate::openai::Endpoint::ChatCompletions => Self::ChatCompletions,
            crate::openai::Endpoint::Completions => Self::Completions,
            crate::openai::Endpoint::Embeddings => Self::Embeddings,
        }
    }
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 13] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::Messages,
        Self::Embeddings,
        Self::Moderations,
        Self::Classify,
        Self::Feedback,
        Self::Models,
        Self::Health,
        Self::Metrics,
        Self::Admin,
        Self::Unknown,
    ];

    /// The label in metrics and logs: the path, shortened to what is ours.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
            Self::Embeddings => "/v1/embeddings",
            Self::Moderations => "/v1/moderations",
            Self::Classify => "/v1/classify",
            Self::Feedback => "/v1/feedback",
            Self::Models => "/v1/models",
            Self::Health => "/health",
            Self::Metrics => "/metrics",
            Self::Admin => "/admin",
            Self::Unknown => "unknown",
        }
    }

    /// OpenTelemetry's `gen_ai.operation.name`; `None` where no model is called.
    pub const fn operation(self) -> Option<&'static str> {
        match self {
            Self::ChatCompletions | Self::Responses | Self::Messages => Some("chat"),
            Self::Completions => Some("text_completion"),
            Self::Embeddings => Some("embeddings"),
            // The conventions name no such operations and allow custom ones.
            Self::Moderations => Some("moderation"),
            Self::Classify => Some("classification"),
            Self::Feedback
            | Self::Models
            | Self::Health
            | Self::Metrics
            | Self::Admin
            | Self::Unknown => None,
        }
    }
}
