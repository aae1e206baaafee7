"""Neurons one by one: each a dict with its weights, the bias last; updates after every sample."""

import itertools
import math
import random


def make(*widths):
    random.seed(3)
    return [
        [{"w": [random.uniform(-1, 1) for _ in range(into + 1)]} for _ in range(units)]
        for into, units in itertools.pairwise(widths)
    ]


def forward(layers, inputs):
    for layer in layers:
        outputs = []
        for neuron in layer:
            total = neuron["w"][-1]
            for weight, value in zip(neuron["w"], inputs, strict=False):
                total += weight * value
            neuron["inputs"], neuron["output"] = inputs, 1 / (1 + math.exp(-total))
            outputs.append(neuron["output"])
        inputs = outputs
    return inputs


def learn(layers, X, Y):
    for x, y in zip(X, Y, strict=True):
        forward(layers, x)
        errors = [neuron["output"] - wanted for neuron, wanted in zip(layers[-1], y, strict=True)]
        for layer in reversed(layers):
            for neuron, error in zip(layer, errors, strict=True):
                neuron["delta"] = error * neuron["output"] * (1 - neuron["output"])
            errors = [
                sum(neuron["w"][place] * neuron["delta"] for neuron in layer)
                for place in range(len(layer[0]["inputs"]))
            ]
        for layer in layers:
            for neuron in layer:
                for place, value in enumerate(neuron["inputs"]):
                    neuron["w"][place] -= 0.5 * neuron["delta"] * value
                neuron["w"][-1] -= 0.5 * neuron["delta"]
