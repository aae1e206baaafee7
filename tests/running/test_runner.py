"""Emitted source as a function that is called often."""

import gc
import linecache
import traceback
import warnings

import numpy as np
import pytest

from backpass.calculus.losses import cross_entropy
from backpass.derive import derive
from backpass.language.errors import DerivationError, ShapeError, UnknownName
from backpass.language.expr import Function
from backpass.language.notation import parse_program
from backpass.running.runner import compile_numpy

X = np.arange(6.0).reshape(2, 3)


def runner(text, **options):
    return compile_numpy(parse_program(text, **options))


def test_arrays_are_given_by_name():
    run = runner("X: n k; s: (); Y[k] = s*X[n,k]")
    np.testing.assert_array_equal(run({"s": 2, "X": X, "unused": None}), [6, 10, 14])
    np.testing.assert_array_equal(run({"s": 1, "X": X.tolist()}), [3, 5, 7])
    with pytest.raises(UnknownName, match="the input s was not given"):
        run({"X": X})


def test_shapes_are_checked_at_every_call():
    run = runner("X: n k; W: k j; Y[n,j] = X[n,k]*W[k,j]")
    run({"X": X, "W": np.ones((3, 4))})
    with pytest.raises(ShapeError, match="so k would be 2; but X already made it 3"):
        run({"X": X, "W": np.ones((2, 4))})
    with pytest.raises(ShapeError, match="2 axes"):
        run({"X": X, "W": np.ones(3)})


def test_integers_stay_in_their_range():
    run = runner("X: n k; y: m int<n; Y[m,k] = X[y[m],k]")
    np.testing.assert_array_equal(run({"X": X, "y": [1, 1]}), X[[1, 1]])
    for bad, kind in ((-1, "i8"), (2, "i8"), (-1, "i1"), (2, "u1"), (2, ">i4")):
        with pytest.raises(
            DerivationError, match=rf"y\[1\] is {bad}; its integers run from 0 to 1"
        ):
            run({"X": X, "y": np.array([0, bad], kind)})
    np.testing.assert_array_equal(run({"X": X, "y": np.array([1], ">i4")}), X[[1]])
    with pytest.raises(DerivationError, match="y must be integers, not float64"):
        run({"X": X, "y": np.array([0.0])})


def test_kinds_are_checked_and_numbers_brought_to_floats():
    run = runner("X: n k; m: n bool; Y[n,k] = X[n,k]*m[n]/3")
    whole = run({"X": np.array([[3, 4]]), "m": np.array([1])})
    np.testing.assert_allclose(whole, [[1, 4 / 3]])
    with pytest.raises(DerivationError, match="X is a masked array; give its data, and the mask"):
        run({"X": np.ma.masked_array(X, X > 0), "m": [True, False]})
    with pytest.raises(DerivationError, match="X must be numbers, not complex128"):
        run({"X": X * 1j, "m": [True, False]})
    with pytest.raises(DerivationError, match="m must be truth values, not float64"):
        run({"X": X, "m": np.array([0.5, 1])})


def test_the_users_precision_is_kept():
    constants = {"c": np.array([1.0, 2.0, 3.0])}
    run = runner("X: n k; c: 3 fixed; Y[n,k] = X[n,k]*c[k] for n, k<3", constants=constants)
    assert run.source.arrays == ("X", "c")
    run = runner("X: n 3; c: 3 fixed; Y[n,k] = X[n,k]*c[k]", constants=constants)
    for dtype in (np.float16, np.float32, np.float64):
        found = run({"X": X.astype(dtype)})
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, X * [1, 2, 3])


