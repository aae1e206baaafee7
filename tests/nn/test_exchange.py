"""Weights go to other houses and come back, laid out as those have them."""

import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

import backpass as bp
from backpass.language.errors import BackpassError, ShapeError

X = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
each_kind = pytest.mark.parametrize(
    ("bias", "convention"),
    [(bias, way) for bias in ("separate", "augmented", None) for way in ("rows", "columns")],
)


def network(**options):
    layers = [bp.Dense(5, "relu"), bp.Dense(3, "tanh"), bp.Dense(2)]
    net = bp.Network(layers, inputs=4, **options)
    net.weights = {name: one + np.float32(0.1) for name, one in net.weights.items()}
    return net


def by_hand(state, samples):
    """What a Sequential of PyTorch would give: x Wᵀ + b, layer by layer."""
    found = samples
    for place, act in ((0, lambda z: np.maximum(z, 0)), (2, np.tanh), (4, lambda z: z)):
        found = act(found @ state[f"{place}.weight"].T + state.get(f"{place}.bias", 0))
    return found


@each_kind
def test_pytorch_finds_each_weight_out_by_in_and_laid_out_in_rows(bias, convention):
    net = network(bias=bias, convention=convention)
    state = net.to_state_dict()
    assert [one.shape for name, one in state.items() if "weight" in name] == [
        (5, 4),
        (3, 5),
        (2, 3),
    ]
    assert ("0.bias" in state) == (bias is not None)
    assert all(one.flags.c_contiguous and one.flags.owndata for one in state.values())
    given = X if convention == "rows" else X.T
    outputs = net.predict(given)
    outputs = outputs if convention == "rows" else outputs.T
    np.testing.assert_allclose(by_hand(state, X), outputs, rtol=1e-5, atol=1e-6)


@each_kind
def test_a_state_dict_comes_back(bias, convention):
    net = network(bias=bias, convention=convention)
    again = bp.Network.from_state_dict(
        net.to_state_dict(["fc1", "fc2", "out"]), ["relu", "tanh", "linear"],
        bias=bias, convention=convention,
    )  # fmt: skip
    assert again.architecture == net.architecture
    assert again.weights.keys() == net.weights.keys()
    assert all((again.weights[name] == one).all() for name, one in net.weights.items())
    assert again.weights["W1"].flags.c_contiguous


def test_activations_may_be_one_for_all_hidden_layers_and_precision_is_kept():
    state = {name: one.astype(np.float64) for name, one in network().to_state_dict().items()}
    net = bp.Network.from_state_dict(state, "silu")
    assert [layer.activation for layer in net.architecture.layers] == ["silu", "silu", "linear"]
    assert net.dtype == "float64"
    assert bp.Network.from_state_dict(state, "silu", dtype="float32").dtype == "float32"


def test_a_network_from_elsewhere_is_trained_on():
    net = bp.Network.from_state_dict(network().to_state_dict(), "relu", optimizer=bp.SGD(0.1))
    loss = net.fit(X, np.arange(7) % 2, epochs=30, progress=False).loss
    assert loss[-1] < loss[0]


@each_kind
def test_arrays_of_numpy_are_in_by_out_and_come_back(tmp_path, bias, convention):
    net = network(bias=bias, convention=convention)
    net.export(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as file:
        assert file["W1"].shape == (4, 5)
        again = bp.Network.from_state_dict(file, "relu", convention=convention, bias=bias)
    assert all((again.weights[name] == one).all() for name, one in net.weights.items())


def test_safetensors_for_pytorch_hold_the_state_dict(tmp_path):
    net = network()
    net.export(tmp_path / "net.safetensors")
    found = load_file(tmp_path / "net.safetensors")
    assert found.keys() == net.to_state_dict().keys()
    assert all((found[name] == one).all() for name, one in net.to_state_dict().items())


W, B = np.zeros((3, 4)), np.zeros(3)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "there is nothing in it that is no weight or bias of a Linear"),
        ({"0.weight": W, "1.running_mean": B}, "1.running_mean is no weight or bias of a Linear"),
        ({"0.weight": np.zeros((3, 4, 2, 2))}, "the weight of 0 is 3×4×2×2"),
        ({"0.weight": W, "0.bias": np.zeros(4)}, "a bias for each of its outputs"),
        ({"0.weight": W, "0.bias": B, "2.weight": W.T}, "some layers have a bias and some have"),
        ({"0.weight": W, "2.weight": W}, "layer 2 is 3 → 3, and its weight is 3×4"),
        ({"W1": W.T, "W2": W.T}, "layer 2 is 3 → 3, and its weight is 3×4"),
        ({"b1": B}, "the weight of W1 is missing"),
        ({"0.weight": W.astype(complex)}, "0.weight holds complex128"),
    ],
    ids=range(9),
)
def test_what_is_no_state_dict_of_linear_layers_is_refused(state, said):
    with pytest.raises(BackpassError) as caught:
        bp.Network.from_state_dict(state, "relu")
    assert said in str(caught.value)


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch):
    net = network()
    with pytest.raises(BackpassError, match=r"net\.h5 does not say in which form; let it end in"):
        net.export(tmp_path / "net.h5")
    with pytest.raises(BackpassError, match=r"names=\['a'\] are not one for each of the 3 layers"):
        net.to_state_dict(["a"])
    for module, ending in (("torch", "pt"), ("onnx", "onnx")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(BackpassError, match=f"an? .{ending} file .* not installed; "):
            net.export(tmp_path / f"net.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_activations_are_one_for_each_layer():
    state = network().to_state_dict()
    with pytest.raises(BackpassError, match="2 activations for 3 layers"):
        bp.Network.from_state_dict(state, ["relu", "tanh"])
    with pytest.raises(ShapeError):
        bp.Network.from_state_dict({"0.weight": B}, "relu")


def test_a_dropout_is_left_out_and_a_batch_norm_refused():
    kept = bp.Network([bp.Dense(5, "relu"), bp.Dropout(0.5), bp.Dense(2)], inputs=4)
    assert list(kept.to_state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    normed = bp.Network([bp.Dense(5), bp.BatchNorm("relu"), bp.Dense(2)], inputs=4)
    with pytest.raises(BackpassError, match="the network has a batch norm, and only weights"):
        normed.to_state_dict()
