//! The object `LIMITER`: one for each key and each model with that one's token buckets, and one for
//! each budget with its account.

use std::cell::RefCell;

use tollhouse_core::{
    budget::{self, Account},
    rate,
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::rows::Rows;
use crate::clock::read as now;

/// The buckets of one key or one model, or the account of one budget.
#[durable_object(fetch)]
pub struct Limiter {
    state: State,
    buckets: RefCell<Option<(Rows, rate::Limiter)>>,
    account: RefCell<Option<(Rows, Account)>>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, buckets: RefCell::new(None), account: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let message = request.bytes().await?;
        let reply =
            if budget::is_message(&message) { self.spend(&message) } else { self.limit(&message) };
        match reply {
            Ok(reply) => Response::from_bytes(reply),
            Err(error) => Response::error(error.to_string(), 400),
        }
    }
}

/// Nothing is awaited between reading the state and writing it, and the platform holds the reply
/// back until what was written is on disk: so what was granted is never forgotten.
impl Limiter {
    fn limit(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut loaded = self.buckets.borrow_mut();
        let (rows, limiter) = if let Some(pair) = loaded.take() {
            loaded.insert(pair)
        } else {
            let rows = Rows::open(&self.state)?;
            let limiter = rate::Limiter::restore(rows.all()?).map_err(|error| error.to_string())?;
            loaded.insert((rows, limiter))
        };
        let reply = limiter.handle(message, now()).map_err(|error| error.to_string())?;
        rows.write(limiter.changed_rows().into_iter().map(|(key, value)| (key, Some(value))))?;
        Ok(reply)
    }

    fn spend(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut loaded = self.account.borrow_mut();
        let (rows, account) = if let Some(pair) = loaded.take() {
            loaded.insert(pair)
        } else {
            let rows = Rows::open(&self.state)?;
            let stored = rows.get(Account::ROW)?;
            let account = Account::restore(stored.as_deref()).map_err(|error| error.to_string())?;
            loaded.insert((rows, account))
        };
        let reply = account.handle(message, now()).map_err(|error| error.to_string())?;
        rows.write(account.changed_row().map(|row| (Account::ROW.to_owned(), Some(row))))?;
        Ok(reply)
    }
}
