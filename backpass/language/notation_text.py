"""Programs, steps and terms written in index notation, so that `notation` reads the same tree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from backpass.language.expr import (
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
    multiply,
    number,
    reads,
)
from backpass.language.expr import labels as labels_of
from backpass.language.notation_terms import named, polynomial
from backpass.language.program import Array, Call, Program, Step, Write, axis_labels, fresh, relabel
from backpass.language.shapes import Size, names

SUM, PRODUCT, POWER, ATOM = range(4)  # how strongly a text holds together


def format_number(value: Fraction) -> str:
    """Whole numbers and small fractions as such, a short decimal as a decimal: 1/2, 0.001, 22/7."""
    if value.denominator < 10:
        return str(value)
    try:
        decimal = repr(float(value))
    except OverflowError:
        return str(value)
    return decimal if Fraction(decimal) == value else str(value)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes terms in which `labels` are in scope; `arrays` is None in a template."""

    labels: Collection[str]
    arrays: Collection[str] | None
    split: bool = False  # keep the sizes of a group apart, lest they be read as one

    def text(self, term: Term, least: int = SUM, inside: bool = False) -> str:
        """The term, in brackets where it holds together less than `least`."""
        text, strength = self.parts(term, inside)
        if strength >= least:
            return text
        if not self.split and polynomial(term) is not None and not isinstance(term, Number):
            return f"({Writer(self.labels, self.arrays, True).parts(term, inside)[0]})"
        return f"({text})"

    def parts(self, term: Term, inside: bool) -> tuple[str, int]:
        """The text of a term, and how strongly it holds together."""
        match term:
            case Label(name=name):
                return (name if inside else f"index({name})"), ATOM
            case Number(value=value):
                text = format_number(value)
                return text, SUM if value < 0 else PRODUCT if "/" in text else ATOM
            case SizeTerm(size=size):
                text = self.size(size, inside)
                return (f"({text})" if self.split and size.is_name else text), ATOM
            case Read(name=name, index=()):
                return (name if self.bare(name, inside) else f"{name}[]"), ATOM
            case Read(name=name, index=index):
                return f"{name}[{','.join(map(self.slot, index))}]", ATOM
            case Bracket(relation=relation, left=left, right=right):
                return (
                    f"[{self.text(left, SUM, True)}{relation}{self.text(right, SUM, True)}]",
                    ATOM,
                )
            case Apply(function=function, args=args):
                inner = ", ".join(self.text(arg, SUM, inside) for arg in args)
                return f"{function.name}({inner})", ATOM
            case Sum(terms=terms):
                return self.sum(terms, inside), SUM
            case Product(factors=factors):
                negative, rest = signed(term)
                if negative:
                    return f"-{self.text(rest, PRODUCT, inside)}", SUM
                return self.product(factors, inside), PRODUCT
            case Power(base=base, exponent=Number(value=value)) if divides(term):
                below = power_text(self.text(base, ATOM, inside), -value)
                return (f"1/{below}" if inside else f"1 / {below}"), PRODUCT
            case Power(base=base, exponent=Number(value=value)):
                return power_text(self.text(base, ATOM, inside), value), POWER
            case Power(base=base, exponent=exponent):
                return (
                    f"{self.text(base, ATOM, inside)}**{self.text(exponent, ATOM, inside)}",
                    POWER,
                )
            case _:
                assert_never(term)

    def sum(self, terms: Iterable[Term], inside: bool) -> str:
        text = ""
        for term in terms:
            negative, rest = signed(term)
            sign = ("-" if negative else "+") if inside else (" - " if negative else " + ")
            text += sign.strip().replace("+", "") if not text else sign
            text += self.text(rest, PRODUCT, inside)
        return text

    def product(self, factors: Iterable[Term], inside: bool) -> str:
        times, over = ("*", "/") if inside else (" * ", " / ")
        text = ""
        for factor in factors:
            if text and isinstance(factor, Power) and divides(factor):
                assert isinstance(factor.exponent, Number)
                base = self.text(factor.base, ATOM, inside)
                text += over + power_text(base, -factor.exponent.value)
            elif text:
                text += times + self.text(factor, POWER, inside)
            else:
                text = self.text(factor, PRODUCT, inside)
        return text

    def slot(self, part: Term) -> str:
        """An index; what is no label must not look like one."""
        text = self.text(part, SUM, True)
        if isinstance(part, SizeTerm) and text == str(part.size) and part.size.is_name:
            return f"size({text})"
        return f"{text}[]" if isinstance(part, Read) and text == part.name else text

    def bare(self, name: str, inside: bool) -> bool:
        """Whether a bare name is read as the array of rank 0."""
        if self.arrays is None:
            return not inside and name not in self.labels
        return name in self.arrays and not (inside and name in self.labels)

    def size(self, size: Size, inside: bool) -> str:
        """A size, bare or in brackets when its names are read as sizes there."""
        text, found = str(size), names(size)
        if self.arrays is None:
            plain = all((name in self.labels) != inside for name in found)
        else:
            taken = [name in self.arrays or (inside and name in self.labels) for name in found]
            plain = not any(taken)
        if not found or not plain:
            return f"size({text})"
        return text if size.is_name else f"({text})"


