"""The one rule: every read in a term moves, its index unchanged, to the left of `+=`.

    forward    C[s]  += term(…, A[t], …)
    backward   dA[t] += dC[s] * ∂term/∂A[t]        once for each appearance of A

Nothing is inverted: where the forward pass copied, the same loop now adds up, and where it
summed, the same loop now copies. A gather becomes a scatter because its index changes sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from backpass.calculus.elementwise import log
from backpass.calculus.simplify import merge, tidy
from backpass.calculus.whole import backward_steps, operand_texts
from backpass.language.errors import NoRule
from backpass.language.expr import (
    MINUS_ONE,
    ONE,
    ZERO,
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    add,
    multiply,
    power,
    reads,
    transform,
)
from backpass.language.program import (
    Array,
    Call,
    Note,
    Origin,
    Step,
    Write,
    bare,
    canonical,
    rename_step,
    step_reads,
)

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
            inner = multiply(dy, exponent, power(base, add(exponent, MINUS_ONE)))
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
            for arg, slope in zip(args, function.slopes(args, y, dy), strict=True):
                if slope != ZERO:
                    yield from partials(arg, slope, arg, active)
        case Label() | Number() | SizeTerm() | Bracket():
            return


def depends_on(steps: Sequence[Step], names: Iterable[str]) -> set[str]:
    """Those names and every real quantity that is computed from them."""
    found = set(names)
    for step in steps:
        if step.target.kind == "real" and any(r.name in found for r in step_reads(step)):
            found.add(step.name)
    return found


def leads_to(steps: Sequence[Step], name: str) -> set[str]:
    """That name and every quantity that it is computed from."""
    found = {name}
    for step in reversed(steps):
        if step.name in found:
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
    seed: Term | None = ONE,
    extra: tuple[Label, ...] = (),
    name: Callable[[str], str] = adjoint_name,
) -> tuple[list[Step], dict[str, str]]:
    """The backward pass: steps in the order in which they run, and what each gradient is called.

    `seed` is what flows into `of`: 1 for a loss. None means that an array called `name(of)` is
    given. With `extra` labels many directions flow back at once, and every adjoint carries them
    in front. Inputs that `of` does not depend on get no step and no name.
    """
    path = depends_on(steps, wrt) & leads_to(steps, of)
    if not path:
        return [], {}
    taken = set(arrays)
    called = {one: _free(name(one), taken) for one in [of, *(s.name for s in steps), *wrt]
              if one in path}  # fmt: skip
    flows: dict[str, list[Write]] = {one: [] for one in path}
    lead = tuple(label.size for label in extra)
    last = {read.name: place for place, step in reversed(list(enumerate(steps)))
            for read in step_reads(step) if read.name in path}  # fmt: skip
    inputs = [one for one in dict.fromkeys(wrt) if one in path]
    done: list[Step] = []
    known = {step.body: step.name for step in steps if isinstance(step.body, Call)}

    def emit(one: str) -> None:
        target = Array(called[one], (*lead, *arrays[one].shape))
        done.append(canonical(Step(target, merge(flows[one], target), layer=None)))

    for place in reversed(range(len(steps))):
        step = steps[place]
        if step.name in path:
            if step.name == of:
                if seed is None or extra:
                    flow_in = Array(called[of], (*lead, *step.target.shape))
                else:
                    flow_in = None
            else:
                emit(step.name)
                flow_in = Array(called[step.name], (*lead, *step.target.shape))
            if isinstance(step.body, Call):
                _through_call(step, arrays, flow_in, extra, path, flows, done, known, taken)
            else:
                _through_writes(step, flow_in, seed or ONE, extra, path, flows)
        for one in inputs:
            if last.get(one) == place:
                emit(one)
    return done, {one: called[one] for one in inputs}


def _through_writes(
    step: Step, flow_in: Array | None, seed: Term, extra: tuple[Label, ...],
    path: set[str], flows: dict[str, list[Write]],
) -> None:  # fmt: skip
    """Send what flows into a step on to everything that its loop nests read."""
    for write in step.writes:
        dy = seed if flow_in is None else Read(flow_in.name, (*extra, *write.left))
        y = write.term
        if len(step.writes) == 1 and bare(write.left) is not None and not write.summed:
            y = Read(step.name, write.left)
        arriving = flow_in.name if flow_in else ""
        for read, slope, numbers in partials(write.term, dy, y, path.__contains__):
            origin = Origin(step.name, read, arriving)
            flow = Write((*extra, *read.index), slope, (*extra, *write.labels), origin, _met(numbers))
            flows[read.name] += tidy(flow)


def _met(numbers: tuple[Fraction, ...]) -> tuple[Note, ...]:
    """Say so when numbers other than 1 met and nothing of them is left."""
    rest = [value for value in numbers if value != 1]
    left = Fraction(1)
    for value in rest:
        left *= value
    return (Note("cancelled", tuple(rest)),) if len(rest) > 1 and left == 1 else ()


def _through_call(
    step: Step, arrays: Mapping[str, Array], flow_in: Array | None, extra: tuple[Label, ...],
    path: set[str], flows: dict[str, list[Write]], done: list[Step],
    known: dict[Call, str], taken: set[str],
) -> None:  # fmt: skip
    """Send what flows into a call on, by the lines of its rule."""
    call = step.body
    assert isinstance(call, Call)
    adjoint = flow_in or Array("1", ())
    wanted = [arg for arg in call.args if arg.name in path]
    lines = backward_steps(step, arrays, adjoint, [arg.name for arg in wanted])
    names: dict[str, str] = {}
    texts = {f"d{text}": arg for text, arg in zip(operand_texts(call), call.args, strict=True)}
    for line in lines:
        line = rename_step(line, {old: new for old, new in names.items() if old != line.name})
        if line.name in texts:
            arg = texts[line.name]
            for write in line.writes:
                term = _seeded(write.term) if flow_in is None else write.term
                origin = Origin(step.name, arg, adjoint.name if flow_in else "")
                flows[arg.name] += tidy(replace(write, term=term, origin=origin))
            continue
        if isinstance(line.body, Call) and line.body in known:
            names[line.name] = known[line.body]
            continue
        new = _free(line.name, taken)
        names[line.name] = new
        line = rename_step(line, {line.name: new})
        if isinstance(line.body, Call):
            known[line.body] = new
        elif flow_in is None:
            line = replace(line, body=tuple(replace(w, term=_seeded(w.term)) for w in line.writes))
        done.append(line)


def _seeded(term: Term) -> Term:
    """Put 1 where a rule reads what flows into a loss."""
    return transform(
        term, lambda node: ONE if isinstance(node, Read) and node.name == "1" else None
    )


def _free(name: str, taken: set[str]) -> str:
    """This name, or `name_2`, `name_3` … when it is taken; marks it as taken."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    taken.add(found)
    return found
