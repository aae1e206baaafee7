"""Declared functions stay symbols: g has the slope g′, and a cost C the gradient ∇C."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.calculus.declared import declare_functions, derivative_name
from backpass.calculus.op import steps_of
from backpass.language.errors import BackpassError, NotationError
from backpass.language.expr import number
from backpass.language.notation_text import format_step
from backpass.language.program import Array
from backpass.language.shapes import size

X = Array("X", (size("n"), size("k")))


def test_a_declaration_gives_an_operation_for_each_name():
    found = declare_functions("g: elementwise, C: scalar;\nσ: elementwise")
    assert list(found) == ["g", "C", "σ"]
    shown = [format_step(*steps_of(op, (X,), ())) for op in found.values()]
    assert shown == ["out[n,k] = g(X[n,k])", "out = C(X[n,k] over n,k)", "out[n,k] = σ(X[n,k])"]
    assert declare_functions(None) == declare_functions("") == {}
    (step,) = steps_of(found["g"], (number(2),), ())
    assert format_step(step) == "out = g(2)"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("g", 'a function is declared as "g: elementwise" or "C: scalar"'),
        ("g: smooth", 'a function is declared as "g: elementwise" or "C: scalar"'),
        ("g h: scalar", 'a function is declared as "g: elementwise" or "C: scalar"'),
        ("g: scalar, g: elementwise", "the function g is declared twice"),
        (7, 'functions are declared by a text, "g: elementwise, C: scalar"'),
    ],
)
def test_a_declaration_that_cannot_be_read(text, sentence):
    with pytest.raises(NotationError) as caught:
        declare_functions(text)
    assert caught.value.message == sentence


def test_each_derivative_takes_a_prime():
    assert [derivative_name(name) for name in ("g", "g′")] == ["g′", "g″"]


def test_the_chain_rule_names_the_slopes():
    d = bp.derive(
        "z = W x\na = g(z)\nL = C(a)", "x: k, W: j k", functions="g: elementwise, C: scalar"
    )
    text = d.index()
    assert "∇C(a[j] over j)" in text
    assert "g′(z[j])" in text
    twice = bp.hessian("L = Σ g(x)", "x: n", functions="g: elementwise")
    assert "g″(x[" in twice.index()


def test_running_asks_for_what_was_only_declared():
    d = bp.derive("L = Σ g(x)", "x: n", functions="g: elementwise")
    with pytest.raises(BackpassError, match="g"):
        d(np.ones(3))
    with pytest.raises(BackpassError, match="C of a fixed number is a number; give it an array"):
        steps_of(declare_functions("C: scalar")["C"], (number(2),), ())
