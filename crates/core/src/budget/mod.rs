//! Budgets: money that keys, teams and models may spend in a day, a week or a month.
//!
//! A budget lives in a Durable Object of the binding `LIMITER`, one object for each budget
//! ([`Account`]). Before a call, an isolate ([`Purse`]) sets aside what the call can cost at most
//! ([`worst_cost`]); after it, what it really cost is booked and the rest is free again. Isolates do
//! not ask for every call: they take out a sum, pay from it without asking, and bring back what is
//! left over when it has lain idle for a few seconds.
//!
//! What is promised, for every budget of `L` in one period: what is spent and what is set aside are
//! together never more than `L`, plus what calls cost above their own worst case (a provider that
//! bills more than it was allowed to answer). It holds because a sum is deducted from the account
//! before anybody pays from it. A sum whose isolate vanishes without a word counts as spent: the
//! error is on the side of spending less.
//!
//! A period begins at midnight UTC of its first day ([`Span`]). A call is booked in the period in
//! which its money was set aside. Money is in micro-dollars. Nothing here reads a clock, sends a
//! message or waits: steps say what to do.

mod account;
mod charge;
mod cost;
mod lease;
mod pot;
mod purse;
mod refused;
mod span;
mod wire;

#[cfg(test)]
mod tests;

pub use account::{Account, BadMessage};
pub use charge::{Charge, Scope};
pub use cost::{Unpriced, has_known_cost, worst_cost};
pub use purse::{Hold, Purse, Step};
pub use refused::Refused;
pub use span::Span;
pub use wire::is_message;

/// What a budget's object is called: `budget:key:team-a:month`.
///
/// The period belongs to the name, so that a budget whose period is changed begins anew.
pub(crate) const GROUP_PREFIX: &str = "budget:";
