import numpy as np

W1, W2 = np.full((2, 4), 0.3), np.full((4, 1), 0.2)


def act(x, deriv=False):
    return x * (1 - x) if deriv else 1 / (1 + np.exp(-x))


def train(X, y, lr=0.5):
    global W1, W2
    hidden = act(X @ W1)
    out = act(hidden @ W2)
    err = y - out
    d_out = err * act(out, True)
    d_hidden = d_out @ W2.T * act(hidden, True)
    W2 += lr * hidden.T @ d_out
    W1 += lr * X.T @ d_hidden
    return np.mean(err**2)
