"""Whatever can be called has code that can be recorded, or is refused in one sentence."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from backpass.forward.callee import code_of, return_line
from backpass.language.errors import DerivationError
from tests.forward.recording import recorded


class Net:
    def loss(self, X):
        return np.sum(X**2)

    def __call__(self, X):
        return np.sum(X**3)


def scaled(a, X):
    return a * np.sum(X**2)


def passed_on(function):
    @functools.wraps(function)
    def inner(*args, **options):
        return function(*args, **options)

    return inner


@passed_on
def decorated(X):
    squares = X**2
    return np.sum(squares)


def stream(X):
    yield np.sum(X)


@pytest.mark.parametrize(
    "forward",
    [
        Net().loss,
        Net(),
        functools.partial(scaled, 2.0),
        functools.partial(Net().loss),
        decorated,
        lambda X: np.mean(X**2),
    ],
)
def test_what_can_be_called_is_recorded(forward):
    assert len(recorded(forward, "X: n k").steps)


def test_a_cache_holds_the_function():
    assert code_of(functools.cache(stood := Net().loss)) is stood.__code__


@pytest.mark.parametrize(
    ("forward", "sentence"),
    [
        (Net, "Net is a class; give a function, a method of an object, or an object that can be"),
        (np.tanh, "tanh is not written in Python, so its steps cannot be seen; give a function of"),
        (functools.partial(len), "len is not written in Python, so its steps cannot be seen"),
        (stream, "stream is a generator or async; a forward pass returns its value"),
        (3, "a forward pass is a function, or a formula as text, and 3 is neither"),
    ],
)
def test_what_has_no_code_of_its_own_is_refused(forward, sentence):
    with pytest.raises(DerivationError) as caught:
        code_of(forward)
    assert caught.value.message.startswith(sentence)


def chosen(X, which=True):
    if which:
        return np.sum(X)
    return X


def test_the_line_that_returns_is_found_where_there_is_only_one():
    line = return_line(decorated)
    assert line is not None
    assert line.text == "return np.sum(squares)"
    assert return_line(chosen) is None
    formula = return_line("Z = X W; L = Σ Z²;")
    assert formula is not None
    assert (formula.number, formula.text) == (2, "L = Σ Z²")
