"""Tokens -> expression: the grammar of formulas, with the products of textbooks beside Python's.

expression  total [compared with total]
total       product (+ - product)*
product     unary (@ * / ⊙ ⊗ · × or nothing, unary)*      all bind equally, left to right
unary       - unary | Σ product | power
power       operand [** unary]
operand     atom, followed by any of ᵀ .T ² .sum(…)
atom        number | name | function(…) | √ atom | (expression) | (expression, …)

No text can make a reader of its tree recurse far: chains lie flat, and all else has a limit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from backpass.forward.syntax import (
    Call,
    Chain,
    Expression,
    Listing,
    Name,
    Negative,
    Number,
    Option,
    Power,
    Span,
    Transpose,
    walk,
)
from backpass.forward.tokens import MAX_DEPTH, Token, refusal
from backpass.language.errors import BackpassError, UnknownName, nearest

COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
SUMS = ("+", "-")
PRODUCTS = ("@", "*", "/", "⊙", "⊗", "·", "×")
METHODS = ("sum", "mean", "max", "min", "reshape", "dot", "trace")
MAX_HEIGHT = 5 * MAX_DEPTH  # a bracket may hold a sum of products of powers …

CONSTANTS: dict[str, Option] = {"True": True, "False": False, "None": None}
# Functions that textbooks write otherwise, unless they are declared under these names.
_ALSO_WRITTEN = {"σ": "sigmoid", "ln": "log"}


@dataclass(frozen=True, slots=True)
class Scope:
    """The text that is read, and what its names may mean: a quantity hides a function."""

    source: str
    functions: Collection[str]
    quantities: Collection[str]


def read_expression(tokens: list[Token], end: int, scope: Scope) -> Expression:
    """Read the tokens up to `end` of the text as one expression, or say what is wrong with them."""
    body = _Parser(tokens, end, scope).whole()
    if any(depth > MAX_HEIGHT for _, depth in walk(body)):
        message = "this is nested too deeply; give parts of it names of their own"
        raise refusal(message, scope.source, body.start, body.end)
    return body


def _literal(text: str) -> int | float:
    value = float(text)
    whole = text.lstrip("+-").isdigit() and abs(value) < 2**53
    return int(value) if whole else value


class _Parser:
    """Reads the tokens of one statement from left to right; a method for each line of the grammar.

    It recurses only through brackets, which the tokens limit, and through `deeper`.
    """

    def __init__(self, tokens: list[Token], end: int, scope: Scope) -> None:
        self.tokens = [*tokens, Token("separator", "", end, end)]
        self.source = scope.source
        self.functions = scope.functions
        self.quantities = scope.quantities
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def at(self, *texts: str) -> bool:
        return self.next.kind == "operator" and self.next.text in texts

    def written(self, span: Token | Span) -> str:
        return self.source[span.start : span.end]

    def refuse(self, message: str, span: Token | Span | None = None) -> BackpassError:
        span = span or self.next
        return refusal(message, self.source, span.start, span.end)

    def deeper(self, sign: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refuse(f"signs and powers nest at most {MAX_DEPTH} deep", sign)

    # ── the grammar ──────────────────────────────────────────────────────────────────────────

    def whole(self) -> Expression:
        body = self.expression()
        if self.next.kind == "separator":
            return body
        if self.at("=", "<-"):
            raise self.refuse("one name stands left of this sign, at the start of a statement")
        if self.at(","):
            raise self.refuse("a comma stands only inside brackets")
        raise self.refuse(f"{self.written(self.next)} cannot follow what stands before it")

    def expression(self) -> Expression:
        left = self.total()
        if not self.at(*COMPARISONS):
            return left
        sign = self.take().text
        right = self.total()
        if self.at(*COMPARISONS):
            raise self.refuse("write two comparisons as a product, (0 < x) * (x < 1)")
        return Chain(left.start, right.end, left, ((sign, right),))

    def total(self) -> Expression:
        first = self.product()
        rest: list[tuple[str, Expression]] = []
        while self.at(*SUMS):
            rest.append((self.take().text, self.product()))
        return Chain(first.start, rest[-1][1].end, first, tuple(rest)) if rest else first

    def product(self) -> Expression:
        first = self.unary()
        rest: list[tuple[str, Expression]] = []
        while True:
            if self.at(*PRODUCTS):
                rest.append((self.take().text, self.unary()))
            elif self.begins_factor(divisor=rest[-1][1] if rest and rest[-1][0] == "/" else None):
                rest.append(("", self.unary()))
            else:
                return Chain(first.start, rest[-1][1].end, first, tuple(rest)) if rest else first

    def begins_factor(self, divisor: Expression | None) -> bool:
        """Whether a product goes on without a sign, as in `W2 a1`, `2(a − y)` and `½ Σ …`."""
        factor, before = self.next, self.tokens[self.position - 1]
        if factor.kind == "number":
            raise self.refuse(f"an operator is missing before {self.written(factor)}")
        if self.at("[") and before.end == factor.start:
            raise self.refuse("a formula speaks of whole arrays and takes no entry of one")
        if factor.kind == "name" and isinstance(divisor, Number) and divisor.end == factor.start:
            # (1/2) n by the rule, 1/(2n) for many readers
            number, name = self.written(divisor), self.written(factor)
            raise self.refuse(f"write /({number} {name}), or /{number} * {name}")
        return factor.kind == "name" or self.at("(", "[", "Σ", "√")

    def unary(self) -> Expression:
        if not self.at("-", "+", "Σ"):
            return self.power()
        sign = self.take()
        self.deeper(sign)
        operand = self.product() if sign.text == "Σ" else self.unary()
        self.depth -= 1
        if sign.text == "Σ":
            return Call(sign.start, operand.end, self.known("sum", sign), (operand,))
        return Negative(sign.start, operand.end, operand) if sign.text == "-" else operand

    def power(self) -> Expression:
        base = self.operand()
        if not self.at("**"):
            return base
        self.deeper(self.take())
        exponent = self.unary()
        self.depth -= 1
        return Power(base.start, exponent.end, base, exponent)

    def operand(self) -> Expression:
        node = self.atom()
        while True:
            if self.next.kind == "transpose":
                node = Transpose(node.start, self.take().end, node, of_stack=False)
            elif self.next.kind == "power":
                node = self.superscript(node)
            elif self.at("."):
                node = self.attribute(node)
            else:
                return node

    def superscript(self, base: Expression) -> Expression:
        sign = self.take()
        if sign.text == "n":
            return Power(base.start, sign.end, base, Name(sign.start, sign.end, "n"))
        exponent = Number(sign.start, sign.end, _literal(sign.text))
        return Power(base.start, sign.end, base, exponent)

    def attribute(self, node: Expression) -> Expression:
        self.take()
        name = self.take()
        if isinstance(node, Name) and node.text in ("np", "numpy", "bp", "backpass"):
            raise self.refuse(f"write {name.text} without {node.text}. before it", node)
        if isinstance(node, Number):
            raise self.refuse("put this number in brackets", node)
        if name.text in ("T", "mT"):
            return Transpose(node.start, name.end, node, of_stack=name.text == "mT")
        if name.text not in METHODS:
            hint = nearest(name.text, METHODS) or f"; known are .T, .mT, .{', .'.join(METHODS)}"
            raise self.refuse(f".{self.written(name)} is not known here{hint}", name)
        if not self.at("("):
            raise self.refuse(f"write .{name.text}() with brackets", name)
        function = name.text if name.text == "dot" else self.known(name.text, name)
        arguments, options, end = self.arguments()
        if name.text == "reshape" and len(arguments) > 1:
            arguments = (Listing(arguments[0].start, arguments[-1].end, arguments),)
        return Call(node.start, end, function, (node, *arguments), options)

    def atom(self) -> Expression:
        token = self.take()
        if token.kind == "number":
            return Number(token.start, token.end, _literal(token.text))
        if token.kind == "name":
            return self.name(token)
        if token.text in ("(", "["):
            return self.group(token)
        if token.text == "√":
            return self.root(token)
        if token.text == "=":
            raise self.refuse("a new value takes a new name, or an update is W <- W - …", token)
        what = f"before {self.written(token)}" if token.text else "at the end"
        raise self.refuse(f"a quantity is missing {what}", token)

    def root(self, sign: Token) -> Expression:
        self.deeper(sign)
        operand = self.atom()
        self.depth -= 1
        if self.next.kind == "power" or self.at("**", "."):
            raise self.refuse("what follows may belong under the √ or not; use brackets")
        return Call(sign.start, operand.end, self.known("sqrt", sign), (operand,))

    def name(self, token: Token) -> Expression:
        if token.text in self.quantities:
            return Name(token.start, token.end, token.text)
        function = self.function(token.text) if self.at("(") else None
        if function is not None:
            arguments, options, end = self.arguments()
            if not arguments:
                raise self.refuse(f"{self.written(token)}() needs an argument", token)
            if function in ("max", "min") and len(arguments) > 1:
                raise self.refuse(f"entry by entry this is {function}imum(…)", token)
            return Call(token.start, end, function, arguments, options)
        if token.text in self.functions:
            raise self.refuse(f"{token.text} is a function; write {token.text}(…)", token)
        if token.text in CONSTANTS:
            raise self.refuse(f"{token.text} stands only after axis= or keepdims=", token)
        return Name(token.start, token.end, token.text)

    def function(self, written: str) -> str | None:
        """The function that a name before a bracket stands for: σ′ is sigmoid′, if not declared."""
        stem = written.rstrip("′")
        usual = _ALSO_WRITTEN.get(stem, stem) + written[len(stem) :]
        return next((name for name in (written, usual) if name in self.functions), None)

    def known(self, function: str, sign: Token) -> str:
        if function not in self.functions:
            what = self.written(sign)
            message = f"{what} needs the function {function}, which is not known here"
            raise refusal(message, self.source, sign.start, sign.end, UnknownName)
        return function

    def group(self, opened: Token) -> Expression:
        before = self.tokens[max(self.position - 2, 0)]
        items, listed = [self.expression()], False
        while self.at(","):
            self.take()
            listed = True
            if not self.at(")", "]"):
                items.append(self.expression())
        if self.at("=") and before.kind == "name":
            message = (
                f"{before.text} is no function known here{nearest(before.text, self.functions)}"
            )
            raise refusal(message, self.source, before.start, before.end, UnknownName)
        end = self.closing().end
        if listed:
            return Listing(opened.start, end, tuple(items))
        return replace(items[0], start=opened.start, end=end)

    def closing(self) -> Token:
        if not self.at(")", "]"):
            raise self.refuse(f"{self.written(self.next)} cannot follow what stands before it")
        return self.take()

    def arguments(self) -> tuple[tuple[Expression, ...], tuple[tuple[str, Option], ...], int]:
        self.take()
        arguments: list[Expression] = []
        options: dict[str, Option] = {}
        while not self.at(")"):
            if self.next.kind == "name" and self.tokens[self.position + 1].text == "=":
                key = self.take()
                if key.text not in ("axis", "keepdims") or key.text in options:
                    raise self.refuse("the options are axis= and keepdims=, each once", key)
                self.take()
                options[key.text] = self.option()
            else:
                arguments.append(self.expression())
            if not self.at(","):
                break
            self.take()
        return tuple(arguments), tuple(options.items()), self.closing().end

    def option(self) -> Option:
        token = self.next
        if token.text in CONSTANTS:
            return CONSTANTS[self.take().text]
        value = self.expression()
        items = value.items if isinstance(value, Listing) else (value,)
        axes = tuple(axis for item in items if (axis := _axis(item)) is not None)
        if len(axes) < len(items):
            raise self.refuse("an axis is a whole number or several in brackets", value)
        return axes if isinstance(value, Listing) else axes[0]


def _axis(node: Expression) -> int | None:
    match node:
        case Number(value=int(axis)):
            return axis
        case Negative(operand=Number(value=int(axis))):
            return -axis
        case _:
            return None
