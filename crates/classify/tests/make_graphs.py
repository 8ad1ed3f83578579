"""Writes graphs.jsonl: small graphs for every supported operator, with onnxruntime's answers.

    pip install numpy onnx onnxruntime && python make_graphs.py > graphs.jsonl

One object a line: `name`, `onnx` (base64), `ids` (one window) and `logits` (one row). Seeded; run it again when an
operator is added.
"""

import base64
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
RANDOM = np.random.default_rng(7)
IDS = [5, 1, 9, 2, 7, 3, 8, 6]


class Graph:
    """A graph from `ids` [1, 8] to `logits` [1, columns]; `x` holds the ids as small f32, [1, 8]."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.count = 0
        self.x = self.op("Mul", self.op("Sub", self.op("Cast", "ids", to=TensorProto.FLOAT), self.const(4.5)), self.const(0.3))

    def const(self, value, kind=np.float32) -> str:
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const(values, np.int64)

    def weights(self, *shape: int) -> str:
        return self.const(RANDOM.normal(size=shape) * 0.5)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes):
        names = [f"n{self.count + at}" for at in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def shaped(self, *shape: int) -> str:
        return self.op("Reshape", self.x, self.ints(*shape))

    def finish(self, result: str) -> onnx.ModelProto:
        flat = self.op("Reshape", self.op("Cast", result, to=TensorProto.FLOAT), self.ints(1, -1))
        self.nodes.append(helper.make_node("Identity", [flat], ["logits"]))
        graph = helper.make_graph(
            self.nodes,
            "test",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "T"])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "columns"])],
            self.tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 9
        return model


def elementwise() -> dict:
    """Operators of one or two tensors, number by number."""
    unary = ["Abs", "Cos", "Erf", "Exp", "Neg", "Relu", "Sigmoid", "Sin", "Softplus", "Tanh", "LeakyRelu", "Reciprocal", "Gelu", "Dropout"]
    cases = {kind: (lambda g, kind=kind: g.op(kind, g.x)) for kind in unary}
    cases |= {kind: (lambda g, kind=kind: g.op(kind, g.op("Abs", g.x))) for kind in ["Sqrt", "Log"]}
    binary = ["Add", "Sub", "Mul", "Div", "Max", "Min"]
    cases |= {kind: (lambda g, kind=kind: g.op(kind, g.shaped(2, 1, 4), g.weights(3, 1))) for kind in binary}
    compared = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]
    cases |= {kind: (lambda g, kind=kind: g.op(kind, "ids", g.ints(5))) for kind in compared}
    cases["Gelu tanh"] = lambda g: g.op("Gelu", g.x, approximate="tanh")
    cases["Pow"] = lambda g: g.op("Pow", g.op("Abs", g.x), g.const(2.5))
    cases["Pow of an integer"] = lambda g: g.op("Pow", g.x, g.const(2, np.int64))
    cases["Clip"] = lambda g: g.op("Clip", g.x, g.const(-0.5), g.const(0.7))
    cases["Clip above only"] = lambda g: g.op("Clip", g.x, "", g.const(0.7))
    cases["And Or Not"] = lambda g: g.op(
        "Or",
        g.op("And", g.op("Greater", "ids", g.ints(2)), g.op("Less", "ids", g.ints(6))),
        g.op("Not", g.op("Less", "ids", g.ints(9))),
    )
    cases["Where"] = lambda g: g.op("Where", g.op("Greater", "ids", g.ints(5)), g.x, g.const(-9.0))
    cases["Max of three"] = lambda g: g.op("Max", g.x, g.const(-0.2), g.weights(8))
    return cases


def moved() -> dict:
    """Operators that move numbers."""
    return {
        "Constant": lambda g: g.op("Add", g.x, g.op("Constant", value_floats=[float(i) for i in range(8)])),
        "ConstantOfShape": lambda g: g.op(
            "Add", g.x, g.op("ConstantOfShape", g.op("Shape", "ids"), value=helper.make_tensor("v", TensorProto.FLOAT, [1], [2.5]))
        ),
        "Concat": lambda g: g.op("Concat", g.shaped(2, 4), g.weights(2, 3), axis=-1),
        "Expand": lambda g: g.op("Expand", g.shaped(8, 1), g.ints(2, 1, 3)),
        "Flatten": lambda g: g.op("MatMul", g.op("Flatten", g.shaped(2, 2, 2), axis=2), g.weights(2, 3)),
        "Gather": lambda g: g.op("Gather", g.weights(10, 4), "ids"),
        "Gather on an inner axis": lambda g: g.op("Gather", g.shaped(2, 4), g.ints(3, 0), axis=1),
        "Gather counted from the end": lambda g: g.op("Gather", g.x, g.ints(-1, -3), axis=1),
        "Range": lambda g: g.op("Add", g.x, g.op("Cast", g.op("Range", g.const(1, np.int64), g.const(9, np.int64), g.const(1, np.int64)), to=1)),
        "Reshape with 0 and -1": lambda g: g.op("MatMul", g.op("Reshape", g.shaped(2, 2, 2), g.ints(0, -1)), g.weights(4, 2)),
        "Shape arithmetic": lambda g: g.op(
            "Reshape",
            g.op("Mul", g.x, g.op("Cast", g.op("Gather", g.op("Shape", g.x), g.const(1, np.int64)), to=1)),
            g.op("Concat", g.op("Div", g.op("Slice", g.op("Shape", g.x), g.ints(1), g.ints(2)), g.ints(2)), g.ints(2), axis=0),
        ),
        "Slice": lambda g: g.op("Slice", g.shaped(2, 4), g.ints(0, -3), g.ints(1, 9223372036854775807), g.ints(0, 1)),
        "Split": lambda g: g.op("Sub", *g.op("Split", g.shaped(2, 4), outputs=2, axis=1, num_outputs=2)),
        "Split by sizes": lambda g: g.op("Split", g.x, g.ints(3, 5), outputs=2, axis=1)[1],
        "Squeeze": lambda g: g.op("MatMul", g.op("Squeeze", g.shaped(2, 1, 4), g.ints(1)), g.weights(4, 2)),
        "Squeeze of all ones": lambda g: g.op("Add", g.op("Squeeze", g.shaped(1, 8, 1)), g.weights(8)),
        "Transpose": lambda g: g.op("Transpose", g.shaped(2, 4), perm=[1, 0]),
        "Transpose of three": lambda g: g.op("Transpose", g.shaped(2, 2, 2), perm=[2, 0, 1]),
        "Unsqueeze": lambda g: g.op("Add", g.op("Unsqueeze", g.shaped(2, 4), g.ints(0, -1)), g.weights(2, 1, 1, 3)),
    }


def reduced() -> dict:
    """Operators that make one number of many, and normalisations."""
    kinds = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"]
    cases = {kind: (lambda g, kind=kind: g.op(kind, g.shaped(2, 4), g.ints(-1), keepdims=0)) for kind in kinds}
    cases["ReduceSum of all"] = lambda g: g.op("ReduceSum", g.shaped(2, 4))
    cases["Softmax"] = lambda g: g.op("Softmax", g.shaped(2, 4), axis=0)
    cases["LogSoftmax"] = lambda g: g.op("LogSoftmax", g.shaped(2, 4))
    cases["GlobalMaxPool"] = lambda g: g.op("GlobalMaxPool", g.shaped(1, 2, 4))
    cases["GlobalAveragePool"] = lambda g: g.op("GlobalAveragePool", g.shaped(1, 2, 4))
    cases["LayerNormalization"] = lambda g: g.op("LayerNormalization", g.shaped(2, 4), g.weights(4), g.weights(4), axis=-1, epsilon=1e-3)
    cases["BatchNormalization"] = lambda g: g.op(
        "BatchNormalization", g.shaped(1, 2, 4), g.weights(2), g.weights(2), g.weights(2), g.op("Abs", g.weights(2))
    )
    return cases


def multiplied() -> dict:
    """Products, convolutions and weights in one byte."""
    table = RANDOM.integers(-127, 128, size=(10, 4))
    return {
        "MatMul": lambda g: g.op("MatMul", g.shaped(2, 1, 4), g.weights(4, 3)),
        "MatMul of two texts": lambda g: g.op("MatMul", g.shaped(2, 4), g.op("Transpose", g.shaped(2, 4), perm=[1, 0])),
        "Gemm": lambda g: g.op("Gemm", g.shaped(4, 2), g.weights(3, 4), g.weights(3), transA=1, transB=1, alpha=0.5, beta=2.0),
        "Conv": lambda g: g.op("Conv", g.shaped(1, 2, 4), g.weights(3, 2, 3), g.weights(3), pads=[1, 1]),
        "Conv without bias": lambda g: g.op("Conv", g.shaped(1, 2, 4), g.weights(3, 2, 2), dilations=[2], strides=[1]),
        "Conv in groups": lambda g: g.op("Conv", g.shaped(1, 4, 2), g.weights(4, 1, 3), g.weights(4), group=4, auto_pad="SAME_UPPER"),
        "DequantizeLinear": lambda g: g.op(
            "Gather", g.op("DequantizeLinear", g.const(table, np.int8), g.const(0.02), g.const(3, np.int8)), "ids"
        ),
        "DequantizeLinear by column": lambda g: g.op(
            "MatMul",
            g.shaped(2, 1, 4),
            g.op("DequantizeLinear", g.const(table[:4], np.int8), g.const([0.01, 0.02, 0.03, 0.04]), axis=1),
        ),
        "DequantizeLinear after Gather": lambda g: g.op(
            "DequantizeLinear", g.op("Gather", g.const(table, np.int8), "ids"), g.const(0.02)
        ),
    }


def attention(g: Graph, x: str, width: int, heads: int, masked: str) -> str:
    """Self-attention over `x` [1, T, width], masked by an additive `masked` [1, 1, 1, T]."""
    size = width // heads

    def split(order: list[int]) -> str:
        y = g.op("Add", g.op("MatMul", x, g.weights(width, width)), g.weights(width))
        return g.op("Transpose", g.op("Reshape", y, g.ints(0, -1, heads, size)), perm=order)

    q, k, v = split([0, 2, 1, 3]), split([0, 2, 3, 1]), split([0, 2, 1, 3])
    scores = g.op("Add", g.op("Div", g.op("MatMul", q, k), g.const(size**0.5)), masked)
    mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return g.op("MatMul", g.op("Reshape", mixed, g.ints(0, -1, width)), g.weights(width, width))


def transformer(g: Graph) -> str:
    """Two layers, two heads, positions, padding masked: the shape of small encoders."""
    width = 8
    real = g.op("Cast", g.op("Greater", "ids", g.ints(0)), to=TensorProto.FLOAT)
    masked = g.op("Mul", g.op("Unsqueeze", g.op("Sub", g.const(1.0), real), g.ints(1, 2)), g.const(-1e4))
    x = g.op("Add", g.op("Gather", g.weights(12, width), "ids"), g.weights(1, 8, width))
    for _ in range(2):
        normal = g.op("LayerNormalization", x, g.weights(width), g.weights(width), axis=-1)
        x = g.op("Add", x, attention(g, normal, width, 2, masked))
        normal = g.op("LayerNormalization", x, g.weights(width), g.weights(width), axis=-1)
        inner = g.op("Gelu", g.op("Add", g.op("MatMul", normal, g.weights(width, 16)), g.weights(16)))
        x = g.op("Add", x, g.op("MatMul", inner, g.weights(16, width)))
    weight = g.op("Unsqueeze", real, g.ints(-1))
    total = g.op("ReduceSum", g.op("Mul", x, weight), g.ints(1), keepdims=0)
    mean = g.op("Div", total, g.op("ReduceSum", weight, g.ints(1), keepdims=0))
    return g.op("Gemm", mean, g.weights(2, width), g.weights(2), transB=1)


def convolutions(g: Graph) -> str:
    """Embedding in one byte, two widths of convolution, the highest over the text: a text CNN."""
    table = g.const(RANDOM.integers(-127, 128, size=(12, 8)), np.int8)
    x = g.op("Gather", g.op("DequantizeLinear", table, g.const(0.01)), "ids")
    x = g.op("Transpose", x, perm=[0, 2, 1])
    highest = []
    for size in (3, 5):
        y = g.op("Relu", g.op("Conv", x, g.weights(6, 8, size), g.weights(6), pads=[size // 2] * 2))
        highest.append(g.op("ReduceMax", y, g.ints(2), keepdims=0))
    return g.op("Gemm", g.op("Concat", *highest, axis=1), g.weights(2, 12), g.weights(2), transB=1)


def main() -> None:
    """Prints every case."""
    cases = elementwise() | moved() | reduced() | multiplied()
    cases |= {"a transformer": transformer, "a text CNN": convolutions}
    # Its optimiser turns weights in one byte into products in one byte, which is another graph.
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    for name, build in cases.items():
        graph = Graph()
        model = graph.finish(build(graph))
        onnx.checker.check_model(model)
        session = onnxruntime.InferenceSession(model.SerializeToString(), plain, providers=["CPUExecutionProvider"])
        logits = session.run(["logits"], {"ids": np.array([IDS], dtype=np.int64)})[0]
        encoded = base64.b64encode(model.SerializeToString()).decode()
        print(json.dumps({"name": name, "onnx": encoded, "ids": IDS, "logits": [float(f"{x:.7g}") for x in logits[0]]}))


if __name__ == "__main__":
    main()
