import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


rng = np.random.default_rng(3)
inputs = rng.normal(size=(12, 3))
outputs = rng.uniform(size=(12, 2))
w_h = rng.normal(size=(4, 3))
w_o = rng.normal(size=(2, 4))
eta = 0.1
epochs = 500
while epochs:
    epochs -= 1
    total = 0
    for x, t in zip(inputs, outputs, strict=True):
        h = sig(w_h @ x)
        o = sig(w_o @ h)
        e = o - t
        total += 0.5 * np.sum(e**2)
        do = e * o * (1 - o)
        dh = (w_o.T @ do) * h * (1 - h)
        w_o = w_o - eta * np.outer(do, h)
        w_h = w_h - eta * np.outer(dh, x)
print(total)
