"""Samples that are their own targets are given once, and drawn once."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(9, 5))


def report_of(name, folder, *edits):
    module, _ = load("mirror", folder, *edits)
    match name:
        case "Mirror":
            return bp.doctor(module.Mirror().train, X)
        case "Holding":
            return bp.doctor(module.Holding(np.random.default_rng(1).uniform(size=(5, 8))).run)
        case _:
            return bp.doctor(
                module.deep, [RANDOM.normal(size=s) for s in ((5, 4), (4, 2), (2, 5))], X
            )


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("Mirror", "correct"), ("Holding", "correct for another loss"), ("deep", "correct")],
)
def test_what_gives_back_its_samples_is_cleared(name, verdict, tmp_path):
    report = report_of(name, tmp_path)
    assert report.verdict == verdict, str(report)
    assert {one.verdict for one in report.tensors} == {verdict}


@pytest.mark.parametrize(
    ("name", "old", "new", "bug"),
    [
        ("Mirror", "(1 - h**2)", "(1 - h)", 23),
        ("Mirror", "d = out - x\n", "d = x - out\n", 1),
        ("Holding", "* (hidden > 0)", "", 16),
    ],
)
def test_a_mistake_in_it_is_named(name, old, new, bug, tmp_path):
    report = report_of(name, tmp_path, (old, new))
    assert report.verdict == "bug"
    assert bug in {number for one in report.findings for number in (one.bug, *one.also)}


def test_it_is_read_back_too(tmp_path):
    module, _ = load("mirror", tmp_path)
    listing = bp.annotate(module.Mirror().train, X)
    assert "½Σ(a − y)²" in " ".join(listing.summary)


def test_samples_that_nothing_is_compared_with_are_not_their_own_targets(tmp_path):
    module, _ = load("mirror", tmp_path, ("loss = 0.5 * np.sum((out - x) ** 2)", "loss = 0"),
                     ("d = out - x\n", "d = np.ones_like(out)\n"))  # fmt: skip
    with pytest.raises(BackpassError, match="samples and targets"):
        bp.doctor(module.Mirror().train, X)
