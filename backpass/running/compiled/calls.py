"""Functions of whole arrays as statements: softmax, cross-entropies and places of extremes.

Each is its stable definition in index notation. Exponentials are shifted by the maximum of their
row, exp(800) overflows and exp(0) does not; they, their sums and the maxima are shared by all
that speaks of the same array.
"""

from __future__ import annotations

from collections.abc import Callable

from backpass.language.errors import NoRule
from backpass.language.expr import (
    MINUS_ONE,
    Apply,
    Bracket,
    Function,
    Label,
    Read,
    Term,
    add,
    divide,
    multiply,
    negate,
    power,
    size_term,
)
from backpass.language.program import Call, Step
from backpass.language.shapes import product
from backpass.running.compiled.desk import Desk, along, without
from backpass.running.compiled.nest import Labels, Operation

EXP, LOG, WHERE = Function("exp"), Function("log"), Function("where")


def cut_call(step: Step, call: Call, desk: Desk) -> None:
    """Put a call on the desk as statements; NoRule for a function that has no body."""
    make = CALLS.get(call.function.name)
    if make is None:
        raise NoRule(f"{call.function.name} has no compiled form")
    make(Read(step.name, call.left), call, desk)


class Row:
    """What is known of an array along one of its labels, made as far as it is asked for."""

    def __init__(self, read: Read, along: Label, desk: Desk) -> None:
        self.read, self.k, self.desk = read, along, desk
        self.loops: Labels = tuple(part for part in read.index if isinstance(part, Label))
        self.stay = without(self.loops, along)
        self.key = (read.name, self.loops.index(along))

    def _each(self, name: str, term: Term, operation: Operation = "=") -> Read:
        loops = self.loops if operation != "=" else self.stay
        key = (name, *self.key)
        text = f"{name}_{self.read.name}"
        return self.desk.once(key, text, self.stay, term, loops, operation)

    def _extreme(self, name: str, operation: Operation) -> Read:
        kind = self.desk.arrays[self.read.name].kind
        kind = "real" if kind == "real" else "int"
        text = f"{name}_{self.read.name}"
        key = (name, *self.key)
        return self.desk.once(key, text, self.stay, self.read, self.loops, operation, kind=kind)

    @property
    def top(self) -> Read:
        return self._extreme("top", "max")

    @property
    def bottom(self) -> Read:
        return self._extreme("bottom", "min")

    @property
    def powers(self) -> Read:
        key = ("exp", *self.key)
        term = Apply(EXP, (add(self.read, negate(self.top)),))
        return self.desk.once(key, f"exp_{self.read.name}", self.loops, term, self.loops)

    @property
    def total(self) -> Read:
        return self._each("sum_exp", self.powers, "+")

    @property
    def share(self) -> Read:
        return self._each("share", power(self.total, MINUS_ONE))

    @property
    def log_total(self) -> Read:
        return self._each("log_sum", Apply(LOG, (self.total,)))


def _softmax(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    desk.add(target, multiply(row.powers, row.share), row.loops)


def _log_softmax(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    term = add(row.read, negate(add(row.top, row.log_total)))
    desk.add(target, term, row.loops)


def _logsumexp(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    desk.add(target, add(row.top, row.log_total), row.stay)


def _mean(target: Read, term: Term, loops: Labels, over: Labels, desk: Desk) -> None:
    """The sum over all loops, divided by the number of samples."""
    count = size_term(product(label.size for label in over))
    desk.add(target, divide(term, count), loops, "+")


def _cross_entropy(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    picked = along(row.read, {row.k: call.args[1]})
    term = add(row.log_total, add(row.top, negate(picked)))
    _mean(target, term, row.stay, row.stay, desk)


def _of_shares(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    shares = desk.array(f"meant_{target.name}", row.stay)
    desk.add(shares, multiply(call.args[1], row.read), row.loops, "+")
    term = add(add(row.log_total, row.top), negate(shares))
    _mean(target, term, row.stay, row.stay, desk)


def _of_weights(target: Read, call: Call, desk: Desk) -> None:
    row = Row(call.args[0], call.over[-1], desk)
    each = add(add(row.log_total, row.top), negate(row.read))
    _mean(target, multiply(call.args[1], each), row.loops, row.stay, desk)


def place(read: Read, k: Label, target: Read, desk: Desk, *, largest: bool = True) -> None:
    """Where the first largest, or smallest, entry along a label stands."""
    row = Row(read, k, desk)
    last = add(size_term(k.size), MINUS_ONE)
    here = Bracket("==", read, row.top if largest else row.bottom)
    # where nothing is equal, as among entries that are no numbers, the last place stands
    desk.add(target, Apply(WHERE, (here, k, last)), row.loops, "min", last)


def _argmax(target: Read, call: Call, desk: Desk) -> None:
    place(call.args[0], call.over[-1], target, desk)


def _argmin(target: Read, call: Call, desk: Desk) -> None:
    place(call.args[0], call.over[-1], target, desk, largest=False)


CALLS: dict[str, Callable[[Read, Call, Desk], None]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cross_entropy": _cross_entropy,
    "cross_entropy_of_shares": _of_shares,
    "cross_entropy_of_weights": _of_weights,
    "argmax": _argmax,
    "argmin": _argmin,
}
