#: style: functions over module globals
#: call: one_round
#: sizes: 4 3 3 2
#: layers: V0 c0, V1 c1, V2 c2
#: rate: 0.15
#: variants: tanh sigmoid half_sum | sigmoid linear half_mean | relu sigmoid bce_mean | tanh softmax ce_mean
import numpy as np

source = np.random.default_rng(21)
V0 = source.normal(size=(4, 3)) * 0.7
c0 = source.normal(size=3) * 0.2
V1 = source.normal(size=(3, 3)) * 0.7
c1 = source.normal(size=3) * 0.2
V2 = source.normal(size=(3, 2)) * 0.7
c2 = source.normal(size=2) * 0.2
ALPHA = 0.15


def g(z):
    return np.tanh(z)
    # = sigmoid: return np.exp(z) / (1 + np.exp(z))
    # = relu: return np.where(z < 0, 0.0, z)
    # ! 53 [sigmoid]: return np.exp(-z) / (1 + np.exp(-z))


def g_prime(z):
    return 1 - np.tanh(z) ** 2
    # = sigmoid: return g(z) * (1 - g(z))
    # = relu: return np.where(z < 0, 0.0, 1.0)
    # ! 19 [sigmoid]: return z * (1 - z)
    # ! 22 [tanh|relu]: return np.exp(-z) / (1 + np.exp(-z)) ** 2
    # ! 23 [tanh]: return 1 - np.tanh(z)
    # ! 58 [tanh]: return np.tanh(z)
    # ! 24 [tanh]: return (1 - np.tanh(z) ** 2) ** 2
    # ! 24 [sigmoid]: return (g(z) * (1 - g(z))) ** 2


def final(z):
    return 1 / (1 + np.exp(-z))
    # = out-linear: return z
    # = out-softmax: w = np.exp(z)\nreturn w / np.sum(w, axis=-1, keepdims=True)
    # ! 14 [out-softmax]: w = np.exp(z)\nreturn w / np.sum(w, axis=0, keepdims=True)


def loss_of(P, Y):
    return np.square(P - Y).sum() / 2
    # = half_mean: return np.square(P - Y).sum() / (2 * len(Y))
    # = bce_mean: return -(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum() / len(Y)
    # = ce_mean: return -(Y * np.log(P)).sum() / len(Y)


