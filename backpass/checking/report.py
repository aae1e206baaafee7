"""What a check has found: a value that is true when all is well, and a table to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil, isfinite, log10
from typing import Any

from backpass.checking.gradients import Agreement, Entry, Kink
from backpass.checking.transposes import Law
from backpass.reading.lines import EMPTY, WIDTH, Line, Span, joined, wrapped
from backpass.reading.plural import many

UNTOLD = "cannot be told"
LISTED = 3  # entries of one gradient that are named before the others are counted


@dataclass(frozen=True)
class Check:
    """Gradients beside central differences; true when every one agrees, and printable.

    `gradients` hold the numbers, `failures` and `advice` are sentences. Of a derivation, `value`
    tells how far apart the program and the user's own function are, `laws` how well the
    transpose law holds in each step, and `points` where all this was tried.
    """

    gradients: tuple[Agreement, ...]
    faults: tuple[str, ...] = ()  # failures that are of no single gradient
    remarks: tuple[str, ...] = ()  # advice that is of no single gradient
    laws: tuple[Law, ...] = ()
    value: float | None = None
    points: tuple[str, ...] = ()
    says: str = "g says {}"  # who chose the slope at a kink

    def __bool__(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong, in sentences; empty when the check holds."""
        wrong = tuple(f"{one.name} differs from central differences by {power(one.error)} of its "
                      f"size: {'; '.join(_details(one)) or 'in a direction'}"
                      for one in self.gradients if not one.ok)  # fmt: skip
        broken = tuple(f"the step {law.step} breaks the transpose law by {power(law.error)}: "
                       "its backward steps are not those of its forward step"
                       for law in self.laws if not law.ok)  # fmt: skip
        return self.faults + wrong + broken

    @property
    def advice(self) -> tuple[str, ...]:
        """What is worth knowing and is no failure: kinks, noise, what was left out."""
        of_gradients = (line for one in self.gradients for line in _advice(one, self.says))
        return (*of_gradients, *_shared_advice(self.gradients), *self.remarks)

    def __str__(self) -> str:
        return joined(check_lines(self))

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; what is no number becomes None."""
        return _plain(
            {
                "ok": bool(self),
                "gradients": [asdict(one) for one in self.gradients],
                "failures": self.failures,
                "advice": self.advice,
                "laws": [asdict(law) for law in self.laws],
                "value": self.value,
                "points": self.points,
            }
        )


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [_plain(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        case float():
            return value if isfinite(value) else None
        case _:
            return value


# ── words ────────────────────────────────────────────────────────────────────────────────────


def power(error: float) -> str:
    """An error by its order: 2e-11, 5e-2, 0."""
    if not error or not isfinite(error):
        return "0" if not error else str(error)
    digits, exponent = f"{error:.0e}".split("e")
    return f"{digits}e{int(exponent)}" if abs(int(exponent)) > 1 else f"{error:.1g}"


def both(here: float, there: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, and two more."""
    large, apart = max(abs(here), abs(there)), abs(here - there)
    digits = 4
    if apart and isfinite(apart) and isfinite(large):
        digits = min(max(4, 2 + ceil(log10(large / apart))), 12)
    return f"{here:.{digits}g}", f"{there:.{digits}g}"


def entry_name(name: str, index: tuple[int, ...]) -> str:
    """`dW1[2,0]`, and for a single number its bare name."""
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _details(one: Agreement) -> Iterator[str]:
    if one.worst is not None:
        yield _entry(one, one.worst)
    if one.factor is not None:
        yield _factor(one.factor)


def _entry(one: Agreement, worst: Entry) -> str:
    here, there = both(worst.here, worst.differences)
    at = f" (at {one.at})" if one.at else ""
    return f"{entry_name(one.name, worst.index)}: {here} here, {there} by differences{at}"


def _factor(factor: float) -> str:
    if abs(factor + 1) < 1e-4:
        return "its sign is flipped in every direction"
    if abs(factor) < 1e-12:
        return "it is 0, and the slope is not"
    return f"it is {factor:.5g} times the slope in every direction"


def _advice(one: Agreement, says: str) -> Iterator[str]:
    for kink in one.kinks[:LISTED]:
        yield _kink(one, kink, says)
    if len(one.kinks) > LISTED:
        yield f"{one.name}: not differentiable in {len(one.kinks) - LISTED} more entries"
    if one.kinked and not one.kinks:
        yield f"{one.name}: not differentiable here in {many(one.kinked, 'direction')}"
    if one.kinked and one.aside and one.ok:
        yield f"{one.name}: a small step aside, where there is one slope, it agrees"


