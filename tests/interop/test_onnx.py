"""An exported network gives in onnxruntime what it gives here: `make interop` runs this."""

from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest

import backpass as bp
from backpass.nn.layers import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)


def answers(path, samples):
    """What onnxruntime makes of samples in rows."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"X": samples})
    return found


@pytest.mark.parametrize(
    ("bias", "convention"), list(product(("separate", "augmented", None), ("rows", "columns")))
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_agree(tmp_path, activation, bias, convention):
    for last in ("linear", activation):
        net = bp.Network(
            [bp.Dense(6, activation), bp.Dropout(0.2), bp.Dense(3, last)], inputs=4, loss="mse",
            bias=bias, convention=convention, seed=2,
        )  # fmt: skip
        net.weights = {name: one + np.float32(0.1) for name, one in net.weights.items()}
        net.export(tmp_path / "net.onnx")
        outputs = net.predict(X) if convention == "rows" else net.predict(X.T).T
        for samples, wanted in ((X, outputs), (X[:1], outputs[:1])):
            np.testing.assert_allclose(
                answers(tmp_path / "net.onnx", samples), wanted, rtol=1e-5, atol=1e-5
            )


def test_the_file_is_of_an_opset_that_every_runtime_reads(tmp_path):
    net = bp.Network([bp.Dense(3)], inputs=4, dtype="float64")
    net.export(tmp_path / "net.onnx")
    found = onnx.load(tmp_path / "net.onnx")
    assert (found.ir_version, found.opset_import[0].version) == (10, 21)
    assert [one.name for one in (*found.graph.input, *found.graph.output)] == ["X", "output"]
    np.testing.assert_allclose(
        answers(tmp_path / "net.onnx", X), net.predict(X.astype(float)), rtol=1e-5, atol=1e-5
    )
