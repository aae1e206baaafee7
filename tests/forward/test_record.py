"""The way in: functions of every kind, formulas, and what is wrong with them in one sentence."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest

import backpass as bp
from backpass.forward.record import record
from backpass.language.errors import (
    BackpassError,
    DerivationError,
    TraceError,
    UnknownName,
)
from backpass.language.notation_text import format_step
from tests.forward.recording import recorded


def loss(X, W):
    Z = X @ W
    return np.sum(Z**2)


class Network:
    def __init__(self):
        self.power = 2

    def loss(self, X, W):
        return np.sum((X @ W) ** self.power)

    def __call__(self, X, W):
        return self.loss(X, W)


@pytest.mark.parametrize(
    "forward",
    [
        loss,
        Network().loss,
        Network(),
        partial(lambda X, W, power: np.sum((X @ W) ** power), power=2),
        lambda X, W, power=2: np.sum((X @ W) ** power),
        lambda X, /, W, *, power=2: np.sum((X @ W) ** power),
    ],
)
def test_whatever_can_be_called_is_a_forward_pass(forward):
    shapes = "X: n k, W: k j"
    assert record(forward, shapes).program.outputs == ("L",)
    assert recorded(forward, shapes).step("L").target.shape == ()


def test_a_default_is_fixed_unless_it_has_a_shape():
    def forward(X, rate=0.5):
        return np.sum(X * rate)

    (fixed,) = record(forward, "X: n").program.steps
    (given,) = record(forward, "X: n, rate: ()").program.steps
    assert format_step(fixed) == "L = 1/2 * X[n]"
    assert format_step(given) == "L = X[n] * rate"


def test_formula_text_is_recorded_statement_by_statement():
    program = record("Z = X W + b\nL = ½ Σ (σ(Z) − Y)²", "X: n k, W: k j, b: j, Y: n j").program
    assert [format_step(step, program.arrays) for step in program.steps] == [
        "Z[n,j] = X[n,k] * W[k,j] + b[j]",
        "A[n,j] = sigmoid(Z[n,j])",
        "L = 1/2 * (A[n,j] - Y[n,j])**2",
    ]
    assert [step.line.text for step in program.steps if step.line] == [
        "Z = X W + b",
        "L = ½ Σ (σ(Z) − Y)²",
        "L = ½ Σ (σ(Z) − Y)²",
    ]


def test_declared_functions_are_known_to_functions_and_formulas():
    def forward(x, W):
        return C(g(W @ x))  # noqa: F821

    declared = "g: elementwise, C: scalar"
    told = record(forward, "x: k, W: j k", declared).program
    written = record("y = g(W x)\nL = C(y)", "x: k, W: j k", declared).program
    for program in (told, written):
        text = "\n".join(format_step(step) for step in program.steps)
        assert "= g(" in text
        assert "C(" in text


def test_a_quantity_may_be_called_like_a_function():
    program = record("L = Σ (max(X) − mean)²", "X: n k, mean: ()").program
    assert "mean" in program.arrays
    assert record("L = Σ sum²", "sum: n").program.inputs[0].name == "sum"


def test_a_size_is_a_number_in_a_formula():
    program = record("L = 1/n Σ softmax(Q Kᵀ / √k)²", "Q: n k, K: n k").program
    shown = [format_step(step, program.arrays) for step in program.steps]
    assert shown[0] == "Z[n,n′] = 1 / k**(1/2) * Q[n,k] * K[n′,k]"
    assert shown[-1] == "L = 1 / n * A1[n,n′]**2"
    (hidden,) = record("L = n Σ x", "x: n, n: ()").program.steps
    assert format_step(hidden) == "L = n[] * x[n]"
    (assigned, _) = record("n = Σ x; L = n²", "x: n").program.steps
    assert assigned.name == "n"


FORMULAS = [
    ("L = Σ sigmod(X W)", "sigmod is no function known here; did you mean sigmoid?",
     "      ^^^^^^"),
    ("L = Σ h(X W)", 'h is no function known here; declare it, functions=', "      ^"),
    ("L == Σ X", "L is given a value by one =, L = …", "^"),
    ("L = Σ X V", 'V has no shape; add "V: …", with () for a single number', "        ^"),
    ("L = Σ X w", "w has no shape; did you mean W?", "        ^"),
    ("L = Σ X W / N", "N has no shape; did you mean n?", "            ^"),
    ("L = ∇C(X W)", '∇C needs C: pass functions="C: scalar"', "    ^^"),
    ("L = Σ σ′(X W)", 'σ′ needs σ: pass functions="σ: elementwise"', "      ^^"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence", "mark"), FORMULAS)
def test_an_unknown_name_in_a_formula_is_marked_with_what_may_be_meant(text, sentence, mark):
    with pytest.raises(UnknownName) as caught:
        record(text, "X: n k, W: k j")
    assert caught.value.message.startswith(sentence)
    assert caught.value.line == f"{text}\n    {mark}"


def test_a_shape_that_the_formula_does_not_need_is_refused():
    with pytest.raises(UnknownName, match="b has a shape and does not occur in the formula"):
        record("L = Σ X W", "X: n k, W: k j, b: j")


def unknown(X, W):
    return np.sum(sigmod(X @ W))  # noqa: F821


def missing(X, W):
    return np.sum(bp.sigmod(X @ W))


def absent(X, W):
    return np.summ(X @ W)


def strict(X, W):
    if X.shape != (3, 4):
        raise ValueError("X must be 3×4")
    return np.sum(X @ W)


def empty(X, W):
    return np.sum(bp.tanh())


def keyed(X, W):
    return np.sum({"W": W}["V"])


def bare(X, W):
    raise RuntimeError


RAISING = [
    (unknown, UnknownName, "sigmod is not known; did you mean sigmoid?", 1),
    (missing, UnknownName, "backpass.sigmod is not known; did you mean sigmoid?", 1),
    (absent, UnknownName, "numpy.summ is not known; did you mean sum?", 1),
    (empty, TraceError, "the forward pass raises TypeError: missing a required argument: 'x'", 1),
    (keyed, TraceError, "the forward pass raises KeyError: 'V' (recorded with n = 5, k = ", 1),
    (bare, TraceError, "the forward pass raises RuntimeError (recorded with n = 5, k = ", 1),
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(("forward", "kind", "sentence", "line"), RAISING)
def test_what_the_users_code_raises_is_told_at_its_line(forward, kind, sentence, line):
    with pytest.raises(kind) as caught:
        record(forward, "X: n k, W: k j")
    assert caught.value.message.startswith(sentence)
    assert caught.value.where == f"test_record.py:{forward.__code__.co_firstlineno + line}"


def test_what_a_forward_pass_prints_is_printed_once(capsys):
    def forward(X):
        sys.stdout.write("here\n")
        return np.sum(X)

    record(forward, "X: n k")
    assert capsys.readouterr().out == "here\n"


class Net:
    def loss(self, X):
        return np.sum(g(X))  # noqa: F821


def test_a_method_may_call_declared_functions():
    program = record(Net().loss, "X: n", "g: elementwise").program
    assert [step.name for step in program.steps] == ["A", "L"]


def test_a_dict_has_keys_and_no_attributes():
    with pytest.raises(TraceError) as caught:
        record(lambda p: np.sum(p.W), {"p": {"W": "n"}})
    assert caught.value.message.endswith('; a part of a dict is taken out by its key, ["W"]')


def test_a_list_of_arrays_that_is_used_as_one_array():
    with pytest.raises(TraceError) as caught:
        record(unknown_shape, {"X": ("n", "k"), "W": "k j"})
    hint = 'X is declared as a tuple of arrays, and one array is "X: n k"'
    assert caught.value.message.endswith(hint)


def unknown_shape(X, W):
    return np.sum(X @ [W])


RETURNED = [
    (lambda X: None, "the forward pass returns nothing; is `return` missing?"),
    (lambda X: 3.0, "the forward pass returns 3.0, which does not depend on its arguments"),
    (lambda X: np.ones(3), "the forward pass returns a value of type ndarray, which does"),
    (lambda X: (X.sum(), X), "the forward pass returns a tuple; return the loss alone, one number"),
    (lambda X: {"loss": X.sum()}, "the forward pass returns a dict; return the loss alone, one"),
]


@pytest.mark.parametrize(("forward", "sentence"), RETURNED)
def test_what_is_returned_must_be_one_value_of_the_arguments(forward, sentence):
    with pytest.raises(DerivationError) as caught:
        record(forward, "X: n k")
    assert caught.value.message.startswith(sentence)
    assert "lambda X" in caught.value.line


def test_values_are_not_kept_from_run_to_run():
    kept = []

    def forward(X):
        kept.append(X)
        return np.sum(kept[0])

    with pytest.raises(BackpassError):
        record(forward, "X: n k")


def test_what_is_no_function_is_refused():
    for forward in (np.sum, print, 7):
        with pytest.raises(BackpassError):
            record(forward, "X: n k")
