"""Code that was typed in or made by exec has no source, and is read by its lines and names."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.observe import observe

SOURCE = """
import numpy as np

class Net:
    def __init__(self):
        random = np.random.default_rng(0)
        self.W1, self.b1 = random.normal(size=(3, 4)), random.normal(size=4)
        self.W2, self.b2 = random.normal(size=(4, 2)), random.normal(size=2)

    def step(self, X, Y):
        h = np.tanh(X @ self.W1 + self.b1)
        e = h @ self.W2 + self.b2 - Y
        d = e @ self.W2.T * SLOPE
        self.W2 -= 0.1 * h.T @ e
        self.b2 -= 0.1 * e.sum(axis=0)
        self.W1 -= 0.1 * X.T @ d
        self.b1 -= 0.1 * d.sum(axis=0)
"""
RANDOM = np.random.default_rng(2)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 2))


def made(slope):
    space = {"__name__": "typed_in"}
    exec(SOURCE.replace("SLOPE", slope), space)
    return space["Net"]()


def test_names_are_told_when_a_line_has_given_them_something():
    run = observe(made("(1 - h**2)").step, (X, Y))
    told = [(run.places[one.place].line, run.places[one.place].text) for one in run.events]
    assert (11, "h") in told
    assert told.index((12, "e")) < told.index((13, "d")) < told.index((17, "self.b1"))


@pytest.mark.parametrize(("slope", "verdict"), [("(1 - h**2)", "correct"), ("1", "bug")])
def test_it_is_judged_all_the_same_and_the_report_says_how(slope, verdict):
    report = bp.doctor(made(slope).step, X, Y, lr=0.1)
    assert report.verdict == verdict
    assert [one.bug for one in report.findings if one.accuses] == ([16] if slope == "1" else [])
    assert "There is no source of Net.step to be read" in str(report).replace("\n  ", " ")


def test_it_is_read_back_by_its_names():
    found = bp.annotate(made("(1 - h**2)").step, X, Y)
    read = {note.text: note.formulas for line in found.lines for note in line.notes}
    assert read["h"] == ("A1",)
    assert read["e"] == ("dZ2",)
    assert read["d"] == ("dZ1",)
    assert found.summary[-1].startswith("There is no source of Net.step")
