"""Lengths may be computed with; asking about one is refused, at any constant."""

import numpy as np
import pytest

import backpass as bp


def refused(forward, shapes):
    with pytest.raises(bp.BackpassError, match=r"an `if` on a length") as caught:
        bp.derive(forward, shapes)
    return str(caught.value)


def test_a_length_is_not_compared_with_a_constant():
    def huge(x):
        if x.shape[0] > 5000:
            return np.sum(x)
        return np.sum(x**2)

    def single(x):
        return np.sum(x) if x.shape[-1] == 1 else np.sum(x**2)

    assert "if x.shape[0] > 5000:" in refused(huge, "x: n")
    assert "x.shape[-1] == 1" in refused(single, "x: n k")
    assert bp.derive(single, "x: 4 1")(np.ones((4, 1)))[0] == 4


def test_what_len_gives_is_tried_beyond_the_constants_in_the_code():
    def large(x):
        return scaled(x) if len(x) > 7000 else np.sum(x**2)

    def scaled(x):
        return np.sum(x)

    refused(large, "x: n")


LIMIT = 40


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: np.sum(x) if len(x) == 1 else np.sum(x**2),
        lambda x: np.sum(x) if len(x) == 10 else np.sum(x**2),
        lambda x: np.sum(x) if x.size in (2, 3) else np.sum(x**2),
        lambda x: np.sum(x) if len(x) % 2 == 0 else np.sum(x**2),
        lambda x: np.sum(x) if len(x) > LIMIT else np.sum(x**2),
        lambda x: np.sum(x) * (1 if len(x) == 1 else 3),
    ],
)
def test_what_len_gives_is_tried_at_one_and_at_what_it_is_compared_with(forward):
    with pytest.raises(bp.BackpassError, match="depend on the sizes"):
        bp.derive(forward, "x: n")


def test_what_a_closure_holds_is_looked_through_too():
    bound = 12

    def scaled(x):
        return np.sum(x) if len(x) == bound else np.sum(x**2)

    refused = pytest.raises(bp.BackpassError, match="depend on the sizes")
    with refused:
        bp.derive(lambda x: scaled(x) + 1, "x: n")


def test_an_axis_that_the_code_makes_is_none_of_the_named_sizes():
    def loss(x):
        rows = np.ones((5, 1)) * x
        return sum(np.sum(row**2) for row in rows)

    assert bp.derive(loss, "x: n")(np.ones(3))[0] == 15


def test_a_length_at_which_nothing_is_computed_is_no_objection():
    def variance(x):
        if len(x) == 0:
            return 0.0
        assert len(x) > 1
        return np.sum((x - np.mean(x)) ** 2) / (len(x) - 1)

    x = np.arange(4.0)
    assert bp.derive(variance, "x: n")(x)[0] == np.var(x, ddof=1)


def test_lengths_compare_with_each_other_and_compute():
    def mean(X, Y):
        assert X.shape == Y.shape
        n, k = X.shape
        assert n == len(Y)
        return np.sum((X - Y) ** 2) / (n * k)

    d = bp.derive(mean, "X: n k, Y: n k")
    X, Y = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    assert d(X, Y)[0] == pytest.approx(np.mean((X - Y) ** 2))


def test_random_numbers_and_counters_are_refused_at_fixed_sizes_too():
    count = [0]

    def counting(x):
        count[0] += 1
        return np.sum(x) * count[0]

    def dropping(x):
        return np.sum(x * (np.random.default_rng().random(99) > 0.5))

    def scaled(x):
        return np.sum(x) * np.random.default_rng().random()

    for forward in (counting, dropping, scaled):
        with pytest.raises(bp.BackpassError, match=r"changes from run to run"):
            bp.derive(forward, "x: 99")
