"""The bias as one more row of the weights, which meets a column of ones; it reads digits."""

from itertools import pairwise
from pathlib import Path

import numpy as np


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def with_ones(O):
    """A constant beside what a layer gave. It is made anew for every batch and never updated."""
    return np.column_stack([O, np.ones(len(O))])  # (n,k) → (n,k+1)


def forward(X, W):
    """What every layer gives, O[0] = X; sigmoid's slope needs no more than that."""
    O = [X]
    for W_l in W:
        O.append(sigmoid(with_ones(O[-1]) @ W_l))  # (n,k+1)(k+1,j) → (n,j)
    return O


def loop(X, Y, W):
    """dW of the loss ½ Σ (O − Y)²; its last rows are the gradients of the biases."""
    O = forward(X, W)
    dW = [None] * len(W)
    dO = O[-1] - Y  # (n,m)
    for l in reversed(range(len(W))):
        dZ = dO * O[l + 1] * (1 - O[l + 1])  # (n,j)
        dW[l] = with_ones(O[l]).T @ dZ  # (k+1,n)(n,j) → (k+1,j): n is summed
        # No layer made the ones, so what flows into their column ends there.
        dO = (dZ @ W[l].T)[:, :-1]  # (n,j)(j,k+1) → (n,k+1) → (n,k)
    return dW


def recursion(O, Y, W):
    """dO and dW from this layer on; the same numbers."""
    if not W:
        return O - Y, []
    O_next = sigmoid(with_ones(O) @ W[0])
    dO_next, dW = recursion(O_next, Y, W[1:])
    dZ = dO_next * O_next * (1 - O_next)
    return (dZ @ W[0].T)[:, :-1], [with_ones(O).T @ dZ, *dW]


def update(W, dW, rate):
    """Against the gradient; all of it is known before the first weight moves."""
    for W_l, dW_l in zip(W, dW, strict=True):
        W_l -= rate * dW_l


if __name__ == "__main__":
    with np.load(Path(__file__).parents[2] / "backpass/nn/digits.npz") as stored:
        X, Y = stored["images"] / 16, np.eye(10)[stored["labels"]]  # (1797,64), (1797,10)
    random = np.random.default_rng(0)
    held, kept = np.split(random.permutation(len(X)), [450])
    W = []
    for into, out in pairwise([64, 32, 10]):
        biases = np.zeros((1, out))
        W.append(np.vstack([random.normal(size=(into, out)) / np.sqrt(into), biases]))

    for rows in np.split(np.resize(kept, 1200 * 32), 1200):  # 1200 batches of 32
        update(W, loop(X[rows], Y[rows], W), rate=0.1)
    right = forward(X[held], W)[-1].argmax(axis=1) == Y[held].argmax(axis=1)
    print(f"{right.mean():.1%} of 450 held-out digits read")
    print("biases of the outputs:", *(f"{bias:.2f}" for bias in W[-1][-1]))

    _, again = recursion(X, Y, W)
    same = all(map(np.array_equal, loop(X, Y, W), again))
    print("loop and recursion give the same bits:", same)
