"""No NumPy at all: lists of lists, one sample, every number by itself."""

import math
import random


class Loops:
    def __init__(self, inputs, hidden, outputs):
        draw = random.Random(3)
        self.first = [[draw.uniform(-1, 1) for _ in range(inputs)] for _ in range(hidden)]
        self.first_bias = [0.0] * hidden
        self.second = [[draw.uniform(-1, 1) for _ in range(hidden)] for _ in range(outputs)]
        self.second_bias = [0.0] * outputs

    def learn(self, sample, target, rate=0.5):
        middle = []
        for unit in range(len(self.first)):
            total = self.first_bias[unit]
            for place in range(len(sample)):
                total += self.first[unit][place] * sample[place]
            middle.append(1 / (1 + math.exp(-total)))
        last = []
        for unit in range(len(self.second)):
            total = self.second_bias[unit]
            for place in range(len(middle)):
                total += self.second[unit][place] * middle[place]
            last.append(1 / (1 + math.exp(-total)))
        late = [(out - want) * out * (1 - out) for out, want in zip(last, target, strict=True)]
        early = []
        for place in range(len(middle)):
            back = sum(late[unit] * self.second[unit][place] for unit in range(len(last)))
            early.append(back * middle[place] * (1 - middle[place]))
        for unit in range(len(last)):
            for place in range(len(middle)):
                self.second[unit][place] -= rate * late[unit] * middle[place]
            self.second_bias[unit] -= rate * late[unit]
        for unit in range(len(middle)):
            for place in range(len(sample)):
                self.first[unit][place] -= rate * early[unit] * sample[place]
            self.first_bias[unit] -= rate * early[unit]
