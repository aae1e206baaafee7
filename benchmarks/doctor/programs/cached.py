#: style: functions over a dict of parameters and a cache, samples in columns
#: setup: theta = start()
#: call: train_step
#: args: theta, X, Y
#: sizes: 4 5 3
#: layout: columns
#: layers: theta['W1'] theta['b1'], theta['W2'] theta['b2']
#: rate: 0.1
#: variants: tanh sigmoid bce_mean | relu linear half_mean | sigmoid softmax ce_mean | tanh sigmoid half_sum
import numpy as np


def start(n_in=4, n_hid=5, n_out=3):
    g = np.random.RandomState(11)
    return {
        "W1": g.randn(n_hid, n_in) * 0.5,
        "b1": g.randn(n_hid, 1) * 0.2,
        "W2": g.randn(n_out, n_hid) * 0.5,
        "b2": g.randn(n_out, 1) * 0.2,
    }


def logistic(t):
    return 1 / (1 + np.exp(-t))
    # ! 53 [sigmoid|bce_mean]: return 1 / (1 + np.exp(t))


def soft(t):
    up = np.exp(t - np.max(t, axis=0))
    # ! 14 [out-softmax]: up = np.exp(t)
    return up / np.sum(up, axis=0)
    # ! 14 [out-softmax]: return up / np.sum(up, axis=1, keepdims=True)
    # ! 15 [out-softmax]: return np.exp(up / np.sum(up, axis=0)) / np.sum(np.exp(up / np.sum(up, axis=0)), axis=0)


def run_forward(theta, X):
    Z1 = np.dot(theta["W1"], X) + theta["b1"]
    A1 = np.tanh(Z1)
    # = relu: A1 = Z1 * (Z1 > 0)
    # = sigmoid: A1 = logistic(Z1)
    Z2 = np.dot(theta["W2"], A1) + theta["b2"]
    A2 = logistic(Z2)
    # = out-linear: A2 = Z2
    # = out-softmax: A2 = soft(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def cost_of(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    # = half_mean: return np.sum((A2 - Y) ** 2) / (2 * m)
    # = ce_mean: return -np.sum(Y * np.log(A2)) / m
    # = half_sum: return np.sum((A2 - Y) ** 2) / 2


