#: style: every weight a number of its own
#: setup: w = Weights()
#: call: w.adjust
#: sizes: 2 2 1
#: layers: np.array([[w.a1,w.b1],[w.a2,w.b2]]) np.array([w.a0,w.b0]), np.array([[w.c1],[w.c2]]) np.array([w.c0])
#: targets: line
#: rate: 0.3
#: variants: sigmoid sigmoid half_sum
import math


def s(x):
    return 1 / (1 + math.exp(-x))


class Weights:
    def __init__(self):
        self.a0, self.a1, self.a2 = 0.1, -0.4, 0.7
        self.b0, self.b1, self.b2 = -0.2, 0.5, 0.3
        self.c0, self.c1, self.c2 = 0.25, 0.8, -0.6

    def adjust(self, X, y):
        g = [0.0] * 9
        for (x1, x2), t in zip(X, y):
            a = s(self.a0 + self.a1 * x1 + self.a2 * x2)
            b = s(self.b0 + self.b1 * x1 + self.b2 * x2)
            c = s(self.c0 + self.c1 * a + self.c2 * b)
            dc = (c - t) * c * (1 - c)
            da = dc * self.c1 * a * (1 - a)
            db = dc * self.c2 * b * (1 - b)
            for i, part in enumerate(
                (da, da * x1, da * x2, db, db * x1, db * x2, dc, dc * a, dc * b)
            ):
                g[i] += 0.3 * part
        self.a0 -= g[0]
        self.a1 -= g[1]
        self.a2 -= g[2]
        self.b0 -= g[3]
        self.b1 -= g[4]
        self.b2 -= g[5]
        self.c0 -= g[6]
        self.c1 -= g[7]
        self.c2 -= g[8]
