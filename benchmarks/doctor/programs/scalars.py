#: style: pure Python: lists of lists, a loop for every index
#: setup: brain = Brain(3, 4, 2)
#: call: brain.study
#: args: X.tolist(), Y.tolist()
#: sizes: 3 4 2
#: layout: columns-of-rows
#: layers: brain.wih brain.bias_h, brain.who brain.bias_o
#: rate: 0.4
#: variants: sigmoid sigmoid half_sum | tanh linear sum | relu linear half_mean | sigmoid sigmoid bce_sum
import math
import random


def sigmoid(v):
    return 1.0 / (1.0 + math.exp(-v))
    # ! 53 [sigmoid]: return 1.0 / (1.0 + math.exp(v))


def bent(v):
    return sigmoid(v)
    # = tanh: return math.tanh(v)
    # = relu: return v if v > 0 else 0.0


def bent_slope(out):
    return out * (1.0 - out)
    # = tanh: return 1.0 - out * out
    # = relu: return 1.0 if out > 0 else 0.0
    # ! 20 [relu]: return 1.0 if out >= 0 else 0.0
    # ! 22 [tanh|relu]: return out * (1.0 - out)
    # ! 23 [tanh]: return 1.0 - out
    # ! 24 [sigmoid]: return (out * (1.0 - out)) ** 2
    # ! 18 [sigmoid]: return sigmoid(out) * (1.0 - sigmoid(out))
    # ! 18 [tanh]: return 1.0 - math.tanh(out) ** 2
    # ! 58 [tanh]: return math.tanh(out)


class Brain:
    def __init__(self, inputs, hidden, outputs):
        dice = random.Random(4)
        self.wih = [[dice.uniform(-1, 1) for _ in range(inputs)] for _ in range(hidden)]
        self.bias_h = [dice.uniform(-0.5, 0.5) for _ in range(hidden)]
        self.who = [[dice.uniform(-1, 1) for _ in range(hidden)] for _ in range(outputs)]
        self.bias_o = [dice.uniform(-0.5, 0.5) for _ in range(outputs)]
        self.pace = 0.4

    def think(self, features):
        sums_h, mids = [], []
        for j in range(len(self.wih)):
            total = self.bias_h[j]
            for i in range(len(features)):
                total += self.wih[j][i] * features[i]
            sums_h.append(total)
            mids.append(bent(total))
        outs = []
        for k in range(len(self.who)):
            total = self.bias_o[k]
            for j in range(len(mids)):
                total += self.who[k][j] * mids[j]
            outs.append(sigmoid(total))
            # = out-linear: outs.append(total)
        return sums_h, mids, outs

    def study(self, X, Y):
        step_ih = [[0.0] * len(self.wih[0]) for _ in self.wih]
        step_bh = [0.0] * len(self.wih)
        step_ho = [[0.0] * len(self.who[0]) for _ in self.who]
        step_bo = [0.0] * len(self.who)
        cost = 0.0
        for features, wanted in zip(X, Y):
            # ! 54: for features, wanted in list(zip(X, Y))[1:]:
            sums_h, mids, outs = self.think(features)
            # ! 26: sums_h, mids, outs = self.think(features)\nvalues = sums_h
            for k in range(len(outs)):
                cost += 0.5 * (outs[k] - wanted[k]) ** 2
                # = sum: cost += (outs[k] - wanted[k]) ** 2
                # = bce_sum: cost -= wanted[k] * math.log(outs[k]) + (1 - wanted[k]) * math.log(1 - outs[k])
                # = half_mean: cost += 0.5 * (outs[k] - wanted[k]) ** 2 / len(X)
            blame_o = []
            for k in range(len(outs)):
                gap = outs[k] - wanted[k]
                blame_o.append(gap * outs[k] * (1.0 - outs[k]))
                # = sum: blame_o.append(2 * gap)
                # = bce_sum: blame_o.append(gap)
                # = half_mean: blame_o.append(gap / len(X))
                # ! 3 [sum]: blame_o.append(gap)
                # ! 5 [half_mean]: blame_o.append(gap)
                # ! 10 [half_sum]: blame_o.append(gap)
                # ! 11 [bce_sum]: blame_o.append(gap * outs[k] * (1.0 - outs[k]))
                # ! 12 [sum]: blame_o.append(math.tanh(gap))
                # ! 56 [half_sum]: blame_o.append(gap * gap * (1.0 - gap))
            blame_h = []
            for j in range(len(mids)):
                pull = 0.0
                for k in range(len(outs)):
                    pull += blame_o[k] * self.who[k][j]
                    # ! 34: pull += blame_o[k] * abs(self.who[k][j])
                    # ! 33 [half_sum]: pull += (outs[k] - wanted[k]) * self.who[k][j]
                    # ! 32: pull += blame_o[k] * blame_o[k] * mids[j]
                    # ! 57: pull += blame_o[k]
                    # ! 49: pull = blame_o[k] * self.who[k][j]
                blame_h.append(pull * bent_slope(mids[j]))
                # ! 16: blame_h.append(pull)
                # ! 19 [sigmoid]: blame_h.append(pull * bent_slope(sums_h[j]))
                # ! 55 [relu]: blame_h.append(max(pull, 0.0))
            for k in range(len(outs)):
                for j in range(len(mids)):
                    step_ho[k][j] += blame_o[k] * mids[j]
                    # ! 2: step_ho[k][j] -= blame_o[k] * mids[j]
                    # ! 4: step_ho[k][j] += 2 * blame_o[k] * mids[j]
                    # ! 26: step_ho[k][j] += blame_o[k] * values[j]
                    # ! 44: step_ho[k][j] = blame_o[k] * mids[j]
                    # ! 27: step_ho[k][j] += blame_o[k] * self.who[k][j]
                step_bo[k] += blame_o[k]
                # ! 9: step_bo[k] += blame_o[k] / len(X)
                # ! 40 [half_sum]: step_bo[k] += outs[k] - wanted[k]
                # ! 44: step_bo[k] = blame_o[k]
            for j in range(len(mids)):
                for i in range(len(features)):
                    step_ih[j][i] += blame_h[j] * features[i]
                    # ! 44: step_ih[j][i] = blame_h[j] * features[i]
                    # ! 35: step_ih[j][i] += blame_h[j] * mids[i]
                    # ! 27b: step_ih[j][i] += blame_h[j] * self.wih[j][i]
                step_bh[j] += blame_h[j]
                # ! 9: step_bh[j] += blame_h[j] / len(X)
                # ! 37: step_bh[j] += 0.0
                # ! 44: step_bh[j] = blame_h[j]
        for k in range(len(self.who)):
            for j in range(len(self.who[k])):
                self.who[k][j] -= self.pace * step_ho[k][j]
                # ! 1: self.who[k][j] += self.pace * step_ho[k][j]
            self.bias_o[k] -= self.pace * step_bo[k]
            # ! 1: self.bias_o[k] += self.pace * step_bo[k]
        for j in range(len(self.wih)):
            for i in range(len(self.wih[j])):
                self.wih[j][i] -= self.pace * step_ih[j][i]
                # ! 1: self.wih[j][i] += self.pace * step_ih[j][i]
                # ! 36: pass
            self.bias_h[j] -= self.pace * step_bh[j]
            # ! 1: self.bias_h[j] += self.pace * step_bh[j]
            # ! 36: pass
        return cost
