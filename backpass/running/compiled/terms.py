"""Terms as the text of compiled source, numbers of the step's own precision kept apart from places.

`real(…)` casts to float32 or float64; without it an integer beside a float32 would make a float64
of both. Indices, comparisons of places and arrays of integers stay whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

from backpass.language.errors import NoRule
from backpass.language.expr import (
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
    labels,
    multiply,
)
from backpass.language.program import Array
from backpass.language.shapes import Size

# fmt: off
ONE_ARGUMENT = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tanh", "sigmoid", "softplus",
    "relu", "abs", "sign", "sqrt",
)
# fmt: on
FUNCTIONS = frozenset(
    (
        *ONE_ARGUMENT,
        "logaddexp",
        "leaky_relu",
        "maximum",
        "minimum",
        "clip",
        "where",
        "huber_entry",
        "logistic_loss",
        "bernoulli_loss",
    )
)  # fmt: skip
ONE_BY_ONE = frozenset(("sin", "cos", "power"))  # by the C library, all others many at once
SHORT = {
    Fraction(2): "square",
    Fraction(3): "cube",
    Fraction(1, 2): "sqrt",
    Fraction(-1, 2): "inverse_sqrt",
}
WHOLE = frozenset(("where", "maximum", "minimum", "lowest", "highest"))  # of whole numbers, too


@dataclass
class Spelling:
    """How terms are written: what labels, sizes and reads are called; `used` collects functions."""

    arrays: Mapping[str, Array]
    loops: Mapping[Label, str]
    sizes: Mapping[str, str]
    read: Callable[[Read], str]
    used: set[str] = field(default_factory=set[str])

    # ── whole numbers ────────────────────────────────────────────────────────────────────────

    def is_whole(self, term: Term) -> bool:
        """Whether a term is made of places and counts alone."""
        match term:
            case Label() | SizeTerm() | Bracket():
                return True
            case Number(value=value):
                return value.denominator == 1
            case Read(name=name):
                return self.arrays[name].kind != "real"
            case Sum(terms=parts) | Product(factors=parts):
                return all(map(self.is_whole, parts))
            case Apply(function=function, args=args):
                return function.name in WHOLE and all(map(self.is_whole, args))
            case Power():
                return False
            case _:
                assert_never(term)

    def size(self, size: Size) -> str:
        """A size in the numbers that are known when it runs."""
        if size.number is not None:
            return str(size.number)
        parts: list[str] = []
        for monomial, times in size.terms:
            names = [self.sizes[name] for name, power in monomial for _ in range(power)]
            parts.append(" * ".join([str(times)] * (times != 1 or not names) + names))
        return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"

    def whole(self, term: Term) -> str:
        """A whole number: an index, a count, an entry of an array of integers."""
        match term:
            case Label():
                return self.loops[term]
            case Number(value=value):
                return str(int(value))
            case SizeTerm(size=size):
                return self.size(size)
            case Read(name=name):
                text = self.read(term)
                return text if self.arrays[name].kind == "int" else f"int({text})"
            case Bracket():
                return f"int({self.truth(term)})"
            case Sum(terms=terms):
                return f"({' + '.join(map(self.whole, terms))})"
            case Product(factors=factors):
                return f"({' * '.join(map(self.whole, factors))})"
            case Apply(function=function, args=args):
                if function.name == "lowest":
                    return "-BOUND"
                if function.name == "highest":
                    return "BOUND"
                if function.name == "where":
                    chosen, yes, no = args
                    return f"({self.whole(yes)} if {self.truth(chosen)} else {self.whole(no)})"
                first, second = map(self.whole, args)
                return f"{function.name[:3]}({first}, {second})"
            case Power():
                raise AssertionError("a power is no whole number")
            case _:
                assert_never(term)

    def truth(self, term: Term) -> str:
        """A condition."""
        if isinstance(term, Bracket):
            whole = self.is_whole(term.left) and self.is_whole(term.right)
            spell = self.whole if whole else self.real
            return f"{spell(term.left)} {term.relation} {spell(term.right)}"
        return f"{self.whole(term) if self.is_whole(term) else self.real(term)} != 0"

    # ── real numbers ─────────────────────────────────────────────────────────────────────────

    def real(self, term: Term) -> str:
        """A number of the step's precision."""
        match term:
            case Number(value=value):
                return number(value)
            case Read(name=name):
                text = self.read(term)
                return text if self.arrays[name].kind == "real" else f"real({text})"
            case Bracket():
                return f"real({self.truth(term)})"
            case Label() | SizeTerm():
                return f"real({self.whole(term)})"
            case Sum(terms=terms):
                return self._sum(terms)
            case Product(factors=factors):
                return self._product(factors)
            case Power(base=base, exponent=exponent):
                return self._power(base, exponent)
            case Apply():
                return self._apply(term)
            case _:
                assert_never(term)

    def _sum(self, terms: tuple[Term, ...]) -> str:
        text = self.real(terms[0])
        for term in terms[1:]:
            if isinstance(term, Product) and term.factors[0] == Number(Fraction(-1)):
                text += f" - {self.real(multiply(*term.factors[1:]))}"
            else:
                text += f" + {self.real(term)}"
        return f"({text})"

    def _product(self, factors: tuple[Term, ...]) -> str:
        """Factors with a power of −1 stand below the line.

        Sizes there become a factor again, and so does what stays the same while loops go round:
        its reciprocal is taken once, outside of them.
        """
        loops = any(map(labels, factors))
        above: list[str] = []
        below: list[str] = []
        sign = ""
        for place, factor in enumerate(factors):
            match factor:
                case Number(value=value) if value == -1 and place == 0:
                    sign = "-"
                case Power(base=SizeTerm(size=size), exponent=Number(value=value)) if value == -1:
                    above.append(f"real(1.0 / ({self.size(size)}))")
                case Power(base=base, exponent=Number(value=value)) if value == -1:
                    if loops and not labels(base):
                        above.append(self.real(factor))
                    else:
                        below.append(self.real(base))
                case _:
                    above.append(self.real(factor))
        text = sign + (" * ".join(above) or number(Fraction(1)))
        for one in below:
            text += f" / {one}"
        return f"({text})"

    def _power(self, base: Term, exponent: Term) -> str:
        if isinstance(exponent, Number):
            value = exponent.value
            if value == -1:
                return f"({number(Fraction(1))} / {self.real(base)})"
            if value in SHORT:
                return self._call(SHORT[value], self.real(base))
        return self._call("power", self.real(base), self.real(exponent))

    def _apply(self, term: Apply) -> str:
        name, args = term.function.name, term.args
        if name in ("lowest", "highest"):
            return "real(-np.inf)" if name == "lowest" else "real(np.inf)"
        if name not in FUNCTIONS:
            raise NoRule(f"{name} has no compiled form")
        if name == "where":
            return f"({self.real(args[1])} if {self.truth(args[0])} else {self.real(args[2])})"
        return self._call(name, *map(self.real, args))

    def _call(self, name: str, *args: str) -> str:
        self.used.add(name)
        return f"{name}_({', '.join(args)})"


def number(value: Fraction) -> str:
    """A constant, rounded once: 1/3 to the precision of the step."""
    return f"real({value.numerator / value.denominator!r})"
