"""A 2-2-2 network that is published with all its numbers, and programs that train it by hand."""

import numpy as np

import backpass as bp


def loss(x, target, W1, b1, W2, b2):
    hidden = bp.sigmoid(W1 @ x + b1)
    out = bp.sigmoid(W2 @ hidden + b2)
    return 0.5 * np.sum((target - out) ** 2)


SHAPES = "x: 2, target: 2, W1: 2 2, b1: 2, W2: 2 2, b2: 2"
NUMBERS = {
    "x": [0.05, 0.10],
    "target": [0.01, 0.99],
    "W1": [[0.15, 0.20], [0.25, 0.30]],
    "b1": [0.35, 0.35],
    "W2": [[0.40, 0.45], [0.50, 0.55]],
    "b2": [0.60, 0.60],
}


def published(wrt="W1 W2"):
    return bp.derive(loss, SHAPES, wrt=wrt)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def trained(steps, *, late=False):
    """Loss and outputs after so many steps, by a program written out; `late` is mistake 31."""
    x, y, W1, b1, W2, b2 = (np.array(one) for one in NUMBERS.values())
    for _ in range(steps):
        h = sigmoid(W1 @ x + b1)
        o = sigmoid(W2 @ h + b2)
        delta = (o - y) * o * (1 - o)
        if late:
            W2 = W2 - 0.5 * np.outer(delta, h)
        back = (W2.T @ delta) * h * (1 - h)
        if not late:
            W2 = W2 - 0.5 * np.outer(delta, h)
        W1 = W1 - 0.5 * np.outer(back, x)
    o = sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2)
    return 0.5 * np.sum((o - y) ** 2), o


def classifier(convention="rows"):
    """Three layers and a cross-entropy, with samples and labels."""
    random = np.random.default_rng(0)
    net = bp.Network(
        [bp.Dense(4, "tanh"), bp.Dense(4, "tanh"), bp.Dense(3)],
        inputs=3, optimizer=bp.SGD(0.5), dtype="float64", convention=convention,
    )  # fmt: skip
    X = random.normal(size=(6, 3))
    return net, X if convention == "rows" else X.T, random.integers(0, 3, 6)
