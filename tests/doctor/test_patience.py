"""The time that a search may take."""

import pytest

from backpass.doctor.patience import Exhausted, at_most, look_on


def test_who_has_no_time_left_stops_and_who_has_goes_on():
    look_on()
    with at_most(60.0):
        look_on()
        with at_most(-1.0), pytest.raises(Exhausted):
            look_on()
        look_on()
    with at_most(-1.0), at_most(60.0), pytest.raises(Exhausted):
        look_on()  # nobody gives himself more than he has
    look_on()
