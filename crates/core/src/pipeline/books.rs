//! The end of a request: tokens are settled once, a refusal is told, the record is closed.

use super::{
    Gate, Stop,
    exchange::{Answer, AnswerBody},
    head,
    host::Host,
    spend,
    stages::Admitted,
};
use crate::{
    rate::Standing,
    record::Record,
    refusal::Code,
    units::{MicroUsd, Tokens, UnixMs},
};

/// Takes from limits and budgets what was really used, and gives the rest of the reserves back.
///
/// Consumes the proof: reserves are settled exactly once.
pub(super) fn settle(gate: &Gate, admitted: Admitted, now: UnixMs, record: &mut Record) {
    let used = record.usage.map_or(Tokens(0), crate::price::Usage::total);
    record.settled = used;
    gate.lessee.borrow_mut().settle(admitted.reservation, used, now);
    // Of several bills, one may have no price: the others count all the same.
    let costs = record.bills().into_iter().filter_map(|bill| bill.cost);
    let cost = costs.reduce(MicroUsd::saturating_add);
    spend::book(gate, admitted.hold, cost);
}

/// Tells a refused caller, completes the record and hands it to the host.
pub(super) fn close<H: Host>(
    host: &H,
    record: &mut Record,
    standing: Option<&Standing>,
    end: Result<(), Stop>,
) {
    match end {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => {
            record.code = Some(refusal.code);
            let (status, headers, body) = head::refused(record, standing, &refusal);
            record.status = status;
            record.bytes_out = u64::try_from(body.len()).unwrap_or(u64::MAX);
            host.answer(Answer {
                status,
                headers: headers.as_str(),
                body: AnswerBody::Whole(&body),
            });
        }
        Err(Stop::CallerLeft) => {
            record.client_left = true;
            record.code = Some(Code::ClientClosed);
            record.status = if record.status == 0 { 499 } else { record.status };
        }
    }
    record.timings.total = host.now().since(record.started);
    host.record(record);
}
