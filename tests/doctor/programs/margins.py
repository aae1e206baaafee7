"""Classifiers by their margins, written by hand: hinges, and the logistic loss of ±1."""

import numpy as np


def hinge(w, b, X, y, lr=0.1, lam=0.01):
    """A support vector machine whose labels are 0 and 1, and asked which they are."""
    t = np.where(y <= 0, -1, 1)
    out = X @ w + b
    loss = np.mean(np.maximum(0, 1 - t * out)) + lam * np.sum(w**2)
    inside = t * out < 1
    w -= lr * (-(X.T @ (t * inside)) / len(y) + 2 * lam * w)
    b -= lr * -np.mean(t * inside)
    return loss


def squared_hinge(W, X, Y, lr=0.05):
    slack = np.maximum(0, 1 - Y * (X @ W))
    loss = np.sum(slack**2)
    W -= lr * X.T @ (-2 * Y * slack)
    return loss


def one_by_one(w, b, X, y, lr=0.01, lam=0.1):
    """Sample by sample; the code shows no loss."""
    for x, t in zip(X, y, strict=True):
        if t * (x @ w + b[0]) >= 1:
            w -= lr * 2 * lam * w
        else:
            w -= lr * (2 * lam * w - t * x)
            b[0] -= lr * -t


def logistic(w, X, y, lr=0.2):
    z = X @ w
    loss = np.sum(np.logaddexp(0, -y * z))
    w += lr * X.T @ (y / (1 + np.exp(y * z)))
    return loss


def behind_a_layer(V, w, X, y, lr=0.3):
    H = np.tanh(X @ V)
    out = H @ w
    loss = np.maximum(0, 1 - y * out).mean()
    d = -y * (y * out < 1) / len(y)
    dV = X.T @ (np.outer(d, w) * (1 - H**2))
    w -= lr * H.T @ d
    V -= lr * dV
    return loss


def classes(W, X, y, lr=0.1, reg=0.05):
    """Class by class, in loops."""
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / len(X) + reg * np.sum(W * W)
    W -= lr * (dW / len(X) + 2 * reg * W)
    return loss


def best_of_others(W, X, y, lr=0.1):
    scores, rows = X @ W, np.arange(len(X))
    others = scores.copy()
    others[rows, y] = -np.inf
    rival = np.argmax(others, axis=1)
    margin = 1 + scores[rows, rival] - scores[rows, y]
    loss = np.maximum(0, margin).sum()
    d = np.zeros_like(scores)
    d[rows, rival] += margin > 0
    d[rows, y] -= margin > 0
    W -= lr * X.T @ d
    return loss
