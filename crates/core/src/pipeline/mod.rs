//! One request, from its arrival to the last thing noted of it.
//!
//! The stages of [`run`] stand in the order in which a request passes them, each with the reason for
//! its place. Each hands on a proof that it was passed, and takes the proof of the one before it, so
//! that a stage cannot be left out: [`Parsed`] → [`Authenticated`] → [`Validated`] → [`Guarded`] →
//! [`Admitted`].

mod admit;
mod attempt;
mod books;
mod classify;
mod course;
mod deliver;
mod enter;
pub mod exchange;
pub mod feedback;
mod gate;
mod guards;
pub mod head;
pub mod host;
pub mod judging;
mod lookup;
mod oip;
mod provider;
mod spend;
mod stages;
mod stream;
mod variant;
mod wait;

use attempt::Asking;
use exchange::Arrived;
pub use gate::Gate;
use host::Host;
pub use stages::{Admitted, Authenticated, Guarded, Parsed, Validated};

use crate::{
    openai::Endpoint,
    rate::Subject,
    record::{Record, RequestId, Stage},
    refusal::Refusal,
};

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is refused; the caller is told.
    Refused(Refusal),
    /// The caller has left; nobody is told.
    CallerLeft,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<host::CallerLeft> for Stop {
    fn from(host::CallerLeft: host::CallerLeft) -> Self {
        Self::CallerLeft
    }
}

/// Serves one model call and hands its record to the host.
pub async fn run<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: Arrived,
    endpoint: Endpoint,
    id: RequestId,
) {
    let mut record = Record::new(id, host.now(), endpoint.into());
    let mut subject = None;
    let end = serve(host, gate, &arrived, endpoint, &mut subject, &mut record).await;
    let standing = subject.map(|subject| gate.standing(&subject, host.now()));
    books::close(host, &mut record, standing.as_ref(), end);
}

async fn serve<H: Host>(
    host: &H,
    gate: &Gate,
    arrived: &Arrived,
    endpoint: Endpoint,
    subject: &mut Option<Subject>,
    record: &mut Record,
) -> Result<(), Stop> {
    let config = gate.config();
    let headers = enter::headers(arrived, record)?;
    // By headers alone, so that a body is read and parsed only for those who may send one.
    let caller = enter::caller(&config, arrived, host.now(), record)?;
    let body = enter::body(host, &config, record).await?;
    let parsed = enter::parse(endpoint, body)?;
    let authenticated = enter::authenticate(&config, caller, parsed, record)?;
    *subject = Some(authenticated.subject.clone());
    // Before the defaults are filled in and the guards look, because a variant has its own.
    let authenticated = variant::deal(&config, arrived, authenticated, record);
    // Counted before it is looked at more closely, so that a flood pays for nothing but this.
    record.stage = Stage::RequestLimit;
    let authenticated = admit::request(host, gate, authenticated, record).await?;
    record.stage = Stage::Validate;
    let validated = enter::validate(authenticated, host.now(), record)?;
    record.stage = Stage::Guard;
    let guarded = guards::input(host, gate, &config, validated, record).await?;
    // What a variant writes around the caller's text, once that text was judged by itself.
    let guarded = variant::write(guarded, record)?;
    // A kept reply before money and tokens are set aside, because it uses none.
    record.stage = Stage::CacheAndBudget;
    let way = spend::afford(host, gate, &config, guarded, &headers, record).await?;
    let (guarded, flight, hold) = match way {
        spend::Way::Kept(guarded, entry) => {
            return deliver::kept(host, gate, &guarded, &entry, record).await;
        }
        spend::Way::Paid(guarded, flight, hold) => (guarded, flight, hold),
    };
    record.stage = Stage::TokenLimit;
    let admitted = admit::tokens(host, gate, guarded, hold, record).await?;
    record.stage = Stage::Provider;
    let asking = Asking { config: &config, arrived, headers: &headers };
    let delivered = deliver::fresh(host, gate, &admitted, &asking, &flight, record).await;
    // After the last byte and whatever happened, because only now is the usage known.
    books::settle(gate, admitted, host.now(), record);
    lookup::land(host, flight, delivered).await
}
