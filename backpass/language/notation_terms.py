"""Terms in index notation, read from left to right; what the names mean is said in `notation`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from backpass.language.errors import NotationError, ShapeError, UnknownName, nearest
from backpass.language.expr import (
    MINUS_ONE,
    Apply,
    Bracket,
    Comparison,
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
    multiply,
    negate,
    number,
    power,
    size_term,
)
from backpass.language.shapes import Shape, Size, show_shape, size

MAX_CHARACTERS, MAX_DEPTH, MAX_DIGITS = 20_000, 50, 400

NAME = r"(?:[^\W\d]|∇)(?:\w|[∇′″‴])*"
TOKEN = re.compile(
    rf"\s*(?:({NAME})|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(\.\.\.|\*\*|\+=|[<>=!]=|[-+*/()\[\],<>=]))"
)
OPENING, CLOSING = "([", ")]"


def tokens_of(text: str) -> list[str]:
    """Cut a statement into names, numbers and signs; NotationError at anything else."""
    if len(text) > MAX_CHARACTERS:
        raise NotationError(
            f"a statement has {len(text)} characters; the most is {MAX_CHARACTERS}: split it"
        )
    found: list[str] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = TOKEN.match(text, place)
        name = match and match[1]
        if match is None or (name and not re.sub("[∇′″‴]", "_", name).isidentifier()):
            wrong = name or text[place:].strip()[0]
            raise NotationError(f"'{wrong}' is neither a name, a number nor a sign", line=text)
        found.append(match[0].strip())
        place = match.end()
    return found


@dataclass(slots=True)
class Scope:
    """What the names of one nest mean; `slots` collects the labels that fill an index."""

    line: str
    shapes: Mapping[str, Shape] | None
    functions: Mapping[str, Function] | None
    labels: Mapping[str, Label] | None  # None while the labels are being collected
    slots: list[tuple[str, int, str]]  # (array, axis, label)

    def error(self, message: str) -> NotationError:
        return NotationError(message, line=self.line)

    def bare(self, name: str, inside: bool) -> Term:
        """The meaning of a name that stands alone."""
        if self.labels is None:
            return SizeTerm(named(name))
        if inside and name in self.labels:
            return self.labels[name]
        if self.shapes is None and not inside and name not in self.labels:
            return Read(name, ())
        if self.shapes is not None and name in self.shapes:
            return self.read(name, ())
        return SizeTerm(named(name))

    def read(self, name: str, index: tuple[Term, ...]) -> Read:
        """A read, with as many indices as its array has axes."""
        if self.shapes is not None:
            shape = self.shapes.get(name)
            if shape is None:
                message = f"{name} is read and nothing defines it{nearest(name, self.shapes)}"
                raise UnknownName(message, line=self.line)
            if len(shape) != len(index):
                whole = f"{name} is {show_shape(shape)}: it takes {len(shape)} indices"
                raise ShapeError(f"{whole}, not {len(index)}", line=self.line)
        return Read(name, index)

    def label(self, name: str) -> Term:
        """The label called `name`, as a value."""
        if self.labels is None:
            return SizeTerm(named(name))
        if name not in self.labels:
            raise self.error(f"index({name}): {name} is no label here; add `for {name}<…`")
        return self.labels[name]

    def function(self, name: str) -> Function:
        if self.functions is None:
            return Function(name)
        if name not in self.functions:
            message = f"no function is called {name}{nearest(name, self.functions)}"
            raise UnknownName(message, line=self.line)
        return self.functions[name]


def sizes_only(line: str) -> Scope:
    """Where every name is a size."""
    return Scope(line, {}, {}, {}, [])


def named(name: str) -> Size:
    """The size called `name`, whatever characters it has."""
    return Size([(((name, 1),), 1)])


class Reader:
    """Reads tokens from left to right, one method for each strength of binding."""

    def __init__(self, tokens: Sequence[str], scope: Scope) -> None:
        self.tokens, self.scope = tokens, scope
        self.place = self.depth = 0
        self.brackets = 0  # how many were opened so far; tells whether a group holds another

    def whole(self, inside: bool = False) -> Term:
        """All tokens as one term."""
        term = self.sum(inside)
        if self.next:
            raise self.scope.error(f"'{self.next}' does not continue what stands before it")
        return term

    @property
    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        """The next token, if it is one of those wanted (any at all when none are named)."""
        token = self.next
        if not token or (wanted and token not in wanted):
            return ""
        self.place += 1
        return token

    def expect(self, token: str, after: str) -> None:
        if not self.take(token):
            found = f"before '{self.next}'" if self.next else "at the end"
            raise self.scope.error(f"'{token}' is missing {found} of {after}")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.scope.error(f"brackets nest deeper than {MAX_DEPTH}; split the statement")

    def sum(self, inside: bool) -> Term:
        parts = [self.product(inside)]
        while sign := self.take("+", "-"):
            part = self.product(inside)
            parts.append(negate(part) if sign == "-" else part)
        return add(*parts)

    def product(self, inside: bool) -> Term:
        parts = [self.signed(inside)]
        while sign := self.take("*", "/"):
            part = self.signed(inside)
            if sign == "*":
                parts.append(part)
            else:
                below = part.factors if isinstance(part, Product) else (part,)
                parts.extend(power(factor, MINUS_ONE) for factor in below)
        return multiply(*parts)

    def signed(self, inside: bool) -> Term:
        if not (sign := self.take("-", "+")):
            return self.power(inside)
        self.deeper()
        term = self.signed(inside)
        self.depth -= 1
        return negate(term) if sign == "-" else term

    def power(self, inside: bool) -> Term:
        base = self.atom(inside)
        if not self.take("**"):
            return base
        self.deeper()
        exponent = self.signed(inside)
        self.depth -= 1
        return power(base, exponent)

    def atom(self, inside: bool) -> Term:
        self.deeper()
        token = self.take()
        if token == "(":
            term = self.group(inside)
        elif token == "[":
            term = self.bracket()
        elif token[:1].isdigit() or (token[:1] == "." and token != "..."):
            term = number(self.exact(token))
        elif re.fullmatch(NAME, token):
            term = self.called(token, inside)
        else:
            found = f"'{token}'" if token else "the end"
            raise self.scope.error(f"a name, a number or a bracket must come before {found}")
        self.depth -= 1
        return term

    def exact(self, token: str) -> Fraction:
        exponent = re.split("[eE]", token)[1:]
        if len(token) > MAX_DIGITS or (exponent and abs(int(exponent[0])) > MAX_DIGITS):
            raise self.scope.error(f"the number {token[:20]}… is too long")
        return Fraction(token)

    def group(self, inside: bool) -> Term:
        """A term in brackets; a polynomial of sizes there is one size."""
        self.brackets += 1
        opened = self.brackets
        term = self.sum(inside)
        self.expect(")", "a bracket")
        if opened == self.brackets and (whole := polynomial(term)) is not None:
            return size_term(whole)
        return term

    def bracket(self) -> Term:
        left = self.sum(True)
        relation = self.take("==", "!=", "<", "<=", ">", ">=")
        if not relation:
            raise self.scope.error("a bracket [ ] compares two things, such as [j<=i]")
        right = self.sum(True)
        self.expect("]", "a comparison")
        self.brackets += 1
        return Bracket(cast(Comparison, relation), left, right)

    def called(self, name: str, inside: bool) -> Term:
        """A name and what follows it: an index, arguments, or nothing."""
        if self.take("["):
            self.brackets += 1
            return self.scope.read(name, self.index(name))
        if not self.take("("):
            return self.scope.bare(name, inside)
        self.brackets += 1
        if name == "index":
            label = self.take()
            self.expect(")", f"index({label}")
            return self.scope.label(label)
        if name == "size":
            self.scope, outer = sizes_only(self.scope.line), self.scope
            whole = polynomial(self.sum(False))
            self.scope = outer
            self.expect(")", "size(")
            if whole is None:
                raise self.scope.error("size( ) holds a polynomial of sizes, such as n or 2*k+1")
            return SizeTerm(whole)
        args = [self.sum(inside)]
        while self.take(","):
            args.append(self.sum(inside))
        self.expect(")", f"the arguments of {name}")
        return Apply(self.scope.function(name), tuple(args))

    def index(self, name: str) -> tuple[Term, ...]:
        """The indices after an opened `[`, labels that fill one alone noted."""
        parts: list[Term] = []
        while parts or self.next != "]":
            token, after = self.next, self.tokens[self.place + 1 : self.place + 2]
            if after in ([","], ["]"]) and (token == "..." or re.fullmatch(NAME, token)):
                self.scope.slots.append((name, len(parts), token))
                self.place += 1
                parts.append(self.scope.bare(token, True))
            else:
                parts.append(self.sum(True))
            if not self.take(","):
                break
        self.expect("]", f"the index of {name}")
        return tuple(parts)


def polynomial(term: Term) -> Size | None:
    """The size that a term of sizes, whole numbers, +, - and * amounts to; None for any other."""
    match term:
        case SizeTerm(size=value):
            return value
        case Number(value=value) if value.denominator == 1:
            return size(int(value))
        case Sum(terms=parts):
            total = size(0)
            for part in parts:
                if (value := polynomial(part)) is None:
                    return None
                total = total + value
            return total
        case Product(factors=parts):
            total = size(1)
            for part in parts:
                value = polynomial(part)
                if value is None or len(value.terms) > 1:  # a product of sums could explode
                    return None
                total = total * value
            return total
        case Power(base=SizeTerm(size=value), exponent=Number(value=exponent)):
            if exponent.denominator != 1 or not 0 < exponent <= MAX_DEPTH or not value.is_name:
                return None
            return Size([(((str(value), int(exponent)),), 1)])
        case _:
            return None
