#: style: closures that remember their weights
#: setup: W1, b1, W2, b2, teach = network()
#: call: teach
#: sizes: 3 4 2
#: layers: W1 b1, W2 b2
#: rate: 0.1
#: variants: tanh linear half_sum | sigmoid linear half_sum
import numpy as np


def network():
    rng = np.random.default_rng(55)
    W1, b1 = rng.normal(size=(3, 4)), rng.normal(size=4)
    W2, b2 = rng.normal(size=(4, 2)), rng.normal(size=2)

    def hidden(X):
        return np.tanh(X @ W1 + b1)
        # = sigmoid: return 1 / (1 + np.exp(-(X @ W1 + b1)))

    def teach(X, Y):
        H = hidden(X)
        E = H @ W2 + b2 - Y
        B = (E @ W2.T) * (1 - H**2)
        # = sigmoid: B = (E @ W2.T) * H * (1 - H)
        for array, slope in ((W2, H.T @ E), (b2, E.sum(0)), (W1, X.T @ B), (b1, B.sum(0))):
            array -= 0.1 * slope
        return 0.5 * (E**2).sum()

    return W1, b1, W2, b2, teach
