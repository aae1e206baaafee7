"""L layers of any widths with weights and biases, a sample as a column; it reads digits."""

from itertools import pairwise
from pathlib import Path

import numpy as np


def g(z):
    """The activation of the hidden layers."""
    return np.tanh(z)


def g_prime(z):
    return 1 - np.tanh(z) ** 2


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def initial(widths, random):
    """W[l] is d_l×d_(l-1) and b[l] is d_l×1; W[0] and b[0] lead to layer 1."""
    shapes = [(out, into) for into, out in pairwise(widths)]
    W = [random.normal(size=shape) / np.sqrt(shape[1]) for shape in shapes]
    return W, [np.zeros((out, 1)) for out, _ in shapes]


def forward(W, b, x):
    """Every z, and every activation a with a[0] = x."""
    z, a = [], [x]
    for l in range(len(W)):
        z.append(W[l] @ a[l] + b[l])  # (d_l×d_(l-1))(d_(l-1)×1) + d_l×1 → d_l×1
        a.append(g(z[l]) if l < len(W) - 1 else sigmoid(z[l]))
    return z, a


def gradients(W, b, x, y):
    """∂J/∂W and ∂J/∂b for J = −Σ (y log a + (1 − y) log(1 − a)) at the last a."""
    z, a = forward(W, b, x)
    dW, db = [None] * len(W), [None] * len(b)
    dz = a[-1] - y  # sigmoid and cross-entropy: the slope a(1 − a) cancels. It is not z − y
    for l in reversed(range(len(W))):
        dW[l] = dz @ a[l].T  # (d_l×1)(1×d_(l-1)): entry i,j is dz[i] · a[j]
        db[l] = dz  # b is added to z as it is: its slope is 1
        if l > 0:  # nobody asks for ∂J/∂x
            dz = W[l].T @ dz * g_prime(z[l - 1])  # (d_(l-1)×d_l)(d_l×1) ⊙ d_(l-1)×1
    return dW, db


def update(weights, slopes, rate):
    """Against the slopes; all of them are known before the first weight moves."""
    for one, slope in zip(weights, slopes, strict=True):
        one -= rate * slope


def accuracy(W, b, X, labels):
    found = [forward(W, b, x)[1][-1].argmax() for x in X]
    return np.mean(found == labels)


if __name__ == "__main__":
    random = np.random.default_rng(0)
    with np.load(Path(__file__).parents[2] / "backpass/nn/digits.npz") as stored:
        X, labels = stored["images"][:, :, None] / 16, stored["labels"]  # 1797×64×1, 1797
    Y = np.eye(10)[labels][:, :, None]  # 1797×10×1
    held, kept = np.split(random.permutation(len(X)), [450])
    W, b = initial([64, 32, 16, 10], random)
    print(f"before   {accuracy(W, b, X[held], labels[held]):.1%} of 450 held-out digits read")
    for epoch in range(1, 6):
        for n in random.permutation(kept):
            dW, db = gradients(W, b, X[n], Y[n])
            update(W + b, dW + db, rate=0.02)
        print(f"epoch {epoch}  {accuracy(W, b, X[held], labels[held]):.1%}")
