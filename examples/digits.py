"""A network learns to read handwritten digits, by a gradient that nobody wrote."""

import numpy as np

import backpass as bp
from backpass.nn.data import load_digits, split


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def loss(X, y, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    return -np.mean(np.log(P[np.arange(len(y)), y]))


shapes = "X: n k, y: n int<m, W1: k j, b1: j, W2: j m, b2: m"
d = bp.derive(loss, shapes, wrt="W1 b1 W2 b2")
print(d)

random = np.random.default_rng(0)
weights = {
    "W1": random.normal(0, 64**-0.5, (64, 32)),
    "b1": np.zeros(32),
    "W2": random.normal(0, 32**-0.5, (32, 10)),
    "b2": np.zeros(10),
}
(X, y), (X_held, y_held) = split(*load_digits())

for epoch in range(30):
    order = random.permutation(len(X))
    for start in range(0, len(X), 16):
        rows = order[start : start + 16]
        value, gradients = d(X[rows], y[rows], **weights)
        for name, gradient in gradients.items():
            weights[name] -= 0.5 * gradient
    print(f"epoch {epoch + 1:2}  loss {loss(X, y, **weights):.4f}")

scores = np.tanh(X_held @ weights["W1"] + weights["b1"]) @ weights["W2"] + weights["b2"]
print(f"{np.mean(scores.argmax(axis=1) == y_held):.1%} of {len(y_held)} held-out digits read")
