//! Blocks and statements.

use super::lower::Lower;
use super::pat::{annotation, pattern};
use crate::facts::{Kind, NodeId};
use crate::text::Span;
use syn::{Block, Local, Stmt};

impl Lower<'_> {
    pub(super) fn block_node(&mut self, block: &Block) -> NodeId {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        let mut tail = false;
        for stmt in &block.stmts {
            tail = false;
            match stmt {
                Stmt::Local(local) => stmts.push(self.local(local)),
                Stmt::Item(item) => self.item(item),
                Stmt::Expr(expr, semi) => {
                    tail = semi.is_none();
                    stmts.push(self.expr(expr));
                }
                Stmt::Macro(of) => {
                    tail = of.semi_token.is_none();
                    stmts.push(self.macro_node(&of.mac));
                }
            }
        }
        let braces = block.brace_token.span;
        let span = self.between(braces.open(), braces.close());
        self.push(Kind::Block { stmts: stmts.into(), tail }, span)
    }

    fn local(&mut self, local: &Local) -> NodeId {
        let init = local.init.as_ref().map(|init| self.expr(&init.expr));
        let otherwise = local
            .init
            .as_ref()
            .and_then(|init| init.diverge.as_ref())
            .map(|(_, expr)| self.expr(expr));
        let span = Span {
            start: self.range(local.let_token.span).start,
            end: self.range(local.semi_token.span).end,
        };
        let ty = annotation(&local.pat).map(Box::new);
        self.push(Kind::Let { pat: Box::new(pattern(&local.pat)), ty, init, otherwise }, span)
    }
}
