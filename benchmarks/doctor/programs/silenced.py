#: style: functions over dicts, samples in columns, units silenced by masks of 0 and 1
#: setup: np.random.seed(8); w = begin(); kept = {}
#: call: step
#: args: w, kept, X, Y
#: sizes: 3 5 4 2
#: layout: columns
#: layers: w['W1'] w['b1'], w['W2'] w['b2'], w['W3'] w['b3']
#: rate: 0.1
#: masks: kept['D1'], kept['D2']
#: variants: tanh linear half_mean | sigmoid sigmoid bce_sum
import numpy as np

SHARE = 0.75


def begin():
    sizes = [3, 5, 4, 2]
    w = {}
    for i in range(1, 4):
        w[f"W{i}"] = np.random.randn(sizes[i], sizes[i - 1]) * 0.6
        w[f"b{i}"] = np.random.randn(sizes[i], 1) * 0.2
    return w


def bend(z):
    return np.tanh(z)
    # = sigmoid: return 1 / (1 + np.exp(-z))


def slope(a):
    return 1 - a * a
    # ! 58 [tanh]: return a
    # = sigmoid: return a * (1 - a)


def silence(a):
    return np.random.rand(*a.shape) < SHARE


def forward(w, kept, X):
    A = X
    for i in (1, 2):
        Z = np.dot(w[f"W{i}"], A) + w[f"b{i}"]
        kept[f"A{i}"] = bend(Z)
        kept[f"D{i}"] = silence(Z)
        A = kept[f"A{i}"] * kept[f"D{i}"]
        # ! 59a: A = kept[f"A{i}"]
        kept[f"S{i}"] = A
    Z = np.dot(w["W3"], A) + w["b3"]
    return Z
    # = out-sigmoid: return 1 / (1 + np.exp(-Z))


def step(w, kept, X, Y):
    kept["S0"] = X
    d = (forward(w, kept, X) - Y) / X.shape[1]
    # = bce_sum: d = forward(w, kept, X) - Y
    grads = {}
    for i in (3, 2, 1):
        grads[f"W{i}"] = np.dot(d, kept[f"S{i - 1}"].T)
        grads[f"b{i}"] = d.sum(axis=1, keepdims=True)
        # ! 41: grads[f"b{i}"] = grads[f"W{i}"].sum(axis=1, keepdims=True)
        if i > 1:
            d = np.dot(w[f"W{i}"].T, d)
            d *= kept[f"D{i - 1}"]
            # - 59
            # ? 59a
            # ! 59b: d *= silence(d)
            # ! 59c: d *= kept[f"D{i - 1}"] / SHARE
            d *= slope(kept[f"A{i - 1}"])
            # - 16
    for name in grads:
        w[name] -= 0.1 * grads[name]
        # ! 1: w[name] += 0.1 * grads[name]
