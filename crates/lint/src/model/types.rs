//! A modest inference of types: enough to follow clients, builders and limiters through lets, fields and calls.
//!
//! Wrappers that are looked through in use (`Arc<T>`, `Option<T>`, `Result<T, E>`, `State<T>`, a lock, a future) are
//! looked through here: the type of a thing is the type one ends up calling methods on.

use super::{At, Binding, Def, FileId, FnRef, Found, Workspace};
use crate::facts::{Kind, ModId, Name, TypeRef};
use crate::knowledge::CrateKind;

/// A type, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ty {
    /// A type of someone else's crate.
    External(Vec<Name>),
    /// A type of the workspace.
    Local(Def),
    /// Not known.
    Unknown,
}

const WRAPPERS: &[&str] = &[
    "Arc",
    "Rc",
    "Box",
    "Option",
    "Result",
    "Mutex",
    "RwLock",
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "Lazy",
    "LazyCell",
    "State",
    "Data",
    "Extension",
    "Cow",
    "Pin",
    "RefCell",
    "Cell",
    "MutexGuard",
    "Ref",
    "Weak",
    "ArcSwap",
    "Ready",
    "BoxFuture",
    "Future",
    "Into",
    "AsRef",
    "Borrow",
    "Fn",
    "FnOnce",
    "FnMut",
    "ThinBox",
    "Addr",
    "CacheAligned",
];

const TRANSPARENT: &[&str] = &[
    "clone",
    "cloned",
    "unwrap",
    "expect",
    "unwrap_or_else",
    "unwrap_or_default",
    "unwrap_or",
    "as_ref",
    "as_mut",
    "as_deref",
    "as_deref_mut",
    "lock",
    "read",
    "write",
    "borrow",
    "borrow_mut",
    "to_owned",
    "ok",
    "context",
    "with_context",
    "map_err",
    "ok_or",
    "ok_or_else",
    "into_inner",
    "get_or_init",
    "get_or_try_init",
    "into",
    "deref",
    "or_else",
    "inspect_err",
    "wrap_err",
    "wrap_err_with",
    "get_ref",
    "get_mut",
    "take",
    "load",
    "by_ref",
    "inner",
    "boxed",
    "copied",
    "inspect",
];

