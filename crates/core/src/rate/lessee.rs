//! The isolate's side of the limits: what a call may take, whom to ask, what to hand back.
//!
//! The pipeline drives it; nothing here waits. For each call, in this order:
//!
//! 1. [`Lessee::admit`] takes one request of every bucket of requests that applies, or none.
//! 2. [`Lessee::reserve`] takes an estimate of tokens of every bucket of tokens, or none. A call
//!    answered from a cache never reserves.
//! 3. [`Lessee::settle`] says what the call really used.
//!
//! Steps 1 and 2 answer with a [`Step`]. On [`Step::Ask`] the pipeline sends the message to the
//! group's object, feeds the outcome to [`Lessee::answered`] and takes the same step again *before
//! it yields to other calls*, so that what was leased for a call is still there. On [`Step::Wait`]
//! it waits until `answered` was called for that group, at most as long as the step says, and takes
//! the step again. Every message must end in an `answered`, or in [`Lessee::abandoned`] when whoever
//! sent it is called off first.
//!
//! When the object cannot be reached, `limits.on_unreachable` decides for one second, after which
//! one call asks again: `refuse` makes every call [`Step::Unreachable`] that the leases held do not
//! cover; `admit` lets them through uncounted in the buckets of that group, which is to say without
//! any limit for as long as the outage lasts.

use std::collections::BTreeMap;

use super::{
    Admission, Refused, Reservation, Resource, Retry, Standing, Step, Subject, Unavailable,
    clock::{Clock, Tick},
    group::{Group, Terms},
    holding::Look,
    standing::Level,
    step::Share,
    subject::Draw,
    wire::Answer,
};
use crate::{
    config::valid::{GatewayLimits, Unreachable},
    units::{DurationMs, Tokens, UnixMs},
};

/// What one isolate holds of all limits.
#[derive(Debug, Clone)]
pub struct Lessee {
    terms: Terms,
    on_unreachable: Unreachable,
    clock: Clock,
    groups: BTreeMap<String, Group>,
    seq: u64,
    /// Nothing is due before.
    due_at: UnixMs,
}

/// Stale buckets are looked for this often.
const SWEEP: DurationMs = DurationMs::from_secs(60);

impl Lessee {
    /// An isolate that holds nothing.
    pub fn new(limits: &GatewayLimits) -> Self {
        Self {
            terms: Terms::of(limits.lease),
            on_unreachable: limits.on_unreachable,
            clock: Clock::default(),
            groups: BTreeMap::new(),
            seq: 0,
            due_at: UnixMs::default(),
        }
    }

    /// Takes up a changed configuration. Leases held keep the life they were asked for.
    pub fn configure(&mut self, limits: &GatewayLimits) {
        self.on_unreachable = limits.on_unreachable;
        if Terms::of(limits.lease).life != self.terms.life {
            // A message that is out counts its leases' life in the old terms.
            let now = self.clock.steady;
            self.groups.values_mut().for_each(|group| group.forfeit(now));
            self.due_at = now;
            self.terms = Terms::of(limits.lease);
        }
    }

    /// Takes one request of every bucket of requests that applies to `call`, or none.
    pub fn admit(&mut self, call: &mut Subject, now: UnixMs) -> Step<Admission> {
        let now = self.tick(now);
        self.decide(call, Resource::Requests, 1, now).map(|()| self.spend(call, now))
    }

    /// Sets `tokens` (at least one) of every bucket of tokens that applies to `call` aside, or none.
    pub fn reserve(
        &mut self,
        call: &mut Subject,
        tokens: Tokens,
        now: UnixMs,
    ) -> Step<Reservation> {
        let now = self.tick(now);
        let pieces = tokens.0.max(1);
        self.decide(call, Resource::Tokens, pieces, now).map(|()| self.set_aside(call, pieces, now))
    }

