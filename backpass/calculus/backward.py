"""The one rule: every read in a term moves, its index unchanged, to the left of `+=`.

    forward    C[s]  += term(…, A[t], …)
    backward   dA[t] += dC[s] * ∂term/∂A[t]        once for each appearance of A

Nothing is inverted: where the forward pass copied, the same loop now adds up, and where it
summed, the same loop now copies. A gather becomes a scatter because its index changes sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

from backpass.calculus.elementwise import log, where
from backpass.calculus.simplify import merge, tidy
from backpass.calculus.whole import OWN, backward_steps, operand_texts
from backpass.calculus.zeros import SHIFTLESS, Zeros
from backpass.language.errors import NoRule
from backpass.language.expr import (
    MINUS_ONE,
    ONE,
    ZERO,
    Apply,
    Bracket,
    Function,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    add,
    labels,
    multiply,
    power,
    reads,
    substitute,
    transform,
    walk,
)
from backpass.language.program import (
    Array,
    Call,
    Kind,
    Note,
    Origin,
    Step,
    Write,
    axis_labels,
    bare,
    canonical,
    rename_step,
    step_reads,
)
from backpass.language.shapes import Size

HALF = Number(Fraction(1, 2))
Seed = Callable[[tuple[Term, ...]], Term]
Partial = tuple[Read, Term, tuple[Fraction, ...]]  # where, the slope, the numbers met on the way


def partials(term: Term, dy: Term, y: Term, active: Callable[[str], bool]) -> Iterator[Partial]:
    """For every read of an active array: `dy` times the derivative of `term` at that read.

    `y` is how the value of the whole term can be read, so that a slope may use the output.
    """
    match term:
        case Read():
            if active(term.name):
                yield term, dy, ()
        case Sum(terms=terms):
            for part in terms:
                yield from partials(part, dy, part, active)
        case Product(factors=factors):
            met = (factors[0].value,) if isinstance(factors[0], Number) else ()
            for place, factor in enumerate(factors):
                if any(active(read.name) for read in reads(factor)):
                    inner = multiply(*factors[:place], dy, *factors[place + 1 :])
                    for read, slope, numbers in partials(factor, inner, factor, active):
                        yield read, slope, met + numbers
        case Power(base=base, exponent=exponent):
            if exponent == HALF and isinstance(y, Read):
                lower = power(y, MINUS_ONE)  # 1/√x, and √x is known
            else:
                lower = power(base, add(exponent, MINUS_ONE))
            inner = multiply(dy, exponent, lower)
            met = (exponent.value,) if isinstance(exponent, Number) else ()
            for read, slope, numbers in partials(base, inner, base, active):
                yield read, slope, met + numbers
            if any(active(read.name) for read in reads(exponent)):
                yield from partials(exponent, multiply(dy, y, log(base)), exponent, active)
        case Apply(function=function, args=args):
            if not any(active(read.name) for read in reads(*args)):
                return
            if function.slopes is None:
                raise NoRule(f"{function.name} has no derivative")
            for place, slope in enumerate(function.slopes(args, y, dy)):
                if function.name == "where" and place and _bends(args[place]):
                    yield from _of_choice(args, place, dy, active)
                elif slope != ZERO:
                    yield from partials(args[place], slope, args[place], active)
        case Label() | Number() | SizeTerm() | Bracket():
            return


def _of_choice(
    args: tuple[Term, ...], place: int, dy: Term, active: Callable[[str], bool]
) -> Iterator[Partial]:
    """The slopes of one side of `where`, each chosen as a whole.

    Where the other side is chosen this one may be log(0): its slope is inf there, and 0·inf is no
    number.
    """
    for read, slope, numbers in partials(args[place], dy, args[place], active):
        sides = (slope, ZERO) if place == 1 else (ZERO, slope)
        yield read, where(args[0], *sides), numbers


def _bends(term: Term) -> bool:
    """Whether a slope of this term may be infinite."""
    return any(isinstance(node, (Apply, Power)) for node in walk(term))


def depends_on(steps: Sequence[Step], names: Iterable[str]) -> set[str]:
    """Those names and every real quantity that is computed from them."""
    found = set(names)
    for step in steps:
        if step.target.kind == "real" and any(r.name in found for r in step_reads(step)):
            found.add(step.name)
    return found


def leads_to(steps: Sequence[Step], name: str, kind: Kind | None = None) -> set[str]:
    """That name and every quantity that it is computed from, through steps of one kind or any."""
    found = {name}
    for step in reversed(steps):
        if step.name in found and kind in (None, step.target.kind):
            found.update(read.name for read in step_reads(step))
    return found


def adjoint_name(name: str) -> str:
    """What ∂L/∂A is called: `dA`."""
    return f"d{name}"


def reverse(
    steps: Sequence[Step],
    arrays: Mapping[str, Array],
    of: str,
    wrt: Sequence[str],
    *,
    seed: Term | Seed = ONE,
    extra: tuple[Label, ...] = (),
    name: Callable[[str], str] = adjoint_name,
) -> tuple[list[Step], dict[str, str]]:
    """The backward pass: steps in the order in which they run, and what each gradient is called.

    `seed` is what flows into `of`: 1 for a loss, else a function of its index. With `extra`
    labels many directions flow back at once, and every adjoint carries them in front. Inputs
    that `of` does not depend on get no step and no name.
    """
    path = depends_on(steps, wrt) & leads_to(steps, of, "real")
    if not path:
        return [], {}
    inputs = [one for one in dict.fromkeys(wrt) if one in path]
    back = _Backward(arrays, path, extra, tuple(label.size for label in extra))
    for one in (of, *(step.name for step in steps), *inputs):
        if one in path and one not in back.called:
            back.called[one] = back.free(name(one))
    back.known = {step.body: step.name for step in steps if isinstance(step.body, Call)}
    back.applied = _applied(steps, arrays)
    calls = ((step.name, step.body) for step in steps if isinstance(step.body, Call))
    back.zeros.calls = {name: call for name, call in calls if call.function.name in SHIFTLESS}
    back.seeds[of] = seed
    first = {read.name: place for place, step in reversed(list(enumerate(steps)))
             for read in step_reads(step) if step.name in path}  # fmt: skip
    complete: dict[int, list[str]] = {}  # the inputs that nothing before a step reads
    for one in inputs:
        complete.setdefault(first[one], []).append(one)
    for place in reversed(range(len(steps))):
        step = steps[place]
        if step.name in path:
            if step.name != of:
                back.emit(step.name, keep=False)
            back.through(step)
        for one in complete.get(place, ()):
            back.emit(one, keep=True)
    return back.done, {one: back.called[one] for one in inputs}


@dataclass
class _Backward:
    """A backward pass under way: what flows where, and the steps so far."""

    arrays: Mapping[str, Array]
    path: set[str]  # what depends on the inputs and leads to the result
    extra: tuple[Label, ...]
    lead: tuple[Size, ...]
    called: dict[str, str] = field(default_factory=dict[str, str])
    flows: dict[str, list[Write]] = field(default_factory=dict[str, list[Write]])
    seeds: dict[str, Term | Seed] = field(default_factory=dict[str, Term | Seed])  # not stored
    known: dict[Call, str] = field(default_factory=dict[Call, str])
    applied: Mapping[tuple[Function, str], str] = field(
        default_factory=dict[tuple[Function, str], str]
    )  # a function and what it is applied to -> the step that holds this
    zeros: Zeros = field(default_factory=Zeros)
    done: list[Step] = field(default_factory=list[Step])
    taken: set[str] = field(default_factory=set[str])

    def free(self, name: str) -> str:
        """The name itself, or `name_2`, `name_3` … when it is taken."""
        found, count = name, 1
        while found in self.arrays or found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self.taken.add(found)
        return found

    def adjoint(self, name: str) -> Array:
        """The array of what flows into a quantity."""
        return Array(self.called[name], (*self.lead, *self.arrays[name].shape))

    def emit(self, name: str, keep: bool) -> None:
        """Everything has flowed into a quantity: add it up, as a step or as a mere number."""
        target = self.adjoint(name)
        flows = self.flows.pop(name, [])
        writes = merge(flows, target)
        if not writes:
            why = (
                *self.zeros.why(name),
                Note("of", (name,)),
            )  # no origin tells whose gradient it is
            self.done.append(Step(target, (), notes=why))
            self.seeds[name] = ZERO
            return
        if not self.extra:
            self.zeros.learn(target, flows)
        if not keep and not self.extra and len(writes) == 1 and not reads(writes[0].term):
            (write,) = writes
            if not labels(write.term) and bare(write.left) is not None and not write.summed:
                self.seeds[name] = write.term
                return
        step = canonical(Step(target, writes))
        if self.done and self._only_copies(step, self.done[-1]):
            call = self.done.pop()
            step = replace(call, target=target)
            if isinstance(step.body, Call):
                self.known[step.body] = target.name
        self.done.append(step)

    def _only_copies(self, step: Step, before: Step) -> bool:
        """Whether a step copies the call before it, which nothing else will read by its name."""
        if not isinstance(before.body, Call) or len(step.writes) != 1:
            return False
        (write,) = step.writes
        if write.term != Read(before.name, write.left) or before.name in self.called.values():
            return False
        waiting = (read for flow in self.flows.values() for one in flow for read in reads(one.term))
        return all(read.name != before.name for read in waiting)

    def reused(self, slope: Term) -> Term:
        """A slope that reads what the forward pass holds, and does not compute it again."""

        def change(node: Term) -> Term | None:
            match node:
                case Apply(function=function, args=(Read(name=name, index=index),)):
                    held = self.applied.get((function, name))
                    return None if held is None else Read(held, index)
                case _:
                    return None

        return transform(slope, change) if self.applied else slope

    def through(self, step: Step) -> None:
        """Send what has flowed into a step on to everything that the step reads."""
        seed = self.seeds.get(step.name)
        if seed == ZERO:
            self.zeros.end(step, self.called[step.name])
            return
        if isinstance(step.body, Call):
            self._through_call(step, step.body)
            return
        for write in step.body:
            if seed is None:
                dy = Read(self.called[step.name], (*self.extra, *write.left))
            else:
                dy = seed(write.left) if callable(seed) else seed
            y = write.term
            if len(step.body) == 1 and bare(write.left) is not None and not write.summed:
                y = Read(step.name, write.left)
            for read, slope, numbers in partials(write.term, dy, y, self.path.__contains__):
                origin = Origin(step.name, read, self.called[step.name])
                slope = self.reused(slope)
                flow = Write((*self.extra, *read.index), slope, (*self.extra, *write.labels),
                             origin, _met(numbers))  # fmt: skip
                self.flow_into(read.name, flow)

    def flow_into(self, name: str, flow: Write) -> None:
        """Let a flow join the others, unless it is nothing."""
        found = [one for one in tidy(flow) if not self.zeros.vanishes(one, name)]
        self.flows.setdefault(name, []).extend(found)

    def _through_call(self, step: Step, call: Call) -> None:
        """Send it on through a call, by the lines of its rule."""
        adjoint = self.adjoint(step.name)
        seed = self.seeds.get(step.name)
        if callable(seed):
            self.done.append(self._spread(adjoint, seed))
            seed = None
        wanted = [arg.name for arg in call.args if arg.name in self.path]
        if self.zeros.only_shares(step, call, None if seed else adjoint.name):
            if self.done and self.done[-1].target == adjoint and seed is None:
                self.done.pop()  # nothing else reads it
            return
        called = (f"{OWN}d{text}" for text in operand_texts(call))
        operands = dict(zip(called, call.args, strict=True))
        names: dict[str, str] = {}
        for line in backward_steps(step, self.arrays, adjoint, wanted):
            own = line.name
            line = rename_step(line, names)
            if seed is not None:
                line = _seeded(line, adjoint.name, seed)
            if own in operands:
                read = operands[own]
                origin = Origin(step.name, read, adjoint.name)
                for write in line.writes:
                    self.flow_into(read.name, replace(write, origin=origin))
            elif isinstance(line.body, Call) and line.body in self.known:
                names[own] = self.known[line.body]
            else:
                names[own] = self.free(own.removeprefix(OWN))
                self.done.append(canonical(rename_step(line, {own: names[own]})))
                if isinstance(line.body, Call):
                    self.known[line.body] = names[own]

    def _spread(self, adjoint: Array, seed: Seed) -> Step:
        """A seed that depends on the index, as an array that a rule can read."""
        axes = axis_labels(adjoint.shape)
        extra, index = axes[: len(self.extra)], axes[len(self.extra) :]
        term = substitute(seed(index), dict(zip(self.extra, extra, strict=True)))
        return Step(adjoint, (Write(axes, term, axes),))


def _applied(steps: Sequence[Step], arrays: Mapping[str, Array]) -> dict[tuple[Function, str], str]:
    """The steps that are a function of one whole array, entry by entry: `a[i] = sigmoid(z[i])`."""
    found: dict[tuple[Function, str], str] = {}
    for step in steps:
        if len(step.writes) != 1:
            continue
        match step.writes[0]:
            case Write(left=left, term=Apply(function=function, args=(Read(name, index),))):
                axes = bare(left)
                shape = axes and tuple(label.size for label in axes)
                if left == index and shape == step.target.shape == arrays[name].shape:
                    found.setdefault((function, name), step.name)
            case _:
                pass
    return found


def _met(numbers: tuple[Fraction, ...]) -> tuple[Note, ...]:
    """Say so when numbers other than 1 met and nothing of them is left, but perhaps a minus."""
    others = [value for value in numbers if abs(value) != 1]
    gone = len(others) > 1 and abs(prod(others)) == 1
    return (Note("cancelled", tuple(value for value in numbers if value != 1)),) if gone else ()


def _seeded(line: Step, adjoint: str, number: Term) -> Step:
    """Put a number where a line of a rule reads what flows in."""
    if isinstance(line.body, Call):
        return line

    def change(node: Term) -> Term | None:
        return number if isinstance(node, Read) and node.name == adjoint else None

    writes = (replace(write, term=transform(write.term, change)) for write in line.body)
    return replace(line, body=tuple(writes))
