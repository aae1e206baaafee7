"""A slope and its error: smooth lines, kinks wherever they lie, noise, jumps."""

from math import cos, exp, log, nan, sin

import numpy as np
import pytest

from backpass.checking.differences import Comparison, compare, estimate, noise, precision


def held(phi, claimed, **known) -> Comparison:
    return compare(phi, claimed, here=phi(0.0), sigma=noise(phi), **known)


SMOOTH = {
    "a wave": (lambda t: sin(1 + t), cos(1)),
    "a wave on a mountain": (lambda t: 1e4 + sin(1 + t), cos(1)),
    "steep": (lambda t: exp(30 * t), 30.0),
    "fast": (lambda t: sin(1e5 * t), 1e5),
    "tiny": (lambda t: 1e-8 * sin(1 + t), 1e-8 * cos(1)),
    "huge": (lambda t: 1e8 * sin(1 + t), 1e8 * cos(1)),
    "straight": (lambda t: 3 * t, 3.0),
    "a parabola at its foot, moved": (lambda t: (t + 0.5) ** 2, 1.0),
    "near the end of its domain": (lambda t: log(1e-4 + t) if t > -1e-4 else nan, 1e4),
}


@pytest.mark.parametrize(("phi", "slope"), SMOOTH.values(), ids=SMOOTH)
def test_a_right_slope_agrees_and_one_that_is_off_by_a_ten_thousandth_differs(phi, slope):
    assert held(phi, slope).verdict == "agrees"
    assert held(phi, slope * (1 + 1e-4)).verdict == "differs"
    assert held(phi, -slope).verdict == "differs"
    assert held(phi, 0.0).verdict == "differs"


@pytest.mark.parametrize("far", [0.9, 0.5, 1 / 3, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("side", [1, -1])
def test_a_kink_anywhere_nearby_hides_neither_slope(far, side):
    """The kink lies `far` of the first step away, on either side."""
    place = -side * far * 1e-3

    def phi(t):
        return max(t - place, 0.0) + t / 3

    slope = 1 / 3 + (side > 0)
    assert held(phi, slope).verdict == "agrees"
    for wrong in (slope + 0.5, slope - 0.5, slope + 1e-3):
        assert held(phi, wrong).verdict == "differs"


def test_the_error_covers_one_kink_wherever_it_lies():
    """No single estimate is further from the truth than its own error says."""
    for place in np.linspace(-2, 2, 401):

        def phi(t, place=place):
            return abs(t - place)

        slope = estimate(phi, 1.0, abs(place), 0.0)
        assert slope is not None
        assert abs(slope.value + np.sign(place)) <= slope.error + 1e-12


@pytest.mark.parametrize("claimed", [0.0, 1.0, 0.3, 7.0])
def test_at_a_kink_no_slope_is_wrong_and_both_are_told(claimed):
    found = held(lambda t: max(t, 0.0) + 2 * t, claimed + 2)
    assert found.verdict == "kink"
    assert found.slope.left == pytest.approx(2, abs=1e-6)
    assert found.slope.right == pytest.approx(3, abs=1e-6)


def test_half_of_both_slopes_agrees_with_differences_at_a_kink():
    assert held(lambda t: max(t, 0.0), 0.5).verdict == "agrees"


def test_single_precision_is_noticed_and_allowed_for():
    def phi(t):
        return float(np.float32(5 + sin(1 + t)))

    assert precision([phi(0.1), phi(0.2)]) == np.finfo(np.float32).eps
    assert 1e-8 < noise(phi) < 1e-6
    assert held(phi, cos(1)).verdict == "agrees"
    assert held(phi, 1.01 * cos(1)).verdict == "differs"


def test_noise_is_measured_where_the_values_do_not_show_it():
    def phi(t):  # double precision outside, single precision inside
        return 1.1 * float(np.float32(0.7 + t) ** 2)

    assert precision(phi(0.1)) == np.finfo(np.float64).eps
    assert 1e-9 < noise(phi) < 1e-6
    assert held(phi, 1.1 * 1.4).verdict == "agrees"


def test_a_kink_is_no_noise():
    assert noise(abs) < 1e-15
    assert noise(lambda t: abs(t) + sin(t + 1)) < 1e-15


def test_where_the_function_jumps_nothing_is_settled():
    assert held(lambda t: float(t > 0) + t, 1.0).verdict == "unclear"


def test_where_the_function_is_no_number_nothing_is_settled():
    assert held(lambda t: 1.0 if t == 0 else nan, 1.0).verdict == "unclear"


def test_a_slope_that_drowns_in_rounding_is_not_taken_for_right():
    def phi(t):
        return 1e12 + 1e-6 * sin(t)

    assert held(phi, 1e-6).verdict == "unclear"
    assert held(phi, 2e-6).verdict == "unclear"


def test_a_claim_of_nan_differs():
    assert held(sin, nan).verdict == "differs"


def test_slack_is_what_the_claim_may_be_off():
    assert held(sin, 1 + 1e-5).verdict == "differs"
    assert held(sin, 1 + 1e-5, slack=2e-5).verdict == "agrees"


def test_other_units_change_numbers_and_no_verdict():
    found = held(lambda t: max(3 * t, 0.0), 0.0).per(3)
    assert (found.verdict, found.slope.left) == ("kink", 0)
    assert found.slope.right == pytest.approx(1)
