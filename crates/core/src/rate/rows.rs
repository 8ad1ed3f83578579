//! The limiter object's rows as they are stored: twins of its state, in JSON.
//!
//! One row `group` for the clock and the count of leases, one row `bucket:<name>` for each bucket,
//! so that a message writes the rows of the buckets it touched and no others.

use serde::{Deserialize, Serialize};

use super::{
    account::{Account, OpenLease, SpentLease},
    bucket::{Bucket, PerMinute},
    clock::Clock,
    limiter::BadRow,
};
use crate::units::UnixMs;

/// A row that was read.
pub(super) enum Row {
    /// What all buckets of the group share.
    Group { clock: Clock, next_lease: u64 },
    /// One bucket and its leases.
    Bucket { name: String, account: Account },
}

const GROUP: &str = "group";
const BUCKET: &str = "bucket:";

/// Reads a row by its name and text.
pub(super) fn read(row: &str, text: &str) -> Result<Row, BadRow> {
    let bad = |problem: serde_json::Error| BadRow { row: row.into(), problem: problem.to_string() };
    if row == GROUP {
        let group: GroupRow = serde_json::from_str(text).map_err(bad)?;
        let clock = Clock { seen: UnixMs(group.seen), steady: UnixMs(group.steady) };
        return Ok(Row::Group { clock, next_lease: group.next_lease });
    }
    let Some(name) = row.strip_prefix(BUCKET) else {
        return Err(BadRow { row: row.into(), problem: "its name is unknown".into() });
    };
    let bucket: BucketRow = serde_json::from_str(text).map_err(bad)?;
    Ok(Row::Bucket { name: name.into(), account: bucket.into() })
}

/// The group's row: name and text.
pub(super) fn write_group(clock: Clock, next_lease: u64) -> (String, String) {
    let row = GroupRow { seen: clock.seen.0, steady: clock.steady.0, next_lease };
    (GROUP.into(), text(&row))
}

/// A bucket's row: name and text.
pub(super) fn write_bucket(name: &str, account: &Account) -> (String, String) {
    (format!("{BUCKET}{name}"), text(&BucketRow::from(account)))
}

#[derive(Serialize, Deserialize)]
struct GroupRow {
    seen: u64,
    steady: u64,
    next_lease: u64,
}

#[derive(Serialize, Deserialize)]
struct BucketRow {
    limit: u64,
    level: i128,
    at: u64,
    /// Number, size and end of each open lease.
    open: Vec<(u64, u64, u64)>,
    spent: Vec<SpentRow>,
}

#[derive(Serialize, Deserialize)]
struct SpentRow {
    id: u64,
    size: u64,
    credited: u64,
    debited: u64,
    room: u64,
    until: u64,
}

impl From<&Account> for BucketRow {
    fn from(account: &Account) -> Self {
        let Account { bucket, open, spent } = account;
        let (level, _) = bucket.contents();
        Self {
            limit: bucket.limit().0,
            level,
            at: bucket.at().0,
            open: open.iter().map(|lease| (lease.id, lease.size, lease.expires.0)).collect(),
            spent: spent.iter().map(SpentRow::from).collect(),
        }
    }
}

impl From<BucketRow> for Account {
    fn from(row: BucketRow) -> Self {
        let open: Vec<_> = row
            .open
            .into_iter()
            .map(|(id, size, expires)| OpenLease { id, size, expires: UnixMs(expires) })
            .collect();
        // What is on lease is the sum of the leases: one truth, stored once.
        let held = open.iter().fold(0_u64, |sum, lease| sum.saturating_add(lease.size));
        Self {
            bucket: Bucket::known(PerMinute(row.limit), row.level, held, UnixMs(row.at)),
            open,
            spent: row.spent.into_iter().map(SpentLease::from).collect(),
        }
    }
}

impl From<&SpentLease> for SpentRow {
    fn from(lease: &SpentLease) -> Self {
        let SpentLease { id, size, credited, debited, room, until } = *lease;
        Self { id, size, credited, debited, room, until: until.0 }
    }
}

impl From<SpentRow> for SpentLease {
    fn from(row: SpentRow) -> Self {
        let SpentRow { id, size, credited, debited, room, until } = row;
        Self { id, size, credited, debited, room, until: UnixMs(until) }
    }
}

/// Numbers, strings and lists of them always have a JSON text.
fn text(row: &impl Serialize) -> String {
    serde_json::to_string(row).unwrap_or_default()
}
