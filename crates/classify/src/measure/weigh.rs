//! A graph with known shapes, counted node by node.

use tract_core::{
    internal::{SymbolValues, TractResult, TypedModel},
    ops::Cost,
};

use super::wide;

/// What a graph takes for one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weighed {
    /// Numbers in constants.
    pub(super) parameters: u64,
    /// Bytes of constants.
    pub(super) weights: u64,
    /// Bytes between the layers at the worst moment.
    pub(super) between: u64,
    /// Multiply-adds.
    pub(super) macs: u64,
}

/// Counts `model`; dimensions that are still open count as `window`.
pub(super) fn weigh(model: &TypedModel, window: usize) -> TractResult<Weighed> {
    let mut open = SymbolValues::default();
    for symbol in model.symbols.all_symbols() {
        open.set(&symbol, i64::try_from(window).unwrap_or(i64::MAX));
    }
    let count = |dim: &tract_core::internal::TDim| dim.eval_to_i64(&open);
    let mut weighed = Weighed::default();
    for node in model.nodes() {
        for fact in node.outputs.iter().filter_map(|output| output.fact.konst.as_ref()) {
            weighed.parameters += wide(fact.len());
            weighed.weights += wide(fact.len() * fact.datum_type().size_of());
        }
        let facts = model.node_input_facts(node.id)?;
        for (cost, amount) in node.op.cost(&facts)? {
            if let Cost::FMA(_) = cost {
                let amount = u64::try_from(count(&amount)?).unwrap_or_default();
                weighed.macs = weighed.macs.saturating_add(amount);
            }
        }
    }
    let order = model.eval_order()?;
    let is_computed = |node: &tract_core::internal::TypedNode| {
        node.outputs.iter().all(|output| output.fact.konst.is_none())
    };
    for (_, bytes) in model.eval_tmp_memory_usage(&order, is_computed)? {
        weighed.between = weighed.between.max(u64::try_from(count(&bytes)?).unwrap_or_default());
    }
    Ok(weighed)
}