def one_round(X, Y):
    global V0, c0, V1, c1, V2, c2
    z0 = X @ V0 + c0
    a0 = g(z0)
    z1 = a0 @ V1 + c1
    a1 = g(z1)
    P = final(a1 @ V2 + c2)
    worth = loss_of(P, Y)
    d2 = (P - Y) * P * (1 - P)
    # = half_mean: d2 = (P - Y) / len(Y)
    # = bce_mean: d2 = (P - Y) / len(Y)
    # = ce_mean: d2 = (P - Y) / len(Y)
    # ! 3 [half_mean|bce_mean|ce_mean]: d2 = 2 * (P - Y) / len(Y)
    # ! 5 [half_mean|bce_mean|ce_mean]: d2 = P - Y
    # ! 6 [half_mean|bce_mean|ce_mean]: d2 = (P - Y) / len(Y) ** 2
    # ! 10 [half_sum]: d2 = P - Y
    # ! 11 [bce_mean]: d2 = (P - Y) / len(Y) * P * (1 - P)
    # ! 12 [half_mean]: d2 = np.sign(P - Y) / len(Y)
    # ! 13 [ce_mean]: d2 = -Y * (1 - P) / len(Y)
    # ! 56 [half_sum]: d2 = (P - Y) * (P - Y) * (1 - (P - Y))
    d1 = (d2 @ V2.T) * g_prime(z1)
    # ! 16: d1 = d2 @ V2.T
    # ! 18: d1 = (d2 @ V2.T) * g_prime(a1)
    # ! 31: V2 = V2 - ALPHA * a1.T @ d2\nd1 = (d2 @ V2.T) * g_prime(z1)
    # ! 33 [half_sum]: d1 = ((P - Y) @ V2.T) * g_prime(z1)
    # ! 34: d1 = (d2 @ np.abs(V2).T) * g_prime(z1)
    # ! 32: d1 = (d2 @ (a1.T @ d2).T) * g_prime(z1)
    # ! 35: d1 = (d2 @ V2.T) * g_prime(z0)
    # ! 55 [relu]: d1 = np.maximum(d2 @ V2.T, 0)
    d0 = (d1 @ V1.T) * g_prime(z0)
    # ! 16: d0 = d1 @ V1.T
    # ! 16b: d0 = d1 @ V1.T
    # ! 18: d0 = (d1 @ V1.T) * g_prime(a0)
    # ! 30: d0 = (d1 @ V1) * g_prime(z0)
    # ! 57: d0 = d1 * g_prime(z0)
    # ! 34b: d0 = (d1 @ np.abs(V1).T) * g_prime(z0)
    # ! 35b: d0 = (d1 @ V1.T) * g_prime(z1)
    # ! 55 [relu]: d0 = np.maximum(d1 @ V1.T, 0)
    # ! 31b: V1 = V1 - ALPHA * a0.T @ d1\nd0 = (d1 @ V1.T) * g_prime(z0)
    s2, s1, s0 = a1.T @ d2, a0.T @ d1, X.T @ d0
    # ! 2: s2, s1, s0 = a1.T @ d2, -a0.T @ d1, X.T @ d0
    # ! 4: s2, s1, s0 = a1.T @ d2, 2 * a0.T @ d1, X.T @ d0
    # ! 26: s2, s1, s0 = a1.T @ d2, z0.T @ d1, X.T @ d0
    # ! 28: s2, s1, s0 = a1.T @ d2, d1.T @ a0, X.T @ d0
    # ! 29: s2, s1, s0 = a1.T @ d2, a0.reshape(3, -1) @ d1, X.T @ d0
    # ! 31: s2, s1, s0 = 0, a0.T @ d1, X.T @ d0
    # ! 31b: s2, s1, s0 = a1.T @ d2, 0, X.T @ d0
    # ! 44: s2, s1, s0 = a1[-1:].T @ d2[-1:], a0[-1:].T @ d1[-1:], X[-1:].T @ d0[-1:]
    # ! 7 [half_mean|bce_mean|ce_mean]: s2, s1, s0 = a1.T @ d2, a0.T @ d1 / len(X), X.T @ d0 / len(X) ** 2
    # ! 27: s2, s1, s0 = V2 * d2.sum(0), a0.T @ d1, X.T @ d0
    V2 = V2 - ALPHA * s2
    # ! 1: V2 = V2 + ALPHA * s2
    V1 = V1 - ALPHA * s1
    # ! 1: V1 = V1 + ALPHA * s1
    V0 = V0 - ALPHA * s0
    # ! 1: V0 = V0 + ALPHA * s0
    # ! 36: pass
    c2 = c2 - ALPHA * d2.sum(0)
    # ! 1: c2 = c2 + ALPHA * d2.sum(0)
    # ! 9: c2 = c2 - ALPHA * d2.mean(0)
    # ! 38: c2 = c2 - ALPHA * d2
    # ! 39: c2 = c2 - ALPHA * d2.sum()
    # ! 7 [half_mean|bce_mean|ce_mean]: c2 = c2 - ALPHA * d2.sum(0)
    c1 = c1 - ALPHA * d1.sum(0)
    # ! 1: c1 = c1 + ALPHA * d1.sum(0)
    # ! 9: c1 = c1 - ALPHA * d1.mean(0)
    # ! 7 [half_mean|bce_mean|ce_mean]: c1 = c1 - ALPHA * d1.sum(0) / len(X)
    c0 = c0 - ALPHA * d0.sum(0)
    # ! 1: c0 = c0 + ALPHA * d0.sum(0)
    # ! 9: c0 = c0 - ALPHA * d0.mean(0)
    # ! 7 [half_mean|bce_mean|ce_mean]: c0 = c0 - ALPHA * d0.sum(0) / len(X) ** 2
    # ! 37: pass
    # ! 36: pass
    return worth
