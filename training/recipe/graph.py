"""The core as an ONNX graph with weight-only int8, and its check against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .core import CoreShape, Params

_OPSET = 17


class _Builder:
    """Collects nodes and constants of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, name: str, value: np.ndarray) -> str:
        """A weight as int8 and one scale, made f32 again in the graph."""
        codes, scale = quantised(value)
        return self.node("DequantizeLinear", [self.constant(f"{name}_q", codes), self.constant(f"{name}_s", scale)], name)


def quantised(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes and the scale of a weight."""
    scale = np.float32(max(float(np.abs(value).max()), 1e-9) / 127)
    return np.clip(np.rint(value / scale), -127, 127).astype(np.int8), scale


def rounded(params: Params) -> dict[str, np.ndarray]:
    """The parameters as the graph will have them."""
    found = {}
    for name, value in params.items():
        array = np.asarray(value, dtype=np.float32)
        if array.ndim >= 2:
            codes, scale = quantised(array)
            array = codes.astype(np.float32) * scale
        found[name] = array
    return found


def graph(params: Params, shape: CoreShape) -> bytes:
    """The network, ids i64 `[1, T, views]` in, logits f32 `[1, 1]` out; padding is masked."""
    p = {name: np.asarray(value, dtype=np.float32) for name, value in params.items()}
    b = _Builder()
    table = b.weight("embedding", p["embedding"])
    axis1, axis2 = b.constant("axis1", np.array([1])), b.constant("axis2", np.array([2]))
    zero, one = b.constant("zero", np.array([0])), b.constant("one", np.array([1]))
    first = b.node("Slice", ["ids", zero, one, axis2], "first_view")
    real = b.node("Cast", [b.node("Greater", [first, b.constant("pad", np.array([0]))], "real")], "mask", to=TensorProto.FLOAT)
    x = b.node("ReduceSum", [b.node("Gather", [table, "ids"], "views"), axis2], "summed", keepdims=0)
    source = b.node("Slice", [x, zero, one, axis1], "source")
    x = b.node("Mul", [b.node("Add", [x, source], "sourced"), real], "tokens")
    channels_mask = b.node("Transpose", [real], "mask_t", perm=[0, 2, 1])
    x = b.node("Transpose", [x], "tokens_t", perm=[0, 2, 1])
    for layer, dilation in ((1, 1), (2, 2)):
        kernel = b.weight(f"conv{layer}", np.ascontiguousarray(p[f"conv{layer}"].transpose(2, 1, 0)))
        y = b.node("Conv", [x, kernel, b.constant(f"bias{layer}", p[f"bias{layer}"])], f"c{layer}",
                   kernel_shape=[3], pads=[dilation, dilation], dilations=[dilation], strides=[1])
        y = b.node("Mul", [b.node("Relu", [y], f"r{layer}"), channels_mask], f"m{layer}")
        x = y if layer == 1 else b.node("Add", [x, y], "residual")
    x = b.node("Transpose", [x], "features", perm=[0, 2, 1])
    scores = b.node("MatMul", [x, b.weight("attend", p["attend"])], "scores")
    bounded = b.node("Clip", [scores, b.constant("low", np.float32(-20)), b.constant("high", np.float32(20))], "bounded")
    weight = b.node("Mul", [b.node("Exp", [bounded], "raw_weight"), real], "weight")
    weighted = b.node("ReduceSum", [b.node("Mul", [x, weight], "weighted"), axis1], "weighted_sum", keepdims=0)
    attended = b.node("Div", [weighted, b.node("ReduceSum", [weight, axis1], "weight_sum", keepdims=0)], "attended")
    mean = b.node("Div", [b.node("ReduceSum", [x, axis1], "sum", keepdims=0),
                          b.node("ReduceSum", [real, axis1], "count", keepdims=0)], "mean")
    most = b.node("ReduceMax", [x], "most", axes=[1], keepdims=0)
    pooled = b.node("Concat", [most, mean, attended], "pooled", axis=1)
    hidden = b.node("Gemm", [pooled, b.weight("dense", p["dense"]), b.constant("bias3", p["bias3"])], "hidden")
    b.node("Gemm", [b.node("Relu", [hidden], "active"), b.weight("out", p["out"]), b.constant("bias4", p["bias4"])], "logits")
    built = helper.make_graph(
        b.nodes, "core", [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "T", len(shape.views)])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1])], b.constants)
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="tollhouse")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def run(model: bytes, windows: list[np.ndarray]) -> np.ndarray:
    """onnxruntime's logits of padded windows `[T, views]`, one at a time.

    Unoptimised: its fusions round activations to int8, too (off by 2e-4), which neither training nor tract does.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.array([session.run(None, {"ids": window[None]})[0][0, 0] for window in windows])
