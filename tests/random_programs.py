"""Random forward passes: plain Python source that backpass, NumPy and JAX all execute.

A program is drawn operation by operation (`random_operations.py` has them). Each takes values
made before, so that values are used twice, or new inputs, and is computed with NumPy at once:
what lies near a kink or a tie is not taken, and what grows is scaled down. In the source `xp`
is `numpy` or `jax.numpy`, and `nn` what these do not have: activations, softmax, losses.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

# Few numbers, so that JAX compiles each operation for few shapes.
SIZES = {"n": 3, "k": 2, "m": 3}
LARGEST = 3.0  # in size, of all entries of a drawn program
GAP = 1e-3  # how far its values stay from kinks and ties

# Names that a forward pass may use although backpass or its emitted source does too.
NAMES = ["n", "k", "m", "i", "L", "P", "E", "S", "G", "Z1", "A1", "T1", "out", "dX0", "dX1", "dL",
         "dt3", "v", "vg", "hX0", "X0_2", "np", "dtype", "lr", "exp", "X0_row"]  # fmt: skip

Dims = tuple[str, ...]  # sizes as the declaration writes them: n, 3, n-1, n*k


def length(dim: str) -> int:
    return eval(dim, dict(SIZES))


@dataclass(frozen=True)
class Value:
    """An input or an assigned name, with its dims and its numbers."""

    name: str
    dims: Dims
    numbers: np.ndarray
    below: str | None = None  # of whole numbers

    def __format__(self, _: str) -> str:
        return self.name

    @property
    def declaration(self) -> str:
        kind = f" int<{self.below}" if self.below else ""
        return f"{self.name}: {' '.join(self.dims) or '()'}{kind}"

    @property
    def smooth(self) -> bool:
        """Whether no entry lies near zero."""
        return np.abs(self.numbers).min(initial=1) > GAP


class Plain:
    """What NumPy and JAX do not have, in their own words: nothing of backpass is used here."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + self.xp.exp(-x))

    def relu(self, x: Any) -> Any:
        return self.xp.where(x > 0, x, 0)

    def leaky_relu(self, x: Any, slope: Any) -> Any:
        return self.xp.where(x > 0, x, slope * x)

    def softplus(self, x: Any) -> Any:
        return self.xp.log(1 + self.xp.exp(x))

    def logsumexp(self, z: Any, axis: int = -1) -> Any:
        return self.xp.log(self.xp.sum(self.xp.exp(z), axis=axis))

    def log_softmax(self, z: Any, axis: int = -1) -> Any:
        return z - self.xp.expand_dims(self.logsumexp(z, axis), axis)

    def softmax(self, z: Any, axis: int = -1) -> Any:
        return self.xp.exp(self.log_softmax(z, axis))

    def cross_entropy(self, z: Any, target: Any) -> Any:
        return self._expected(self.log_softmax(z), target)

    def cross_entropy_from_probabilities(self, p: Any, target: Any) -> Any:
        return self._expected(self.xp.log(p), target)

    def _expected(self, logs: Any, target: Any) -> Any:
        if target.ndim < logs.ndim:
            target = self.xp.eye(logs.shape[-1])[target]
        return -self.xp.mean(self.xp.sum(target * logs, axis=-1))

    def binary_cross_entropy(self, z: Any, t: Any) -> Any:
        return self.xp.mean(self.softplus(z) - t * z)

    def binary_cross_entropy_from_probabilities(self, p: Any, t: Any) -> Any:
        return -self.xp.mean(t * self.xp.log(p) + (1 - t) * self.xp.log(1 - p))

    def mse(self, a: Any, b: Any) -> Any:
        return self.xp.mean((a - b) ** 2)

    def mae(self, a: Any, b: Any) -> Any:
        return self.xp.mean(self.xp.abs(a - b))

    def huber(self, a: Any, b: Any) -> Any:
        e = self.xp.abs(a - b)
        return self.xp.mean(self.xp.where(e <= 1, e * e / 2, e - 0.5))

    def sum_of_squares(self, a: Any, b: Any) -> Any:
        return self.xp.sum((a - b) ** 2)

    def half_sum_of_squares(self, a: Any, b: Any) -> Any:
        return self.xp.sum((a - b) ** 2) / 2


