//! The closed list of what can be wrong with a configuration.

use super::problem::Severity;

/// What kind of problem it is; its facts stand beside it in [`Rule::facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is described in `facts`, where the CLI reads it")]
pub enum Rule {
    Syntax,
    DuplicateKey,
    UnknownKey,
    WrongType,
    OutOfRange,
    UnknownValue,
    Missing,
    NotSupported,
    UnsupportedVersion,
    BadVariable,
    LiteralSecret,
    BadSecretName,
    BadDigest,
    NoKeys,
    DuplicateCaller,
    BadName,
    BadDate,
    UnknownProvider,
    UnknownModel,
    UnknownGuard,
    ImpossibleAction,
    UnknownTeam,
    FallbackCycle,
    UnreachableTarget,
    MisplacedKey,
    BadUrl,
    BadHeader,
    RetryStatus,
    InvertedRange,
    TimeoutOrder,
    ShortTtl,
    DefaultOutsideBounds,
    BoundAboveMaximum,
    OpenAccess,
    ExpiredKey,
    KeyOverHttp,
    UnusedProvider,
    NoEffect,
    BasePath,
    NoPrice,
    UncountedBudget,
    RetiredModel,
    RetiringModel,
    LimitBelowDefault,
}

/// What is fixed about a [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The rule as reports name it.
    pub name: &'static str,
    /// Whether the configuration is refused.
    pub severity: Severity,
    /// One sentence for the documentation.
    pub meaning: &'static str,
}

impl Rule {
    /// Every rule, in the order of the documentation.
    pub const ALL: [Self; 44] = [
        Self::Syntax,
        Self::DuplicateKey,
        Self::UnknownKey,
        Self::WrongType,
        Self::OutOfRange,
        Self::UnknownValue,
        Self::Missing,
        Self::NotSupported,
        Self::UnsupportedVersion,
        Self::BadVariable,
        Self::LiteralSecret,
        Self::BadSecretName,
        Self::BadDigest,
        Self::NoKeys,
        Self::DuplicateCaller,
        Self::BadName,
        Self::BadDate,
        Self::UnknownProvider,
        Self::UnknownModel,
        Self::UnknownGuard,
        Self::ImpossibleAction,
        Self::UnknownTeam,
        Self::FallbackCycle,
        Self::UnreachableTarget,
        Self::MisplacedKey,
        Self::BadUrl,
        Self::BadHeader,
        Self::RetryStatus,
        Self::InvertedRange,
        Self::TimeoutOrder,
        Self::ShortTtl,
        Self::DefaultOutsideBounds,
        Self::BoundAboveMaximum,
        Self::OpenAccess,
        Self::ExpiredKey,
        Self::KeyOverHttp,
        Self::UnusedProvider,
        Self::NoEffect,
        Self::BasePath,
        Self::NoPrice,
        Self::UncountedBudget,
        Self::RetiredModel,
        Self::RetiringModel,
        Self::LimitBelowDefault,
    ];

