"""No text crashes the reader of formulas, keeps it busy, or is executed."""

import builtins
import operator
import time
from contextlib import ExitStack
from typing import Any, NoReturn
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpass.forward.formula import free_names, run, targets
from backpass.language.errors import BackpassError

REACHABLE = {"ndim", "shape", "T", "mT"}
FORMULAS = (
    "z2 = W2 @ a1; a2 = relu(z2); z3 = W3 @ a2; a3 = sigmoid(z3); L = ½ Σ (a3 − y)²",
    "L = 0.5 * sum((sigmoid(X @ W + b) - Y)**2)",
    "(a3 - y) ⊙ a3 ⊙ (1 - a3) a2ᵀ",
    "W₃ᵀ (∇C(y) ⊙ σ′(z₃)) ⊗ a⁽¹⁾",
    "∂L/∂W2 = dz2 a^(1)ᵀ\nW2 <- W2 − η · dW2  # and on\n",
    "X.T @ (Y - 1) / n + √(n²) × mean(X, axis=(0, 1), keepdims=True)",
    "where(z2 > 0, z2, -z2).reshape(3, -1).sum(axis=0)",
    "W3 (1, 1, 1)ᵀ a1ᵀ; concatenate((a1, y)); [a1 + y]^T",
)
PIECES = [
    *"()[].,;=+-*/@^ ⊙⊗·×½²³ⁿᵀ′∇∂Σσ√≤<>'\"{}\\:#\n",
    *("**", "<-", "^T", "⁽²⁾", "^(2)", "₂", "⁻¹", ".T", ".sum(", ".reshape(", "axis=", "keepdims="),
    *("a1", "y", "z2", "W2", "W3", "X", "L", "n", "dW2", "relu", "sigmoid", "sum(", "outer("),
    *("0", "1", "2.5", "9", "1e300", "True", "None", "lambda", "import", "__import__", "__class__"),
    *("\u200b", "\u0302", "𝐖", "ᵢ", "\x1b", "\ufeff", "\u2028", "9**9**9"),
]


def opened(value: Any) -> Any:
    """What is in a `Sealed`, or in several of them."""
    if type(value) is tuple:
        return tuple(map(opened, value))
    return object.__getattribute__(value, "_value") if type(value) is Sealed else value


def sealed(function: Any) -> Any:
    return lambda *args, **options: Sealed(function(*map(opened, args), **options))


def both(function: Any) -> tuple[Any, Any]:
    """An operator from the left and from the right."""
    return sealed(function), sealed(lambda a, b: function(b, a))


class Sealed:
    """An array that answers the operators and what `run` promises to ask for, and nothing else."""

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_value", np.asarray(value))

    def __getattribute__(self, name: str) -> Any:
        assert name in REACHABLE, f"a formula has reached .{name}"
        found = getattr(object.__getattribute__(self, "_value"), name)
        return Sealed(found) if name in ("T", "mT") else found

    __array_ufunc__ = None  # an array beside it leaves the operator to it
    __hash__ = None
    __neg__ = sealed(operator.neg)
    __add__, __radd__ = both(operator.add)
    __sub__, __rsub__ = both(operator.sub)
    __mul__, __rmul__ = both(operator.mul)
    __truediv__, __rtruediv__ = both(operator.truediv)
    __matmul__, __rmatmul__ = both(operator.matmul)
    __pow__, __rpow__ = both(operator.pow)
    __lt__, __gt__ = sealed(operator.lt), sealed(operator.gt)
    __le__, __ge__ = sealed(operator.le), sealed(operator.ge)
    __eq__, __ne__ = sealed(operator.eq), sealed(operator.ne)


SHAPES = {"a1": (2,), "y": (2,), "z2": (3,), "a2": (3,), "W2": (3, 2), "W3": (2, 3), "X": (5, 2)}
VALUES = {name: Sealed(np.ones(shape)) for name, shape in SHAPES.items()} | {"n": 5, "η": 0.1}
FUNCTIONS = {
    "relu": sealed(lambda z: np.maximum(z, 0)),
    "sigmoid": sealed(np.tanh),
    "sigmoid′": sealed(np.cos),
    "∇C": sealed(np.sin),
    "concatenate": sealed(np.concatenate),
    "where": sealed(np.where),
} | {f.__name__: sealed(f) for f in (np.sum, np.mean, np.max, np.outer, np.reshape, np.sqrt)}


class Executed(BaseException):
    """Nothing catches this."""


def forbidden(*args: Any, **options: Any) -> NoReturn:
    raise Executed


def refusal(read: Any) -> str:
    """What a reader of formulas says about a text that it does not take."""
    try:
        read()
    except BackpassError as error:
        return str(error)
    return ""


def attempt(text: str) -> None:
    """Read and run a text as its users do; only errors of the family may come out, and soon."""
    started = time.perf_counter()
    with ExitStack() as stack:
        for door in ("eval", "exec", "compile", "open", "input", "breakpoint"):
            stack.enter_context(patch.object(builtins, door, forbidden))
        stack.enter_context(np.errstate(all="ignore"))
        said = [
            refusal(lambda: free_names(text, FUNCTIONS)),
            refusal(lambda: targets(text)),
            refusal(lambda: run(text, VALUES, FUNCTIONS, rebind=True, updates=True)),
        ]
    assert time.perf_counter() - started < 1, text
    assert all(len(one) < 1_000 for one in said)
    assert all(line.isprintable() for one in said for line in one.split("\n"))
    assert all(len(one.split("\n")) in (1, 3) for one in said)


@pytest.mark.fuzz
@given(st.text(max_size=200))
@example("·")
@example("a1'(")
def test_any_text(text: str):
    attempt(text)


@pytest.mark.fuzz
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_sequence_of_signs(text: str):
    attempt(text)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good formula in which a few pieces are taken out, doubled, moved or put in."""
    text = draw(st.sampled_from(FORMULAS))
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        last = min(last, first + 12)
        piece = draw(st.sampled_from([*PIECES, "", text[first:last], text[first:last] * 2]))
        into = draw(st.integers(0, len(text)))
        kept = draw(st.sampled_from([text[:first] + text[last:], text]))
        text = kept[:into] + piece + kept[into:]
    return text


@pytest.mark.fuzz
@given(mutated())
def test_any_slip_in_a_good_formula(text: str):
    attempt(text)


@pytest.mark.fuzz
@given(st.sampled_from(PIECES), st.sampled_from(PIECES), st.integers(1, 20_100), st.booleans())
@example("(", ")", 20_100, True)
@example("a1", "ᵀ", 20_100, False)
def test_any_length_and_depth(opening: str, closing: str, count: int, both: bool):
    half = count // (len(opening) + len(closing) + 1)
    attempt(opening * half + "a1" + closing * half if both else (opening + closing) * half)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_good_formulas_are_good(formula: str):
    names = set(free_names(formula, FUNCTIONS)) - VALUES.keys()
    sizes = {"W": (2, 4), "b": (4,), "Y": (5, 4), "a3": (2,), "dz2": (3,), "z3": (2,)}
    more = {name: Sealed(np.ones(sizes[name])) for name in names}
    if formula.startswith("X.T"):
        more["Y"] = Sealed(np.ones((5, 2)))
    results = run(formula, VALUES | more, FUNCTIONS, rebind=True, updates=True)
    assert len(results) == len([s for s in formula.replace("\n", ";").split(";") if s.strip()])
