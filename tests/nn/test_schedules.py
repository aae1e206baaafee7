"""Every schedule gives the rates that its formula says, step by step."""

import math

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.schedules import SCHEDULES, Place, described, restored_rate


def rates(schedule, epochs=4, steps=5, total=None, before=0):
    """The rates of some epochs of a training, one after another."""
    places = (Place(before + e, e, total or epochs, steps, 50) for e in range(epochs))
    return np.concatenate([schedule.rates(place) for place in places])


def test_the_rates_are_those_of_the_formulas():
    e = np.arange(20) / 5
    whole = np.floor(e)
    for schedule, expected in (
        (bp.Constant(0.2), np.full(20, 0.2)),
        (bp.StepDecay(0.2, every=2, factor=0.5), 0.2 * 0.5 ** (whole // 2)),
        (bp.ExponentialDecay(0.2, 0.9), 0.2 * 0.9**whole),
        (bp.InverseScaling(0.2), 0.2 / np.sqrt(1 + 50 * whole)),
        (bp.Cosine(0.2), 0.1 * (1 + np.cos(math.pi * e / 4))),
        (bp.Cosine(0.2, epochs=2, lowest=0.1),
         0.1 + 0.05 * (1 + np.cos(math.pi * np.minimum(e / 2, 1)))),
        (bp.WarmUp(0.2, epochs=2), 0.2 * np.minimum((e + 0.2) / 2, 1)),
        (bp.WarmUp(bp.ExponentialDecay(0.2, 0.5), 1),
         0.2 * 0.5**whole * np.minimum(e + 0.2, 1)),
    ):  # fmt: skip
        np.testing.assert_allclose(rates(schedule), expected, rtol=1e-12, atol=1e-15)


def test_fitting_again_goes_on_and_a_cosine_without_a_length_begins_anew():
    halving = bp.ExponentialDecay(1.0, 0.5)
    np.testing.assert_allclose(rates(halving, before=3), rates(halving, 7)[15:])
    np.testing.assert_allclose(rates(bp.Cosine(1.0), before=3), rates(bp.Cosine(1.0)))
    long = bp.Cosine(1.0, epochs=7)
    np.testing.assert_allclose(rates(long, before=3), rates(long, 7)[15:])


def data():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    return X, X[:, :1] - 2 * X[:, 1:2]


def linear(optimizer):
    return bp.Network([bp.Dense(1)], 3, "mse", optimizer=optimizer, bias=None, dtype="float64")


def test_training_follows_its_schedule_step_by_step():
    X, y = data()
    net = linear(bp.SGD(bp.Cosine(0.1)))
    W = net.weights["W1"].copy()
    history = net.fit(X, y, epochs=3, batch_size=10, shuffle=False, progress=False)
    wanted = rates(bp.Cosine(0.1), 3, 4)
    for step, rate in enumerate(wanted):
        batch = slice(step % 4 * 10, step % 4 * 10 + 10)
        W = W - rate * 2 * X[batch].T @ (X[batch] @ W - y[batch]) / 10
    np.testing.assert_allclose(net.weights["W1"], W, rtol=1e-12)
    np.testing.assert_allclose(history.rate, wanted[3::4])
    assert "rate" in str(history)


def test_an_adaptive_rate_is_divided_where_the_loss_no_longer_falls():
    X, y = data()
    net = linear(bp.SGD(bp.Adaptive(0.1, patience=2, tol=1.0, factor=10, smallest=0.005)))
    history = net.fit(X, y, epochs=50, shuffle=False, progress=False)
    fell = [a - b > 1.0 for a, b in zip(history.loss, history.loss[1:], strict=False)]
    still = fell.index(False)
    assert all(fell[:still])
    assert history.rate[: still + 3] == pytest.approx([0.1] * (still + 3))
    assert history.rate[still + 3 :] == pytest.approx([0.01, 0.01, 0.001, 0.001])
    assert "the learning rate is down to 0.001" in history.ended
    assert net.slowed == pytest.approx(100)


def test_a_schedule_prints_and_is_kept(tmp_path):
    assert str(bp.Cosine(0.1)) == "Cosine(lr=0.1)"
    warm = bp.WarmUp(bp.StepDecay(0.1, 3), epochs=2)
    assert str(warm) == "WarmUp(lr=StepDecay(lr=0.1, every=3), epochs=2)"
    assert str(bp.SGD(warm)).startswith(f"SGD(lr={warm})\n  W′")
    assert restored_rate(described(warm)) == warm
    net = linear(bp.Adam(warm))
    net.fit(*data(), epochs=2, progress=False)
    net.save(tmp_path / "net")
    loaded = bp.load(tmp_path / "net")
    assert loaded.optimizer == net.optimizer
    for one in (net, loaded):
        one.fit(*data(), epochs=2, progress=False)
    assert (loaded.weights["W1"] == net.weights["W1"]).all()


def test_every_schedule_is_public():
    for name, kind in SCHEDULES.items():
        assert getattr(bp, name) is kind
        assert kind.__doc__


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: bp.Cosine(0), "lr=0 is no learning rate"),
        (lambda: bp.Cosine(0.1, lowest=0.2), "does not lie between"),
        (lambda: bp.StepDecay(0.1, every=0), "every=0 is not valid; give a number above 0"),
        (lambda: bp.WarmUp("slow"), "lr='slow' is no learning rate"),
        (lambda: bp.Adaptive(0.1, factor=1), "factor=1 is not valid; give a number above 1"),
        (lambda: bp.SGD(bp.Adaptive), "is no learning rate"),
    ],
)
def test_numbers_out_of_range_are_refused(make, says):
    with pytest.raises(BackpassError, match=says):
        make()
