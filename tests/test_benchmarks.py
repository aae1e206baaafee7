"""Pages of figures are written by what measures them, and by nobody else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import page, seeds_page, speed
from benchmarks.clock import Race, Time
from benchmarks.report import Row, Table, compared, markdown
from benchmarks.training import measured as training
from benchmarks.training import told
from benchmarks.training.peers import by_hand, estimator
from benchmarks.training.problems import PROBLEMS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("file", "measured"),
    [
        (seeds_page.PAGE, seeds_page.NAMES),
        (speed.PAGE, (*speed.NAMES, *training.NAMES)),
    ],
)
def test_a_page_has_a_block_for_everything_that_is_measured_and_all_are_filled(file, measured):
    blocks = page.blocks((DOCS / file).read_text("utf-8"))
    assert sorted(blocks) == sorted(measured)
    assert [name for name, text in blocks.items() if not text.strip()] == []


def test_a_block_is_replaced_and_nothing_else():
    before = "a\n<!-- one -->\nold\n<!-- /one -->\nb\n<!-- two -->\n<!-- /two -->\n"
    after = page.filled(before, {"one": "new"})
    assert after == before.replace("old", "new")
    assert page.blocks(after) == {"one": "new\n", "two": ""}
    with pytest.raises(KeyError, match="three"):
        page.filled(before, {"three": ""})


def test_a_race_is_told_by_its_median_and_its_quartiles():
    quick = [Time(cpu, 2 * cpu) for cpu in (1e-3, 1e-3, 2e-3)]
    slow = [Time(2e-3, 4e-3)] * 3
    lost = compared("a call", Race(slow, quick), wanted=1)
    won = compared("a start", Race(quick, slow), wanted=0.5)
    table = Table("both", ("backpass", "by hand"), [lost, won, Row("memory", "1 MB", "2 MB")])
    assert (
        markdown(table)
        == """\
|  | backpass | by hand | backpass is | wanted |
| --- | ---: | ---: | ---: | ---: |
| a call | 2 ms (4 ms) | 1 ms (2 ms) | 2.00× slower (1.50 to 2.00) | as fast ✗ missed |
| a start | 1 ms (2 ms) | 2 ms (4 ms) | 2.00× faster (1.50 to 2.00) | at most 2× slower ✓ |
| memory | 1 MB | 2 MB |  |  |"""
    )


def test_a_column_that_says_nothing_is_left_out():
    table = Table("memory", ("at the peak", "stays"), [Row("100 layers", "1 MB", "2 MB")])
    assert markdown(table).splitlines()[0] == "|  | at the peak | stays |"


def test_the_median_lies_between_two_of_the_values():
    assert told.interval([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert told.interval([float(one) for one in range(15)]) == (3.0, 11.0)  # 96.5 % certain


def test_a_network_is_raced_on_the_same_steps_by_those_who_are_there():
    tiny = replace(PROBLEMS[0], widths=(4, 5, 3), rows=120, epochs=2)
    hand, other = by_hand.trainer(tiny, "Adam"), estimator.trainer(tiny, "Adam")
    hand.train()
    other.train()
    assert hand.steps == tiny.steps
    for (W, b), (V, a) in zip(hand.weights(), other.weights(), strict=True):
        np.testing.assert_allclose(W, V, atol=1e-5)
        np.testing.assert_allclose(b, a, atol=1e-5)
