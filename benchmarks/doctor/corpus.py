"""Programs as they are run: written to a folder, imported, called, and their updates read."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.doctor import marked
from benchmarks.doctor.marked import Variation
from benchmarks.doctor.witness import ACTIVATIONS, Arrays, Stated

SAMPLES = 7
sys.dont_write_bytecode = True  # files of one name and second would be taken for each other


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program in memory: what to call, with what, and where its parameters are."""

    call: Callable[..., Any]
    args: tuple[Any, ...]
    paths: tuple[str, ...]
    space: dict[str, Any]
    names: dict[str, Any]
    returned: str = ""  # where the gradients are in what a call returns, if it returns them
    calls: int = 1

    def parameters(self) -> Arrays:
        found = (eval(path, self.space, self.names) for path in self.paths)
        return [np.array(one, dtype=float) for one in found]


def paths(variation: Variation) -> tuple[str, ...]:
    """Where the parameters are: a weight, then its bias."""
    return tuple(re.split(r",? ", variation.head["layers"]))


def stated(variation: Variation) -> Stated:
    """The network, the loss and the update rule that the head of the file claims."""
    head = variation.head
    depth = len(head["sizes"].split()) - 1
    hidden = head.get("hidden", " ".join([variation.hidden] * (depth - 1))).split()
    assert set(hidden) <= set(ACTIVATIONS)
    return Stated(
        (*hidden, variation.output),
        variation.loss,
        head.get("layout", "rows") in ("columns", "columns-of-rows"),
        head.get("bias", "separate"),
        float(head["rate"]),
        float(head.get("decay", 0)),
        head.get("rule", "descent"),
        int(head.get("batch", 0)),
        int(head.get("epochs", 1)) * int(head.get("calls", 1)),
        past=past(variation)[0],
        parts=tuple(head.get("parts", "").split()),
    )


def past(variation: Variation) -> tuple[str, int, int]:
    """Of a recurrent layer when it makes outputs, steps and sequences; "" of another."""
    kind, steps, sequences = variation.head.get("past", " 0 0").split(" ")
    return kind, int(steps), int(sequences)


def rows(variation: Variation) -> int:
    """How many outputs a loss is summed or averaged over."""
    kind, steps, sequences = past(variation)
    return {"": SAMPLES, "every": steps * sequences, "last": sequences}[kind]


def sequences(variation: Variation) -> tuple[np.ndarray, np.ndarray]:
    """Inputs by step, sequence and unit, and targets with a row for each output."""
    sizes = [int(n) for n in variation.head["sizes"].split()]
    rng = np.random.default_rng(23)
    _, steps, count = past(variation)
    X = rng.normal(size=(steps, count, sizes[0]))
    if variation.head["given"] == "letters":
        X = np.eye(sizes[0])[rng.integers(sizes[0], size=(steps, count))]
    size = rows(variation), sizes[-1]
    if variation.loss.startswith("ce"):
        return X, np.eye(sizes[-1])[rng.integers(sizes[-1], size=size[0])]
    return X, rng.normal(size=size)


def standing(variation: Variation, X: np.ndarray, Y: np.ndarray) -> tuple[Any, Any]:
    """Sequences as a program is given them."""
    kind, steps, count = past(variation)
    Y = Y.reshape((steps if kind == "every" else 1, count, -1))
    match variation.head["given"]:
        case "letters":  # one sequence of indices, and the index that follows each
            return X.argmax(axis=2)[:, 0].tolist(), Y.argmax(axis=2)[:, 0].tolist()
        case "steps":  # one sequence, a step in each row
            return X[:, 0], Y[:, 0] if kind == "every" else Y[0, 0]
        case "batch":  # sequences, then steps
            return X.transpose(1, 0, 2).copy(), Y.transpose(
                1, 0, 2
            ).copy() if kind == "every" else Y[0]
        case _:  # units, then sequences, then steps
            turned = Y.transpose(2, 1, 0).copy()
            return X.transpose(2, 1, 0).copy(), turned if kind == "every" else turned[:, :, 0]


