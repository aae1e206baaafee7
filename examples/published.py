"""Which program printed these numbers? The best-known worked example of backpropagation, asked.

Matt Mazur's "A Step by Step Backpropagation Example" (2015) states a 2-2-2 network and prints its
loss after one step, and its outputs after 10,000. Its biases are not trained.
"""

import numpy as np

import backpass as bp


def loss(x, target, W1, b1, W2, b2):
    hidden = bp.sigmoid(W1 @ x + b1)
    out = bp.sigmoid(W2 @ hidden + b2)
    return 0.5 * np.sum((target - out) ** 2)


d = bp.derive(loss, "x: 2, target: 2, W1: 2 2, b1: 2, W2: 2 2, b2: 2", wrt="W1 W2")

x, target = [0.05, 0.10], [0.01, 0.99]
W1, b1 = [[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35]
W2, b2 = [[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60]

printed = {
    1: {"loss": "0.291027924"},
    10_000: {"out": ["0.015912196", "0.984065734"]},
}

print(bp.doctor(d, x, target, W1, b1, W2, b2, lr=0.5, printed=printed))
