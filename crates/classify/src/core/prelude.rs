//! What is used of tract throughout.

pub(super) use tract_core::internal::{
    Arc, AxesMapping, Datum, DatumType, DatumTypeExt, IntoArcTensor, IntoRunnable, IntoTValue,
    IntoTensor, OutletId, ShapeFact, SpecialOps, TValue, TVec, Tensor, ToDim, TractErrorContext,
    TractResult, TypedModel, TypedOp, TypedSimplePlan, bail, ensure, tensor0, tensor1, tvec,
};
