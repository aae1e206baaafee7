"""Two inputs, three hidden units, two outputs, line by line; it tells digits 0 from 1."""

from pathlib import Path

import numpy as np


def forward(W2, W3, a1):
    z2 = W2 @ a1  # (3×2)(2×1) → 3×1
    a2 = np.maximum(z2, 0)  # ReLU
    z3 = W3 @ a2  # (2×3)(3×1) → 2×1
    a3 = 1 / (1 + np.exp(-z3))
    return z2, a2, a3


def gradients(W2, W3, a1, y):
    """L = ½ Σ (a3 − y)² of one sample, with ∂L/∂W2 and ∂L/∂W3 in the shapes of W2 and W3."""
    z2, a2, a3 = forward(W2, W3, a1)
    da3 = a3 - y  # 2×1
    dz3 = da3 * a3 * (1 - a3)  # 2×1
    dW3 = dz3 @ a2.T  # (2×1)(1×3) → 2×3: W3[i,j] joins a2[j] to z3[i], so dz3[i] · a2[j]
    da2 = W3.T @ dz3  # (3×2)(2×1) → 3×1: a2[j] goes into both z3, so the sum over i
    dz2 = da2 * (z2 > 0)  # 3×1, entry by entry: not (1, 1, 1)ᵀ in a product
    dW2 = dz2 @ a1.T  # (3×1)(1×2) → 3×2
    return 0.5 * np.sum(da3**2), dW2, dW3


def update(W2, W3, dW2, dW3, rate):
    """Against the gradient, which points uphill."""
    return W2 - rate * dW2, W3 - rate * dW3


def jacobians(W2, W3, a1, y):
    """The factors of ∂L/∂z2 in denominator layout; ReLU's and the sigmoid's are diagonal."""
    z2, _, a3 = forward(W2, W3, a1)
    dL_da3 = a3 - y  # 2×1
    da3_dz3 = np.diagflat(a3 * (1 - a3))  # 2×2
    dz3_da2 = W3.T  # 3×2
    da2_dz2 = np.diagflat(z2 > 0)  # 3×3
    return da2_dz2, dz3_da2, da3_dz3, dL_da3


def zeros_and_ones():
    """Pictures of 0 and 1 as two numbers, the ink in the middle and the ink beside it: 2×1 each."""
    path = Path(__file__).parents[2] / "backpass/nn/digits.npz"
    with np.load(path) as stored:
        labels = stored["labels"]
        images = stored["images"][labels < 2].reshape(-1, 8, 8) / 16
    middle = images[:, 2:6, 3:5].mean(axis=(1, 2))
    beside = images[:, 2:6, [1, 2, 5, 6]].mean(axis=(1, 2))
    samples = np.stack([middle, beside], axis=1)[:, :, None]  # 360×2×1
    targets = np.eye(2)[labels[labels < 2]][:, :, None]  # 360×2×1, (1, 0) for a 0
    return list(zip(samples, targets, strict=True))


def right(W2, W3, samples):
    """The share of samples whose larger output is the right one."""
    return np.mean([forward(W2, W3, a1)[2].argmax() == y.argmax() for a1, y in samples])


if __name__ == "__main__":
    random = np.random.default_rng(4)  # some others start with a unit that is never above 0
    W2, W3 = random.normal(size=(3, 2)), random.normal(size=(2, 3))
    samples = zeros_and_ones()

    a1, y = samples[0]
    da2_dz2, dz3_da2, da3_dz3, dL_da3 = chain = jacobians(W2, W3, a1, y)
    dz2 = da2_dz2 @ dz3_da2 @ da3_dz3 @ dL_da3
    _, dW2, _ = gradients(W2, W3, a1, y)
    shapes = [f"({rows}×{columns})" for rows, columns in map(np.shape, chain)]
    print("∂L/∂z2 is", *shapes, "→ 3×1")
    print("∂L/∂W2 is ∂L/∂z2 times a1ᵀ:", np.allclose(dW2, dz2 @ a1.T))

    print(f"read before  {right(W2, W3, samples):.1%}")
    for _ in range(20):
        for a1, y in samples:
            _, dW2, dW3 = gradients(W2, W3, a1, y)
            W2, W3 = update(W2, W3, dW2, dW3, rate=0.5)
    print(f"read after   {right(W2, W3, samples):.1%}")
