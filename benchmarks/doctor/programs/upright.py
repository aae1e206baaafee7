#: style: textbook columns with np.dot, numbered locals
#: setup: book = Book()
#: call: book.lesson
#: sizes: 3 4 4 2
#: layout: columns
#: layers: book.w2 book.b2, book.w3 book.b3, book.w4 book.b4
#: rate: 0.3
#: variants: sigmoid sigmoid half_mean | sigmoid sigmoid bce_mean
import numpy as np


def phi(z):
    return 1.0 / (1.0 + np.exp(-z))


class Book:
    def __init__(self):
        draw = np.random.RandomState(3).randn
        self.w2, self.b2 = draw(4, 3), draw(4, 1)
        self.w3, self.b3 = draw(4, 4), draw(4, 1)
        self.w4, self.b4 = draw(2, 4), draw(2, 1)

    def lesson(self, x, y):
        n = x.shape[1]
        a2 = phi(self.w2.dot(x) + self.b2)
        a3 = phi(self.w3.dot(a2) + self.b3)
        a4 = phi(self.w4.dot(a3) + self.b4)
        J = ((y - a4) ** 2).sum() / (2 * n)
        # = bce_mean: J = -(y * np.log(a4) + (1 - y) * np.log(1 - a4)).sum() / n
        d4 = -(y - a4) * a4 * (1 - a4)
        # = bce_mean: d4 = -(y - a4)
        # ! 10 [half_mean]: d4 = -(y - a4)
        # ! 11 [bce_mean]: d4 = -(y - a4) * a4 * (1 - a4)
        d3 = self.w4.T.dot(d4) * a3 * (1 - a3)
        d2 = self.w3.T.dot(d3) * a2 * (1 - a2)
        # ! 30: d2 = self.w3.dot(d3) * a2 * (1 - a2)
        # ! 35: d2 = self.w3.T.dot(d3) * a3 * (1 - a3)
        self.w4 -= 0.3 / n * d4.dot(a3.T)
        self.w3 -= 0.3 / n * d3.dot(a2.T)
        # ! 28: self.w3 -= 0.3 / n * a2.dot(d3.T)
        self.w2 -= 0.3 / n * d2.dot(x.T)
        self.b4 -= 0.3 / n * d4.sum(axis=1, keepdims=True)
        self.b3 -= 0.3 / n * d3.sum(axis=1, keepdims=True)
        self.b2 -= 0.3 / n * d2.sum(axis=1, keepdims=True)
        return J
