"""bp.check: right gradients pass, every known mistake is caught, and the report says which."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import DerivationError

SIZES = {"X": (7, 4), "Y": (7, 3), "W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
RANDOM = np.random.default_rng(0)
ARGS = [RANDOM.standard_normal(shape) for shape in SIZES.values()]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def loss(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    A2 = sigmoid(A1 @ W2 + b2)
    return 0.5 * np.sum((A2 - Y) ** 2)


def grads(X, Y, W1, b1, W2, b2, mistake=""):
    """The gradients by hand; `mistake` is one of those that people make."""
    n = len(X)
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    A2 = sigmoid(A1 @ W2 + b2)
    E = A2 - Y
    D2 = E if mistake == "no slope at the output" else E * A2 * (1 - A2)
    dW2, db2 = A1.T @ D2, D2.sum(axis=0)
    sent, through = D2, W2
    if mistake == "raw error sent back":
        sent = E
    if mistake.startswith("updated W"):
        through = W2 - float(mistake.split()[-1]) * dW2
    if mistake == "gradient of W for W":
        through = dW2
    if mistake == "absolute W":
        through = abs(W2)
    dA1 = sent @ through.T
    slope = {
        "no hidden slope": 1,
        "slope of the value": 1 - np.tanh(A1) ** 2,
        "sigmoid slope everywhere": A1 * (1 - A1),
        "tanh slope 1 - a": 1 - A1,
        "slope twice": (1 - A1**2) ** 2,
    }.get(mistake, 1 - A1**2)
    D1 = dA1 * slope
    dW1, db1 = X.T @ D1, D1.sum(axis=0)
    match mistake:
        case "sign":
            dW1, db1, dW2, db2 = -dW1, -db1, -dW2, -db2
        case "sign in one layer":
            dW1 = -dW1
        case "factor 2":
            dW1, db1, dW2, db2 = 2 * dW1, 2 * db1, 2 * dW2, 2 * db2
        case "mean for sum":
            dW1, db1, dW2, db2 = dW1 / n, db1 / n, dW2 / n, db2 / n
        case "divided at every layer":
            dW1, db1, dW2, db2 = dW1 / n**2, db1 / n**2, dW2 / n, db2 / n
        case "bias averaged":
            db1, db2 = D1.mean(axis=0), D2.mean(axis=0)
        case "z for a":
            dW2 = Z1.T @ D2
        case "bias from da":
            db1 = dA1.sum(axis=0)
        case "first layer frozen":
            dW1, db1 = 0 * dW1, 0 * db1
        case "bias not trained":
            db1, db2 = 0 * db1, 0 * db2
        case "last sample only":
            dW1, db1 = np.outer(X[-1], D1[-1]), D1[-1]
        case "last sample dropped":
            dW1, db1 = X[:-1].T @ D1[:-1], D1[:-1].sum(axis=0)
        case "reshape for transpose":
            dW2 = A1.reshape(5, 7) @ D2
        case "bias to a scalar in every entry":
            db1 = np.full(5, D1.sum())
        case "L2 left in":
            dW1 = dW1 + 1e-4 * W1
        case "one entry":
            dW1 = dW1.copy()
            dW1[2, 0] *= 1 + 1e-4
        case "clipped":
            dW1 = np.clip(dW1, -0.5, 0.5)
        case "rounded":
            dW2 = dW2.round(5)
    return [None, None, dW1, db1, dW2, db2]


MISTAKES = {
    "no slope at the output": "dW1 db1 dW2 db2",
    "raw error sent back": "dW1 db1",
    "updated W 1": "dW1 db1",
    "updated W 0.001": "dW1 db1",
    "updated W 0.0001": "dW1 db1",
    "gradient of W for W": "dW1 db1",
    "absolute W": "dW1 db1",
    "no hidden slope": "dW1 db1",
    "slope of the value": "dW1 db1",
    "sigmoid slope everywhere": "dW1 db1",
    "tanh slope 1 - a": "dW1 db1",
    "slope twice": "dW1 db1",
    "sign": "dW1 db1 dW2 db2",
    "sign in one layer": "dW1",
    "factor 2": "dW1 db1 dW2 db2",
    "mean for sum": "dW1 db1 dW2 db2",
    "divided at every layer": "dW1 db1 dW2 db2",
    "bias averaged": "db1 db2",
    "z for a": "dW2",
    "bias from da": "db1",
    "first layer frozen": "dW1 db1",
    "bias not trained": "db1 db2",
    "last sample only": "dW1 db1",
    "last sample dropped": "dW1 db1",
    "reshape for transpose": "dW2",
    "bias to a scalar in every entry": "db1",
    "L2 left in": "dW1",
    "clipped": "dW1",
    "rounded": "dW2",
}


def test_right_gradients_pass():
    check = bp.check(loss, grads, *ARGS)
    assert check, check
    assert [one.name for one in check.gradients] == ["dW1", "db1", "dW2", "db2"]
    assert max(one.error for one in check.gradients) < 1e-9
    assert check.failures == check.advice == ()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_caught_where_it_is_and_nowhere_else(mistake):
    check = bp.check(loss, lambda *args: grads(*args, mistake=mistake), *ARGS)
    assert not check
    assert [one.name for one in check.gradients if not one.ok] == MISTAKES[mistake].split()
    assert all(len(line) <= 80 for line in str(check).splitlines())


def test_entry_by_entry_a_single_wrong_one_is_named():
    check = bp.check(loss, lambda *args: grads(*args, mistake="one entry"), *ARGS, entries=True)
    assert not check
    assert check.gradients[0].worst.index == (2, 0)
    assert "dW1[2,0]: " in str(check)


def test_the_report_of_a_wrong_layer():
    check = bp.check(loss, lambda *args: grads(*args, mistake="sign in one layer"), *ARGS)
    shown = str(check)
    assert shown.startswith("1 of 4 gradients differs from central differences\n\n")
    assert "its sign is flipped in every direction" in shown
    assert "dW1[" in shown


# ── what g returns ───────────────────────────────────────────────────────────────────────────


def square(W, b):
    return np.sum((W * 3 + b[:, None]) ** 2)


def square_grads(W, b):
    D = 6 * (3 * W + b[:, None])
    return D, D.sum(axis=1) / 3


W, B = np.arange(12.0).reshape(4, 3) / 7 + 0.1, np.linspace(-1, 1, 4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda dW, db: (dW.T, db),
            "g returned (3,4) for W, which is (4,3): transposed; its transpose agrees",
        ),
        (
            lambda dW, db: (2 * dW.T, db),
            "g returned (3,4) for W, which is (4,3): transposed?",
        ),
        (
            lambda dW, db: (dW, dW.T),
            "g returned (3,4) for b, which is (4,): not summed over the samples?",
        ),
        (
            lambda dW, db: (dW, db.sum()),
            "g returned a number for b, which is (4,): summed over too many axes?",
        ),
        (lambda dW, db: (dW, db[:, None]), "g returned (4,1) for b, which is (4,): reshape it?"),
        (lambda dW, db: (dW[:2], db), "g returned (2,3) for W, which is (4,3)"),
        (lambda dW, db: (dW, np.array([1, np.nan, 1, 1])), "db[1] is nan"),
        (
            lambda dW, db: (abs(dW) / 0, db),
            "dW[0,0] is inf, as are 11 more of its 12 entries",
        ),
    ],
)
def test_a_gradient_of_the_wrong_shape_is_named(change, sentence):
    with np.errstate(all="ignore"):
        check = bp.check(square, lambda W, b: change(*square_grads(W, b)), W, B)
    assert not check
    assert check.failures == (sentence,)
    assert [one.ok for one in check.gradients] == [True]


def test_the_wrong_number_of_gradients_is_said():
    with pytest.raises(DerivationError, match="g returned 3 gradients for 2 arguments, W, b; "):
        bp.check(square, lambda W, b: [W, b, b], W, B)
    with pytest.raises(DerivationError, match="g returned no gradient"):
        bp.check(square, lambda W, b: [None, None], W, B)


def test_gradients_by_name_and_those_of_a_derivation():
    assert bp.check(square, lambda W, b: {"b": square_grads(W, b)[1]}, W, B)
    d = bp.derive(square, "W: n k, b: n")
    assert bp.check(square, lambda W, b: d(W, b)[1], W, B)


def test_a_second_call_that_adds_up_is_noticed():
    kept = [np.zeros_like(W), np.zeros_like(B)]

    def g(W, b):
        for total, part in zip(kept, square_grads(W, b), strict=True):
            total += part
        return kept

    check = bp.check(square, g, W, B)
    assert check.failures[0] == (
        "g, called again at the same arguments, returns twice the first dW: "
        "it adds to what it should start anew"
    )


def test_a_random_gradient_is_noticed():
    random = np.random.default_rng(0)
    check = bp.check(square, lambda W, b: {"b": random.standard_normal(4)}, W, B)
    assert "returns another db: it keeps something, or is random" in check.failures[0]


# ── what f is ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("f", "sentence"),
    [
        (lambda x: x * 2, "f returns 3 numbers, and a gradient is of one; sum or average them"),
        (lambda x: None, "f returns nothing (is `return` missing?)"),
        (lambda x: "loss", "f returns a str, and a gradient is of one number"),
        (lambda x: np.sum(np.log(x)), "f is nan at these arguments, so it has no slope here"),
        (lambda x: np.inf, "f is inf at these arguments, so it has no slope here"),
    ],
)
def test_an_f_without_a_slope_is_refused(f, sentence):
    with pytest.raises(DerivationError) as caught:
        bp.check(f, lambda x: x, -np.ones(3))
    assert caught.value.message == sentence


def test_a_random_f_is_refused():
    random = np.random.default_rng(0)
    with pytest.raises(DerivationError, match="f is random: at the same arguments it is "):
        bp.check(lambda x: np.sum(x) + random.random(), lambda x: 0 * x + 1, np.ones(3))


def test_a_failing_function_is_quoted():
    with pytest.raises(DerivationError, match=r"test_check.py:\d+: g raises ZeroDivisionError"):
        bp.check(lambda x: np.sum(x), lambda x: x * (1 / 0), np.ones(3))  # noqa: PLW0108


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: bp.check(3, square_grads, W, B), "f is to be a function, and is 3"),
        (lambda: bp.check(square, "g", W, B), "g is to be a function, and is 'g'"),
        (lambda: bp.check(square, square_grads), "there is nothing to check; pass the arguments"),
        (lambda: bp.check(square, square_grads, W * 1j, B), "the argument W holds complex numbers"),
        (lambda: bp.check(square, square_grads, W, B, times="all"), "times is a whole number, and"),
        (lambda: bp.check(square, square_grads, W, B, seed=0.5), "seed is a whole number, and"),
        (lambda: bp.check(square, lambda W, b: None, W, B), "g returns nothing (is `return` miss"),
        (
            lambda: bp.check(square, lambda W, b: ("a", b), W, B),
            "g returned 'a' for W, no array of",
        ),
        (
            lambda: bp.check(square, lambda W, b: W, W, B),
            "g returned 1 gradient for 2 arguments, W",
        ),
    ],
)
def test_a_check_of_something_else_is_refused(call, sentence):
    with pytest.raises(DerivationError) as caught:
        call()
    assert caught.value.message.startswith(sentence)


def test_arguments_that_are_no_numbers_are_refused():
    with pytest.raises(DerivationError, match="the argument x holds nan"):
        bp.check(lambda x: x.sum(), lambda x: x, np.array([1.0, np.nan]))
    with pytest.raises(DerivationError, match="times is the number of directions"):
        bp.check(lambda x: x.sum(), lambda x: x, np.ones(3), times=0)


def test_one_number_may_have_axes():
    def f(e):
        return e.T @ e

    assert bp.check(f, lambda e: 2 * e, np.array([[1.0], [2.0]]))


def test_functions_that_change_their_arguments_are_told_and_yours_stay():
    mine = np.arange(3.0)

    def f(x):
        x -= x.mean()
        return np.sum(x**2)

    def g(x):
        x -= x.mean()
        return 2 * x

    check = bp.check(f, g, mine)
    assert check.failures == (
        "f changes its argument x in place; let it work on a copy",
        "g changes its argument x in place; let it work on a copy",
    )
    assert [one.ok for one in check.gradients] == [True]
    assert np.array_equal(mine, np.arange(3.0))


# ── kinds of numbers ─────────────────────────────────────────────────────────────────────────


def test_single_precision_arguments_are_checked_in_double():
    check = bp.check(loss, grads, *(arg.astype(np.float32) for arg in ARGS))
    assert check, check
    assert max(one.error for one in check.gradients) < 1e-9


def test_functions_that_compute_in_single_precision_raise_no_alarm():
    def narrow(function):
        def run(*args):
            return function(*(arg.astype(np.float32) for arg in args))

        return run

    for seed in range(5):
        check = bp.check(narrow(loss), narrow(grads), *ARGS, seed=seed)
        assert check, check
    wrong = bp.check(narrow(loss), narrow(lambda *a: grads(*a, mistake="no hidden slope")), *ARGS)
    assert not wrong


def test_integers_are_data_unless_they_have_a_gradient():
    def f(X, W, y):
        return -np.sum((X @ W)[np.arange(len(y)), y])

    def g(X, W, y):
        D = np.zeros((len(y), W.shape[1]))
        D[np.arange(len(y)), y] = -1
        return D @ W.T, X.T @ D, None

    X, y = np.array([[0, 1], [1, 0], [1, 1]]), np.array([0, 2, 1])
    check = bp.check(f, g, X, np.ones((2, 3)) / 3, y)
    assert check, check
    assert [one.name for one in check.gradients] == ["dX", "dW"]
    with pytest.raises(DerivationError, match="return None for y"):
        bp.check(f, lambda *args: [*g(*args)[:2], np.zeros(3)], X, np.ones((2, 3)) / 3, y)


def test_deep_networks_raise_no_alarm():
    random = np.random.default_rng(0)
    layers = [(random.standard_normal((6, 6)) / 6**0.5, np.zeros(6)) for _ in range(40)]
    X = random.standard_normal((5, 6))

    def f(layers):
        A = X
        for W, b in layers:
            A = np.tanh(A @ W + b)
        return np.mean(A**2)

    def g(layers):
        values = [X]
        for W, b in layers:
            values.append(np.tanh(values[-1] @ W + b))
        D, found = 2 * values[-1] / values[-1].size, []
        for (W, _), A, before in zip(layers[::-1], values[:0:-1], values[-2::-1], strict=True):
            D = D * (1 - A**2)
            found.append((before.T @ D, D.sum(axis=0)))
            D = D @ W.T
        return found[::-1]

    check = bp.check(f, g, layers)
    assert check, check
    assert len(check.gradients) == 80
