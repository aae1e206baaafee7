"""The object that a user holds: what it answers, and what it refuses in one sentence."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError

RANDOM = np.random.default_rng(0)
SHAPES = "X: n k, y: n int<m, W: k m, b: m"
X, y = RANDOM.normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])
W, b = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=3)


def loss(X, y, W, b):
    Z = X @ W + b
    return bp.cross_entropy(Z, y)


def expected():
    Z = X @ W + b
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    dZ = (P - np.eye(3)[y]) / 5
    return -np.log(P[np.arange(5), y]).mean(), {"W": X.T @ dZ, "b": dZ.sum(axis=0), "X": dZ @ W.T}


def test_a_call_gives_the_value_and_the_gradients_that_were_asked_for():
    value, gradients = expected()
    for wrt in ("W b", "b,W", ["W"], None):
        d = bp.derive(loss, SHAPES, wrt)
        found, arrays = d(X, y, W, b=b)
        assert found == pytest.approx(value, rel=1e-14)
        assert set(arrays) == set(d.wrt) == set(wrt.replace(",", " ").split() if
                                                isinstance(wrt, str) else wrt or "XWb")  # fmt: skip
        for name, array in arrays.items():
            np.testing.assert_allclose(array, gradients[name], atol=1e-14)


def test_gradients_are_nested_like_the_arguments():
    def deep(x, layers):
        for layer in layers:
            x = np.tanh(layer["W"] @ x + layer["b"])
        return np.sum(x)

    shapes = {"x": "k", "layers": [{"W": "j k", "b": "j"}, {"W": "m j", "b": "m"}]}
    layers = [{"W": W.T, "b": b}, {"W": RANDOM.normal(size=(2, 3)), "b": b[:2]}]
    d = bp.derive(deep, shapes, wrt="layers")
    _, gradients = d(X[0], layers)
    assert d.wrt == ("W1", "b1", "W2", "b2")
    assert [{k: a.shape for k, a in one.items()} for one in gradients["layers"]] == [
        {"W": (3, 4), "b": (3,)},
        {"W": (2, 3), "b": (2,)},
    ]
    _, one = bp.derive(deep, shapes, wrt="W2")(X[0], layers)
    assert [*one["layers"][0]] == ["W"]


def test_a_notebook_shows_it_as_text_and_typeset():
    d = bp.derive(loss, SHAPES)
    shown = d._repr_mimebundle_(include=None, exclude=None)
    assert list(shown) == ["text/plain", "text/html"]
    assert shown["text/plain"] == str(d)
    for step in d.program.steps:
        assert f'<th scope="row" aria-label="{step.name}">' in shown["text/html"]
        assert f'<th scope="row" aria-label="{step.name}">' in d.html()


def test_columns_and_rows_are_the_same_derivation_transposed():
    def squares(X, W, b, T):
        return np.sum((np.tanh(X @ W + b) - T) ** 2)

    d = bp.derive(squares, "X: n k, W: k m, b: m, T: n m", wrt="W b")
    T = RANDOM.normal(size=(5, 3))
    value, gradients = d(X, W, b, T)
    turned, columns = d.columns()(X.T, W.T, b, T.T)
    assert turned == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(columns["W"].T, gradients["W"], rtol=1e-13)
    np.testing.assert_allclose(columns["b"], gradients["b"], rtol=1e-13)
    assert "W @ X" in str(d.columns())
    assert d.rows() is d
    assert str(d.columns().rows()) == str(d)


def test_the_long_way_gives_the_same_numbers():
    d = bp.derive(loss, SHAPES, wrt="W b")
    long = d.unfused()
    assert "cross_entropy" in d.index()
    assert "cross_entropy" not in long.index()
    for one, other in zip(d(X, y, W, b)[1].values(), long(X, y, W, b)[1].values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-14)


DERIVING = [
    (loss, SHAPES, "y", "y holds integers, which have no gradient; declare it as real numbers, or"),
    (loss, SHAPES, "w", "wrt names w, which is no input; did you mean W?"),
    (loss, SHAPES, "theta", "wrt names theta, which is no input; the inputs are X, y, W, b"),
    (loss, SHAPES, "", "wrt names nothing; leave it out for every real input"),
    (loss, SHAPES, [None], "wrt names None, which is no input; the inputs are X, y, W, b"),
    (loss, SHAPES, 5, 'wrt is a text such as "W1 b1", or a list of names'),
    (lambda x, u: np.sum(x), "x: n, u: n", "u", "L does not depend on u, so its gradient is zero;"),
    (lambda y: np.sum(2 * y), "y: n int<3", None, "no input is real, so nothing has a gradient: y"),
    (lambda x: x * x, {"x": 2}, None, "no input is real, so nothing has a gradient: x holds integ"),
    (lambda x: np.argmax(2 * x), "x: n", "x", "the forward pass returns integers, which jump"),
    (lambda x: np.sum(np.ones(3)) + 0 * x, "x: ()", None, "the result depends on none of x"),
    (lambda x: np.sum(x) > 0, "x: n", None, "the forward pass returns truth values, which jump"),
    (lambda x: x * 2, "x: n k", None, "the forward pass returns n×k numbers, and a gradient is of"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "shapes", "wrt", "sentence"), DERIVING)
def test_a_question_without_an_answer(forward, shapes, wrt, sentence):
    with pytest.raises(BackpassError) as caught:
        bp.derive(forward, shapes, wrt)
    assert caught.value.message.startswith(sentence)


def kept(x):
    unused = np.sum(x)
    del unused
    return x


def apart(x, u):
    squares = u**2
    del squares
    return np.sum(x)


@pytest.mark.parametrize(
    ("forward", "shapes", "wrt", "line"),
    [
        (kept, "x: n", None, "return x"),
        (apart, "x: n, u: n", "u", "return np.sum(x)"),
        ("Z = 2 x; Z", "x: n", None, "Z"),
        ("x", "x: n", None, "x"),
    ],
)
def test_the_line_that_returns_is_quoted(forward, shapes, wrt, line):
    with pytest.raises(BackpassError) as caught:
        bp.derive(forward, shapes, wrt)
    assert caught.value.line == line


CALLS = [
    ((X.T, y, W, b), "y is n and was given 5, so n would be 5; but X already made it 4"),
    ((X, y, W.T, b), "W is k×m and was given 3×4, so k would be 3; but X already made it 4; did"),
    ((X, y + 1, W, b), "y[2] is 3; its integers run from 0 to 2"),
    ((X, y * 1.0, W, b), "y must be integers, not float64"),
    ((X, y, W), "the argument b is missing; give X, y, W, b"),
    ((X, y, [[1.0, 2.0], [3.0]], b), "W is no array: its rows differ in length"),
    ((X, y, W.astype(complex), b), "W must be numbers, not complex128"),
    ((X, y, None, b), "W must be numbers, and None was given"),
    ((X, y, [["a", 1]], b), "W must be numbers, and [['a', 1]] was given"),
]


@pytest.mark.parametrize(("args", "sentence"), CALLS)
def test_a_call_that_contradicts_the_shapes(args, sentence):
    d = bp.derive(loss, SHAPES, "W b")
    with pytest.raises(BackpassError) as caught:
        d(*args)
    assert caught.value.message.startswith(sentence)


QUESTIONS = [
    (lambda d: d.columns("zz"), "there is no size zz; the sizes are n, k, m"),
    (lambda d: d.rows(samples="N"), "there is no size N; did you mean n?"),
    (lambda d: d.why(None), "no line assigns None; ask for one of W, b, Z, L, "),
    (lambda d: d.why("dw"), "no line assigns dw; did you mean dW?"),
    (lambda d: d.chain([]), "no gradient flows to [] here; gradients flow to Z, W, b, dZ, dW, db"),
    (lambda d: d.chain("W", layout=[]), "the layout [] is not known; there are mixed, numerator"),
    (lambda d: d.check(sizes=3), 'sizes fixes sizes by name, sizes={"n": 4}'),
    (lambda d: d.check(sizes={"zz": 3}), "there is no size zz; the sizes are n, k, m"),
    (lambda d: d.check(sizes={"n": "3"}), "the size n is a whole number, and cannot be '3'"),
    (lambda d: d.check(times=0.5), "times is a whole number, and cannot be 0.5"),
    (lambda d: d.check(seed="a"), "seed is a whole number, and cannot be 'a'"),
    (lambda d: d.saved.bytes(), "the size n is missing: d.saved.bytes(n=…, m=…)"),
    (lambda d: d.saved.bytes(n=3, m=2, j=4), "there is no size j; the sizes are n, m, k"),
    (lambda d: d.saved.bytes(n=3, m=-2), "the size m is a whole number, and cannot be -2"),
    (lambda d: d.saved.bytes("float61", n=3, m=2), "there is no dtype float61; did you mean float"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "sentence"), QUESTIONS)
def test_a_derivation_is_asked_for_something_that_it_does_not_have(ask, sentence):
    with pytest.raises(BackpassError) as caught:
        ask(bp.derive(loss, SHAPES, "W b"))
    assert caught.value.message.startswith(sentence)


def test_an_entry_that_is_not_there_at_these_sizes():
    d = bp.derive(lambda X: np.sum(X[3] ** 2), "X: n k")
    assert d(np.ones((4, 2)))[0] == 2
    with pytest.raises(BackpassError, match="L needs entry 3 of X along axis 0, and there are 2"):
        d(np.ones((2, 2)))
    d = bp.derive(lambda E, y: np.sum(E[y] ** 2), "E: v k, y: n int<5")
    with pytest.raises(BackpassError, match="an entry that is read does not exist here: index 4"):
        d(np.ones((3, 2)), np.array([0, 4]))


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("axis", [None, 0])  # the second returns no single number
def test_the_garbage_collector_is_held_off_and_left_as_it_was(enabled, axis):
    seen: list[bool] = []

    def total(X):
        seen.append(gc.isenabled())
        return np.sum(X**2, axis=axis)

    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        if axis is None:
            bp.derive(total, "X: n k")
        else:
            with pytest.raises(BackpassError):
                bp.derive(total, "X: n k")
        assert gc.isenabled() == enabled
        assert not any(seen)
    finally:
        (gc.enable if before else gc.disable)()


def test_a_gradient_that_is_zero_is_found_though_its_name_was_taken():
    d = bp.derive("dx = mae(x, x + 1)\nL = dx dx + Σ y²", "x: n, y: k")
    assert d.gradients["x"] == "dx_2"
    assert "∂L/∂x = 0" in str(d.chain("x"))