def signed(term: Term) -> tuple[bool, Term]:
    """Whether a minus sign leads, and the term without it."""
    match term:
        case Number(value=value) if value < 0:
            return True, number(-value)
        case Product(factors=(Number(value=value), *rest)) if value < 0:
            return True, multiply(number(-value), *rest)
        case _:
            return False, term


def divides(factor: Power) -> bool:
    """Whether a power is written as a division: `/ (a * b)` would be read as two."""
    exponent = factor.exponent
    return (
        isinstance(exponent, Number) and exponent.value < 0 and not isinstance(factor.base, Product)
    )


def power_text(base: str, exponent: Fraction) -> str:
    """A power whose base is written already."""
    if exponent == 1:
        return base
    text = format_number(exponent)
    return f"{base}**({text})" if "/" in text else f"{base}**{text}"


def format_term(
    term: Term, labels: Iterable[Label] | None = None, arrays: Mapping[str, Array] | None = None
) -> str:
    """Write a term; `labels` are those in scope, by default those that it mentions."""
    scope = labels_of(term) if labels is None else labels
    return Writer({label.name for label in scope}, arrays).text(term)


def format_step(step: Step, arrays: Mapping[str, Array] | None = None) -> str:
    """Write a step, one line for each left side and set of bounds.

    `arrays` are those that the reader will be given as `shapes`; None writes a template.
    """
    return "\n".join(statements(step, arrays, arrays is not None and step.name in arrays))


def statements(step: Step, arrays: Mapping[str, Array] | None, declared: bool) -> list[str]:
    """The lines of a step; `declared` tells whether the reader knows the target's shape."""
    nests = nests_of(step)
    lines: list[tuple[str, str, str]] = []  # left, terms, bounds
    for nest, clause in zip(nests, clauses(step, nests, arrays, declared), strict=True):
        writer = Writer({label.name for label in nest.labels}, arrays)
        left = ",".join(map(writer.slot, nest.left))
        left = f"{step.name}[{left}]" if left else step.name
        negative, rest = signed(nest.term)
        text = writer.text(rest, PRODUCT)
        if isinstance(step.body, Call):
            text = (
                f"{text[:-1]} over {','.join(label.name for label in step.body.over)}".rstrip()
                + ")"
            )
        if lines and lines[-1][::2] == (left, clause):
            lines[-1] = (left, f"{lines[-1][1]} {'-' if negative else '+'} {text}", clause)
        else:
            lines.append((left, "-" * negative + text, clause))
    if step.body and [text for _, text, _ in lines] == ["0"]:  # a bare 0 is a step without writes
        lines = [(left, "(0)", clause) for left, _, clause in lines]
    return [
        f"{left} {'+=' if place else '='} {text}{clause}"
        for place, (left, text, clause) in enumerate(lines)
    ]


def nests_of(step: Step) -> list[Write]:
    """The writes, no two labels of one nest called alike; a call or nothing at all as one write."""
    body = step.body
    if isinstance(body, Call):
        term = Apply(Function(body.function.name), body.args)
        loops = dict.fromkeys((*labels_of(*body.left, term), *body.over))
        return [Write(body.left, term, tuple(loops))]
    if not body:
        loops = axis_labels(step.target.shape)
        return [Write(loops, ZERO, loops)]
    return [distinct(write) for write in body]


