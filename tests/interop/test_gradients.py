"""The gradients of emitted NumPy source are those of PyTorch."""

import numpy as np
import pytest
import torch

import backpass as bp

RANDOM = np.random.default_rng(0)
SHAPES = "X: n k, y: n int<m, W1: k j, b1: j, W2: j m, b2: m"
PROGRAMS = {
    "tanh, cross-entropy": (
        lambda X, y, W1, b1, W2, b2: bp.cross_entropy(np.tanh(X @ W1 + b1) @ W2 + b2, y),
        lambda X, y, W1, b1, W2, b2: torch.nn.functional.cross_entropy(
            torch.tanh(X @ W1 + b1) @ W2 + b2, y
        ),
        SHAPES,
    ),
    "relu, softmax by hand": (
        lambda X, y, W1, b1, W2, b2: (
            -np.mean(np.log(bp.softmax(bp.relu(X @ W1 + b1) @ W2 + b2)[np.arange(len(y)), y]))
        ),
        lambda X, y, W1, b1, W2, b2: torch.nn.functional.nll_loss(
            torch.log_softmax(torch.relu(X @ W1 + b1) @ W2 + b2, 1), y
        ),
        SHAPES,
    ),
    "sigmoid, squares": (
        lambda X, Y, W1, b1: 0.5 * np.sum((bp.sigmoid(X @ W1 + b1) - Y) ** 2),
        lambda X, Y, W1, b1: 0.5 * torch.sum((torch.sigmoid(X @ W1 + b1) - Y) ** 2),
        "X: n k, Y: n j, W1: k j, b1: j",
    ),
    "attention": (
        lambda X, Q, K, V: np.sum(bp.softmax((X @ Q) @ (X @ K).T / 2.0) @ (X @ V) ** 2),
        lambda X, Q, K, V: torch.sum(torch.softmax((X @ Q) @ (X @ K).T / 2.0, 1) @ (X @ V) ** 2),
        "X: n k, Q: k j, K: k j, V: k m",
    ),
}
SIZES = {"n": 6, "k": 4, "j": 5, "m": 3}


def arguments(shapes):
    for part in shapes.split(", "):
        name, axes = part.split(": ")
        words = axes.split()
        if words[-1].startswith("int<"):
            yield name, RANDOM.integers(0, SIZES[words[-1][4:]], [SIZES[w] for w in words[:-1]])
        else:
            yield name, RANDOM.normal(size=[SIZES[word] for word in words])


@pytest.mark.parametrize("name", PROGRAMS)
def test_emitted_source_has_the_gradients_of_pytorch(name):
    ours, theirs, shapes = PROGRAMS[name]
    given = dict(arguments(shapes))
    d = bp.derive(ours, shapes)
    space = {}
    exec(d.code("numpy"), space)
    function = next(
        one
        for key, one in space.items()
        if callable(one)
        and getattr(one, "__code__", None)
        and one.__code__.co_argcount == len(given)
    )
    value, gradients = function(*given.values())
    tensors = {
        key: torch.tensor(one, requires_grad=one.dtype.kind == "f") for key, one in given.items()
    }
    loss = theirs(*tensors.values())
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    assert set(gradients) == {key for key, one in given.items() if one.dtype.kind == "f"}
    for key, gradient in gradients.items():
        assert np.allclose(gradient, tensors[key].grad.numpy(), rtol=1e-10, atol=1e-12)
