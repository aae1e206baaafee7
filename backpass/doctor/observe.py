"""A run of somebody's code, with the value of every sub-expression, that leaves no trace behind."""

from __future__ import annotations

import contextlib
import linecache
import random
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType, FunctionType, MappingProxyType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.patience import Moment
from backpass.doctor.quiet import quiet
from backpass.doctor.reach import functions
from backpass.doctor.rewrite import SEE, Born, Place, rewrite
from backpass.doctor.scripts import TooLong, interrupted_after
from backpass.doctor.state import Roots, as_numbers
from backpass.doctor.tracer import traced

Array = NDArray[Any]

NOTHING: Mapping[Born, Array] = MappingProxyType({})
VISITS = 400  # kept of each place: a loop over entries shows enough of itself
SECONDS = 10.0  # of a processor: a run that takes longer has shown its updates
AGAIN = 3.0  # so does one in which this long, and four times as long as before, nothing is new
LARGE = 4096  # numbers of an array that is copied once, however often it is looked at


@dataclass(frozen=True, slots=True)
class Event:
    """What a place was worth at one visit, in the order of the run."""

    place: int
    value: Array
    address: int  # where the entries lie: two values at one address are one array; no array: < 0


@dataclass(frozen=True, slots=True)
class Failure:
    """What the code raised, and the user's line where; "" when it was not called at all."""

    error: BaseException
    file: str
    line: int


@dataclass(slots=True)
class Run:
    """What was seen of a run: places, events, and what was held before and after it."""

    places: dict[int, Place]
    files: dict[int, str]
    events: list[Event]
    before: dict[str, Array]
    after: dict[str, Array]
    result: Any = None
    failure: Failure | None = None
    printed: str = ""
    asked: list[str] = field(default_factory=list[str])  # at the keyboard, where nobody answers
    stopped: bool = False  # cut off, because it went on for too long
    unread: list[str] = field(default_factory=list[str])  # watched line by line, without a source
    born: dict[Born, Array] = field(default_factory=dict[Born, Array])  # names given other numbers
    read: dict[float, Any] = field(default_factory=dict[float, Any], compare=False, repr=False)

    @property
    def gaps(self) -> str:
        """A sentence about the code that ran and has no source; "" when all of it has one."""
        ran = {self.places[event.place].function for event in self.events}
        names = [name for name in dict.fromkeys(self.unread) if name in ran]
        if not names:
            return ""
        return (
            f"There is no source of {', '.join(names)} to be read: the code was watched line by "
            "line, and what has no name there was not seen."
        )


class _Enough(BaseException):
    """Ends a run that goes on and on; no `except Exception` of the user's holds it up."""


def observe(
    call: Callable[..., Any],
    args: Sequence[Any],
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    keeping: bool = True,
    born: Mapping[Born, Array] = NOTHING,
) -> Run:
    """Call it once and watch; afterwards everything is as it was before.

    Without `keeping`, only what was held before and after it is told, and no event. Names of
    functions that are in `born` are these numbers when they are first given a value.

    Restored are the arrays, lists, dicts and attributes that can be reached from the callable and
    its arguments, and the state of NumPy's and Python's global random numbers, which are seeded
    meanwhile. What is printed is kept, and no file is written.
    """
    taken = Roots.of(call, args).state()
    run = Run({}, {}, [], taken.values, {})
    watched = functions([call, *args])
    twins = _twins(watched, run, born)
    reporter = _Reporter(run, seconds, taken.arrays if keeping else None, born)
    bare = {one.__code__: one.__qualname__ for one in watched if one.__code__ not in twins}
    if twins:  # a lambda names nothing, and only calls what is read
        bare = {code: name for code, name in bare.items() if code.co_name != "<lambda>"}
    run.unread = list(bare.values())
    printed = ""
    try:
        with quiet() as said:
            try:
                with (
                    interrupted_after(2 * seconds),  # where no line of the user's comes to an end
                    _swapped(watched, twins, reporter),
                    seeded(seed),
                    warnings.catch_warnings(),
                    traced(bare, reporter.traced),
                ):
                    warnings.simplefilter("ignore")
                    run.result = call(*args)
            finally:
                printed, run.asked = said.getvalue(), said.asked
    except (_Enough, TooLong, SystemExit):
        run.stopped = True
    except Exception as error:
        run.failure = _failure(error, {one.__code__.co_filename for one in watched})
    finally:
        run.after = Roots.of(call, args).state().values
        run.printed = printed
        taken.restore()
    return run


