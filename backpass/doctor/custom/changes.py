"""Small changes of a derived backward pass: what a mistake in one of its lines would make.

Each is run on numbers, and what it gives is held to what was returned; a name is said only of what
fits in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.derivative import Derived
from backpass.doctor.custom.suspects import close
from backpass.doctor.custom.terms import nodes, put, reads, renamed, text
from backpass.language.evaluate import evaluate_step
from backpass.language.expr import (
    ZERO,
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    Sum,
    Term,
    add,
    multiply,
    negate,
    number,
    substitute,
)
from backpass.language.program import Call, Step, Write, step_reads
from backpass.language.shapes import evaluate_size

Array = NDArray[np.float64]
LARGE = 1_000_000  # turns of a loop nest that are no longer tried hundreds of times
WAYS = 4  # additions of which every part is tried


@dataclass(frozen=True, slots=True)
class Change:
    """One backward step as somebody may have meant it."""

    step: Step
    bug: int | None
    title: str
    says: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A change that makes what was returned for these inputs."""

    change: Change
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One run: every quantity of the right program, and what was returned that is wrong."""

    arrays: Mapping[str, Array]
    wrong: Mapping[str, Array]


def explained(known: Derived, seen: Sequence[Seen]) -> list[Explained]:
    """Changes that explain wrong gradients in every run, those that explain the most first."""
    found: list[Explained] = []
    first, *rest = seen
    for change in _changes(known):
        names = _fitting(known, change, first, first.wrong)
        for one in rest if names else ():
            names = _fitting(known, change, one, names)
        if names:
            found.append(Explained(change, tuple(names)))
    return sorted(found, key=lambda one: -len(one.names))


def _fitting(known: Derived, change: Change, seen: Seen, names: Mapping[str, Array] | Sequence[str]
             ) -> list[str]:  # fmt: skip
    """Those of the wrong gradients that this change makes."""
    arrays = dict(seen.arrays)
    moved: set[str] = set()
    for step in known.d.backward:
        changed = step.name == change.step.name
        if changed or any(read.name in moved for read in step_reads(step)):
            with np.errstate(all="ignore"):
                arrays[step.name] = evaluate_step(change.step if changed else step, arrays, {})
            moved.add(step.name)
    gradients = known.d.gradients
    return [
        name
        for name in names
        if gradients.get(name) in moved and close(seen.wrong[name], arrays[gradients[name]])
    ]


# ── changes ──────────────────────────────────────────────────────────────────────────────────


def _changes(known: Derived) -> Iterator[Change]:
    sides = _Sides(known)
    for step in known.d.backward:
        if isinstance(step.body, Call) or _turns(step) > LARGE:
            continue
        yield from _of_step(step, sides)
        for place, write in enumerate(step.body):
            for changed, bug, title, says in _of_write(step, write, sides):
                several = changed if isinstance(changed, tuple) else (changed,)
                body = (*step.body[:place], *several, *step.body[place + 1 :])
                yield Change(replace(step, body=body), bug, title, says)


def _turns(step: Step) -> int:
    return max(
        int(np.prod([evaluate_size(one.size, {}) for one in write.labels])) for write in step.writes
    )


class _Sides:
    """What a change may ask of the whole program."""

    def __init__(self, known: Derived) -> None:
        self.forward = {step.name: step for step in known.d.forward.steps}
        self.backward = {step.name: step for step in known.d.backward}
        program = known.d.program
        above = (known.d.loss, *known.above)
        self.shapes = {name: one.shape for name, one in program.arrays.items() if one.kind == "real"
                       and name not in above}  # fmt: skip
        self.incoming = known.above

    def like(self, name: str) -> list[str]:
        """Quantities of the forward pass that have the shape of one."""
        return [
            other
            for other, shape in self.shapes.items()
            if other != name and other not in self.backward and shape == self.shapes.get(name)
        ]

    def slope(self, write: Write) -> str | None:
        """The function that a write is the slope of, if its forward line is one."""
        origin = write.origin
        step = self.forward.get(origin.step) if origin else None
        if step is None or not step.writes:
            return None
        term = step.writes[0].term
        return term.function.name if isinstance(term, Apply) else None

    def told(self, name: str) -> str:
        """A forward line by a name that its author would know."""
        if not re.fullmatch(r"T\d+", name):
            return name
        users = [one for one in self.forward.values() if name in {r.name for r in step_reads(one)}]
        return self.told(users[0].name) if users else name


Written = tuple[Write | tuple[Write, ...], int | None, str, str]


def _of_step(step: Step, sides: _Sides) -> Iterator[Change]:
    """Some of the ways on which a gradient comes back are left out."""
    if not 1 < len(step.writes) <= WAYS:
        return
    for count in range(1, len(step.writes)):
        for left in combinations(range(len(step.writes)), count):
            body = tuple(one for place, one in enumerate(step.writes) if place not in left)
            origins = [step.writes[place].origin for place in left]
            ways = dict.fromkeys(sides.told(one.step) for one in origins if one)
            told = " and ".join(ways) or "another line"
            word = "way" if len(ways) < 2 else "ways"
            verb = "is" if len(ways) < 2 else "are"
            yield Change(
                replace(step, body=body), None, f"a {word} back is left out" if word == "way"
                else "ways back are left out", f"the {word} back through {told} {verb} left out",
            )  # fmt: skip


def _of_write(step: Step, write: Write, sides: _Sides) -> Iterator[Written]:
    term = write.term
    factors = term.factors if isinstance(term, Product) else (term,)
    flows = write.origin.adjoint if write.origin else ""
    own = [place for place, one in enumerate(factors) if not _is(one, flows, sides.incoming)]
    function = sides.slope(write)
    if function and len(own) < len(factors) and not write.summed:
        rest = multiply(*(one for place, one in enumerate(factors) if place not in own))
        bug, title = (20, "ReLU′ is 1 everywhere") if function == "relu" else (16, "f′ is missing")
        yield replace(write, term=rest), bug, title, f"the slope of {function} is missing"
        slope = multiply(*(factors[place] for place in own))
        twice = multiply(term, slope)
        yield (
            replace(write, term=twice),
            24,
            "f′ is applied twice",
            f"{text(slope)} is there twice",
        )
    yield replace(write, term=negate(term)), 2, "the sign is flipped", "its sign is the other one"
    yield from _without(write, factors, own, function)
    yield from _read_elsewhere(write, factors, sides, function, flows)
    yield from _bent(write, factors, function)
    yield from _coupled(write, sides)
    yield from _shared(write)


def _is(one: Term, flows: str, incoming: Sequence[str]) -> bool:
    return isinstance(one, Read) and (one.name == flows or one.name in incoming)


def _without(
    write: Write, factors: Sequence[Term], own: Sequence[int], function: str | None
) -> Iterator[Written]:
    for place in own if len(factors) > 1 else ():
        one = factors[place]
        rest = multiply(*(other for at, other in enumerate(factors) if at != place))
        told = text(one)
        bug = 20 if isinstance(one, Bracket) else None
        if isinstance(one, Number):
            bug = 3 if one.value in (2, Fraction(1, 2)) else 4
            if any(one.value * evaluate_size(label.size, {}) == 1 for label in write.labels[:1]):
                bug = 5
        if isinstance(one, Read) and bug is None and _goes_back(write):
            bug = 57
        names = {
            20: "ReLU′ is 1 everywhere", 57: "W is left out going back",
            5: "a sum where the loss is a mean",
        }  # fmt: skip
        title = names.get(bug or 0, f"the factor {told} is missing")
        yield replace(write, term=rest), bug, title, f"the factor {told} is missing"
        yield (
            replace(write, term=multiply(write.term, one)), None, f"the factor {told} is too much",
            f"the factor {told} is there twice",
        )  # fmt: skip
        if isinstance(one, Power) and one.exponent == number(-1):
            yield (
                replace(write, term=multiply(rest, one.base)), None, "a product for a quotient",
                f"{text(one.base)} multiplies, where it should divide",
            )  # fmt: skip


def _read_elsewhere(
    write: Write, factors: Sequence[Term], sides: _Sides, function: str | None, flows: str
) -> Iterator[Written]:
    """Another quantity of the same shape, or the same one transposed."""
    names = dict.fromkeys(
        read.name for one in factors for read in reads(one) if not _is(read, flows, sides.incoming)
    )
    for name in names:
        for other in sides.like(name):
            changed = renamed(write.term, name, other)
            bug, title = None, f"{other} stands where {name} should"
            if function:
                bug = 19 if other in {r.name for r in _inputs_of(write, sides)} else 18
                title = "a(1 − a) code is given z" if bug == 19 else "f′(z) code is given a"
            elif write.summed and len(factors) > 1 and not _goes_back(write):
                bug = 26 if _feeds(other, name, sides) else None
                title = "z is used for a in the gradient of W" if bug else title
            yield replace(write, term=changed), bug, title, f"{other} stands where {name} should"
    for one in factors:
        looked = reads(one)
        for other in (flows, *sides.incoming) if isinstance(one, Bracket) and looked else ():
            looks = put(write.term, one, renamed(one, looked[0].name, other))
            yield (
                replace(write, term=looks), 55, "ReLU is applied to the gradient",
                f"the mask looks at {other}, and not at {looked[0].name}",
            )  # fmt: skip
    for read in dict.fromkeys(reads(write.term)):
        match read.index:
            case (Label() as first, Label() as second) if first.size == second.size:
                turned = Read(read.name, (second, first))
                going = _goes_back(write)
                yield (
                    replace(write, term=put(write.term, read, turned)), 30 if going else None,
                    "W is not transposed going back" if going else f"{read.name} is transposed",
                    f"{read.name} stands there the other way round",
                )  # fmt: skip
            case _:
                pass


def _bent(write: Write, factors: Sequence[Term], function: str | None) -> Iterator[Written]:
    """A square that is none, and sums with another sign or without a part."""
    for one in dict.fromkeys(nodes(write.term)):
        if isinstance(one, Power) and one.exponent == number(2):
            changed = put(write.term, one, one.base)
            bug = 23 if function == "tanh" else None
            title = "tanh′ = 1 − a" if bug else f"{text(one.base)} is not squared"
            yield replace(write, term=changed), bug, title, f"{text(one.base)} is not squared"
        if isinstance(one, Sum) and len(one.terms) <= WAYS:
            for place, part in enumerate(one.terms):
                rest = (*one.terms[:place], *one.terms[place + 1 :])
                told, whole = text(part).lstrip("-"), text(one)
                yield (
                    replace(write, term=put(write.term, one, add(*rest))), None,
                    "a term is missing", f"{told} is missing in {whole}",
                )  # fmt: skip
                turned = (*one.terms[:place], negate(part), *one.terms[place + 1 :])
                yield (
                    replace(write, term=put(write.term, one, add(*turned))), None,
                    "a sign is wrong", f"{told} has the other sign than in {whole}",
                )  # fmt: skip


def _coupled(write: Write, sides: _Sides) -> Iterator[Written]:
    """What is summed over a row taken entry by entry: the diagonal of a Jacobian alone."""
    softmax = any(
        isinstance(one.body, Call) and one.body.function.name == "softmax"
        for one in (*sides.forward.values(), *sides.backward.values())
    )
    for read in dict.fromkeys(reads(write.term)):
        step = sides.backward.get(read.name)
        if step is None or len(step.writes) != 1 or not step.writes[0].summed:
            continue
        inner = step.writes[0]
        free = [one for one in write.labels if one not in read.index]
        known = dict(zip(inner.left, read.index, strict=True))
        places = {key: one for key, one in known.items() if isinstance(key, Label)}
        for label in inner.summed:
            match = next((one for one in free if one.size == label.size), None)
            if match is None:
                break
            places[label] = match
        else:
            own = substitute(inner.term, places)
            yield (
                replace(write, term=put(write.term, read, own)), 13 if softmax else None,
                "only the diagonal of the softmax Jacobian" if softmax else "a sum is left out",
                "each entry is taken by itself, although all entries of a row depend on each other",
            )  # fmt: skip
        yield from _across(write, read, inner, softmax=softmax)


def _across(write: Write, read: Read, inner: Write, *, softmax: bool) -> Iterator[Written]:
    """A sum over the other axis, as of a matrix over its rows."""
    match inner.left, inner.summed, read.index, write.left:
        case (Label() as stays,), (over,), (own,), (first, second) if own == first:
            row = Label(f"{stays.name}′′", stays.size)
            moved = substitute(inner.term, {stays: row, over: second})
            kept = replace(write, term=put(write.term, read, ZERO))
            only = add(write.term, negate(kept.term))
            for node in dict.fromkeys(nodes(write.term)):
                if isinstance(node, Sum):
                    part = [one for one in node.terms if read in reads(one)]
                    only = put(write.term, node, part[0]) if len(part) == 1 else only
            summed = replace(write, term=put(only, read, moved), labels=(*write.labels, row))
            bug, title = (14, "softmax over the wrong axis") if softmax else (None, "another axis")
            yield (kept, summed), bug, title, "it is summed over the other axis"
        case _:
            return


def _shared(write: Write) -> Iterator[Written]:
    """A mean where a sum should be, or the other way round."""
    for label in write.summed:
        count = evaluate_size(label.size, {})
        if count > 1:
            for times, bug, told in ((Fraction(1, count), 6, "a mean"), (count, 5, "a sum")):
                wanted = "a sum" if told == "a mean" else "a mean"
                yield (
                    replace(write, term=multiply(number(times), write.term)), bug,
                    f"{told} for {wanted}", f"it is {told}, where {wanted} should be",
                )  # fmt: skip


# ── terms ────────────────────────────────────────────────────────────────────────────────────


def _inputs_of(write: Write, sides: _Sides) -> Sequence[Read]:
    """What the function of a slope is applied to."""
    assert write.origin is not None
    return step_reads(sides.forward[write.origin.step])


def _goes_back(write: Write) -> bool:
    """Whether what flows in is summed over what is no sample: `dZ @ W.T`."""
    flows = write.origin.adjoint if write.origin else ""
    index = next((read.index for read in reads(write.term) if read.name == flows), ())
    return bool(write.summed) and bool(index) and index[0] not in write.summed


def _feeds(one: str, other: str, sides: _Sides) -> bool:
    """Whether the forward line of one quantity reads another."""
    step = sides.forward.get(other)
    return step is not None and one in {read.name for read in step_reads(step)}
