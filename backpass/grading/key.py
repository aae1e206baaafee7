"""The teacher's forward pass as an answer key: every gradient derived, none written by hand."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.calculus.elementwise import sigmoid
from backpass.calculus.fused import softmax
from backpass.calculus.losses import binary_cross_entropy, cross_entropy
from backpass.derive import Derivation, derive
from backpass.doctor.observe import Event
from backpass.doctor.probe import Probe, probe
from backpass.grading.contract import Contract, Path, filled, skeleton, spelled
from backpass.language.errors import BackpassError, DerivationError

Array = NDArray[Any]
PROBES = 2


@dataclass(frozen=True)
class Key:
    """A loss with examples of its arguments, of which only shapes and kinds count.

    `leaves` are all its arrays by path, in the order of the contract's numbers.
    """

    loss: Callable[..., Any]
    contract: Contract
    leaves: tuple[tuple[Path, Array], ...]

    @property
    def trained(self) -> list[int]:
        """The numbers of the arrays that are trained."""
        names = self.contract.parameters
        return [n for n, (path, _) in enumerate(self.leaves) if path[0] in names]

    @property
    def names(self) -> list[str]:
        """What the trained arrays are called, as briefly as it can be said."""
        paths = [self.leaves[number][0] for number in self.trained]
        short = [_brief(path) for path in paths]
        return short if len(set(short)) == len(short) else [spelled(path) for path in paths]

    @cached_property
    def derivation(self) -> Derivation:
        """The key itself."""
        return derive(self.loss, self._nests(), wrt=list(self.contract.parameters))

    def _nests(self, arrays: Sequence[Array] | None = None) -> dict[str, Any]:
        held = [array for _, array in self.leaves] if arrays is None else arrays
        return {name: filled(nest, held) for name, nest in self.contract.nests.items()}

    def drawn(self, seeds: Sequence[int]) -> list[Drawn]:
        """Random samples, targets and parameters that nobody has seen, with the run of the loss."""
        given = list(self._nests().values())
        return [self._drawn(probe(self.loss, given, seed, returning=True), seed) for seed in seeds]

    def _drawn(self, made: Probe, seed: int) -> Drawn:
        random = np.random.default_rng([seed, 1])
        arrays: list[Array] = []
        x, y = list(self.contract.nests)[-2:]
        for path, example in self.leaves:
            if path == (x,) or path == (y,):
                arrays.append(made.X if path == (x,) else made.Y)
            elif (drawn := made.parameters.get(spelled(path))) is not None:
                arrays.append(drawn)
            else:  # a single number
                arrays.append(np.asarray(random.normal(size=example.shape)))
        given = self._nests(arrays)
        with np.errstate(all="ignore"):
            value, gradients = self.derivation(**given)
        found: list[Array] = []
        for number in self.trained:
            held: Any = gradients
            for key in self.leaves[number][0]:
                held = held[key]
            found.append(np.asarray(held, float))
        return Drawn(_with_outputs(made, float(value)), arrays, float(value), found)


def _with_outputs(made: Probe, value: float) -> Probe:
    """A probe whose loss takes logits, with the probabilities that it makes of them in its run.

    Nobody sees them in the reference, and a submission has them all the same, with its mistakes.
    """
    for at, event in enumerate(made.run.events):
        for loss, outputs in ((cross_entropy, softmax), (binary_cross_entropy, sigmoid)):
            if event.value.ndim != 2 or not _is_loss(loss, event.value, made.Y, value):
                continue
            events = list(made.run.events)
            events.insert(at + 1, Event(event.place, np.asarray(outputs(event.value)), -1))
            return replace(made, run=replace(made.run, events=events))
    return made


def _is_loss(loss: Callable[..., Any], Z: Array, Y: Array, value: float) -> bool:
    """Whether a loss of these logits is this value, averaged over samples or added up."""
    try:
        mean = float(loss(Z, Y))
    except (
        BackpassError,
        ValueError,
        IndexError,
        TypeError,
    ):  # they are no logits of these targets
        return False
    return any(math.isclose(mean * times, value, rel_tol=1e-9) for times in (1, len(Z), Z.size))


@dataclass(frozen=True, slots=True)
class Drawn:
    """One probe: the arrays that a submission is given, and what it should come to."""

    made: Probe
    arrays: list[Array]
    value: float
    gradients: list[Array]


def key(module: ModuleType) -> Key:
    """Read a reference: its `loss`, an example of every argument, CALL, MAKE and RATE.

    Raises BackpassError for what is missing, and when the loss cannot be derived.
    """
    loss = getattr(module, "loss", None)
    if not callable(loss):
        raise BackpassError("the reference has no function loss, whose gradient is to be the key")
    names = list(inspect.signature(loss).parameters)
    if len(names) < 3:
        raise BackpassError(
            f"loss({', '.join(names)}) takes no parameters; write loss(params, X, y)"
        )
    examples = {name: _example(module, name) for name in names}
    leaves: list[tuple[Path, Array]] = []
    nests = {name: skeleton((name,), nest, leaves) for name, nest in examples.items()}
    for name in names[-2:]:
        if not isinstance(nests[name], int):
            raise BackpassError(f"{name} of the reference is a nest, and is to be an array")
    contract = Contract(nests, tuple(names[:-2]), **_said(module))
    made = Key(loss, contract, tuple(leaves))
    if any(made.leaves[number][1].dtype.kind != "f" for number in made.trained):
        wrong = next(n for n in made.trained if made.leaves[n][1].dtype.kind != "f")
        raise BackpassError(
            f"{spelled(made.leaves[wrong][0])} of the reference is of whole numbers; "
            "parameters are floats, as np.zeros makes them"
        )
    try:
        made.drawn((0,))
    except BackpassError as error:
        raise DerivationError(
            f"the loss of the reference cannot be the key: {error.message}",
            line=error.line, where=error.where,
        ) from error  # fmt: skip
    except Exception as error:  # what the reference itself raises
        said = f"{type(error).__name__}: {error}"
        raise DerivationError(f"the loss of the reference cannot be the key: {said}") from error
    return made


def _example(module: ModuleType, name: str) -> Any:
    if not hasattr(module, name):
        raise BackpassError(
            f"the reference has no example of {name}, which its loss takes; only its shape "
            f"and kind count: {name} = np.zeros((6, 4))"
        )
    return getattr(module, name)


def _said(module: ModuleType) -> Mapping[str, Any]:
    """CALL, MAKE and RATE, where the reference has them."""
    call, make, rate = (getattr(module, name, None) for name in ("CALL", "MAKE", "RATE"))
    for name, value in (("CALL", call), ("MAKE", make)):
        if not isinstance(value, str | None):
            raise BackpassError(f'{name} of the reference is a text such as "Network.step"')
    if rate is not None and (not isinstance(rate, (int, float)) or not rate > 0):
        raise BackpassError(f"RATE of the reference is a number above 0, not {rate!r:.40}")
    return {"call": call, "make": make, "rate": None if rate is None else float(rate)}


def _brief(path: Path) -> str:
    """params['W1'] is W1, and params['W'][0] is W[0]."""
    rest = path[1:] or path
    first, *more = rest
    text = first if isinstance(first, str) else f"[{first}]"
    return text + "".join(f"[{key}]" for key in more)
