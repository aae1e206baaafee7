"""The names in braces of the catalogue, as somebody's own code has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen
from backpass.doctor.observe import Run
from backpass.doctor.search import Story

Array = NDArray[np.float64]
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_0-9]+|\[[-\w'\"]+\])*")


class Wording:
    """Sentences about the layers of a story, with products in the order that the user has."""

    def __init__(self, seen: Seen, story: Story, run: Run) -> None:
        self.seen = seen
        self.names = _own_names(run, dict(_quantities(story)))

    def say(self, text: str, layer: int) -> str:
        """A sentence of the catalogue about a layer."""
        return text.format_map(self._words(layer))

    def _words(self, l: int) -> dict[str, str]:
        seen = self.seen.layers
        here = seen[l - 1]
        words = {f"W{place}": one.weight for place, one in enumerate(seen, 1)}
        for place in range(1, len(seen) + 1):
            kinds = ("A", "Z", "dA", "dZ")
            words |= {f"{kind}{place}": self._of(f"{kind}{place}") for kind in kinds}
            words[f"slope{place}"] = self._slope(place)
        words |= {"X": self._of("X"), "Y": self._of("Y"), "A_last": self._of(f"A{len(seen)}")}
        words |= {
            "W": here.weight, "b": here.bias or "", "f": here.activation, "above": str(l + 1),
            "A": self._of(f"A{l}"), "Z": self._of(f"Z{l}"),
            "A_in": self._of(f"A{l - 1}" if l > 1 else "X"), "Z_in": self._of(f"Z{l - 1}"),
            "dA": self._of(f"dA{l}"), "dZ": self._of(f"dZ{l}"), "dW": f"dW{l}", "db": f"db{l}",
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
                words[name] = f"{up.weight}.T @ {sent}" if up.turned else f"{sent} @ {up.weight}.T"
            if up.ones:
                words["carry"] += ", without the part that meets the ones"
        return words

    def _of(self, name: str) -> str:
        return self.names.get(name, name)

    def _slope(self, l: int) -> str:
        a, z = self._of(f"A{l}"), self._of(f"Z{l}")
        match self.seen.layers[l - 1].activation:
            case "sigmoid":
                return f"{a}(1 − {a})"
            case "tanh":
                return f"(1 − {a}²)"
            case "relu":
                return f"({z} > 0)"
            case name:
                return f"{name}′({z})"


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


def _own_names(run: Run, quantities: dict[str, Array]) -> dict[str, str]:
    """Names of the user's that stand for one quantity and for no other."""
    claims: dict[str, set[str]] = {}
    for event in run.events:
        place = run.places[event.place]
        if event.value.ndim == 0 or not _NAME.fullmatch(place.text):
            continue
        value = event.value if event.value.ndim == 2 else event.value.reshape(1, -1)
        meant = claims.setdefault(place.text, set())
        same = [
            name
            for name, quantity in quantities.items()
            if any(
                way.shape == quantity.shape and np.allclose(way, quantity, rtol=1e-9, atol=0)
                for way in (value, value.T)
            )
        ]
        meant.add(same[0] if same else f"another {place.text}")
    clear = {text: next(iter(names)) for text, names in claims.items() if len(names) == 1}
    count = Counter(clear.values())
    found: dict[str, str] = {}
    for text, name in clear.items():
        if name in quantities and (count[name] == 1 or name not in found):
            found[name] = text
    return found