def test_declared_functions_are_asked_for():
    derivation = derive(
        "a = g(W @ x); L = C(a)", "x: k, W: j k", functions="g: elementwise, C: scalar"
    )
    run = compile_numpy(derivation.program, gradients=dict(derivation.gradients))
    assert "def forward_backward(x, W, g, C, grad_C, g_prime):" in run.source.text
    values = {"x": np.array([1.0, 2.0]), "W": np.array([[0.5, -1.0]])}
    functions = {
        "g": np.tanh,
        "g′": lambda z: 1 - np.tanh(z) ** 2,
        "C": lambda a: np.sum(a**2),
        "grad_C": lambda a: 2 * a,
    }
    loss, gradients = run(values, functions)
    a = np.tanh(-1.5)
    np.testing.assert_allclose(loss, a**2)
    np.testing.assert_allclose(gradients["x"], 2 * a * (1 - a**2) * values["W"][0])
    with pytest.raises(
        UnknownName, match="g′ was declared without a body; pass g_prime=… at the call"
    ):
        run(values, {name: value for name, value in functions.items() if name != "g′"})


@pytest.mark.parametrize(
    ("g", "g_prime", "sentence"),
    [
        (3, np.cos, "g is to be a function, and is 3"),
        (lambda z: z / 0 + z[7], np.cos, "g raises IndexError: index 7 is out of bounds for axis"),
        (
            lambda z: 1 // 0,
            np.cos,
            "g raises ZeroDivisionError: integer division or modulo by zero",
        ),
        (lambda z: z[:1], np.cos, "g is to return an array of shape 3, and returns array([1.])"),
        (lambda z: None, np.cos, "g is to return an array of shape 3, and returns None"),
    ],
)
def test_a_function_that_is_passed_is_held_to_what_it_must_return(g, g_prime, sentence):
    d = derive("L = sum(g(x))", "x: n", functions="g: elementwise")
    with np.errstate(all="ignore"), pytest.raises(DerivationError) as caught:
        d(np.ones(3), g=g, g_prime=g_prime)
    assert caught.value.message.startswith(sentence)
    assert ("lambda z" in (caught.value.line or "")) == ("raises" in sentence)


def test_a_slope_may_be_one_number_and_a_cost_must_be():
    d = derive("L = C(g(x))", "x: n", functions="g: elementwise, C: scalar")
    bodies = {"g": lambda z: 2 * z, "g_prime": lambda z: 2, "grad_C": lambda a: 2 * a}
    x = np.arange(3, dtype=np.float32)
    value, gradients = d(x, C=lambda a: np.sum(a**2), **bodies)
    assert (value, gradients["x"].dtype) == (20, np.float32)
    np.testing.assert_array_equal(gradients["x"], 8 * x)
    with pytest.raises(DerivationError, match="C is to return one number, and returns array"):
        d(x, C=lambda a: a, **bodies)


def test_a_function_without_a_spelling_is_passed_along():
    run = runner("x: n; y[n] = bump(x[n])", functions={"bump": Function("bump", lambda z: z + 1)})
    assert run.source.functions == ("bump",)
    np.testing.assert_array_equal(run({"x": np.zeros(2)}), [1, 1])


def test_a_traceback_shows_the_emitted_line():
    run = runner("x: n; y[n] = x[n]**2/x[n]")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            run({"x": np.zeros(1)})
        except RuntimeWarning:
            shown = traceback.format_exc()
    assert "y = x**2 / x" in shown
    path = run.run.__code__.co_filename
    assert path in linecache.cache
    del run
    gc.collect()
    assert path not in linecache.cache


@pytest.mark.parametrize("target", ["n int<m", "n m"])
def test_a_loss_takes_its_samples_where_they_stand(target: str):
    def loss(X, y, W):
        Z = X @ W
        return cross_entropy(Z, y)

    rows = derive(loss, f"X: n k, y: {target}, W: k m", wrt="W")
    random = np.random.default_rng(0)
    X, W = random.normal(size=(4, 3)), random.normal(size=(3, 4))  # as many classes as samples
    y = np.array([0, 3, 1, 1]) if "int" in target else random.dirichlet(np.ones(4), 4)
    value, gradients = rows(X, y, W)
    turned, turned_gradients = rows.columns()(X.T, y.T, W.T)
    assert np.isclose(value, turned, rtol=1e-14)
    assert np.allclose(gradients["W"], turned_gradients["W"].T, rtol=1e-13)
