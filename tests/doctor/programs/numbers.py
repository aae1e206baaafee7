"""Two inputs, two units, two outputs, every weight a number; one bias a layer, which stays."""

import math


def logistic(z):
    return 1 / (1 + math.exp(-z))


class Numbers:
    def __init__(self):
        self.w1, self.w2, self.w3, self.w4 = 0.15, 0.2, 0.25, 0.3
        self.w5, self.w6, self.w7, self.w8 = 0.4, 0.45, 0.5, 0.55
        self.b1, self.b2 = 0.35, 0.6

    def step(self, x, y):
        h1 = logistic(self.w1 * x[0] + self.w2 * x[1] + self.b1)
        h2 = logistic(self.w3 * x[0] + self.w4 * x[1] + self.b1)
        o1 = logistic(self.w5 * h1 + self.w6 * h2 + self.b2)
        o2 = logistic(self.w7 * h1 + self.w8 * h2 + self.b2)
        d1, d2 = (o1 - y[0]) * o1 * (1 - o1), (o2 - y[1]) * o2 * (1 - o2)
        e1 = (d1 * self.w5 + d2 * self.w7) * h1 * (1 - h1)
        e2 = (d1 * self.w6 + d2 * self.w8) * h2 * (1 - h2)
        self.w5, self.w6 = self.w5 - 0.5 * d1 * h1, self.w6 - 0.5 * d1 * h2
        self.w7, self.w8 = self.w7 - 0.5 * d2 * h1, self.w8 - 0.5 * d2 * h2
        self.w1, self.w2 = self.w1 - 0.5 * e1 * x[0], self.w2 - 0.5 * e1 * x[1]
        self.w3, self.w4 = self.w3 - 0.5 * e2 * x[0], self.w4 - 0.5 * e2 * x[1]
        return ((o1 - y[0]) ** 2 + (o2 - y[1]) ** 2) / 2
