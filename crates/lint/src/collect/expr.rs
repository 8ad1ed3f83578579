//! Expressions to nodes. A span runs from the first token to the last, both taken from tokens at hand: asking syn for it
//! would print the whole subtree again.

use super::lower::{Lower, name};
use super::pat::pattern;
use crate::facts::{Arm, Kind, LoopKind, Name, NodeId, Pat};
use crate::text::Span;
use syn::{Expr, Lit, Member};

type Args = syn::punctuated::Punctuated<Expr, syn::Token![,]>;

impl Lower<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> NodeId {
        match expr {
            Expr::Path(of) => self.path_node(&of.path),
            Expr::Lit(of) => self.literal(&of.lit),
            Expr::Call(of) => self.call(of),
            Expr::MethodCall(of) => self.method(of),
            Expr::Field(of) => self.field(of),
            Expr::Struct(of) => self.struct_literal(of),
            Expr::Macro(of) => self.macro_node(&of.mac),
            Expr::Closure(of) => self.closure(of),
            Expr::Async(of) => {
                let start = self.range(of.async_token.span);
                let body = self.block_node(&of.block);
                self.after(start, body, Kind::Async(body))
            }
            Expr::Block(of) => self.block_node(&of.block),
            Expr::Unsafe(of) => self.block_node(&of.block),
            Expr::Const(of) => self.block_node(&of.block),
            Expr::TryBlock(of) => self.block_node(&of.block),
            Expr::Await(of) => {
                let base = self.expr(&of.base);
                let span =
                    Span { start: self.span(base).start, end: self.range(of.await_token.span).end };
                self.push(Kind::Await(base), span)
            }
            Expr::Try(of) => {
                let base = self.expr(&of.expr);
                let span = Span {
                    start: self.span(base).start,
                    end: self.range(of.question_token.span).end,
                };
                self.push(Kind::Try(base), span)
            }
            Expr::Paren(of) => self.expr(&of.expr),
            Expr::Group(of) => self.expr(&of.expr),
            Expr::Reference(of) => {
                let inner = self.expr(&of.expr);
                let start = self.range(of.and_token.span);
                self.after(start, inner, Kind::Wrap(inner))
            }
            Expr::RawAddr(of) => self.expr(&of.expr),
            Expr::Cast(of) => {
                let inner = self.expr(&of.expr);
                let span = self.span(inner);
                self.push(Kind::Wrap(inner), span)
            }
            Expr::Unary(of) => self.unary(of),
            _ => self.control(expr),
        }
    }

    fn control(&mut self, expr: &Expr) -> NodeId {
        match expr {
            Expr::Binary(of) => {
                let (left, right) = (self.expr(&of.left), self.expr(&of.right));
                let span = self.join(left, right);
                let op = operator(&of.op);
                if op.ends_with('=') && !matches!(op, "==" | "!=" | "<=" | ">=") {
                    return self.push(
                        Kind::Assign { target: left, value: right, op: Name::new_static(op) },
                        span,
                    );
                }
                self.push(Kind::Binary { op: Name::new_static(op), left, right }, span)
            }
            Expr::Assign(of) => {
                let (target, value) = (self.expr(&of.left), self.expr(&of.right));
                let span = self.join(target, value);
                self.push(Kind::Assign { target, value, op: Name::new_static("=") }, span)
            }
            Expr::If(of) => self.condition(of),
            Expr::Let(of) => {
                let value = self.expr(&of.expr);
                let start = self.range(of.let_token.span);
                self.after(start, value, Kind::LetCond { pat: Box::new(pattern(&of.pat)), value })
            }
            Expr::Match(of) => self.match_node(of),
            Expr::ForLoop(of) => {
                let head = self.expr(&of.expr);
                self.loop_node(
                    self.range(of.for_token.span),
                    LoopKind::For,
                    pattern(&of.pat),
                    Some(head),
                    &of.body,
                )
            }
            Expr::While(of) => {
                let head = self.expr(&of.cond);
                self.loop_node(
                    self.range(of.while_token.span),
                    LoopKind::While,
                    Pat::default(),
                    Some(head),
                    &of.body,
                )
            }
            Expr::Loop(of) => self.loop_node(
                self.range(of.loop_token.span),
                LoopKind::Forever,
                Pat::default(),
                None,
                &of.body,
            ),
            Expr::Index(of) => {
                let (base, at) = (self.expr(&of.expr), self.expr(&of.index));
                let span = Span {
                    start: self.span(base).start,
                    end: self.range(of.bracket_token.span.close()).end,
                };
                self.push(Kind::Index { base, at }, span)
            }
            Expr::Return(of) => {
                let start = self.range(of.return_token.span);
                let value = of.expr.as_ref().map(|value| self.expr(value));
                self.leave(start, value, Kind::Return(value))
            }
            Expr::Break(of) => {
                let start = self.range(of.break_token.span);
                let value = of.expr.as_ref().map(|value| self.expr(value));
                self.leave(start, value, Kind::Break(value))
            }
            Expr::Continue(of) => {
                let span = self.range(of.continue_token.span);
                self.push(Kind::Continue, span)
            }
            _ => self.list(expr),
        }
    }

    fn list(&mut self, expr: &Expr) -> NodeId {
        let (parts, span): (Vec<&Expr>, Span) = match expr {
            Expr::Tuple(of) => (
                of.elems.iter().collect(),
                self.between(of.paren_token.span.open(), of.paren_token.span.close()),
            ),
            Expr::Array(of) => (
                of.elems.iter().collect(),
                self.between(of.bracket_token.span.open(), of.bracket_token.span.close()),
            ),
            Expr::Repeat(of) => (
                vec![&*of.expr, &*of.len],
                self.between(of.bracket_token.span.open(), of.bracket_token.span.close()),
            ),
            Expr::Range(of) => {
                (of.start.iter().chain(&of.end).map(|end| &**end).collect(), Span::default())
            }
            Expr::Yield(of) => (of.expr.iter().map(|value| &**value).collect(), Span::default()),
            _ => (Vec::new(), Span::default()),
        };
        let parts: Box<[NodeId]> = parts.into_iter().map(|part| self.expr(part)).collect();
        let span = match (span == Span::default(), parts.first(), parts.last()) {
            (true, Some(first), Some(last)) => self.join(*first, *last),
            _ => span,
        };
        self.push(Kind::List(parts), span)
    }

    pub(super) fn join(&self, first: NodeId, last: NodeId) -> Span {
        Span { start: self.span(first).start, end: self.span(last).end }
    }

    fn after(&mut self, start: Span, inner: NodeId, kind: Kind) -> NodeId {
        let span = Span { start: start.start, end: self.span(inner).end.max(start.end) };
        self.push(kind, span)
    }

    fn leave(&mut self, start: Span, value: Option<NodeId>, kind: Kind) -> NodeId {
        let end = value.map_or(start.end, |value| self.span(value).end);
        self.push(kind, Span { start: start.start, end })
    }

    fn path_node(&mut self, path: &syn::Path) -> NodeId {
        let (names, span) = self.path(path);
        self.push(Kind::Path(names), span)
    }

    fn literal(&mut self, literal: &Lit) -> NodeId {
        let span = self.range(literal.span());
        let kind = match literal {
            Lit::Str(text) => Kind::Str(text.value().into()),
            Lit::Int(number) => Kind::Num(Name::new(number.base10_digits())),
            Lit::Float(number) => Kind::Num(Name::new(number.base10_digits())),
            Lit::Bool(value) => Kind::Bool(value.value),
            _ => Kind::Empty,
        };
        self.push(kind, span)
    }

    pub(super) fn exprs(&mut self, args: &Args) -> Box<[NodeId]> {
        args.iter().map(|arg| self.expr(arg)).collect()
    }

    fn call(&mut self, of: &syn::ExprCall) -> NodeId {
        let callee = self.expr(&of.func);
        let args = self.exprs(&of.args);
        let span = Span {
            start: self.span(callee).start,
            end: self.range(of.paren_token.span.close()).end,
        };
        self.push(Kind::Call { callee, args }, span)
    }

    fn method(&mut self, of: &syn::ExprMethodCall) -> NodeId {
        let receiver = self.expr(&of.receiver);
        let args = self.exprs(&of.args);
        let span = Span {
            start: self.span(receiver).start,
            end: self.range(of.paren_token.span.close()).end,
        };
        let at = self.start(of.method.span());
        self.push(Kind::Method { receiver, name: name(&of.method), args, at }, span)
    }

    fn field(&mut self, of: &syn::ExprField) -> NodeId {
        let base = self.expr(&of.base);
        let (member, end) = self.member(&of.member);
        let span = Span { start: self.span(base).start, end };
        self.push(Kind::Field { base, name: member }, span)
    }

    fn member(&self, member: &Member) -> (Name, u32) {
        match member {
            Member::Named(ident) => (name(ident), self.end(ident.span())),
            Member::Unnamed(index) => {
                (Name::new(index.index.to_string()), self.range(index.span).end)
            }
        }
    }

    fn struct_literal(&mut self, of: &syn::ExprStruct) -> NodeId {
        let (path, at) = self.path(&of.path);
        let mut fields = Vec::with_capacity(of.fields.len());
        for field in &of.fields {
            let (member, _) = self.member(&field.member);
            fields.push((member, self.expr(&field.expr)));
        }
        let rest = of.rest.as_ref().map(|rest| self.expr(rest));
        let span = Span { start: at.start, end: self.range(of.brace_token.span.close()).end };
        self.push(Kind::Struct { path, fields: fields.into(), rest }, span)
    }

    fn closure(&mut self, of: &syn::ExprClosure) -> NodeId {
        let params = of.inputs.iter().flat_map(|input| pattern(input).names.into_vec()).collect();
        let start = self.range(of.inputs_begin.span);
        let body = self.expr(&of.body);
        self.after(start, body, Kind::Closure { params, body, is_async: of.asyncness.is_some() })
    }

    fn unary(&mut self, of: &syn::ExprUnary) -> NodeId {
        let inner = self.expr(&of.expr);
        let (kind, token) = match &of.op {
            syn::UnOp::Not(token) => (Kind::List([inner].into()), token.span),
            syn::UnOp::Neg(token) => (Kind::List([inner].into()), token.span),
            syn::UnOp::Deref(token) => (Kind::Wrap(inner), token.span),
            _ => return inner,
        };
        let start = self.range(token);
        self.after(start, inner, kind)
    }

    fn condition(&mut self, of: &syn::ExprIf) -> NodeId {
        let start = self.range(of.if_token.span);
        let cond = self.expr(&of.cond);
        let then = self.block_node(&of.then_branch);
        let otherwise = of.else_branch.as_ref().map(|(_, branch)| self.expr(branch));
        let end = self.span(otherwise.unwrap_or(then)).end;
        self.push(Kind::If { cond, then, otherwise }, Span { start: start.start, end })
    }

    fn match_node(&mut self, of: &syn::ExprMatch) -> NodeId {
        let start = self.range(of.match_token.span);
        let value = self.expr(&of.expr);
        let mut arms = Vec::with_capacity(of.arms.len());
        for arm in &of.arms {
            let (pat, guard) = match &arm.pat {
                syn::Pat::Guard(guarded) => {
                    (pattern(&guarded.pat), Some(self.expr(&guarded.guard)))
                }
                plain => (pattern(plain), None),
            };
            let body = self.expr(&arm.body);
            arms.push(Arm { pat, guard, body });
        }
        let end = self.range(of.brace_token.span.close()).end;
        self.push(Kind::Match { value, arms: arms.into() }, Span { start: start.start, end })
    }

    fn loop_node(
        &mut self,
        start: Span,
        kind: LoopKind,
        pat: Pat,
        head: Option<NodeId>,
        body: &syn::Block,
    ) -> NodeId {
        let body = self.block_node(body);
        self.after(start, body, Kind::Loop { kind, pat: Box::new(pat), head, body })
    }
}

fn operator(op: &syn::BinOp) -> &'static str {
    use syn::BinOp as B;
    match op {
        B::Add(_) => "+",
        B::Sub(_) => "-",
        B::Mul(_) => "*",
        B::Div(_) => "/",
        B::Rem(_) => "%",
        B::And(_) => "&&",
        B::Or(_) => "||",
        B::BitXor(_) => "^",
        B::BitAnd(_) => "&",
        B::BitOr(_) => "|",
        B::Shl(_) => "<<",
        B::Shr(_) => ">>",
        B::Eq(_) => "==",
        B::Lt(_) => "<",
        B::Le(_) => "<=",
        B::Ne(_) => "!=",
        B::Ge(_) => ">=",
        B::Gt(_) => ">",
        B::AddAssign(_) => "+=",
        B::SubAssign(_) => "-=",
        B::MulAssign(_) => "*=",
        B::ShlAssign(_) => "<<=",
        _ => "?=",
    }
}
