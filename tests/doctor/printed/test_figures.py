"""Numbers as they were printed."""

import pytest

import backpass as bp
from backpass.doctor.printed.figures import Figure, figures
from backpass.doctor.printed.stated import stated
from tests.doctor.printed.networks import NUMBERS, published


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("0.291", 0.29149, True),  # rounded
        ("0.291", 0.29199, True),  # cut off
        ("0.291", 0.29049, False),
        ("0.291", 0.2921, False),
        ("-0.5", -0.58, True),
        ("-0.5", -0.44, False),
        ("0.2910", 0.29149, False),
        ("3.51e-05", 3.5102e-05, True),
        ("3.51e-05", 3.48e-05, False),
        ("0.1", float("nan"), False),
    ],
)
def test_a_number_fits_what_is_printed_so(text, value, fits):
    assert Figure(1, "loss", (), text).fits(value) is fits


def test_a_value_is_shown_with_the_digits_that_were_printed():
    assert Figure(1, "loss", (), "0.2910").shown(0.29102777) == "0.2910"
    assert Figure(1, "loss", (), "3.5e-05").shown(3.5102e-05) == "3.5e-05"


def test_figures_are_taken_apart_in_the_order_of_steps():
    one = stated(published(), list(NUMBERS.values()), 0.5)
    found = figures({9: {"W1": [[None, "0.2"], [0.25, None]]}, 1: {"loss": 0.3}}, one)
    assert [(f.steps, f.entry, f.text) for f in found] == [
        (1, "loss", "0.3"),
        (9, "W1[0, 1]", "0.2"),
        (9, "W1[1, 0]", "0.25"),
    ]


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ({1: {"out": [0.1]}}, "out has 2 entries here, and 1 was printed"),
        ({1: {"outt": [0.1]}}, "outt is nothing that these programs print; did you mean out?"),
        ({1: {"loss": "one"}}, "'one' is no printed number"),
        ({1: {"loss": float("nan")}}, "nan is no printed number"),
        ({"loss": 0.3}, "'loss' is no number of steps"),
        ({1: 0.3}, "after 1 step 0.3 was printed, but of what"),
        ({}, "printed holds no number"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(printed, said):
    one = stated(published(), list(NUMBERS.values()), 0.5)
    with pytest.raises(bp.BackpassError, match=said.replace("?", r"\?")):
        figures(printed, one)
