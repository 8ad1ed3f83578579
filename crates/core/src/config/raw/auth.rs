//! `[auth]`

use super::{AuthMode, List, Named, Real, Whole};
use crate::config::valid::{Period, UnknownPrice};

raw! {
    /// Who may call.
    RawAuth {
        /// Whether callers need a key.
        mode: AuthMode,
        /// The callers' keys, at least one unless `mode` is `open`.
        keys: List<RawKey>,
    }
}

raw! {
    /// A caller's key, known by its digest alone.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["id", "sha256"])))]
    RawKey {
        /// The name in logs, metrics and the ledger: letters, digits, `.`, `_`, `-`.
        id: String,
        /// SHA-256 of the key in 64 hexadecimal digits: `printf %s "$KEY" | sha256sum`.
        sha256: String,
        /// Names of models it may use; `*` is all of them, those added later included.
        models: List<String>,
        /// What it may use of all models together.
        limits: RawRateLimits,
        /// What it may use of one model, by model name.
        model_limits: Named<RawRateLimits>,
        /// Names of guards, beside those of the model.
        guards: List<String>,
        /// What it may spend; without it, spending is not limited.
        budget: RawBudget,
        /// The team whose budget it spends too, a name under `teams`.
        team: String,
        /// The day from which the key is refused, as `2027-01-31` (UTC); without it, never.
        expires: String,
    }
}

raw! {
    /// Token-bucket limits; what is absent is unlimited.
    RawRateLimits {
        /// Requests a minute, also the size of the bucket.
        requests_per_minute: Whole<1, 1_000_000_000>,
        /// Prompt and completion tokens a minute, also the size of the bucket.
        tokens_per_minute: Whole<1, 1_000_000_000_000>,
    }
}

raw! {
    /// Money that may be spent in a period.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["usd"])))]
    RawBudget {
        /// US dollars, more than 0.
        usd: Real<0, 1_000_000_000>,
        /// The period, in UTC; it starts anew at midnight of its first day.
        per: Period,
        /// The model that answers what the budget has no room for; without it, such calls are refused.
        cheaper: String,
    }
}

raw! {
    /// Keys that spend from one budget together.
    RawTeam {
        /// What they may spend; without it, spending is not limited.
        budget: RawBudget,
    }
}

raw! {
    /// What holds for every budget.
    RawBudgets {
        /// What happens to a call that is held to a budget while its price is unknown.
        unknown_price: UnknownPrice,
    }
}
