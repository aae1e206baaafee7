"""A network as an ONNX model: opset 21 and IR 10, which every runtime of today reads."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass._version import __version__
from backpass.nn.architecture import Architecture
from backpass.nn.laid_out import Linear

# by name, as onnx is an extra: whoever checks the types need not have it
checker, helper, numpy_helper = (
    import_module(f"onnx.{one}") for one in ("checker", "helper", "numpy_helper")
)
FLOAT: int = import_module("onnx").TensorProto.FLOAT

OPSET, IR = 21, 10
NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
    "softplus": ("Softplus", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "sin": ("Sin", {}),
    "softmax": ("Softmax", {"axis": -1}),
    "log_softmax": ("LogSoftmax", {"axis": -1}),
}


def model(plan: Architecture, layers: Sequence[Linear]) -> bytes:
    """The network from X, n×inputs, to its output, n×outputs, with samples as rows."""
    nodes: list[Any] = []
    tensors: list[Any] = []
    last = "X"

    def node(kind: str, read: list[str], gives: str, **options: Any) -> str:
        nodes.append(helper.make_node(kind, read, [gives], **options))
        return gives

    def tensor(name: str, values: NDArray[Any]) -> str:
        tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for place, (dense, layer) in enumerate(zip(plan.dense, layers, strict=True), 1):
        norm = plan.norms.get(place)
        activation = dense.activation if norm is None else norm.activation
        Z = "output" if place == len(layers) and activation == "linear" else f"Z{place}"
        A = "output" if place == len(layers) else f"A{place}"
        read = [last, tensor(f"W{place}", layer.W)]
        if layer.b is not None:
            read.append(tensor(f"b{place}", layer.b))
        last = node("Gemm", read, Z, transB=1)
        if norm is not None:
            names = ("scale", "shift", "mean", "var")
            kept = [
                tensor(f"{name}{place}", one) for name, one in zip(names, layer.norm, strict=True)
            ]
            last = node("BatchNormalization", [last, *kept], f"H{place}", epsilon=norm.eps)
        if activation == "silu":
            last = node("Mul", [last, node("Sigmoid", [last], f"S{place}")], A)
        elif activation != "linear":
            kind, options = NODES[activation]
            last = node(kind, [last], A, **options)
    inputs, outputs = plan.inputs, plan.outputs
    graph = helper.make_graph(
        nodes,
        "backpass",
        [helper.make_tensor_value_info("X", FLOAT, ["n", inputs])],
        [helper.make_tensor_value_info("output", FLOAT, ["n", outputs])],
        tensors,
    )
    found = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="backpass",
        producer_version=__version__,
    )
    checker.check_model(found, full_check=True)
    return found.SerializeToString()