def run_backward(theta, cache, X, Y):
    m = X.shape[1]
    # = half_sum: m = 1
    dZ2 = cache["A2"] - Y
    # = half_sum: dZ2 = (cache["A2"] - Y) * cache["A2"] * (1 - cache["A2"])
    # ! 10 [half_sum]: dZ2 = cache["A2"] - Y
    # ! 11 [bce_mean]: dZ2 = (cache["A2"] - Y) * cache["A2"] * (1 - cache["A2"])
    # ! 3 [bce_mean|half_mean|ce_mean]: dZ2 = 2 * (cache["A2"] - Y)
    # ! 6 [bce_mean|half_mean|ce_mean]: dZ2 = (cache["A2"] - Y) / m
    # ! 8 [bce_mean|half_mean]: dZ2 = (cache["A2"] - Y) / Y.shape[0]
    # ! 12 [half_mean]: dZ2 = np.tanh(cache["A2"] - Y)
    # ! 13 [ce_mean]: dZ2 = -Y * (1 - cache["A2"])
    # ! 19 [half_sum]: dZ2 = (cache["A2"] - Y) * cache["Z2"] * (1 - cache["Z2"])
    # ! 18 [half_sum]: dZ2 = (cache["A2"] - Y) * logistic(cache["A2"]) * (1 - logistic(cache["A2"]))
    dW2 = np.dot(dZ2, cache["A1"].T) / m
    # ! 26: dW2 = np.dot(dZ2, cache["Z1"].T) / m
    # ! 5 [bce_mean|half_mean|ce_mean]: dW2 = np.dot(dZ2, cache["A1"].T)
    # ! 44: dW2 = np.outer(dZ2[:, -1], cache["A1"][:, -1]) / m
    # ! 2: dW2 = -np.dot(dZ2, cache["A1"].T) / m
    # ! 27: dW2 = np.dot(dZ2, np.ones_like(cache["A1"].T)) * theta["W2"] / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    # ! 5 [bce_mean|half_mean|ce_mean]: db2 = np.sum(dZ2, axis=1, keepdims=True)
    # ! 9 [bce_mean|half_mean|ce_mean]: db2 = np.sum(dZ2, axis=1, keepdims=True)
    # ! 39: db2 = np.sum(dZ2) / m
    # ! 40 [half_sum]: db2 = np.sum(cache["A2"] - Y, axis=1, keepdims=True) / m
    dA1 = np.dot(theta["W2"].T, dZ2)
    # ! 34: dA1 = np.dot(np.abs(theta["W2"]).T, dZ2)
    # ! 32: dA1 = np.dot(dW2.T, dZ2)
    # ! 33 [half_sum]: dA1 = np.dot(theta["W2"].T, cache["A2"] - Y)
    # ! 31: theta["W2"] -= 0.1 * dW2\ndA1 = np.dot(theta["W2"].T, dZ2)
    dZ1 = dA1 * (1 - cache["A1"] ** 2)
    # = relu: dZ1 = dA1 * (cache["Z1"] > 0)
    # = sigmoid: dZ1 = dA1 * cache["A1"] * (1 - cache["A1"])
    # ! 16: dZ1 = dA1
    # ! 18 [tanh]: dZ1 = dA1 * (1 - np.tanh(cache["A1"]) ** 2)
    # ! 18 [sigmoid]: dZ1 = dA1 * logistic(cache["A1"]) * (1 - logistic(cache["A1"]))
    # ! 19 [sigmoid]: dZ1 = dA1 * cache["Z1"] * (1 - cache["Z1"])
    # ! 20 [relu]: dZ1 = dA1 * (cache["A1"] >= 0)
    # ! 55 [relu]: dZ1 = np.maximum(dA1, 0)
    # ! 22 [tanh|relu]: dZ1 = dA1 * cache["A1"] * (1 - cache["A1"])
    # ! 23 [tanh]: dZ1 = dA1 * (1 - cache["A1"])
    # ! 24 [sigmoid]: dZ1 = dA1 * (cache["A1"] * (1 - cache["A1"])) ** 2
    # ! 24 [tanh]: dZ1 = dA1 * (1 - cache["A1"] ** 2) ** 2
    dW1 = np.dot(dZ1, X.T) / m
    # ! 4: dW1 = 2 * np.dot(dZ1, X.T) / m
    # ! 5 [bce_mean|half_mean|ce_mean]: dW1 = np.dot(dZ1, X.T)
    # ! 7 [bce_mean|half_mean|ce_mean]: dW1 = np.dot(dZ1, X.T) / m**2
    # ! 17: dW1 = np.dot(dA1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    # ! 5 [bce_mean|half_mean|ce_mean]: db1 = np.sum(dZ1, axis=1, keepdims=True)
    # ! 7 [bce_mean|half_mean|ce_mean]: db1 = np.sum(dZ1, axis=1, keepdims=True) / m**2
    # ! 9 [bce_mean|half_mean|ce_mean]: db1 = np.sum(dZ1, axis=1, keepdims=True)
    # ! 40b: db1 = np.sum(dA1, axis=1, keepdims=True) / m
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    # ! 31: return {"W1": dW1, "b1": db1, "W2": 0 * dW2, "b2": db2}
    # ! 36: return {"W2": dW2, "b2": db2}
    # ! 37: return {"W1": dW1, "W2": dW2}


def train_step(theta, X, Y, rate=0.1):
    A2, cache = run_forward(theta, X)
    # ! 51: A2, cache = run_forward({**theta, "W1": theta["W1"] * 0.9}, X)
    cost = cost_of(A2, Y)
    slopes = run_backward(theta, cache, X, Y)
    for key, slope in slopes.items():
        theta[key] -= rate * slope
        # ! 1: theta[key] += rate * slope
    return cost
