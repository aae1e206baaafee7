"""The names in braces of the catalogue, as somebody's own code has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen
from backpass.doctor.mistake import At
from backpass.doctor.observe import Run
from backpass.doctor.search import Story

Array = NDArray[np.float64]
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_0-9]+|\[[-\w'\"]+\])*")


class Wording:
    """Sentences about the layers of a story, with products in the order that the user has."""

    def __init__(
        self, seen: Seen, story: Story, run: Run, moved: Mapping[str, Array] | None = None
    ) -> None:
        self.seen = seen
        self.masked = {l for l, one in enumerate(story.at[0].run.masks) if one is not None}
        self.names = _own_names(run, dict(_quantities(story)))
        for number, layer in enumerate(seen.layers, 1):
            both = (("dW", layer.weight), ("db", layer.bias))
            paths = {path: f"{kind}{number}" for kind, path in both if path is not None}
            self.names |= _gradients(run, moved or {}, paths)
        self.inner = [
            _inner(run, layer.weight, story.layer(number)[0])
            for number, layer in enumerate(seen.layers, 1)
        ]

    def say(self, text: str, layer: int) -> str:
        """A sentence of the catalogue about a layer."""
        return text.format_map(self._words(layer))

    def _words(self, l: int) -> dict[str, str]:
        seen = self.seen.layers
        here = seen[l - 1]
        words = {f"W{place}": one.weight for place, one in enumerate(seen, 1)}
        for place in range(1, len(seen) + 1):
            kinds = ("A", "Z", "dA", "dZ", "M")
            words |= {f"{kind}{place}": self._of(f"{kind}{place}") for kind in kinds}
            words[f"D{place}"] = self._left(place)
            words[f"slope{place}"] = self._slope(place)
        words |= {"X": self._of("X"), "Y": self._of("Y"), "A_last": self._of(f"A{len(seen)}")}
        words |= {
            "W": here.weight, "b": here.bias or "", "f": here.activation, "above": str(l + 1),
            "A": self._of(f"A{l}"), "Z": self._of(f"Z{l}"),
            "A_in": self._left(l - 1), "Z_in": self._of(f"Z{l - 1}"), "M": self._of(f"M{l}"),
            "D": self._left(l), "A_bare": self._of(f"A{l - 1}" if l > 1 else "X"),
            "dA": self._of(f"dA{l}"), "dZ": self._of(f"dZ{l}"),
            "dW": self._of(f"dW{l}"), "db": self._of(f"db{l}"),
            "slope": self._slope(l),
        }  # fmt: skip
        sideways = "Σ over samples of "
        words["summed"] = f"{sideways}{words['dZ']}" if len(self.seen.output) > 1 else words["dZ"]
        into, out = words["A_in"], words["dZ"]
        words["product"] = f"{out} @ {into}.T" if here.turned else f"{into}.T @ {out}"
        if here.ones:
            words["product"] += f", with the ones beside {into}"
        if l < len(seen):
            up = seen[l]
            words |= {"W_up": up.weight, "dZ_up": self._of(f"dZ{l + 1}"),
                      "dA_up": self._of(f"dA{l + 1}"), "A_up": self._of(f"A{l + 1}")}  # fmt: skip
            for name, sent in (("carry", words["dZ_up"]), ("raw_carry", words["dA_up"])):
                W = self.inner[l]
                words[name] = f"{W}.T @ {sent}" if up.turned else f"{sent} @ {W}.T"
                if l in self.masked:
                    words[name] = f"({words[name]}) ⊙ {words['M']}"
                if up.ones and up.weight == W:
                    words[name] += ", without the part that meets the ones"
            for place, one in enumerate(seen, 1):
                if one.skip == l:
                    joined = self._of(f"{'dZ' if one.inside else 'dA'}{place}")
                    words["carry"] += f" + {joined}"
                    words["raw_carry"] += f" + {joined}"
        return words

    def _of(self, name: str) -> str:
        return self.names.get(name, name)

    def _left(self, l: int) -> str:
        """What goes into the layer above."""
        into = self._of(f"A{l}" if l else "X")
        layer = self.seen.layers[l - 1] if l else None
        if layer is not None and layer.skip is not None and not layer.inside:
            into = self.names.get(f"S{l}", f"({into} + {self._left(layer.skip)})")
        if l not in self.masked:
            return into
        return self.names.get(f"D{l}", f"({into} ⊙ {self._of(f'M{l}')})")

    def _slope(self, l: int) -> str:
        a, z = self._of(f"A{l}"), self._of(f"Z{l}")
        match self.seen.layers[l - 1].activation:
            case "sigmoid":
                return f"{a} ⊙ (1 − {a})"
            case "tanh":
                return f"(1 − {a}²)"
            case "relu":
                return f"({z} > 0)"
            case name:
                return f"{name}′({z})"


def _inner(run: Run, weight: str, at: At) -> str:
    """What the user calls a weight without the part that meets the ones."""
    inner = at.run.inner(at.layer, at.W)
    for event in run.events:
        text = run.places[event.place].text
        if text.startswith(f"{weight}[") and text.endswith("]") and event.value.ndim == 2:
            both = event.value, event.value.T
            if any(one.shape == inner.shape and np.array_equal(one, inner) for one in both):
                return text
    return weight


def _quantities(story: Story) -> Iterator[tuple[str, Array]]:
    """What the code has names for, on the first probe, with a row for each sample."""
    run = story.at[0].run
    yield "X", run.A[0]
    yield "Y", run.y
    for layer in range(1, run.depth + 1):
        yield f"Z{layer}", run.Z[layer]
        yield f"A{layer}", run.A[layer]
        at = story.layer(layer)[0]
        yield f"dA{layer}", at.dA
        yield f"dZ{layer}", at.dZ
        if run.flow(layer) is not run.A[layer]:
            yield f"S{layer}", run.flow(layer)
    for layer, mask in enumerate(run.masks):
        if mask is not None:
            yield f"M{layer}", mask
            yield f"D{layer}", run.left(layer)


def _own_names(run: Run, quantities: dict[str, Array]) -> dict[str, str]:
    """Names of the user's that stand for one quantity and for no other, all or one sample of it.

    Where two quantities are equal, as ∂L/∂A and ∂L/∂Z are if f′ is missing, the name that came
    first is that of the first.
    """
    claims: dict[str, set[str]] = {}
    for event in run.events:
        text = run.places[event.place].text
        if event.value.ndim == 0 or not _NAME.fullmatch(text):
            continue
        meant = claims.setdefault(text, set())
        if len(meant) < 2:
            same = [
                name
                for name, one in quantities.items()
                if _stands_for(event.value, one, scaled=name.startswith(("d", "M")))
            ]
            meant.add(" ".join(same) or f"another {text}")
    found: dict[str, str] = {}
    for text, names in claims.items():
        if len(names) == 1:
            free = [name for name in next(iter(names)).split() if name in quantities]
            name = next((one for one in free if one not in found), None)
            if name is not None:
                found[name] = text
    return found


def _stands_for(value: Array, quantity: Array, *, scaled: bool) -> bool:
    """Whether an array is a quantity, or a row of it; an error may have any factor."""
    if value.dtype.kind not in "fbi" or not np.any(value) or not np.isfinite(value).all():
        return False
    if value.ndim == 1 and value.size == quantity.shape[1] > 1:
        rows: Array = quantity * np.ones_like(value)
        if scaled:
            top = np.abs(rows).max(axis=1, keepdims=True)
            rows = rows / np.where(top == 0, 1, top) * np.abs(value).max()
        return bool(np.isclose(rows, value, rtol=1e-9, atol=0).all(axis=1).any())
    table = value if value.ndim == 2 else value.reshape(1, -1)
    ways = [way for way in (table, table.T) if way.shape == quantity.shape]
    if not ways:
        return False
    factor = float(np.linalg.norm(value) / (np.linalg.norm(quantity) or 1)) if scaled else 1.0
    return any(np.allclose(way, factor * quantity, rtol=1e-9, atol=0) for way in ways)


def _gradients(run: Run, moved: Mapping[str, Array], paths: Mapping[str, str]) -> dict[str, str]:
    """What the user calls the gradients, by dW1: names that an update is a multiple of."""
    found: dict[str, str] = {}
    for path, name in paths.items():
        step = moved.get(path, np.zeros(0))
        length = float(np.linalg.norm(step))
        if not length or step.size < 2:
            continue
        for event in run.events:
            text = run.places[event.place].text
            value = event.value
            if value.size != step.size or value.dtype.kind != "f" or not _NAME.fullmatch(text):
                continue
            flat, size = value.ravel(), float(np.linalg.norm(value))
            if size and np.linalg.norm(flat / size - step.ravel() / length) < 1e-9:
                found.setdefault(name, text)
    count = Counter(found.values())
    return {name: text for name, text in found.items() if count[text] == 1}
