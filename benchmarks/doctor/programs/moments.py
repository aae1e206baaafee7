#: style: Adam over a dict
#: setup: P = fresh(); memory = {}
#: call: step
#: args: P, memory, X, Y
#: sizes: 3 5 2
#: layers: P['U'] P['u'], P['V'] P['v']
#: rate: 0.01
#: rule: adam
#: variants: tanh linear half_sum
import numpy as np


def fresh():
    r = np.random.default_rng(9)
    return {
        "U": r.normal(size=(3, 5)),
        "u": r.normal(size=5),
        "V": r.normal(size=(5, 2)),
        "v": r.normal(size=2),
    }


def step(P, memory, X, Y):
    H = np.tanh(X @ P["U"] + P["u"])
    R = H @ P["V"] + P["v"] - Y
    G = {"V": H.T @ R, "v": R.sum(0)}
    S = (R @ P["V"].T) * (1 - H**2)
    G["U"], G["u"] = X.T @ S, S.sum(0)
    t = memory["t"] = memory.get("t", 0) + 1
    for k in P:
        m = memory["m" + k] = 0.9 * memory.get("m" + k, 0) + 0.1 * G[k]
        s = memory["s" + k] = 0.999 * memory.get("s" + k, 0) + 0.001 * G[k] ** 2
        P[k] -= 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return 0.5 * (R**2).sum()
