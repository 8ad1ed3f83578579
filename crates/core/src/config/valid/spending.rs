//! Rate limits and budgets.

use crate::units::{MicroUsd, Tokens};

/// Token-bucket limits; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// Requests a minute, also the size of the bucket.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute (prompt and completion), also the size of the bucket.
    pub tokens_per_minute: Option<Tokens>,
}

/// Keys that spend from one budget together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Team {
    /// What they may spend.
    pub budget: Option<Budget>,
}

/// Money that may be spent in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The amount.
    pub limit: MicroUsd,
    /// The period, which starts anew at midnight UTC of its first day.
    pub per: Period,
    /// The model, a name in [`Config::models`], that answers what the budget has no room for; `None`
    /// refuses it.
    pub cheaper: Option<String>,
}

/// What holds for every budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetPolicy {
    /// What happens to a call that is held to a budget while its price is unknown.
    pub unknown_price: UnknownPrice,
}

/// What happens to a call that is held to a budget while its price is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPrice {
    /// It is refused.
    Refuse,
    /// It counts as costing nothing.
    Zero,
}

/// A budget's period, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}