impl Workspace<'_> {
    /// The type a written type stands for.
    pub(crate) fn ty_ref(
        &self,
        file: FileId,
        module: ModId,
        block: Option<usize>,
        ty: &TypeRef,
    ) -> Ty {
        match ty {
            TypeRef::Path(path, args) => {
                let last = path.last().map_or("", Name::as_str);
                if let (true, Some(inner)) = (WRAPPERS.contains(&last), args.first()) {
                    return self.ty_ref(file, module, block, inner);
                }
                match self.resolve(file, module, block, path) {
                    Some(Found::Local(Def::Alias(file, at))) => self.alias_ty(file, at),
                    Some(Found::Local(def)) => Ty::Local(def),
                    Some(Found::External(path)) => Ty::External(path),
                    Some(Found::Member(..)) | None => Ty::Unknown,
                }
            }
            TypeRef::Bounds(bounds) => {
                let known = bounds.iter().map(|bound| self.ty_ref(file, module, block, bound));
                known.into_iter().find(|ty| *ty != Ty::Unknown).unwrap_or(Ty::Unknown)
            }
            TypeRef::Tuple(_) | TypeRef::Unknown => Ty::Unknown,
        }
    }

    fn alias_ty(&self, file: FileId, at: usize) -> Ty {
        let Some(_guard) = self.enter() else { return Ty::Unknown };
        match self.file(file).aliases.get(at) {
            Some(alias) => self.ty_ref(file, alias.module, None, &alias.ty),
            None => Ty::Unknown,
        }
    }

    /// The type of a parameter.
    pub(crate) fn ty_param(&self, function: FnRef, at: usize) -> Ty {
        let Some(fact) = self.function(function) else { return Ty::Unknown };
        let Some(param) = fact.params.get(at) else { return Ty::Unknown };
        self.ty_ref(function.file, fact.module, fact.block, &param.ty)
    }

    /// The type a function returns.
    pub(crate) fn ty_output(&self, function: FnRef) -> Ty {
        let Some(fact) = self.function(function) else { return Ty::Unknown };
        self.ty_ref(function.file, fact.module, fact.block, &fact.output)
    }

    /// The type of the value of a node.
    pub(crate) fn ty(&self, at: At) -> Ty {
        if let Some(known) = self.types.borrow().get(&at) {
            return known.clone();
        }
        let Some(_guard) = self.enter() else { return Ty::Unknown };
        // A type that is asked for while it is being found depends on itself.
        self.types.borrow_mut().insert(at, Ty::Unknown);
        let found = self.infer(at);
        self.types.borrow_mut().insert(at, found.clone());
        found
    }

    fn infer(&self, at: At) -> Ty {
        match self.kind(at) {
            Kind::Path(path) => self.ty_path(at, path),
            Kind::Call { callee, args } => self.ty_call(at, at.with(*callee), args),
            Kind::Struct { path, .. } => match self.resolve_at(at, path) {
                Some(Found::Local(def)) => Ty::Local(def),
                Some(Found::External(path)) => Ty::External(path),
                Some(Found::Member(..)) | None => Ty::Unknown,
            },
            Kind::Method { receiver, name, .. } => self.ty_method(at, at.with(*receiver), name),
            Kind::Field { base, name } => self.ty_field(at.with(*base), name),
            Kind::Await(inner) | Kind::Try(inner) | Kind::Wrap(inner) | Kind::Async(inner) => {
                self.ty(at.with(*inner))
            }
            Kind::Block { stmts, tail: true } => {
                stmts.last().map_or(Ty::Unknown, |last| self.ty(at.with(*last)))
            }
            Kind::If { then, otherwise, .. } => match (self.ty(at.with(*then)), otherwise) {
                (Ty::Unknown, Some(otherwise)) => self.ty(at.with(*otherwise)),
                (known, _) => known,
            },
            Kind::Match { arms, .. } => {
                let known = arms.iter().map(|arm| self.ty(at.with(arm.body)));
                known.into_iter().find(|ty| *ty != Ty::Unknown).unwrap_or(Ty::Unknown)
            }
            Kind::Closure { body, .. } => self.ty(at.with(*body)),
            _ => Ty::Unknown,
        }
    }

    fn ty_path(&self, at: At, path: &[Name]) -> Ty {
        if let [only] = path {
            if only == "self" {
                return self.ty_self(at);
            }
            if let Some(binding) = self.binding(at, only) {
                return self.ty_binding(at, &binding);
            }
        }
        match self.resolve_at(at, path) {
            Some(Found::Local(Def::Const(file, index))) => {
                match self.file(file).consts.get(index) {
                    Some(of) => self.ty_ref(file, of.module, of.block, &of.ty),
                    None => Ty::Unknown,
                }
            }
            Some(Found::Local(def @ (Def::Struct(..) | Def::Enum(..)))) => Ty::Local(def),
            _ => Ty::Unknown,
        }
    }

    /// The type `self` has in the function around a node.
    pub(crate) fn ty_self(&self, at: At) -> Ty {
        self.function_at(at).map_or(Ty::Unknown, |of| self.ty_owner(of))
    }

    /// The type a method belongs to.
    pub(crate) fn ty_owner(&self, of: FnRef) -> Ty {
        let Some(fact) = self.function(of) else { return Ty::Unknown };
        let Some(block) = fact.block.and_then(|block| self.file(of.file).impls.get(block)) else {
            return Ty::Unknown;
        };
        self.ty_ref(of.file, block.module, None, &block.of)
    }

    fn ty_binding(&self, at: At, binding: &Binding) -> Ty {
        match binding {
            Binding::Value { value } => self.ty(*value),
            Binding::Typed { ty, value } => {
                let function = self.function_at(at).and_then(|of| self.function(of));
                let (module, block) =
                    function.map_or((ModId::default(), None), |f| (f.module, f.block));
                match (self.ty_ref(at.file, module, block, ty), value) {
                    (Ty::Unknown, Some(value)) => self.ty(*value),
                    (known, _) => known,
                }
            }
            Binding::Part { value, head, .. }
                if matches!(head.as_str(), "Some" | "Ok" | "State" | "Extension" | "Data") =>
            {
                self.ty(*value)
            }
            Binding::Part { of, .. } => self.ty_taken(at, of),
            Binding::Param { function, at } => self.ty_param(*function, *at),
            Binding::ClosureParam | Binding::Element => Ty::Unknown,
        }
    }

    fn ty_call(&self, at: At, callee: At, args: &[crate::facts::NodeId]) -> Ty {
        let Kind::Path(path) = self.kind(callee) else { return Ty::Unknown };
        let last = path.last().map_or("", Name::as_str);
        let holder = path.len().checked_sub(2).and_then(|at| path.get(at)).map_or("", Name::as_str);
        let wraps = matches!(last, "Ok" | "Some")
            || (WRAPPERS.contains(&holder)
                && matches!(last, "new" | "from" | "pin" | "clone" | "with_value"));
        if let (true, Some(arg)) = (wraps, args.first()) {
            return self.ty(at.with(*arg));
        }
        match self.resolve_at(at, path) {
            Some(Found::Local(Def::Fn(file, id))) => self.ty_output(FnRef { file, id }),
            Some(
                Found::Local(def @ Def::Struct(..))
                | Found::Member(def @ (Def::Struct(..) | Def::Enum(..)), _),
            ) => Ty::Local(def),
            Some(Found::External(path)) => self.ty_external(at.file, &path),
            _ => Ty::Unknown,
        }
    }

    /// What an external function returns: what is known, else for `Type::constructor` the type itself.
    fn ty_external(&self, file: FileId, path: &[Name]) -> Ty {
        let Some((last, holder)) = path.split_last() else { return Ty::Unknown };
        let lib = path.first().cloned().unwrap_or_default();
        if let Some(returns) = self.fact(file, path).and_then(|fact| fact.returns.as_ref()) {
            return Ty::External(std::iter::once(lib).chain(returns.iter().cloned()).collect());
        }
        let on_type =
            holder.last().is_some_and(|of| of.chars().next().is_some_and(char::is_uppercase));
        let constructs = matches!(
            last.as_str(),
            "new"
                | "default"
                | "try_new"
                | "builder"
                | "from_env"
                | "open"
                | "connect"
                | "load"
                | "create"
                | "init"
        ) || last.starts_with("with_")
            || last.starts_with("from_")
            || last.starts_with("new_");
        if on_type && constructs { Ty::External(holder.to_vec()) } else { Ty::Unknown }
    }

    fn ty_method(&self, at: At, receiver: At, name: &Name) -> Ty {
        let of = self.ty(receiver);
        match &of {
            Ty::Local(def) => {
                if let Some(method) = self.methods_of(*def, name).first() {
                    return match self.ty_output(*method) {
                        Ty::Unknown if TRANSPARENT.contains(&name.as_str()) => of,
                        known => known,
                    };
                }
            }
            Ty::External(path) => {
                let full: Vec<Name> = path.iter().chain([name]).cloned().collect();
                if let Some(fact) = self.fact(at.file, &full) {
                    let lib = path.first().cloned().unwrap_or_default();
                    return match &fact.returns {
                        Some(returns) => Ty::External(
                            std::iter::once(lib).chain(returns.iter().cloned()).collect(),
                        ),
                        None => of,
                    };
                }
                let builds = path.last().is_some_and(|last| {
                    last.ends_with("Builder") || last.ends_with("Args") || last.ends_with("Config")
                });
                if builds || (name.starts_with("with_") && self.calls_models(path)) {
                    return of;
                }
            }
            Ty::Unknown => return self.ty_told(at.file, name),
        }
        if TRANSPARENT.contains(&name.as_str()) { of } else { Ty::Unknown }
    }

    /// Whether a path leads into a library that calls models: those build with `with_…`.
    fn calls_models(&self, path: &[Name]) -> bool {
        let known = path.first().and_then(|lib| self.knowledge.lib(lib));
        known.is_some_and(|known| known.kind == CrateKind::ModelClient)
    }

    fn ty_field(&self, base: At, name: &str) -> Ty {
        match self.ty(base) {
            Ty::Local(def) => self.ty_field_of(def, name),
            Ty::External(_) | Ty::Unknown => Ty::Unknown,
        }
    }

    /// The type of a struct's field.
    pub(super) fn ty_field_of(&self, def: Def, name: &str) -> Ty {
        let Def::Struct(file, at) = def else { return Ty::Unknown };
        let Some(of) = self.file(file).structs.get(at) else { return Ty::Unknown };
        match of.fields.iter().find(|field| field.name == name) {
            Some(field) => self.ty_ref(file, of.module, None, &field.ty),
            None => Ty::Unknown,
        }
    }

    /// Guards a recursion through definitions that may refer to each other.
    pub(crate) fn enter(&self) -> Option<Depth<'_>> {
        const LIMIT: u32 = 60;
        let depth = self.depth.get();
        if depth >= LIMIT {
            return None;
        }
        self.depth.set(depth + 1);
        Some(Depth(&self.depth))
    }
}

/// One level of recursion; leaving it is dropping it.
pub(crate) struct Depth<'a>(&'a std::cell::Cell<u32>);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