def distinct(write: Write) -> Write:
    """The same nest, with primes where two labels are called alike."""
    if len({label.name for label in write.labels}) == len(write.labels):
        return write
    new: dict[Label, Label] = {}
    for label in write.labels:
        taken = {other.name for other in new.values()}
        new[label] = Label(fresh(label.name, taken), label.size)
    return relabel(write, new)


def clauses(
    step: Step, nests: list[Write], arrays: Mapping[str, Array] | None, declared: bool
) -> list[str]:
    """For each nest the bounds that cannot be read off it, as ` for j<k, n`."""
    shape = step.target.shape
    axes = dict(enumerate(shape)) if declared else {}
    read = [read_bounds(nest, arrays) for nest in nests]
    stated: list[set[Label]] = []
    open_labels: list[tuple[int, Label, list[int]]] = []
    for place, (nest, found) in enumerate(zip(nests, read, strict=True)):
        stated.append(set())
        for label in nest.labels:
            lengths = found.get(label, set[Size]())
            slots = [axis for axis, part in enumerate(nest.left) if part == label]
            if declared:
                lengths = lengths | {shape[axis] for axis in slots}
            if lengths != {label.size} and (lengths or not slots):
                stated[place].add(label)
            if lengths or declared:
                axes |= {axis: axes.get(axis, label.size) for axis in slots}
            elif slots:
                open_labels.append((place, label, slots))
    for place, label, slots in open_labels:  # known to the reader if another nest fills the axis
        if axes.get(slots[0]) != label.size:
            stated[place].add(label)
        axes |= {axis: axes.get(axis, label.size) for axis in slots}
    return [clause(nest, names) for nest, names in zip(nests, stated, strict=True)]


def read_bounds(nest: Write, arrays: Mapping[str, Array] | None) -> dict[Label, set[Size]]:
    """The lengths of the axes that each label fills in the nest's reads."""
    found: dict[Label, set[Size]] = {}
    for read in reads(*nest.left, nest.term):
        for axis, part in enumerate(read.index):
            if isinstance(part, Label):
                if arrays is None:
                    found.setdefault(part, set()).add(named(part.name))
                elif read.name in arrays:
                    found.setdefault(part, set()).add(arrays[read.name].shape[axis])
    if arrays is None:
        for part in nest.left:
            if isinstance(part, Label):
                found.setdefault(part, set()).add(named(part.name))
    return found


def clause(nest: Write, stated: set[Label]) -> str:
    """The bounds, all of them when the order of the loops is not that of appearance."""
    extra = [label for label in nest.labels if label in stated]
    seen = list(dict.fromkeys((*labels_of(*nest.left, nest.term), *extra)))
    if seen != list(nest.labels):
        extra = list(nest.labels)
    parts = [
        label.name if label.size == named(label.name) else f"{label.name}<{label.size}"
        for label in extra
    ]
    return f" for {', '.join(parts)}" if parts else ""


def format_array(array: Array) -> str:
    """Write a declaration: `X: n k`, `w: ()`, `y: n int<m`."""
    words = [str(axis) for axis in array.shape]
    if array.kind != "real":
        words.append(array.kind if array.below is None else f"{array.kind}<{array.below}")
    if not array.shape:
        words.insert(0, "()")
    return f"{array.name}: {' '.join(words)}"


def format_program(program: Program) -> str:
    """Write declarations, steps and outputs, one a line."""
    lines = [format_array(array) for array in program.inputs]
    lines += [f"{format_array(array)} fixed" for array, _ in program.constants]
    for step in program.steps:
        declared = step.target != Array(step.name, step.target.shape) or not tells_shape(step)
        lines += [format_array(step.target)] * declared
        lines += statements(step, program.arrays, declared)
    return "\n".join([*lines, f"return {', '.join(program.outputs)}"])


def tells_shape(step: Step) -> bool:
    """Whether the labels on the left say how long every axis of the target is."""
    lefts = [nest.left for nest in nests_of(step)]
    found = [{p.size for p in parts if isinstance(p, Label)} for parts in zip(*lefts, strict=True)]
    return found == [{axis} for axis in step.target.shape]
