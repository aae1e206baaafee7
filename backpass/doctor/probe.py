"""Somebody's update, run on random numbers of its own shapes: zeros and ones tell nothing apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.finite import GIVEN, is_finite, lost
from backpass.doctor.observe import Run, observe
from backpass.doctor.rewrite import Born
from backpass.doctor.state import Roots, argument_names
from backpass.language.errors import BackpassError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """One run: the data that went in, the parameters before it, and what was seen."""

    run: Run
    X: Array
    Y: Array
    parameters: dict[str, Array]  # by path: what they were worth before
    frozen: tuple[str, ...]  # of the parameters' kind and beside them, but never changed
    fixed: tuple[str, ...] = ()  # biases that are one number for several units, which stays
    whole: tuple[Array, Array] | None = None  # all the data, where X and Y are but some of it
    masks: tuple[Array | None, ...] = ()  # of dropout, for what goes into each layer
    ends: str = ""  # where its numbers end, on what it was given
    cut: tuple[str, ...] = ()  # of the parameters, those that are parts of one line of numbers

    @property
    def whole_X(self) -> Array:
        return self.X if self.whole is None else self.whole[0]

    @property
    def whole_Y(self) -> Array:
        return self.Y if self.whole is None else self.whole[1]

    @property
    def is_coarse(self) -> bool:
        """Whether the code computes in less than float64, whatever it is given."""
        return any(event.value.dtype in _COARSE and event.value.ndim for event in self.run.events)

    @property
    def tolerance(self) -> float:
        """How exactly numbers of the run are told, relative to the largest of an array."""
        if self.is_coarse:
            return 1e-5
        numbers = any(event.value.dtype in _COARSE for event in self.run.events)
        return 1e-7 if numbers else 1e-9  # a factor of 0.1 in float32 spoils what it is put to


_COARSE = (np.float32, np.float16)
Shape = tuple[int, ...]
NOTHING: Mapping[Born, Shape] = MappingProxyType({})
Where = int | str | None  # an argument, by its place or its name


def probe(
    call: Callable[..., Any],
    args: Sequence[Any],
    seed: int = 0,
    x: Where = None,
    y: Where = None,
    keep: Collection[str] = (),
    returning: bool = False,
    numbers: Collection[str] = (),
    born: Mapping[Born, Shape] = NOTHING,
    *,
    labels: bool = False,
) -> Probe:
    """Run the update once as it stands, to see what it changes, and once on random numbers.

    The last two arguments are the samples and their targets, unless `x` and `y` say otherwise.
    Paths to `keep` stay as they are, where they are no parameters but what an optimiser remembers.
    With `returning`, a call that changes nothing may return what it should have changed. Paths of
    `numbers` are parameters too, and names of functions in `born`, which are random when they are
    first given a value of that shape. With `labels`, targets that take two values keep to these.
    Raises BackpassError when there are none, and when nothing changes.
    """
    calls(call, args)
    places = data_places(call, args, x, y)
    names = argument_names(call, len(args))
    data = {names[place] for place in places}
    roots = Roots.of(call, args)
    taken = roots.state()
    first = observe(call, args, keeping=False)
    if first.failure is not None:
        raise first.failure.error
    changed, beside = _parameters(first, data)
    given_data = [np.asarray(args[place]) for place in places]
    beside = [path for path in beside if not _is_one(first.before[path], given_data)]
    still = not changed
    if still:  # returned instead, or not moved by these very numbers, as behind a ReLU that is off
        others = [*_others(first, data), *numbers]
        changed, beside = [p for p in others if not _is_one(first.before[p], given_data)], []
    else:
        beside += [path for path in numbers if path not in (*changed, *beside)]
    random = np.random.default_rng(seed)
    X, Y = data_like(args, places, random, labels=labels)
    values = {path: _random_like(taken.values[path], random) for path in (*changed, *beside)}
    values |= {path: taken.values[path] for path in keep if path in values}
    inner = {name: _random_like(np.zeros(shape), random) for name, shape in born.items()}
    try:
        for path, value in values.items():
            if path not in keep:
                taken.replace(path, value)
        held = list(roots.arguments.values())
        given = held[places[0]], held[places[1]]
        runs: list[tuple[Run, Any, Any]] = []
        for some in _may_take(X, Y, given, random):
            held[places[0]], held[places[1]] = some
            runs.append((observe(call, held, seed=seed, born=inner), *some))
            if runs[-1][0].failure is None:
                break
        run, X, Y = next((one for one in runs if one[0].failure is None), runs[0])
    finally:
        taken.restore()
    if run.failure is not None and not any(_parameters(run, data)):
        error = run.failure.error
        raise BackpassError(
            f"{_called(call)} runs with what it was given, and with other numbers of the same "
            f"shapes it raises {type(error).__name__}: {error}"
        ) from None
    if still and not returning and not any(_parameters(run, data)):
        raise BackpassError(
            f"{_called(call)} changed no array that can be reached from it; hand in what trains "
            "the network, such as net.fit_partial, with samples and targets"
        )
    ends = ""
    if not is_finite(first) and is_finite(run):
        ends = lost(observe(call, args), GIVEN)
    values |= _born(run)
    return Probe(run, np.asarray(X), np.asarray(Y), values, tuple(beside), ends=ends)


def _born(run: Run) -> dict[str, Array]:
    """The names of functions that were given other numbers, held in the run as paths are."""
    found = {name: value for (_, name), value in run.born.items() if name not in run.before}
    run.before.update(found)
    run.after.update(found)
    later: set[str] = set()
    for event in run.events:
        place = run.places[event.place]
        value = run.born.get((place.function, place.text))
        if value is None or place.text not in found or place.text in later:
            continue
        if value.shape == event.value.shape and not np.array_equal(value, event.value):
            run.after[place.text] = event.value
            later.add(place.text)
    return found


def _may_take(
    X: Any, Y: Any, given: tuple[Any, Any], random: np.random.Generator
) -> Iterator[tuple[Any, Any]]:
    """Random data, labels or indices if they may be these, and what was given after all."""
    yield X, Y
    labels = np.asarray(given[1])
    if labels.dtype.kind in "iub" and labels.ndim and labels.size == len(labels) > 0:
        drawn = random.integers(_first(labels), int(labels.max()) + 1, labels.shape)
        yield X, drawn.tolist() if isinstance(given[1], list) else drawn
    if all(are_indices(one) for one in given):
        yield tuple(indices_like(one, random) for one in given)
    yield given


def data_places(
    call: Callable[..., Any], args: Sequence[Any], x: Where, y: Where
) -> tuple[int, int]:
    """Which arguments are samples and targets: the last two that are rows of numbers.

    A single one is both, as for a network that gives back what goes in.
    """
    names = argument_names(call, len(args))
    data = [place for place, one in enumerate(args) if is_data(one)]
    usual = data[-2:]
    if len(data) > 2 and not are_indices(args[data[-1]]):
        before = data[-3], data[-2]  # indices and labels; what comes after them is a state
        shapes = {np.shape(args[place]) for place in before if are_indices(args[place])}
        if len(shapes) == 1 and all(are_indices(args[place]) for place in before):
            usual = list(before)
    if not usual and (x is None or y is None):
        raise BackpassError("give samples and targets as the last two arguments")
    if len(usual) == 2 and _are_labels(args[usual[0]], args[usual[1]]):
        usual.reverse()
    places = _place(x, usual[0] if usual else 0, names), _place(y, usual[-1] if usual else 0, names)
    if not np.size(args[places[0]]):
        raise BackpassError(f"there is no sample in {names[places[0]]}")
    return places


def _are_labels(given: object, samples: object) -> bool:
    """Whether these are classes, one for each of the samples, which stand behind them."""
    y, X = np.asarray(given), np.asarray(samples)
    return y.dtype.kind in "iu" and (y.ndim, X.ndim) == (1, 2) and len(y) in X.shape


def are_indices(given: object) -> bool:
    """Whether these are whole numbers from 0 on, several in a line or in rows."""
    found = np.asarray(given)
    return found.dtype.kind in "iu" and found.ndim in (1, 2) and found.size > 1 and found.min() >= 0


def indices_like(given: Any, random: np.random.Generator) -> Any:
    """Random indices from 0 to the largest that was given."""
    found = np.asarray(given)
    made = random.integers(0, int(found.max()) + 1, found.shape)
    return made.tolist() if isinstance(given, list) else made


def is_data(given: object) -> bool:
    """Whether this may be samples or targets: an array, or lists of numbers."""
    if not isinstance(given, (np.ndarray, list, tuple)):
        return False
    try:
        return np.asarray(given, dtype=float).ndim > 0
    except (TypeError, ValueError):
        return False


def calls(call: Callable[..., Any], args: Sequence[Any]) -> None:
    """Raise BackpassError, in one sentence, where this cannot be called with these arguments."""
    kind = call if isinstance(call, type) else type(call)
    if isinstance(call, type) or not callable(call):
        what = "is a class" if isinstance(call, type) else "cannot be called"
        like = "" if kind.__module__ == "builtins" else f" of a net = {kind.__name__}(…)"
        raise BackpassError(
            f"{kind.__name__} {what}; hand in what trains, such as net.fit_partial{like}"
        )
    try:
        signature = inspect.signature(call)
    except ValueError:  # no signature is known
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        if next(iter(signature.parameters), "") == "self":
            owner, _, name = _called(call).rpartition(".")
            raise BackpassError(
                f"{_called(call)} takes self; hand in the method of an object, net.{name} of a "
                f"net = {owner or 'Network'}(…)"
            ) from None
        raise BackpassError(
            f"{_called(call)} cannot be called with {len(args)} arguments: {error}; give all that "
            "it needs, samples and targets as the last two that are arrays"
        ) from None


def _place(wanted: Where, usual: int, names: list[str]) -> int:
    """The place of an argument among those that were given."""
    match wanted:
        case None:
            return usual % len(names)
        case str() if wanted in names:
            return names.index(wanted)
        case int() if -len(names) <= wanted < len(names):
            return wanted % len(names)
        case _:
            raise BackpassError(f"there is no argument {wanted!r}; there are {', '.join(names)}")


def _called(call: Callable[..., Any]) -> str:
    return getattr(call, "__qualname__", None) or repr(call)


def _parameters(run: Run, data: set[str]) -> tuple[list[str], list[str]]:
    """Paths of what changed, and of arrays of the same rank beside them that did not."""
    changed = [
        path
        for path, value in run.before.items()
        if path in run.after
        and (value.dtype.kind == "f" or not np.any(value))  # 0 may stand for 0.0
        and run.after[path].dtype.kind == "f"
        and _root(path) not in data
        and not np.array_equal(value, run.after[path])
    ]
    nests = set(map(_nest, changed))
    nests |= {_nest(nest) for nest in nests}  # self.W[0] moved, and self.b[0] is a step further
    beside = [
        path
        for path, value in run.before.items()
        if path not in changed
        and value.dtype.kind == "f"
        and value.ndim > 0
        and _root(path) not in data
        and ({_nest(path), _nest(_nest(path))} & nests)
    ]
    return changed, beside


def _is_one(value: Array, given: Sequence[Array]) -> bool:
    """Whether these numbers are the samples or the targets, held somewhere too."""
    return any(np.array_equal(value, one) for one in given)


def _others(run: Run, data: set[str]) -> list[str]:
    """Paths of arrays that are given besides the samples and targets."""
    return [
        path
        for path, value in run.before.items()
        if value.dtype.kind == "f" and value.ndim > 0 and _root(path) not in data
    ]


def _root(path: str) -> str:
    return path.replace(".", "[").partition("[")[0]


def _nest(path: str) -> str:
    """What holds it: `self.W[0]` stands in `self.W`, and `self.W1` in `self`."""
    return path[: max(path.rfind("["), path.rfind("."), 0)]


def _random_like(value: Array, random: np.random.Generator) -> Array:
    """Random entries, neither so small that activations look linear nor so large that they stop."""
    width = value.shape[0] if value.ndim == 2 else 4
    return random.normal(0.0, max(width, 4) ** -0.5, value.shape)


def samples_like(X: Any, random: np.random.Generator) -> Any:
    """Random samples of the same shape, in float64; a column of ones stays one, unless all are."""
    given = np.asarray(X, dtype=float)
    made = random.normal(0.0, 1.0, given.shape)
    if given.ndim == 2 and not np.all(given == 1):
        for axis in (0, 1):
            lines = given if axis == 0 else given.T
            for place, line in enumerate(lines):
                if len(line) > 1 and np.all(line == 1) and lines.shape[0] > 1:
                    if axis == 0:
                        made[place] = 1
                    else:
                        made[:, place] = 1
    return made.tolist() if isinstance(X, list) else made


def data_like(
    args: Sequence[Any],
    places: tuple[int, int],
    random: np.random.Generator,
    *,
    labels: bool = False,
) -> tuple[Any, Any]:
    """Random samples and targets, which are one where one argument is both."""
    X = samples_like(args[places[0]], random)
    if places[0] == places[1]:
        return X, X
    return X, targets_like(args[places[1]], random, labels)


def targets_like(Y: Any, random: np.random.Generator, labels: bool = False) -> Any:
    """Random targets of the same kind: labels, one class a sample, or numbers.

    Numbers tell more than two labels do; `labels` are for code that asks which of them it has.
    """
    given = np.asarray(Y)
    if labels and are_two(given):
        made = random.permuted(np.resize(np.unique(given), given.shape))
    elif given.ndim == 2 and _is_one_hot(given):
        axis = 1 if np.all(given.sum(axis=1) == 1) else 0
        width = given.shape[axis]
        labels = random.integers(0, width, given.shape[1 - axis])
        made = np.eye(width)[labels]
        made = made if axis == 1 else made.T
    elif given.dtype.kind in "iu" and given.ndim == 1 and given.max(initial=0) > 1:
        made = random.integers(_first(given), int(given.max()) + 1, given.shape)
    elif given.size and given.min() < 0:
        made = random.normal(0.0, 1.0, given.shape)
    else:
        made = random.uniform(0.05, 0.95, given.shape)
    if isinstance(Y, list):
        return made.tolist()
    return made


def _first(labels: Array) -> int:
    """The first class, which some count from 1."""
    return min(max(int(labels.min()), 0), 1)


def are_two(targets: Array) -> bool:
    """Whether targets are labels of two kinds, as 0 and 1 are, or −1 and 1."""
    return len(np.unique(targets)) == 2 and not _is_one_hot(targets)


def _is_one_hot(given: Array) -> bool:
    if given.ndim != 2 or min(given.shape) < 2 or not np.all((given == 0) | (given == 1)):
        return False
    return bool(np.all(given.sum(axis=1) == 1) or np.all(given.sum(axis=0) == 1))
