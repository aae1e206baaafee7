"""A back end takes the batches of an epoch one by one, in the order that it is told."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import UnknownName
from backpass.language.notation import parse_program
from backpass.nn.backends import backend_for, choose, saved
from backpass.running.epoch import Drawn, Stepping


@pytest.fixture(autouse=True, scope="module")
def cache_of_tests(tmp_path_factory):
    """Compiled code goes to a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


LINE = """\
X: n 2
y: n 1
W: 2 1
M: n 2
lr: ()
B[n,k] = X[n,k] * M[n,k]
Z[n,j] = B[n,k] * W[k,j]
L = (Z[n,j] - y[n,j])**2
dW[k,j] = 2 * B[n,k] * (Z[n,j] - y[n,j])
W′[k,j] = W[k,j] - lr * dW[k,j]
return L, Z, W′
"""
X = np.array([[1.0, 2], [3, 4], [5, 6]])
Y = np.array([[1.0], [2], [3]])


def line(keep=1.0):
    return Stepping(
        parse_program(LINE), ("W",), {"X": 0, "y": 0}, ("lr",), {"M": Drawn(1, keep)}
    )  # fmt: skip


def test_steps_follow_the_order_and_their_own_numbers():
    arrays = {"W": np.zeros((2, 1))}
    rates = np.array([0.01, 0.02])
    found = backend_for(line(), "auto").epoch(
        {"X": X, "y": Y}, np.array([2, 0, 1]), 2, arrays, {"lr": rates}
    )
    W, losses = np.zeros((2, 1)), []
    for picked, rate in (([2, 0], 0.01), ([1], 0.02)):
        error = X[picked] @ W - Y[picked]
        losses.append((error**2).sum())
        W = W - rate * 2 * X[picked].T @ error
    np.testing.assert_allclose(arrays["W"], W, rtol=1e-14)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-14)
    assert (found.done, found.finite, found.right) == (2, True, None)


def test_what_is_drawn_depends_on_the_number_of_the_step():
    def trained(first):
        arrays = {"W": np.zeros((2, 1))}
        backend_for(line(0.5), "numpy").epoch(
            {"X": X, "y": Y}, np.arange(3), 3, arrays, {"lr": np.array(0.1)}, seed=5, first=first
        )
        return arrays["W"]

    for step in (0, 40):
        M = Drawn(1, 0.5).draw(5, step, (3, 2), "float64")
        np.testing.assert_allclose(trained(step), 0.2 * (X * M).T @ Y, rtol=1e-14)


def test_a_step_that_is_not_finite_changes_nothing_and_is_the_last():
    arrays = {"W": np.zeros((2, 1))}
    bad = X.copy()
    bad[1] = np.inf
    found = backend_for(line(), "numpy").epoch(
        {"X": bad, "y": Y}, np.arange(3), 1, arrays, {"lr": np.array(0.1)}
    )
    assert (len(found.losses), found.done, found.finite) == (2, 1, False)
    np.testing.assert_allclose(arrays["W"], 0.2 * X[:1].T @ Y[:1])


def test_a_backend_is_known_by_name():
    net = bp.Network([bp.Dense(2)], 3)
    with pytest.raises(UnknownName, match="numpy"):
        net.fit([[1, 2, 3]], [0], backend="nunpy", progress=False)
    history = net.fit([[1, 2, 3], [2, 3, 4]], [0, 1], epochs=1, backend="numpy", progress=False)
    assert history.backend == "numpy"


NORMED = [bp.Dropout(0.2), bp.Dense(6), bp.BatchNorm("tanh"), bp.Dropout(0.5), bp.Dense(3)]
TRAINED = [
    ({"optimizer": bp.Adam(0.02, clip_norm=0.5)}, "labels"),
    (
        {"optimizer": bp.SGD(bp.Cosine(0.3), momentum=0.9, nesterov=True), "layers": NORMED},
        "weighted",
    ),
    ({"optimizer": bp.RMSProp(), "convention": "columns", "bias": "augmented"}, "shares"),
    ({"optimizer": bp.AdamW(clip_value=0.1), "loss": "binary_cross_entropy"}, "shares"),
    # without biases, as those before a batch norm have no slope but that of rounding
    ({"optimizer": bp.Adagrad(), "loss": "mse", "bias": None, "layers": NORMED}, "numbers"),
]


@pytest.mark.parametrize(("dtype", "close"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize(("options", "kind"), TRAINED)
def test_both_back_ends_take_the_same_step(options, kind, dtype, close):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(30, 4)), np.arange(30) % 3
    goals = {"shares": np.eye(3)[y], "numbers": random.normal(size=(30, 3))}
    more = {"sample_weight": 1 + y} if kind == "weighted" else {}
    columns = options.get("convention") == "columns"
    goal = goals.get(kind, y)
    given = (X.T, goal.T) if columns else (X, goal)
    plain = {"layers": [bp.Dense(6, "tanh"), bp.Dense(3)]}
    numpy, compiled = (bp.Network(inputs=4, dtype=dtype, **plain | options) for _ in "12")
    for _ in range(4):  # each step from the same weights, so that rounding does not grow
        for store in ("weights", "state"):
            setattr(compiled, store, {n: v.copy() for n, v in getattr(numpy, store).items()})
        losses = [
            net.fit(*given, epochs=1, batch_size=30, backend=name, progress=False, **more).loss
            for name, net in (("numpy", numpy), ("compiled", compiled))
        ]
        np.testing.assert_allclose(*losses, rtol=close)
        for store in ("weights", "state"):
            for name, values in getattr(numpy, store).items():
                found = getattr(compiled, store)[name]
                assert found.dtype == values.dtype == dtype
                np.testing.assert_allclose(found, values, rtol=close, atol=close)


def test_the_problem_alone_chooses():
    net = bp.Network([bp.Dense(64, "tanh"), bp.Dense(10)], 64)
    net.fit(np.eye(64), np.arange(64) % 10, epochs=1, progress=False)
    stepping = net._backends.last.stepping
    assert choose(stepping, "auto", 32, 100) == "numpy"
    assert choose(stepping, "auto", 32, 10**7) == "compiled"
    assert choose(stepping, "auto", 10**6, 100) == "compiled"
    assert choose(stepping, "numpy", 10**6, 10**7) == "numpy"
    assert saved(stepping, 1) < saved(stepping, 1000) < 1000 * saved(stepping, 1)
