"""Two recurrent layers, one over the other, over a batch of sequences; the last states are read."""

import numpy as np

rng = np.random.default_rng(6)
lower = {"x": rng.normal(size=(3, 5)) * 0.5, "h": rng.normal(size=(5, 5)) * 0.4, "b": np.zeros(5)}
upper = {"x": rng.normal(size=(5, 4)) * 0.5, "h": rng.normal(size=(4, 4)) * 0.4, "b": np.zeros(4)}
last = {"w": rng.normal(size=(4, 2)) * 0.5, "b": np.zeros(2)}


def climb(layer, inputs):
    states = [np.zeros((len(inputs[0]), len(layer["b"])))]
    for x in inputs:
        states.append(np.tanh(x @ layer["x"] + states[-1] @ layer["h"] + layer["b"]))
    return states


def descend(layer, inputs, states, errors, rate):
    d = {name: np.zeros_like(w) for name, w in layer.items()}
    sent, later = [], np.zeros_like(states[0])
    for t in reversed(range(len(inputs))):
        dz = (errors[t] + later) * (1 - states[t + 1] ** 2)
        d["x"] += inputs[t].T @ dz
        d["h"] += states[t].T @ dz
        d["b"] += dz.sum(axis=0)
        later = dz @ layer["h"].T
        sent.insert(0, dz @ layer["x"].T)
    for name in layer:
        layer[name] -= rate * d[name]
    return sent


def train(X, Y, rate=0.1):
    steps = [X[:, t] for t in range(X.shape[1])]
    low = climb(lower, steps)
    high = climb(upper, low[1:])
    out = high[-1] @ last["w"] + last["b"]
    error = (out - Y) / len(X)
    nothing = np.zeros_like(high[0])
    errors = [nothing] * (len(steps) - 1) + [error @ last["w"].T]
    last["w"] -= rate * high[-1].T @ error
    last["b"] -= rate * error.sum(axis=0)
    sent = descend(upper, low[1:], high, errors, rate)
    descend(lower, steps, low, sent, rate)
