//! One construction of a client: what it gives, what is set on it and around it, and what it sends through.

use super::At;
use super::origins::{Origin, Origins, Walk, settings};
use crate::facts::{Kind, Name};
use crate::knowledge::{Role, Roles};

impl Walk<'_, '_> {
    /// A construction: what it gives, what is chained to it, and what it is given to send through.
    pub(super) fn made(&mut self, at: At, roles: Roles, hops: u32) {
        let w = self.workspace;
        let fact = w.known(at);
        let gives = fact.map(|fact| fact.gives).unwrap_or_default();
        let mut all = roles.with(gives).with(self.called_on(at));
        let links: Vec<At> = match w.kind(at) {
            Kind::Method { receiver, .. } => w.chain(at.with(*receiver)),
            _ => Vec::new(),
        };
        all =
            links.iter().fold(all, |all, link| all.with(w.roles(*link)).with(self.layered(*link)));
        if let Some(name) = self.named(at) {
            all = all.with(self.set_on(at, &name));
        }
        let mut vague = false;
        let mut through = self.sent_through(at);
        if let Some(name) = self.named(at) {
            through.extend(self.given_later(at, &name));
        }
        let mut inner = Vec::new();
        for client in through {
            let mut walk = Walk {
                workspace: w,
                graph: self.graph,
                found: Origins::default(),
                seen: self.seen.clone(),
                from: self.from.clone(),
            };
            walk.visit(client, Roles::default(), hops);
            vague |= walk.found.vague || walk.found.known.is_empty();
            inner.extend(walk.found.known);
        }
        if inner.is_empty() {
            self.found.known.push(Origin { made: at, roles: all, vague });
        }
        // What a client sends through decides; that is also where it can be mended.
        self.found.known.extend(inner.into_iter().map(|of| Origin {
            made: of.made,
            roles: all.with(of.roles),
            vague: vague || of.vague,
        }));
    }

    /// The name a construction is first bound to, through its own chain.
    fn named(&self, at: At) -> Option<Name> {
        let w = self.workspace;
        for up in w.ancestors(at) {
            match w.kind(up) {
                Kind::Let { pat, .. } => return pat.binding().cloned(),
                Kind::Method { .. } | Kind::Await(_) | Kind::Try(_) | Kind::Wrap(_) => {}
                _ => return None,
            }
        }
        None
    }

    /// `client = client.with_http_client(http)`: clients handed to a name after its `let`.
    fn given_later(&self, at: At, name: &str) -> Vec<At> {
        let w = self.workspace;
        let Some(body) = w.function_at(at).and_then(|of| w.body(of)) else { return Vec::new() };
        let uses = w.under(body).filter(|node| w.name_of(*node).is_some_and(|of| of == name));
        uses.flat_map(|node| self.sent_through(node)).collect()
    }

    /// Clients handed to this one: `.with_http_client(client)`.
    fn sent_through(&self, at: At) -> Vec<At> {
        let w = self.workspace;
        let mut found = Vec::new();
        let mut child = at;
        for up in w.ancestors(at) {
            match w.kind(up) {
                Kind::Method { receiver, args, .. } if *receiver == child.node => {
                    if w.roles(up).has(Role::WrapsClient) {
                        found.extend(args.first().map(|arg| up.with(*arg)));
                    }
                }
                Kind::Await(_) | Kind::Try(_) | Kind::Wrap(_) => {}
                _ => break,
            }
            child = up;
        }
        if w.roles(at).has(Role::WrapsClient) {
            found.extend(w.argument(at, w.known(at).map_or(0, |fact| fact.arg)));
        }
        found
    }

    /// What the layers do that a link of a builder's chain puts around a client.
    pub(super) fn layered(&self, link: At) -> Roles {
        let w = self.workspace;
        let layer = w.argument(link, 0).filter(|_| w.roles(link).has(Role::Layers));
        let made = layer.into_iter().flat_map(|layer| w.chain(layer).into_iter().chain([layer]));
        let whole = made.flat_map(|at| w.under(at));
        whole.fold(Roles::default(), |all, at| all.with(settings(w.roles(at))))
    }
}
