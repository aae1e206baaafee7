"""What every line is called: the user's own name, or one that tells what the line is for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backpass.calculus.op import Op
from backpass.forward.witness import Value
from backpass.language.program import Array

ACTIVATIONS = frozenset(
    ("tanh", "sigmoid", "relu", "leaky_relu", "softplus", "softmax", "log_softmax", "logsumexp")
)


def is_activation(op: Op | None) -> bool:
    """Whether an operation is an activation: a known one, or one that was only declared."""
    if op is None:
        return False
    return op.name in ACTIVATIONS or (op.function is not None and op.function.value is None)


UNNAMED = "%"  # begins the name of a value that the user gave none


class Names:
    """The name of every value of a graph; the ones without a name get theirs at the end."""

    def __init__(self, values: Sequence[Value], leaves: Mapping[str, Array], result: int) -> None:
        self._names: dict[int, str] = {}
        self._values = {value.index: value for value in values}
        self._consumer: dict[int, int] = {}
        for value in values:
            for one in value.operands:
                if isinstance(one, int):
                    self._consumer.setdefault(one, value.index)
        self._taken = set(leaves)
        self._owner: dict[str, tuple[str, str]] = {}  # parts of a value: what it is, whose
        bound: dict[str, list[Value]] = {}
        for value in values:
            if value.input is not None:
                self._names[value.index] = value.input
            elif value.place.name is not None:
                bound.setdefault(value.place.name, []).append(value)
            elif value.op is None:
                self._names[value.index] = self._free("K")
        for base, group in bound.items():
            self._number(base, group)
        if result not in self._names:
            self._names[result] = self._free("y" if self._values[result].shapes[0] else "L")

    def _number(self, base: str, group: list[Value]) -> None:
        """Number the bindings of one name; elements of a list by their place, counted from 1."""
        places = [value.place.position for value in group]
        ordered = None not in places and len(set(places)) == len(places)
        shift = 1 if 0 in places else 0
        for count, value in enumerate(group, 1):
            place = value.place.position
            if ordered and place is not None:
                name = f"{base}{place + shift}"
            elif len(group) == 1 and base not in self._taken:
                name = base
            else:
                name = f"{base}{count}" if not base[-1].isdigit() else f"{base}_{count}"
            self._names[value.index] = self._free(name)

    def _free(self, name: str) -> str:
        found, count = name, 1
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found

    def of(self, index: int) -> str:
        """The name of a value; a placeholder while it has none."""
        return self._names.get(index) or f"{UNNAMED}{index}"

    def part(self, kind: str, owner: str) -> str:
        """A placeholder for something that an operation needs beside its result."""
        name = f"{UNNAMED}{kind}{owner}"
        self._owner[name] = (kind, owner)
        return name

    def christen(self, lines: Sequence[str]) -> dict[str, str]:
        """Name the lines, given by their placeholders, that are left without a name."""
        new: dict[str, str] = {}
        layer, others = 0, 0
        single = sum(self._is_preactivation(line) for line in lines) == 1
        for line in lines:
            if not line.startswith(UNNAMED):
                continue
            if line in self._owner:
                kind, owner = self._owner[line]
                stem = new.get(owner, owner)
                stem = "T" if stem.startswith(UNNAMED) else stem
                kind = "at" if kind.startswith("arg") else kind
                new[line] = self._free(f"{stem}_{kind}")
                continue
            index = int(line.removeprefix(UNNAMED))
            if "cross_entropy" in self._op(index):
                new[line] = self._free("C")  # a cost to which more is added
            elif self._is_preactivation(line):
                layer += 1
                number = self._digits(index) or ("" if single else str(layer))
                new[line] = self._free(f"Z{number}")
            elif is_activation(self._values[index].op):
                new[line] = self._free(f"A{layer or ''}")
            else:
                others += 1
                new[line] = self._free(f"T{others}")
        return new

    def _op(self, index: int) -> str:
        op = self._values[index].op
        return op.name if op else ""

    def _is_preactivation(self, name: str) -> bool:
        found = re.fullmatch(rf"{UNNAMED}(\d+)", name)
        if found is None or (consumer := self._consumer.get(int(found[1]))) is None:
            return False
        op = self._values[consumer].op
        return is_activation(op) or "cross_entropy" in self._op(consumer)

    def _digits(self, index: int) -> str:
        """The digits of the name that a value flows into."""
        here: int | None = index
        while here is not None and here not in self._names:
            here = self._consumer.get(here)
        found = re.search(r"\d+$", self._names[here]) if here is not None else None
        return found[0] if found else ""
