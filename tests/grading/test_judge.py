"""Whatever arrays come back, there is a verdict; and nothing but the right ones has the score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backpass.grading.calling import CHANGED, RENEWED, RETURNED, Answer
from backpass.grading.judge import judge
from backpass.grading.key import Key
from tests.grading.networks import REFERENCE
from tests.grading.test_grade import reference_key


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return reference_key(Path(tmp_path_factory.mktemp("reference")), REFERENCE)


def asked(key: Key, arrays: list[list[np.ndarray]], how: int = RETURNED, rated: bool = False):
    drawn = key.drawn((1, 2))
    return judge("ada", key, drawn, [Answer(how, rated, one) for one in arrays], np.zeros(0))


SHAPES = st.sampled_from([(4, 5), (5, 4), (5,), (1, 5), (5, 3), (3, 5), (3,), (0,), (), (2, 2, 2)])
NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 1e300, 1e-300, np.nan, np.inf, -np.inf])
KINDS = st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?"])


@settings(max_examples=5)
@given(st.data())
def test_any_arrays_have_a_verdict_and_wrong_ones_no_points(answers: Key, data: st.DataObject):
    with np.errstate(all="ignore"):
        one = [np.full(data.draw(SHAPES), data.draw(NUMBERS)) for _ in range(4)]
        one = [array.astype(data.draw(KINDS)) for array in one]
    how = data.draw(st.sampled_from([RETURNED, CHANGED, RENEWED, 7]))
    graded = asked(answers, [one, one], how, data.draw(st.booleans()))
    assert graded.verdict is not None
    assert graded.score == 0


@settings(max_examples=12)
@given(st.sets(st.integers(0, 3)), st.sampled_from([-1.0, 0.5, 0.0, 1 + 1e-3]))
def test_the_score_is_the_share_of_right_tensors(answers: Key, wrong: set[int], times: float):
    arrays = [
        [g * (times if place in wrong else 1) for place, g in enumerate(one.gradients)]
        for one in answers.drawn((1, 2))
    ]
    graded = asked(answers, arrays)
    assert graded.score == (4 - len(wrong)) / 4
    assert (graded.verdict == "correct") is not wrong or not wrong
    assert all((one.verdict != "correct") is (n in wrong) for n, one in enumerate(graded.tensors))


def test_steps_are_divided_by_the_rate(answers: Key):
    drawn = answers.drawn((1, 2))
    new = [[one.arrays[n] - 0.1 * g for n, g in enumerate(one.gradients)] for one in drawn]
    assert asked(answers, new, CHANGED, rated=True).score == 1
    assert asked(answers, new, RENEWED, rated=True).score == 1
    far = [[one.arrays[n] - 0.3 * g for n, g in enumerate(one.gradients)] for one in drawn]
    assert asked(answers, far, CHANGED, rated=True).verdict == "correct up to a scale"
    assert asked(answers, far, CHANGED, rated=False).verdict == "correct up to a scale"
    trains = replace(answers, contract=replace(answers.contract, call="update"))
    assert asked(trains, far, CHANGED, rated=False).verdict == "correct"  # nobody says the rate


def test_uphill_is_no_scale(answers: Key):
    drawn = answers.drawn((1, 2))
    up = [[one.arrays[n] + 0.3 * g for n, g in enumerate(one.gradients)] for one in drawn]
    graded = asked(answers, up, CHANGED, rated=False)
    assert (graded.verdict, graded.score, graded.hints[0].bug) == ("bug", 0, 1)
