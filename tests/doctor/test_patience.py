"""The time that a search may take."""

import pytest

from backpass.doctor.patience import WAITING, Exhausted, Moment, at_most, look_on


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


def test_what_others_do_with_the_processor_takes_nobody_s_time():
    begun = Moment(worked=1.0, clock=10.0)
    assert Moment(worked=3.0, clock=12.0).since(begun) == 2.0
    assert Moment(worked=3.0, clock=10.0 + 2 * WAITING).since(begun) == 2.0
    asleep = Moment(worked=1.0, clock=110.0)  # but who sleeps does not sleep for ever
    assert asleep.since(begun) == 100 / WAITING