def call_quietly(call: Callable[..., Any], args: Sequence[Any], *, seed: int = 0) -> None:
    """Call it unwatched, with its random numbers seeded and what it prints thrown away."""
    with quiet(), seeded(seed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(SystemExit):
            call(*args)


# ── the watching ─────────────────────────────────────────────────────────────────────────────


class _Reporter:
    """Stands in the user's globals, is handed every value, and hands it on.

    Of the arrays that are `held` when it begins, there are copies; without them no value is kept.
    """

    def __init__(
        self,
        run: Run,
        seconds: float,
        held: Sequence[tuple[Array, Array]] | None,
        born: Mapping[Born, Array],
    ) -> None:
        self.run = run
        self.born = born
        self.keeping = held is not None
        self.copies = {_view(array): copy for array, copy in held or () if array.size >= LARGE}
        self.visits: dict[int, int] = {}
        self.told: dict[Place, int] = {}  # places of the tracer's, with their numbers here
        self.begun = self.news = Moment()  # when a place was last seen for the first time
        self.seconds = seconds
        self.count = 0

    def __call__(self, place: int, value: Any) -> Any:
        visits = self.visits[place] = self.visits.get(place, 0) + 1
        self.count += 1
        if visits == 1:
            self.news = Moment()
        if visits <= VISITS and self.keeping:
            found = self.copied(value)
            if found is not None:
                self.run.events.append(Event(place, found, _address(value)))
        if self.count % 64 == 0:
            self.ends()
        return value

    def copied(self, value: Any) -> Array | None:
        """The numbers as they are now; a large array is copied again only if it changed."""
        if not isinstance(value, np.ndarray) or value.size < LARGE:
            return as_numbers(value)
        before = self.copies.get(_view(value))
        if before is None and (turned := self.copies.get(_view(value.T))) is not None:
            before = turned.T
        if before is not None and np.array_equal(before, value):
            return before
        found = as_numbers(value)
        if found is not None:
            self.copies[_view(value)] = found
        return found

    def exchanged(self, function: str, name: str, value: Any) -> Any:
        """Other numbers than those that a name is given first, where they are as many."""
        own, other = (function, name), self.born[function, name]
        if own in self.run.born or np.shape(value) != other.shape:
            return value
        self.run.born[own] = other
        return other.copy() if other.ndim else float(other)

    def ends(self) -> None:
        """A run ends when it was long, or has long shown nothing but what was seen before."""
        spent = Moment().since(self.begun)
        if spent > min(self.seconds, max(AGAIN, 4 * self.news.since(self.begun))):
            raise _Enough

    def traced(self, place: Place, file: str, value: Array) -> None:
        """What a line without a source did to a name."""
        number = self.told.get(place)
        if number is None:
            number = self.told[place] = len(self.run.places)
            self.run.places[number] = replace(place, number=number)
            self.run.files[number] = file
        self(number, value)


def _view(array: Array) -> tuple[object, ...]:
    """Where an array lies and how it is read there."""
    return _address(array), array.shape, array.strides, array.dtype


def _address(value: Any) -> int:
    return value.__array_interface__["data"][0] if isinstance(value, np.ndarray) else -id(value)


def _twins(
    watched: Sequence[FunctionType], run: Run, born: Collection[Born]
) -> dict[CodeType, CodeType]:
    """The reporting code of each function whose source can be read."""
    twins: dict[CodeType, CodeType] = {}
    for file in dict.fromkeys(one.__code__.co_filename for one in watched):
        source = "".join(linecache.getlines(file))
        try:
            found = rewrite(source, file, len(run.places), born)
        except SyntaxError:
            continue
        twins |= found.twins
        run.places |= {place.number: place for place in found.places}
        run.files |= {place.number: file for place in found.places}
    return twins


@contextlib.contextmanager
def _swapped(
    watched: Sequence[FunctionType], twins: Mapping[CodeType, CodeType], reporter: _Reporter
) -> Iterator[None]:
    """Every function runs its reporting code, and its own again afterwards."""
    originals = [(one, one.__code__) for one in watched if one.__code__ in twins]
    spaces = {id(one.__globals__): one.__globals__ for one, _ in originals}
    try:
        for space in spaces.values():
            space[SEE] = reporter
        for one, code in originals:
            one.__code__ = twins[code]
        yield
    finally:
        for one, code in originals:
            one.__code__ = code
        for space in spaces.values():
            space.pop(SEE, None)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's and NumPy's global random numbers start at a seed, and go on where they were."""
    before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def _failure(error: Exception, files: set[str]) -> Failure:
    """The last line of the user's that was running."""
    here: TracebackType | None = error.__traceback__
    file, line = "", 0
    while here is not None:
        if here.tb_frame.f_code.co_filename in files:
            file, line = here.tb_frame.f_code.co_filename, here.tb_lineno
        here = here.tb_next
    return Failure(error, file, line)
