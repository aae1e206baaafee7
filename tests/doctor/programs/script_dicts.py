import numpy as np

np.random.seed(0)
X = np.random.rand(3, 20)
T = (X.sum(0, keepdims=True) > 1.5) * 1.0
p = {}
sizes = [3, 5, 4, 1]
for l in range(1, 4):
    p[f"W{l}"] = np.random.randn(sizes[l], sizes[l - 1]) * 0.5
    p[f"b{l}"] = np.zeros((sizes[l], 1))
m = X.shape[1]
for _it in range(200):
    a = {0: X}
    z = {}
    for l in (1, 2, 3):
        z[l] = p[f"W{l}"] @ a[l - 1] + p[f"b{l}"]
        a[l] = np.tanh(z[l]) if l < 3 else 1 / (1 + np.exp(-z[l]))
    cost = -np.mean(T * np.log(a[3]) + (1 - T) * np.log(1 - a[3]))
    g = {}
    dz = a[3] - T
    for l in (3, 2, 1):
        g[f"W{l}"] = dz @ a[l - 1].T / m
        g[f"b{l}"] = dz.sum(axis=1, keepdims=True) / m
        if l > 1:
            dz = (p[f"W{l}"].T @ dz) * (1 - a[l - 1] ** 2)
    for k in p:
        p[k] -= 0.3 * g[k]
print(cost)
