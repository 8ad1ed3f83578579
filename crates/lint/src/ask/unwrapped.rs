//! Results of model calls that are unwrapped: of the call, of reading its reply, of a piece of its stream.

use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::Role;
use crate::model::At;

const UNWRAPS: &[&str] = &["unwrap", "expect", "unwrap_unchecked"];
/// What stands between a reply and the end of reading it.
const READS: &[&str] =
    &["json", "text", "bytes", "chunk", "into_json", "into_string", "bytes_stream"];
/// What leaves a `Result` one.
const KEEPS: &[&str] = &["", "error_for_status", "map_err", "context", "with_context"];

impl Asked<'_, '_> {
    pub(super) fn unwrapped(&self) -> Vec<Hit> {
        let hit = |link: At| {
            let hit = Hit::link(self.w, link).with("method", self.method(link));
            hit.with("function", self.title_at(link))
        };
        let mut found: Vec<At> =
            self.outcomes().filter_map(|site| self.unwrapped_at(site)).collect();
        found.extend(self.unwrapped_pieces());
        found.sort();
        found.dedup();
        found.into_iter().map(hit).collect()
    }

    /// Where the outcome of a call is unwrapped: in its own chain, or where the reply it is bound to is read.
    fn unwrapped_at(&self, site: At) -> Option<At> {
        self.unwraps(site).or_else(|| self.read_and_unwrapped(site))
    }

    /// The unwrapping link of a chain, where nothing but reading stands before it.
    fn unwraps(&self, site: At) -> Option<At> {
        let mut links = self.links_after(site).into_iter();
        let reads =
            |at: &At| KEEPS.contains(&self.method(*at)) || READS.contains(&self.method(*at));
        links.find(|at| !reads(at)).filter(|at| UNWRAPS.contains(&self.method(*at)))
    }

    /// `let reply = call?; reply.json().await.unwrap()`.
    fn read_and_unwrapped(&self, site: At) -> Option<At> {
        let http = self.w.roles(site).has(Role::HttpSend);
        let name = self.reply_name(site).filter(|_| http)?;
        let body = self.w.function_at(site).and_then(|of| self.w.body(of))?;
        let reads = self.w.under(body).filter(|at| match self.w.kind(*at) {
            Kind::Method { receiver, name: method, .. } => {
                READS.contains(&method.as_str()) && self.w.is_name(at.with(*receiver), &name)
            }
            _ => false,
        });
        reads.into_iter().find_map(|read| self.unwraps(read))
    }

    /// `while let Some(piece) = stream.next().await { piece.unwrap() }`.
    fn unwrapped_pieces(&self) -> Vec<At> {
        let streams = self.live().filter(|call| call.fact.roles.has(Role::StreamCall));
        let mut found = Vec::new();
        for call in streams {
            let Some(body) = self.w.body(call.function) else { continue };
            let Some(stream) = self.reply_name(call.at) else { continue };
            for at in self.w.under(body) {
                let Kind::LetCond { pat, value } = self.w.kind(at) else { continue };
                let ([piece], "Some") = (&*pat.names, pat.head_name()) else { continue };
                if self.takes_next(at.with(*value), &stream) {
                    let unwrapped = |link: &At| match self.w.kind(*link) {
                        Kind::Method { receiver, name, .. } => {
                            UNWRAPS.contains(&name.as_str())
                                && self.w.is_name(link.with(*receiver), piece)
                        }
                        _ => false,
                    };
                    found.extend(self.w.under(body).find(unwrapped));
                }
            }
        }
        found
    }

    fn takes_next(&self, value: At, stream: &str) -> bool {
        match self.w.kind(self.w.peel(value)) {
            Kind::Method { receiver, name, .. } => {
                matches!(name.as_str(), "next" | "try_next")
                    && self.w.is_name(value.with(*receiver), stream)
            }
            _ => false,
        }
    }
}