    /// Ends a call that used `actual` tokens: what was reserved beyond that goes back, what was
    /// used beyond it is debited.
    pub fn settle(&mut self, reservation: Reservation, actual: Tokens, now: UnixMs) {
        let now = self.tick(now);
        let Reservation { pieces, shares, admission: _ } = reservation;
        for share in shares {
            let Some(group) = self.groups.get_mut(&share.group) else { continue };
            let Some(holding) = group.known_mut(&share.bucket) else { continue };
            holding.settle(share.lease, pieces, actual.0, now);
            self.due_at = earlier(self.due_at, holding.due_at(self.terms.life, now));
        }
    }

    /// Ends a call that used nothing.
    pub fn cancel(&mut self, reservation: Reservation, now: UnixMs) {
        self.settle(reservation, Tokens(0), now);
    }

    /// Takes in what came of sending a message to the object of `group`. An answer that cannot be
    /// read is none.
    pub fn answered(&mut self, group: &str, reply: Result<&[u8], Unavailable>, now: UnixMs) {
        let now = self.tick(now);
        let Some(group) = self.groups.get_mut(group) else { return };
        let answer = reply.ok().and_then(|bytes| serde_json::from_slice::<Answer>(bytes).ok());
        match answer {
            Some(answer) => group.answered(&answer, self.terms, now),
            None => group.unanswered(now),
        }
        self.due_at = earlier(self.due_at, group.due_at(self.terms, now));
    }