@dataclass
class Draft:
    """A program while it is drawn."""

    random: np.random.Generator
    inputs: list[Value] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)  # real ones, inputs included
    lines: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.operations)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[self.random.integers(len(options))]

    def dims(self, rank: int) -> Dims:
        return tuple(self.pick("nnkkm1") for _ in range(rank))

    def array(self, *ranks: int) -> Value:
        """A value made before of one of these ranks, or a new input."""
        known = [value for value in self.values if len(value.dims) in ranks]
        plain = [value for value in known if set(value.dims) <= {*SIZES, "1"}]
        if known and self.pick([True, True, True, False]):
            return self.pick(plain or known) if self.pick([True, False]) else self.pick(known)
        return self.like(self.dims(self.pick(ranks)))

    def like(self, dims: Dims) -> Value:
        """A value with exactly these dims; a new input when there is none."""
        known = [value for value in self.values if value.dims == dims]
        if known and self.pick([True, True, False]):
            return self.pick(known)
        numbers = self.random.normal(size=[length(dim) for dim in dims])
        self.inputs.append(Value(f"X{len(self.inputs)}", dims, numbers))
        self.values.append(self.inputs[-1])
        return self.values[-1]

    def whole(self, dims: Dims, below: str) -> Value:
        """A new input of whole numbers."""
        numbers = self.random.integers(0, length(below), size=[length(dim) for dim in dims])
        self.inputs.append(Value(f"i{len(self.inputs)}", dims, numbers, below))
        return self.inputs[-1]

    def compute(self, *lines: str) -> np.ndarray:
        """The numbers of the last line's expression, after the lines before it."""
        known = {value.name: value.numbers for value in (*self.inputs, *self.values)}
        known |= {"xp": np, "nn": Plain(np)}
        exec("\n".join(lines[:-1]), known)
        return np.asarray(eval(lines[-1], known))

    def add(self, text: str, dims: Dims, operation: str, *before: str) -> None:
        """A further name for this expression, once the lines `before` it ran."""
        numbers = self.compute(*before, text)
        expected = tuple(map(length, dims))
        assert numbers.shape == expected, f"{text} is {numbers.shape}, not {dims}"
        assert np.isfinite(numbers).all(), text
        largest = np.abs(numbers).max(initial=0)
        if largest > LARGEST:
            text = f"({text}) / {int(largest)}"
        free = [name for name in NAMES if name not in {value.name for value in self.values}]
        name = self.pick(free) if self.pick([True, False, False]) else f"t{len(self.values)}"
        self.lines += [*before, f"{name} = {text}"]
        self.values.append(Value(name, dims, self.compute(*before, text)))
        self.operations.append(operation)


@dataclass(frozen=True, repr=False)
class RandomProgram:
    """A drawn program: its source, what to declare, and the numbers to run it on."""

    source: str
    inputs: tuple[Value, ...]
    operations: frozenset[str]

    def __repr__(self) -> str:
        return f"\n\n{self.shapes}\n{self.source}\n"

    @property
    def shapes(self) -> str:
        return ", ".join(value.declaration for value in self.inputs)

    @property
    def real(self) -> list[int]:
        """The positions of the real arguments."""
        return [at for at, value in enumerate(self.inputs) if value.below is None]

    @property
    def arguments(self) -> list[np.ndarray]:
        return [value.numbers for value in self.inputs]

    def function(self, xp: Any, nn: Any) -> Callable[..., Any]:
        """The forward pass over these namespaces."""
        names: dict[str, Any] = {"xp": xp, "nn": nn}
        exec(self.source, names)
        return names["loss"]


Operation = Callable[[Draft], None]


def random_program(operations: dict[str, Operation], seed: int, steps: int) -> RandomProgram:
    """A program of so many operations, in which some value is used twice and every one matters.

    With fewer steps the same seed gives the beginning of the same program.
    """
    draft = Draft(np.random.default_rng(seed))
    names = sorted(operations)
    while draft.steps < steps:
        operations[draft.pick(names)](draft)
    rights = " ".join(line.split("=", 1)[-1] for line in draft.lines)
    words = Counter(re.findall(r"\w+", rights))
    uses = {value.name: words[value.name] for value in draft.values}
    terms = [f"xp.sum({value} * {value})" for value in draft.values if not uses[value.name]]
    if max(uses.values()) < 2:
        terms.append(f"xp.mean(xp.sin({draft.pick(draft.values)} + 1))")
    lines = [*draft.lines, f"return {' + '.join(terms)}"]
    arguments = ", ".join(value.name for value in draft.inputs)
    source = "\n    ".join([f"def loss({arguments}):", *lines])
    return RandomProgram(source, tuple(draft.inputs), frozenset(draft.operations))


def programs(operations: dict[str, Operation]) -> st.SearchStrategy[RandomProgram]:
    """Programs of 6 operations and more.

    Only seed and length are Hypothesis's: drawing every choice from it makes some operations
    frequent and others rare.
    """
    chosen = st.tuples(st.integers(0, 2**32 - 1), st.integers(6, 10))
    return chosen.map(lambda found: random_program(operations, *found))