    /// Name, severity and meaning.
    #[rustfmt::skip]
    pub const fn facts(self) -> Facts {
        use Severity::{Error, Warning};
        let (name, severity, meaning) = match self {
            Self::Syntax => ("syntax", Error, "The text is neither TOML nor JSON."),
            Self::DuplicateKey => ("duplicate-key", Error, "A key is written twice, so one of its values would be lost."),
            Self::UnknownKey => ("unknown-key", Error, "No such key is read; the nearest known one is named."),
            Self::WrongType => ("wrong-type", Error, "The value is of another type than the key takes."),
            Self::OutOfRange => ("out-of-range", Error, "The number is outside what the key takes."),
            Self::UnknownValue => ("unknown-value", Error, "The word is not one of those that the key takes."),
            Self::Missing => ("missing", Error, "A key that has no default is absent."),
            Self::NotSupported => ("not-supported", Error, "Part of the contract that this version cannot honour, so it does not pretend to."),
            Self::UnsupportedVersion => ("unsupported-version", Error, "The configuration is written for another version of the contract."),
            Self::BadVariable => ("bad-variable", Error, "An environment variable cannot be applied to the configuration."),
            Self::LiteralSecret => ("literal-secret", Error, "A secret is written into the configuration."),
            Self::BadSecretName => ("bad-secret-name", Error, "The name of a secret is not one that a Worker secret can have."),
            Self::BadDigest => ("bad-digest", Error, "The digest of a caller's key is not 64 hexadecimal digits, or is that of an empty key."),
            Self::NoKeys => ("no-keys", Error, "Only callers with keys are let in, and there are no keys."),
            Self::DuplicateCaller => ("duplicate-caller", Error, "Two callers' keys have the same id or the same digest."),
            Self::BadName => ("bad-name", Error, "The name cannot be used in requests, metrics and logs."),
            Self::BadDate => ("bad-date", Error, "The date is not written as `2027-01-31`."),
            Self::UnknownProvider => ("unknown-provider", Error, "A target names a provider that is not configured."),
            Self::UnknownModel => ("unknown-model", Error, "A model is named that is not configured."),
            Self::UnknownGuard => ("unknown-guard", Error, "A model or key names a guard that is not configured."),
            Self::ImpossibleAction => ("impossible-action", Error, "A guard of this kind cannot do what follows from its finding."),
            Self::UnknownTeam => ("unknown-team", Error, "A key names a team that is not configured."),
            Self::FallbackCycle => ("fallback-cycle", Error, "Fallbacks lead back to the model that failed."),
            Self::UnreachableTarget => ("unreachable-target", Error, "A target can never be chosen."),
            Self::MisplacedKey => ("misplaced-key", Error, "The key belongs to another kind of provider, or contradicts the one beside it."),
            Self::BadUrl => ("bad-url", Error, "The address is not an absolute http or https address of a service."),
            Self::BadHeader => ("bad-header", Error, "The header cannot be sent, or is the gateway's own to set."),
            Self::RetryStatus => ("retry-status", Error, "A status is retried that a second attempt cannot mend."),
            Self::InvertedRange => ("inverted-range", Error, "A lower end is above its upper end."),
            Self::TimeoutOrder => ("timeout-order", Error, "A part may take longer than the whole."),
            Self::ShortTtl => ("short-ttl", Error, "KV keeps nothing for less than 60 seconds."),
            Self::DefaultOutsideBounds => ("default-outside-bounds", Error, "A default would be refused by the model's own bounds."),
            Self::BoundAboveMaximum => ("bound-above-maximum", Error, "Callers may ask for more tokens than the provider's model can give."),
            Self::OpenAccess => ("open-access", Warning, "Anyone may call: for local use only."),
            Self::ExpiredKey => ("expired-key", Warning, "A caller's key has expired and is refused."),
            Self::KeyOverHttp => ("key-over-http", Warning, "A provider's key travels unencrypted to a public host."),
            Self::UnusedProvider => ("unused-provider", Warning, "No model runs at this provider."),
            Self::NoEffect => ("no-effect", Warning, "A setting changes nothing where it stands."),
            Self::BasePath => ("base-path", Warning, "The provider's OpenAI-compatible routes are known to be elsewhere."),
            Self::NoPrice => ("no-price", Warning, "What a model costs is unknown, so its calls are not counted in money."),
            Self::UncountedBudget => ("uncounted-budget", Warning, "A budget covers a model whose cost is unknown; `budgets.unknown_price` says what becomes of its calls."),
            Self::RetiredModel => ("retired-model", Warning, "The provider has retired the model; the successor is named where it is known."),
            Self::RetiringModel => ("retiring-model", Warning, "The provider retires the model within 60 days."),
            Self::LimitBelowDefault => ("limit-below-default", Warning, "A token limit is below what one call reserves by default, so such calls are always refused."),
        };
        Facts { name, severity, meaning }
    }

    /// The rule as reports name it.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether the configuration is refused.
    pub const fn severity(self) -> Severity {
        self.facts().severity
    }
}
