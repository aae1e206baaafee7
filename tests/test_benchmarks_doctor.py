"""The programs that are put to the doctor are what their heads say, and their mistakes are made."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import page
from benchmarks.doctor import __main__ as runner
from benchmarks.doctor import corpus, judging, marked, measured
from benchmarks.doctor.asking import Answer, Named
from benchmarks.doctor.cases import Case, Mistake, changed
from benchmarks.doctor.witness import Stated
from benchmarks.doctor.workers import answers

EVERY = marked.variations()
SOME = EVERY[::9]  # each file is held to its loss by `python -m benchmarks.doctor`, these always


@pytest.mark.parametrize("variation", SOME, ids=lambda one: one.name)
def test_a_correct_program_descends_the_loss_that_stands_beside_it(variation, tmp_path: Path):
    assert corpus.off(variation, tmp_path) < 1e-6


@pytest.mark.parametrize("variation", SOME, ids=lambda one: one.name)
def test_every_mistake_changes_what_the_program_does_and_has_lines(variation, tmp_path: Path):
    right = corpus.updates(variation, marked.written(variation).text, tmp_path, "right")
    for key in marked.keys(variation):
        source = marked.written(variation, (key,))
        wrong = corpus.updates(variation, source.text, tmp_path, f"wrong_{key}")
        assert changed(wrong, right), key
        assert source.lines[key] <= set(range(1, len(source.text.splitlines()) + 1))
        assert source.lines[key]


def test_the_corpus_is_as_large_and_as_various_as_the_page_says():
    assert len(EVERY) >= 60
    assert len({one.head["style"] for one in EVERY}) >= 12
    files = {one.file: marked.keys(one) for one in EVERY}
    assert sum(len(keys) >= 12 for keys in files.values()) >= 6
    used = {marked.number(key) for one in EVERY for key in marked.keys(one)}
    assert used <= set(measured.CATALOGUE)
    assert len(used) >= 45


def test_marks_replace_add_and_take_away_the_line_that_they_follow():
    globe = next(one for one in EVERY if one.file == "widened")
    plain = marked.written(globe).text
    early = marked.written(globe, ("31",)).text
    assert "#" not in plain.replace("'#", "")
    assert plain.count("self.second = self.second -") == 1
    assert early.count("self.second -= self.speed * hw.T @ do") == 1
    assert "self.second = self.second -" not in early


def test_the_witness_knows_the_slope_of_a_parabola():
    line = Stated(("linear",), "half_sum", turned=False, bias="none", rate=0.5)
    X, Y, W = np.array([[2.0], [1.0]]), np.array([[1.0], [3.0]]), np.array([[1.5]])
    slope = X.T @ (X @ W - Y)
    np.testing.assert_allclose(line.trained([W], X, Y)[0], W - 0.5 * slope, rtol=1e-8)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer("bug", (Named(16, True, frozenset({"W1"}), 7),)), judging.FULLY),
        (Answer("bug", (Named(16, True, frozenset({"W1"}), 9),)), judging.OTHER_LINE),
        (Answer("bug", (Named(16, True, frozenset({"W2"}), 7),)), judging.OTHER_TENSOR),
        (Answer("bug", (Named(None, True, frozenset({"W1"}), 7),)), judging.NAMELESS),
        (Answer("bug", (Named(30, True, frozenset({"W1"}), 7),)), judging.WRONG),
        (Answer("unknown"), judging.UNKNOWN),
        (Answer("correct"), judging.MISSED),
        (None, judging.FAILED),
    ],
)
def test_an_answer_is_held_to_number_tensor_and_line(answer, outcome):
    mistake = Mistake("16", frozenset({16, 20}), frozenset({"W1", "b1"}), frozenset({7}))
    case = Case(EVERY[0], (mistake,), "")
    assert judging.outcome(mistake, case, answer) == outcome
    assert not judging.cleared(answer) or answer.verdict == "correct"


def test_a_program_that_takes_too_long_is_given_up_and_stops_nobody():
    asked = ["1", "__import__('time').sleep(600)", "__import__('os')._exit(3)", "2"]
    assert answers(eval, asked, limit=8, processes=1) == [1, None, None, 2]


def test_the_page_has_every_block_and_all_are_filled():
    blocks = page.blocks((page.DOCS / runner.PAGE).read_text("utf-8"))
    assert sorted(blocks) == sorted(measured.blocks([]))
    assert [name for name, text in blocks.items() if not text.strip()] == []
