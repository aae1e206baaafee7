#: style: log-softmax by logsumexp, one-hot made inside
#: setup: lin = LogSoftmax()
#: call: lin.update_on
#: sizes: 4 3
#: targets: labels
#: layers: lin.coef lin.intercept
#: rate: 0.2
#: variants: tanh softmax ce_sum
import numpy as np


def log_of_sum(z):
    top = z.max(axis=1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))


class LogSoftmax:
    """Multinomial logistic regression."""

    def __init__(self):
        gen = np.random.default_rng(14)
        self.coef = gen.normal(size=(4, 3))
        self.intercept = gen.normal(size=3)

    def update_on(self, X, labels):
        hot = np.eye(3)[labels]
        z = X @ self.coef + self.intercept
        logp = z - log_of_sum(z)
        nll = -(hot * logp).sum()
        back = np.exp(logp) - hot
        # ! 3: back = 2 * (np.exp(logp) - hot)
        # ! 13: back = -hot * (1 - np.exp(logp))
        # ! 11: back = (np.exp(logp) - hot) * np.exp(logp) * (1 - np.exp(logp))
        self.coef -= 0.2 * X.T @ back
        # ! 1: self.coef += 0.2 * X.T @ back
        self.intercept -= 0.2 * back.sum(0)
        # ! 1: self.intercept += 0.2 * back.sum(0)
        # ! 37: pass
        # ! 39: self.intercept -= 0.2 * back.sum()
        return nll
