#: style: weights with the bias in the first column, samples in columns
#: setup: course = Course()
#: call: course.iterate
#: sizes: 3 4 2
#: layout: columns
#: bias: first
#: layers: course.Theta1, course.Theta2
#: rate: 0.5
#: variants: sigmoid sigmoid bce_mean | tanh linear half_mean
import numpy as np


def on_top(M):
    return np.vstack((np.ones(M.shape[1]), M))


class Course:
    def __init__(self):
        rs = np.random.RandomState(33)
        self.Theta1 = rs.uniform(-0.8, 0.8, (4, 4))
        self.Theta2 = rs.uniform(-0.8, 0.8, (2, 5))

    def iterate(self, X, Y):
        m = X.shape[1]
        a1 = on_top(X)
        z2 = self.Theta1 @ a1
        a2 = on_top(1 / (1 + np.exp(-z2)))
        # = tanh: a2 = on_top(np.tanh(z2))
        a3 = 1 / (1 + np.exp(-self.Theta2 @ a2))
        # = out-linear: a3 = self.Theta2 @ a2
        J = -(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)).sum() / m
        # = half_mean: J = ((a3 - Y) ** 2).sum() / 2 / m
        d3 = a3 - Y
        d2 = (self.Theta2.T @ d3) * a2 * (1 - a2)
        # = tanh: d2 = (self.Theta2.T @ d3) * (1 - a2**2)
        # ! 16: d2 = self.Theta2.T @ d3
        d2 = d2[1:]
        # ! 42: d2 = d2[:-1]
        self.Theta2 -= 0.5 / m * d3 @ a2.T
        self.Theta1 -= 0.5 / m * d2 @ a1.T
        # ! 2: self.Theta1 += 0.5 / m * d2 @ a1.T
        return J
