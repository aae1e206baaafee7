"""Random networks whose layers are mostly equal, as source that backpass derives."""

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

import backpass as bp
from backpass.derive import Derivation

ACTIVATIONS = {
    "tanh": "np.tanh({})",
    "relu": "np.maximum({}, 0)",
    "sigmoid": "1 / (1 + np.exp(-({})))",
    "softmax": "bp.softmax({})",
    "cube": "({}) ** 3 / 7",
    "leaky": "np.where({0} > 0, {0}, 0.1 * ({0}))",
}
# Where the weights and the bias of layer l lie; the first says W1, b1, … are arguments.
HOLDERS = {
    "arguments": ("W{l}", "b{l}"),
    "lists": ("W[{i}]", "b[{i}]"),
    "tuples": ("W[{i}]", "b[{i}]"),
    "dict of lists": ("p['W'][{i}]", "p['b'][{i}]"),
    "numbered keys": ("p['W{l}']", "p['b{l}']"),
    "list of dicts": ("p[{i}]['W']", "p[{i}]['b']"),
    "list of pairs": ("p[{i}][0]", "p[{i}][1]"),
    "dict of dicts": ("p['layer{l}']['W']", "p['layer{l}']['b']"),
}


@dataclass
class Network:
    """A forward pass as source, the shapes of its arguments, and what is learned."""

    source: str
    shapes: dict[str, Any]
    wrt: str

    def derived(self) -> Derivation:
        space: dict[str, Any] = {"np": np, "bp": bp}
        exec(self.source, space)
        return bp.derive(space["loss"], self.shapes, wrt=self.wrt)


def random_network(seed: int) -> Network:
    random = Random(seed)

    def sometimes(share: float) -> bool:
        return random.random() < share

    count = random.choice([2, 2, 3, 4, 5])
    rows, bias, equal = sometimes(0.75), sometimes(0.6), sometimes(0.4)
    numbers = sometimes(0.3)
    if equal:
        widths = ["4" if numbers else "k"] * (count + 1)
    elif numbers:
        widths = [str(random.randint(2, 5)) for _ in range(count + 1)]
    else:
        widths = random.choice([[f"d{l}" for l in range(count + 1)], list("abcdef")[: count + 1]])
    holder = random.choice(list(HOLDERS))
    activation = last = random.choice(list(ACTIVATIONS))
    if count > 2 and sometimes(0.5):
        last = random.choice(list(ACTIVATIONS))  # two layers are equal at least
    residual = equal and sometimes(0.4)
    rebound = not residual and sometimes(0.3)
    normed = rows and not numbers and sometimes(0.2)
    readout, decay, anything = rows and sometimes(0.3), sometimes(0.2), sometimes(0.3)

    weights = [HOLDERS[holder][0].format(l=i + 1, i=i) for i in range(count)]
    biases = [HOLDERS[holder][1].format(l=i + 1, i=i) for i in range(count)]
    name = random.choice(["A", "h", "out"])
    lines, before = list[str](), "X"
    for i in range(count):
        z = f"{before} @ {weights[i]}" if rows else f"{weights[i]} @ {before}"
        z = f"{z} + {biases[i]}" if bias else z
        if rebound:
            lines.append(f"{name} = {z}")
            z = name
        if normed:
            lines += [f"S = {z}", "S = S / np.sqrt(np.mean(S**2, axis=1, keepdims=True) + 0.1)"]
            z = "S"
        a = ACTIVATIONS[last if i == count - 1 else activation].format(z)
        lines.append(f"{name} = {before} + {a}" if residual else f"{name} = {a}")
        before = name
    if readout:
        lines.append(f"{name} = {name} @ V + c")
    loss = random.choice(["np.sum(({0} - Y) ** 2)", "np.mean(({0} - Y) ** 2)"])
    if rows and sometimes(0.3):
        loss = "bp.cross_entropy({0}, Y)"
    total = [loss.format(name), *(f"0.01 * np.sum({one}**2)" for one in weights if decay)]
    lines.append(f"return {' + '.join(total)}")

    width, samples = ("q" if readout else widths[-1]), ("n " if rows else "")
    pairs = [(f"{a} {b}" if rows else f"{b} {a}", b) for a, b in pairwise(widths)]
    shapes = {
        "X": f"{samples}{widths[0]}",
        "Y": f"n int<{width}" if "cross" in loss else f"{samples}{width}",
        **_held(holder, pairs, bias),
        **({"V": f"{widths[-1]} q", "c": "q"} if readout else {}),
    }
    learned = [one for one in shapes if one not in ("X", "Y")]
    wrt = learned + ["X"] * anything
    body = "".join(f"    {line}\n" for line in lines)
    return Network(f"def loss({', '.join(shapes)}):\n{body}", shapes, " ".join(wrt))


def _held(holder: str, pairs: list[tuple[str, str]], bias: bool) -> dict[str, Any]:
    """The shapes of weights and biases in their holder."""
    W = {f"W{l}": one for l, (one, _) in enumerate(pairs, 1)}
    b = {f"b{l}": one for l, (_, one) in enumerate(pairs, 1)} if bias else {}
    each = [{"W": one} | ({"b": other} if bias else {}) for one, other in pairs]
    match holder:
        case "arguments":
            return W | b
        case "lists" | "tuples":
            made = list if holder == "lists" else tuple
            return {"W": made(W.values())} | ({"b": made(b.values())} if bias else {})
        case "dict of lists":
            return {"p": {"W": [*W.values()]} | ({"b": [*b.values()]} if bias else {})}
        case "numbered keys":
            return {"p": W | b}
        case "list of dicts":
            return {"p": each}
        case "list of pairs":
            return {"p": [tuple(one.values()) for one in each]}
        case _:
            return {"p": {f"layer{l}": one for l, one in enumerate(each, 1)}}