    /// Whoever sent the message that is out to the object of `group` does not wait for its answer
    /// any more, and nobody else will feed it in: the next call asks again.
    pub fn abandoned(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.abandoned();
            self.due_at = earlier(self.due_at, group.due_at(self.terms, self.clock.steady));
        }
    }

    /// The messages (group and text) that are worth sending without a question: debits, refunds,
    /// leases that idle or run out. To be called after replies and as [`Self::due_in`] says; what
    /// comes of each goes to [`Self::answered`].
    pub fn due(&mut self, now: UnixMs) -> Vec<(String, Vec<u8>)> {
        let now = self.tick(now);
        if now < self.due_at {
            return Vec::new();
        }
        self.groups.retain(|_, group| !group.forget(now));
        let mut messages = Vec::new();
        let mut next = now.plus(SWEEP);
        for (name, group) in &mut self.groups {
            if let Some(message) = group.report(self.seq + 1, self.terms, now) {
                self.seq += 1;
                messages.push((name.clone(), message));
            }
            next = earlier(next, group.due_at(self.terms, now));
        }
        self.due_at = next;
        messages
    }

    /// How long until [`Self::due`] is worth calling if no call comes before; `None` when nothing is
    /// held and nothing is left to say.
    pub fn due_in(&self, now: UnixMs) -> Option<DurationMs> {
        let now = self.clock.peek(now);
        let first = self.groups.values().filter_map(|group| group.due_at(self.terms, now)).min();
        first.map(|due| due.since(now))
    }

    /// Where the buckets stand that apply to `call`.
    pub fn standing(&self, call: &Subject, now: UnixMs) -> Standing {
        let now = self.clock.peek(now);
        [Resource::Requests, Resource::Tokens].into_iter().fold(
            Standing::default(),
            |all, resource| {
                let levels = call.draws(resource).map(|draw| {
                    let group = self.groups.get(&draw.group);
                    Level::of(draw, group.and_then(|group| group.known(&draw.bucket)), now)
                });
                all.with(resource, levels.reduce(Level::tighter))
            },
        )
    }

    /// Whether the call can have `pieces` of every bucket of `resource`, and if not, what to do.
    fn decide(
        &mut self,
        call: &mut Subject,
        resource: Resource,
        pieces: u64,
        now: UnixMs,
    ) -> Step<()> {
        if let Some(draw) = call.draws(resource).find(|draw| pieces > draw.limit.0) {
            return Step::Refused(self.refused(draw, pieces, Retry::Never, now));
        }
        let mut short = None;
        for draw in call.draws(resource) {
            let group = self.groups.entry(draw.group.clone()).or_default();
            let holding = group.holding(draw, now);
            self.due_at = earlier(self.due_at, holding.due_at(self.terms.life, now));
            match (holding.look(pieces, now), group.is_down(now)) {
                (Look::Enough, _) => {}
                (Look::Dry(wait), _) => {
                    return Step::Refused(self.refused(draw, pieces, Retry::After(wait), now));
                }
                (Look::Short, true) => match self.on_unreachable {
                    Unreachable::Refuse => return Step::Unreachable,
                    Unreachable::Admit => {}
                },
                (Look::Short, false) => short = short.or(Some(draw.group.clone())),
            }
        }
        match short {
            None => Step::Ready(()),
            Some(group) => self.obtain(call, group, (resource, pieces), now),
        }
    }

    /// Asks `group` for what the call lacks, or waits for the answer that is on its way.
    fn obtain(
        &mut self,
        call: &mut Subject,
        name: String,
        (resource, pieces): (Resource, u64),
        now: UnixMs,
    ) -> Step<()> {
        let waited = call.has_waited();
        if !call.next_round() {
            // Others were quicker every time: this is as undecided as an outage.
            return match self.on_unreachable {
                Unreachable::Refuse => Step::Unreachable,
                Unreachable::Admit => Step::Ready(()),
            };
        }
        let group = self.groups.entry(name.clone()).or_default();
        let draws = call.draws(resource).filter(|draw| draw.group == name);
        if let Some(at_most) = group.answer_within(self.terms, now) {
            for draw in draws {
                let holding = group.holding(draw, now);
                if holding.look(pieces, now) == Look::Short {
                    holding.wait(pieces);
                }
            }
            return Step::Wait { group: name, at_most };
        }
        self.seq += 1;
        let message = group.question(draws, (pieces, waited), (self.seq, self.terms), now);
        self.due_at = earlier(self.due_at, group.due_at(self.terms, now));
        Step::Ask { group: name, message }
    }

    /// Takes one request of each bucket that has one; the rest are uncounted.
    fn spend(&mut self, call: &Subject, now: UnixMs) -> Admission {
        let mut admission = Admission::Counted;
        for draw in call.draws(Resource::Requests) {
            let group = self.groups.entry(draw.group.clone()).or_default();
            let holding = group.holding(draw, now);
            match holding.look(1, now) {
                Look::Enough => holding.take(1, now),
                Look::Short | Look::Dry(_) => admission = Admission::Uncounted,
            }
            self.due_at = earlier(self.due_at, holding.due_at(self.terms.life, now));
        }
        admission
    }

    /// Reserves of each bucket that has enough; the rest are uncounted.
    fn set_aside(&mut self, call: &Subject, pieces: u64, now: UnixMs) -> Reservation {
        let mut reservation =
            Reservation { pieces, shares: Vec::new(), admission: Admission::Counted };
        for draw in call.draws(Resource::Tokens) {
            let group = self.groups.entry(draw.group.clone()).or_default();
            let holding = group.holding(draw, now);
            let lease = match holding.look(pieces, now) {
                Look::Enough => holding.reserve(pieces, now),
                Look::Short | Look::Dry(_) => None,
            };
            match lease {
                Some(lease) => reservation.shares.push(Share {
                    group: draw.group.clone(),
                    bucket: draw.bucket.clone(),
                    lease,
                }),
                None => reservation.admission = Admission::Uncounted,
            }
            self.due_at = earlier(self.due_at, holding.due_at(self.terms.life, now));
        }
        reservation
    }

    fn refused(&self, draw: &Draw, needed: u64, retry: Retry, now: UnixMs) -> Refused {
        let Draw { scope, resource, limit, .. } = *draw;
        let known = self.groups.get(&draw.group).and_then(|group| group.known(&draw.bucket));
        let Level { remaining, .. } = Level::of(draw, known, now);
        Refused { scope, resource, limit: limit.0, remaining, needed, retry }
    }

    /// Steady time; gives up what is held when it cannot be told how long it has been held.
    fn tick(&mut self, now: UnixMs) -> UnixMs {
        match self.clock.read(now, self.terms.tolerance) {
            Tick::Steady(now) => now,
            Tick::SetBack(now) => {
                self.groups.values_mut().for_each(|group| group.forfeit(now));
                self.due_at = now;
                now
            }
        }
    }
}

fn earlier(one: UnixMs, other: Option<UnixMs>) -> UnixMs {
    other.map_or(one, |other| one.min(other))
}
