//! The operators' page: its files, and who may ask for what it shows.
//!
//! The page holds nothing but itself, so anyone may load it where administration is on. What it shows
//! is asked for with the admin key in a header that the page sets itself: no cookie is ever sent or
//! read, so no other site can make a browser ask in an operator's name.

use tollhouse_core::{
    pipeline::exchange::Arrived,
    refusal::{Code, Refusal},
    router::PagePart,
};

use crate::{
    door, env, glue,
    ops::{Ending, Op},
    pages::Page,
};

/// The secret that opens `/admin/…`; without it there is no administration.
const ADMIN_KEY: &str = "TOLLHOUSE_ADMIN_KEY";

/// With the admin key in this header, what becomes of a model call is kept for `/admin/trace`.
const TRACED: &str = "tollhouse-admin-key";

/// What the page may do: run its own script, ask its own host, and nothing else.
const CLOSED: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

/// Lets operators pass.
///
/// # Errors
/// [`Code::RouteNotFound`] where there is no administration, and those of [`door::check`].
pub(crate) fn open(arrived: &Arrived) -> Result<(), Refusal> {
    door::check(arrived, &key()?)
}

/// Whether a model call is to be traced.
///
/// # Errors
/// As [`open`], for a call that asks for it.
pub(crate) fn wants_trace(arrived: &Arrived) -> Result<bool, Refusal> {
    let Some(sent) = arrived.header(TRACED) else { return Ok(false) };
    door::check_sent(arrived, sent, &key()?).map(|()| true)
}

/// A file of the page.
///
/// # Errors
/// [`Code::RouteNotFound`] where there is no administration or the files were not deployed.
pub(crate) async fn page(call: u32, part: PagePart) -> Result<Page, Refusal> {
    key()?;
    let done = Op::start(|slot| glue::asset(call, slot, part.file)).await;
    match done.ending {
        Ending::Done(_) => Ok(Page {
            status: 200,
            content_type: part.content_type.to_owned(),
            body: done.body,
            further: CLOSED,
        }),
        Ending::Nothing => {
            let message = "the page's files are not there: the binding ASSETS is missing";
            Err(Refusal::new(Code::RouteNotFound, message))
        }
        Ending::TimedOut
        | Ending::ConnectTimedOut
        | Ending::Failed
        | Ending::CallerLeft
        | Ending::TooLong => Err(Refusal::new(Code::Internal, "the page's files cannot be read")),
    }
}

fn key() -> Result<String, Refusal> {
    env::text(ADMIN_KEY).ok_or_else(|| {
        let message = format!("administration is off: set the secret {ADMIN_KEY} to turn it on");
        Refusal::new(Code::RouteNotFound, message)
    })
}
