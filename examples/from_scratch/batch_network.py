"""A batch at once, n samples as n rows: back as a loop and as a recursion; it reads digits."""

from pathlib import Path

import numpy as np


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def sigmoid_slope(Z, O):
    """What came out tells the slope: were all layers like this, no Z would need to be kept."""
    return O * (1 - O)


def sin_slope(Z, O):
    """What came out does not: sin z = sin(π − z), with opposite slopes. So Z must be kept."""
    return np.cos(Z)


def forward(X, W, b, g):
    """What goes into each activation and what comes out of it; O[0] is X."""
    Z, O = [], [X]
    for l in range(len(W)):
        Z.append(O[l] @ W[l] + b[l])  # (n,k)(k,j) + (j,) → (n,j): b goes to every row
        O.append(g[l](Z[l]))
    return Z, O


def loop(X, Y, W, b, g, slope):
    """dW and db of the loss ½ Σ (O − Y)² over the batch."""
    Z, O = forward(X, W, b, g)
    dW, db = [None] * len(W), [None] * len(b)
    dO = O[-1] - Y  # (n,m)
    for l in reversed(range(len(W))):
        dZ = dO * slope[l](Z[l], O[l + 1])  # (n,j), entry by entry
        dW[l] = O[l].T @ dZ  # (k,n)(n,j) → (k,j): n is summed
        db[l] = dZ.sum(axis=0)  # (n,j) → (j,): n is summed
        dO = dZ @ W[l].T  # (n,j)(j,k) → (n,k): j is summed, n stays
    return dW, db


def recursion(O, Y, W, b, g, slope):
    """dO, dW and db from this layer on: it waits for what the next one sends back."""
    if not W:
        return O - Y, [], []
    Z = O @ W[0] + b[0]
    O_next = g[0](Z)
    dO_next, dW, db = recursion(O_next, Y, W[1:], b[1:], g[1:], slope[1:])
    dZ = dO_next * slope[0](Z, O_next)
    return dZ @ W[0].T, [O.T @ dZ, *dW], [dZ.sum(axis=0), *db]


def update(weights, slopes, rate):
    """Against the slopes; all of them are known before the first weight moves."""
    for one, slope in zip(weights, slopes, strict=True):
        one -= rate * slope


if __name__ == "__main__":
    with np.load(Path(__file__).parents[2] / "backpass/nn/digits.npz") as stored:
        X, Y = stored["images"] / 16, np.eye(10)[stored["labels"]]  # (1797,64), (1797,10)
    for hidden, its_slope in ((sigmoid, sigmoid_slope), (np.sin, sin_slope)):
        layers = {"g": [hidden, sigmoid], "slope": [its_slope, sigmoid_slope]}
        random = np.random.default_rng(0)
        held, kept = np.split(random.permutation(len(X)), [450])
        W = [random.normal(size=(64, 32)) / 64**0.5, random.normal(size=(32, 10)) / 32**0.5]
        b = [np.zeros(32), np.zeros(10)]
        for rows in np.split(np.resize(kept, 1200 * 32), 1200):  # 1200 batches of 32
            dW, db = loop(X[rows], Y[rows], W, b, **layers)
            update(W + b, dW + db, rate=0.1)
        right = forward(X[held], W, b, layers["g"])[1][-1].argmax(1) == Y[held].argmax(1)
        print(f"{hidden.__name__:7}  {right.mean():.1%} of 450 held-out digits read")

        dW, db = loop(X, Y, W, b, **layers)
        _, dW_too, db_too = recursion(X, Y, W, b, **layers)
        same = all(map(np.array_equal, dW + db, dW_too + db_too))
        print("         loop and recursion give the same bits:", same)
