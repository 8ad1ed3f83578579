//! Entry points: the functions through which the world comes in.

use super::{At, Def, FnRef, Found, Ty, Workspace};
use crate::facts::{Kind, Name};
use crate::knowledge::Role;
use crate::manifest::TargetKind;
use rustc_hash::FxHashSet as HashSet;

/// Attributes that make a function a request handler or a tool.
const HANDLER_ATTRIBUTES: &[&str] = &[
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "route",
    "handler",
    "tool",
    "event",
    "command",
    "endpoint",
    "oai",
    "server",
    "query_handler",
    "rpc",
    "post_handler",
];

impl Workspace<'_> {
    /// Functions that answer requests: routed by a call, or marked by an attribute.
    pub(crate) fn handlers(&self) -> HashSet<FnRef> {
        let mut found: HashSet<FnRef> = HashSet::default();
        for (at, roles) in self.roles_sites() {
            if roles.has(Role::Route) && !self.is_test(at) {
                found.extend(self.under(at).skip(1).filter_map(|inner| self.mentioned(inner)));
            }
        }
        found.extend(self.functions().filter(|of| self.marked(*of)));
        found
    }

    fn marked(&self, of: FnRef) -> bool {
        let Some(fact) = self.function(of) else { return false };
        let by_attribute = fact.attrs.iter().any(|attr| {
            let last = attr.path.rsplit("::").next().unwrap_or_default();
            HANDLER_ATTRIBUTES.contains(&last)
                && (attr.text.contains('(')
                    || matches!(last, "tool" | "event" | "handler" | "command"))
        });
        (by_attribute || self.answers_messages(of)) && !fact.test
    }

    /// Whether a function belongs to a bot's handler: what it is called for is what anyone in a channel writes.
    fn answers_messages(&self, of: FnRef) -> bool {
        let block = self.function(of).and_then(|fact| fact.block);
        let block = block.and_then(|block| self.file(of.file).impls.get(block));
        block.is_some_and(|block| {
            let of_trait = block.of_trait.as_ref().and_then(crate::facts::TypeRef::name);
            of_trait.is_some_and(|name| matches!(name, "EventHandler" | "RawEventHandler"))
        })
    }

    fn mentioned(&self, at: At) -> Option<FnRef> {
        let Kind::Path(path) = self.kind(at) else { return None };
        match self.resolve_at(at, path) {
            Some(Found::Local(Def::Fn(file, id))) => Some(FnRef { file, id }),
            _ => None,
        }
    }

    /// Whether a function is where a program starts.
    pub(crate) fn is_main(&self, of: FnRef) -> bool {
        let Some(fact) = self.function(of) else { return false };
        fact.name == "main" && fact.block.is_none() && self.kind_of(of) != Some(TargetKind::Build)
    }

    /// What the crate around a function is compiled into.
    pub(crate) fn kind_of(&self, of: FnRef) -> Option<TargetKind> {
        let fact = self.function(of)?;
        let module = self.module_at(of.file, fact.module)?;
        self.modules.get(module)?.kind
    }

    /// Whether a package is a program, or only a library for others.
    pub(crate) fn has_program(&self, package: super::PackageId) -> bool {
        self.modules
            .iter()
            .any(|module| module.package == Some(package) && module.kind == Some(TargetKind::Bin))
    }

    /// A function as readers know it: `Type::method` or `function`.
    pub(crate) fn title(&self, of: FnRef) -> String {
        let name = self.function(of).map_or("?", |fact| fact.name.as_str());
        let owner = match self.ty_owner(of) {
            Ty::Local(Def::Struct(file, at)) => {
                self.file(file).structs.get(at).map(|of| of.name.clone())
            }
            Ty::Local(Def::Enum(file, at)) => {
                self.file(file).enums.get(at).map(|of| of.name.clone())
            }
            _ => None,
        };
        owner.map_or_else(|| name.to_owned(), |owner: Name| format!("{owner}::{name}"))
    }
}