def data(variation: Variation) -> tuple[np.ndarray, np.ndarray]:
    """Samples in rows: random inputs, and targets such as the loss wants."""
    if past(variation)[0]:
        return sequences(variation)
    sizes = [int(n) for n in variation.head["sizes"].split()]
    rng = np.random.default_rng(17)
    X = rng.normal(size=(SAMPLES, sizes[0]))
    if variation.loss.startswith("ce"):
        return X, np.eye(sizes[-1])[rng.integers(sizes[-1], size=SAMPLES)]
    if variation.loss.startswith("bce"):
        return X, rng.integers(2, size=(SAMPLES, sizes[-1])).astype(float)
    if variation.output in ("sigmoid", "softmax"):
        return X, rng.uniform(0.1, 0.9, size=(SAMPLES, sizes[-1]))
    return X, rng.normal(size=(SAMPLES, sizes[-1]))


def load(variation: Variation, text: str, folder: Path, stem: str) -> Loaded:
    """Write the text to a file of the folder, and import it."""
    path = folder / f"{stem}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    spec.loader.exec_module(module)
    head = variation.head
    X, Y = data(variation)
    if past(variation)[0]:
        X, Y = standing(variation, X, Y)
    if head.get("targets") == "labels":
        Y = Y.argmax(axis=1)
    if head.get("targets") == "line":
        Y = Y[:, 0]
    if head.get("layout") == "columns" and not past(variation)[0]:
        X, Y = X.T.copy(), Y.T.copy()
    names: dict[str, Any] = {"X": X, "Y": Y, "np": np}
    space = vars(module)
    exec(head.get("setup", ""), space, names)
    args = eval(f"({head.get('args', 'X, Y')},)", space, names)
    return Loaded(
        eval(head["call"], space, names), args, paths(variation), space, names,
        head.get("gradients", ""), int(head.get("calls", 1)),
    )  # fmt: skip


def updates(variation: Variation, text: str, folder: Path, stem: str) -> Arrays:
    """What one call takes from each parameter."""
    return taken(load(variation, text, folder, stem))


def taken(loaded: Loaded) -> Arrays:
    """What a call takes from each parameter, or returns as its gradient."""
    before = copy.deepcopy(loaded.parameters())
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        for _ in range(loaded.calls):
            result = loaded.call(*loaded.args)
    if loaded.returned:
        found = eval(loaded.returned, loaded.space, {**loaded.names, "result": result})
        return [np.array(one, dtype=float) for one in found]
    after = loaded.parameters()
    if [a.shape for a in after] == [b.shape for b in before]:
        return [b - a for a, b in zip(after, before, strict=True)]
    # a parameter that has grown: what it should have been is lost in every row
    return [
        b - a if a.shape == b.shape else np.full(b.shape, np.nan)
        for a, b in zip(after, before, strict=True)
    ]


def masks(variation: Variation, loaded: Loaded) -> tuple[np.ndarray, ...]:
    """The masks of dropout that a call has drawn, with a row for each sample."""
    if "masks" not in variation.head:
        return ()
    found = eval(f"({variation.head['masks']},)", loaded.space, loaded.names)
    turned = variation.head.get("layout") == "columns"
    return tuple(np.array(one, float).T if turned else np.array(one, float) for one in found)


def off(variation: Variation, folder: Path) -> float:
    """How far a correct program's update is from that of its stated loss, relatively."""
    source = marked.written(variation)
    stem = "sound_" + variation.name.replace(" ", "_")
    first = load(variation, source.text, folder, stem + "_before").parameters()
    X, Y = data(variation)
    loaded = load(variation, source.text, folder, stem)
    got = taken(loaded)
    network = replace(stated(variation), masks=masks(variation, loaded))
    wanted = [p - q for p, q in zip(first, network.trained(first, X, Y), strict=True)]
    scale = max(float(np.abs(w).max()) for w in wanted)
    return max(float(np.abs(w - g).max()) for w, g in zip(wanted, got, strict=True)) / scale