def _shared_advice(gradients: Sequence[Agreement]) -> Iterator[str]:
    """What differences could not tell, of all gradients together."""
    unclear = [one for one in gradients if one.unclear]
    if unclear:
        count = sum(one.unclear for one in unclear)
        tried = sum(one.directions + one.entries for one in unclear)
        yield (
            f"{_listed(unclear)}: differences settle nothing in {count} of {tried} places; there "
            "the function jumps, or its rounding drowns the slope"
        )
    coarse = [one for one in gradients if one.resolution]
    if coarse:
        yield (
            f"{_listed(coarse)}: differences show no error below "
            f"{power(max(one.resolution for one in coarse))} in places; the function is noisy "
            "beside its slope there, or has a kink nearby"
        )


def _listed(gradients: Sequence[Agreement]) -> str:
    names = [one.name for one in gradients]
    more = len(names) - LISTED
    if more > 0:
        return f"{', '.join(names[:LISTED])} and {more} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _kink(one: Agreement, kink: Kink, says: str) -> str:
    chosen = says.format(f"{kink.here:.4g}")
    return (
        f"{entry_name(one.name, kink.index)}: not differentiable here: the slope is "
        f"{kink.left:.4g} to the left and {kink.right:.4g} to the right, {chosen}"
    )


# ── the table ────────────────────────────────────────────────────────────────────────────────


def check_lines(check: Check) -> list[Line]:
    """The check as a table in 80 columns: a line for each gradient, what is wrong below it."""
    lines: list[Line] = [(Span(_headline(check), "good" if check else "bad"),), EMPTY]
    lines += [line for fault in check.faults for line in wrapped(fault, 2, "bad")]
    lines += [EMPTY] if check.faults and check.gradients else []
    cells = [(one.name, one.shape, _checked(one), _result(one)) for one in check.gradients]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(3)]
    for one, row in zip(check.gradients, cells, strict=True):
        lines += _row(row, widths, one.ok)
        if not one.ok:
            lines += [line for text in _details(one) for line in wrapped(text, 6, "words")]
    facts = [line for text in _facts(check) for line in wrapped(text, 2, "words")]
    lines += [EMPTY, *facts] if facts else []
    if check.advice:
        lines += [EMPTY, (Span("advice", "heading"),)]
        lines += [line for text in check.advice for line in wrapped(text, 2, "words")]
    return lines


def _headline(check: Check) -> str:
    told = [one for one in check.gradients if _result(one) != UNTOLD]
    count, wrong = len(told), sum(not one.ok for one in told)
    differences = "central differences"
    if wrong:
        verb = "differs" if wrong == 1 else "differ"
        return f"{wrong} of {many(count, 'gradient')} {verb} from {differences}"
    agree = f"{many(count, 'gradient')} {'agrees' if count == 1 else 'agree'} with {differences}"
    if not count and check:
        return f"nothing could be compared with {differences}"
    if check:
        return agree
    return f"the check fails, though {agree}" if count else "the check fails"


def _checked(one: Agreement) -> str:
    parts = [(one.directions, "direction"), (one.entries, "entry")]
    return ", ".join(many(number, thing) for number, thing in parts if number) or "empty"


def _result(one: Agreement) -> str:
    if not one.directions + one.entries:
        return "nothing to check"
    if not one.ok:
        return f"differs by {power(one.error)}"
    if one.unclear + one.kinked >= one.directions + one.entries:
        return UNTOLD
    if one.worst is None or not one.worst.index or one.entries < 2 or not one.error:
        return f"agrees to {power(one.error)}" if one.error else "agrees exactly"
    return f"agrees to {power(one.error)}, least in [{','.join(map(str, one.worst.index))}]"


def _row(cells: tuple[str, str, str, str], widths: list[int], ok: bool) -> list[Line]:
    name, shape, checked, result = cells
    role = "good" if ok else "bad"
    parts = [f"  {name:{widths[0]}}", f"  {shape:{widths[1]}}", f"  {checked:{widths[2]}}  "]
    if sum(map(len, parts)) + len(result) <= WIDTH:
        return [(Span(parts[0], "name"), Span(parts[1], "shape"), Span(parts[2], "words"),
                 Span(result, role))]  # fmt: skip
    first = (Span(f"  {name}", "name"), Span(f"  {shape}", "shape"))
    return [first, (Span(f"      {checked}  ", "words"), Span(result, role))]


def _facts(check: Check) -> Iterator[str]:
    if check.value is not None:
        exact = f"to {power(check.value)}" if check.value else "exactly"
        yield f"value: the program returns what the function returns, {exact}"
    if check.laws:
        held = [law for law in check.laws if law.ok]
        error = power(max((law.error for law in held), default=0.0))
        steps = many(len(held), "step")
        yield f"transpose law ⟨v, J u⟩ = ⟨Jᵀ v, u⟩: holds in {steps}, to {error}"
        for law in check.laws:
            if not law.ok:
                yield f"transpose law: {law.step} breaks it, by {power(law.error)}"
    if check.points:
        times = len(check.points) if len(set(check.points)) == 1 else 1
        places = check.points if times == 1 else check.points[:1]
        yield f"tried {f'{times} times ' * (times > 1)}at {'; '.join(places)}"
