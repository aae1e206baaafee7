"""An exported network gives in onnxruntime what it gives here: `make interop` runs this."""

from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

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


@pytest.mark.parametrize("convention", ["rows", "columns"])
@pytest.mark.parametrize("bias", ["separate", "augmented", None])
def test_a_batch_norm_gives_what_it_gives_here_and_in_pytorch(tmp_path, bias, convention):
    layers = [bp.Dense(6), bp.BatchNorm("relu"), bp.Dense(5), bp.BatchNorm("silu"), bp.Dense(3)]
    net = bp.Network(
        layers, inputs=4, bias=bias, convention=convention, optimizer=bp.Adam(0.05), seed=2
    )
    given = X if convention == "rows" else X.T
    net.fit(given, np.arange(7) % 3, epochs=20, progress=False)
    net.export(tmp_path / "net.onnx")
    outputs = net.predict(given) if convention == "rows" else net.predict(given).T
    np.testing.assert_allclose(answers(tmp_path / "net.onnx", X), outputs, rtol=1e-5, atol=1e-5)
    affine = {"bias": bias is not None}
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 6, **affine), torch.nn.BatchNorm1d(6), torch.nn.ReLU(),
        torch.nn.Linear(6, 5, **affine), torch.nn.BatchNorm1d(5), torch.nn.SiLU(),
        torch.nn.Linear(5, 3, **affine),
    )  # fmt: skip
    net.export(tmp_path / "net.pt")
    model.load_state_dict(torch.load(tmp_path / "net.pt"))
    theirs = model.eval()(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(theirs, outputs, rtol=1e-5, atol=1e-5)
    again = bp.Network.from_state_dict(
        model.state_dict(), ["relu", "silu", "linear"], bias=bias, convention=convention
    )
    np.testing.assert_array_equal(again.predict(given), net.predict(given))


def test_the_file_is_of_an_opset_that_every_runtime_reads(tmp_path):
    net = bp.Network([bp.Dense(3)], inputs=4, dtype="float64")
    net.export(tmp_path / "net.onnx")
    found = onnx.load(tmp_path / "net.onnx")
    assert (found.ir_version, found.opset_import[0].version) == (10, 21)
    assert [one.name for one in (*found.graph.input, *found.graph.output)] == ["X", "output"]
    np.testing.assert_allclose(
        answers(tmp_path / "net.onnx", X), net.predict(X.astype(float)), rtol=1e-5, atol=1e-5
    )
