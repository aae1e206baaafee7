"""A network as an ONNX model: opset 21 and IR 10, which every runtime of today reads."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass._version import __version__

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


def model(
    activations: Sequence[str], layers: Sequence[tuple[NDArray[Any], NDArray[Any] | None]]
) -> bytes:
    """The network from X, n×inputs, to its output, n×outputs, with samples as rows."""
    nodes: list[Any] = []
    tensors: list[Any] = []
    last = "X"
    for place, (activation, (W, b)) in enumerate(zip(activations, layers, strict=True), 1):
        Z = "output" if place == len(layers) and activation == "linear" else f"Z{place}"
        A = "output" if place == len(layers) else f"A{place}"
        read = [last, f"W{place}"]
        tensors.append(numpy_helper.from_array(W.astype(np.float32), f"W{place}"))
        if b is not None:
            tensors.append(numpy_helper.from_array(b.astype(np.float32), f"b{place}"))
            read.append(f"b{place}")
        nodes.append(helper.make_node("Gemm", read, [Z], transB=1))
        if activation == "linear":
            last = Z
        elif activation == "silu":
            nodes.append(helper.make_node("Sigmoid", [Z], [f"S{place}"]))
            nodes.append(helper.make_node("Mul", [Z, f"S{place}"], [A]))
            last = A
        else:
            kind, options = NODES[activation]
            nodes.append(helper.make_node(kind, [Z], [A], **options))
            last = A
    inputs, outputs = layers[0][0].shape[1], layers[-1][0].shape[0]
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
