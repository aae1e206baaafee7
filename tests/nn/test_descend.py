"""L-BFGS and Newton-CG come to where the gradient is nothing, by SciPy's own steps."""

import numpy as np
import pytest
from scipy.optimize import minimize

import backpass as bp
from backpass.language.errors import BackpassError


def data(count=60):
    random = np.random.default_rng(0)
    y = np.arange(count) % 3
    return random.normal(size=(count, 4)) + np.eye(3, 4)[y], y


def net(optimizer, **options):
    return bp.Network(
        [bp.Dense(5, "tanh"), bp.Dense(3)], 4, optimizer=optimizer, dtype="float64",
        **{"l2": 0.01, **options},
    )  # fmt: skip


@pytest.mark.parametrize("optimizer", [bp.LBFGS(), bp.NewtonCG()])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_the_gradient_is_nothing_at_the_end(optimizer, convention):
    X, y = data()
    X = X if convention == "rows" else X.T
    one = net(optimizer, convention=convention)
    history = one.fit(X, y, epochs=2000, progress=False)
    assert history.ended.startswith(f"{type(optimizer).__name__} converged after {len(history)}")
    loss, gradients = one.gradients(X, y)
    assert loss == pytest.approx(history.loss[-1], rel=1e-12)
    assert max(np.abs(g).max() for g in gradients.values()) < 1e-4
    assert history.accuracy[-1] == one.score(X, y)
    assert all(b <= a for a, b in zip(history.loss, history.loss[1:], strict=False))


def test_it_is_scipys_way():
    X, y = data()
    one = net(bp.LBFGS(), bias=None)
    W = [one.weights["W1"].copy(), one.weights["W2"].copy()]

    def loss(flat):
        W1, W2 = flat[:20].reshape(4, 5), flat[20:].reshape(5, 3)
        A = np.tanh(X @ W1)
        P = np.exp(A @ W2)
        P /= P.sum(axis=1, keepdims=True)
        d = (P - np.eye(3)[y]) / len(y)
        g1 = X.T @ (d @ W2.T * (1 - A**2)) + 0.01 * W1
        g2 = A.T @ d + 0.01 * W2
        value = -np.log(P[np.arange(len(y)), y]).mean() + 0.005 * (flat**2).sum()
        return value, np.concatenate([g1.ravel(), g2.ravel()])

    found = minimize(
        loss, np.concatenate([one.ravel() for one in W]), jac=True, method="L-BFGS-B",
        options={"maxiter": 12, "gtol": 1e-5, "ftol": 0},
    )  # fmt: skip
    history = one.fit(X, y, epochs=12, progress=False)
    assert len(history) == 12
    assert history.ended is None
    np.testing.assert_allclose(history.loss[-1], found.fun, rtol=1e-8)
    np.testing.assert_allclose(one.weights["W1"].ravel(), found.x[:20], rtol=1e-5)


def test_the_options_of_fit_are_kept():
    X, y = data()
    one = net(bp.LBFGS(memory=3), l2=0.0)
    history = one.fit(
        X, y, epochs=500, validation=0.3, early_stopping=4, progress=False,
        sample_weight=1 + y, callbacks=[lambda history, net: None],
    )  # fmt: skip
    best = int(np.argmin(history.val_loss))
    assert len(history) == best + 5
    assert history.restored == best + 1
    assert one.epochs == len(history)


def test_an_optimizer_of_scipy_is_kept_and_prints(tmp_path):
    one = net(bp.NewtonCG(tol=1e-3))
    one.save(tmp_path / "net")
    assert bp.load(tmp_path / "net").optimizer == bp.NewtonCG(tol=1e-3)
    assert "NewtonCG(tol=0.001)" in str(one)


def test_what_cannot_be_meant_is_refused():
    X, y = data()
    dropping = bp.Network([bp.Dense(5), bp.Dropout(0.5), bp.Dense(3)], 4, optimizer=bp.LBFGS())
    with pytest.raises(BackpassError, match="leave out Dropout"):
        dropping.fit(X, y, progress=False)
    with pytest.raises(BackpassError, match="memory=0 is not valid"):
        bp.LBFGS(memory=0)
    with pytest.raises(BackpassError, match="clip none"):
        bp.NewtonCG(clip_norm=1)
    large = net(bp.LBFGS())
    large.weights["W1"][0, 0] = np.nan
    with pytest.warns(RuntimeWarning, match="the loss is nan before the first iteration"):
        large.fit(X, y, progress=False)
