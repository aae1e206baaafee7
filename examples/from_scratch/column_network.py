"""A sample as a column, any activation and any cost: an error signal δ travels back, on XOR."""

import numpy as np


def sigma(z):
    return 1 / (1 + np.exp(-z))


def sigma_prime(z):
    return sigma(z) * (1 - sigma(z))


# A cost C(h) of what the last layer gives, and its gradient ∇C(h): all that learning needs of it.
def half_squares(h, target):
    return 0.5 * np.sum((h - target) ** 2), h - target


def surprise(h, target):
    """Cross-entropy of shares: it grows without bound where h is sure and wrong."""
    cost = -np.sum(target * np.log(h) + (1 - target) * np.log(1 - h))
    return cost, (h - target) / (h * (1 - h))


def forward(W, x):
    """The z and the h of every layer; h[0] is x."""
    z, h = [], [x]  # N₀×1
    for W_l in W:
        z.append(W_l @ h[-1])  # (Nₗ×Nₗ₋₁)(Nₗ₋₁×1) → Nₗ×1
        h.append(sigma(z[-1]))
    return z, h


def gradients(W, x, target, cost):
    """The cost of one sample, and its gradient by every matrix in W."""
    z, h = forward(W, x)
    value, delta = cost(h[-1], target)  # δ = ∂C/∂h, N×1, starts as ∇C
    dW = [None] * len(W)
    for l in reversed(range(len(W))):
        shared = delta * sigma_prime(z[l])  # ∂C/∂z, Nₗ×1: computed once, used in both lines below
        dW[l] = shared @ h[l].T  # (Nₗ×1)(1×Nₗ₋₁): column times row, the outer product ⊗
        delta = W[l].T @ shared  # (Nₗ₋₁×Nₗ)(Nₗ×1): component i is Σᵤ W[u,i] · shared[u]
    return value, dW


def update(W, dW, rate):
    """Against the gradient, which points uphill; and only now that all of it is known."""
    return [W_l - rate * dW_l for W_l, dW_l in zip(W, dW, strict=True)]


# The third input is always 1, so that its weights can move the threshold of every hidden unit.
XOR = [(np.array([[a], [b], [1]]), np.array([[a ^ b]])) for a in (0, 1) for b in (0, 1)]


def mean_cost(W, cost):
    return np.mean([cost(forward(W, x)[1][-1], target)[0] for x, target in XOR])


if __name__ == "__main__":
    print("cost          before   after  0 xor 0  0 xor 1  1 xor 0  1 xor 1")
    for cost in (half_squares, surprise):
        random = np.random.default_rng(0)
        W = [random.normal(size=(4, 3)), random.normal(size=(1, 4))]
        before = mean_cost(W, cost)
        for _ in range(2000):
            for x, target in XOR:
                _, dW = gradients(W, x, target, cost)
                W = update(W, dW, rate=0.5)
        answers = [f"{forward(W, x)[1][-1].item():7.3f}" for x, _ in XOR]
        after = mean_cost(W, cost)
        print(f"{cost.__name__:12}  {before:6.3f}  {after:6.4f}", *answers, sep="  ")
