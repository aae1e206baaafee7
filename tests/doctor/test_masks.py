"""Dropout: the masks of a run are found by numbers, and mistakes with them are named."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.masks import two_valued
from backpass.doctor.watched import watched
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.uniform(size=(6, 2))
CLASSES = np.eye(3)[[0, 1, 2, 0, 1, 2]]
WIDE = RANDOM.normal(size=(7, 5)), RANDOM.uniform(size=(7, 2))


def subject(name, folder, *edits):
    module, lines = load(name, folder, *edits)
    match name:
        case "dropped":
            return (module.Dropped().fit_partial, X, Y), lines
        case "kept":
            return (module.train, module.start(4, 5, 3), X.T, CLASSES.T), lines
        case _:
            return (module.epoch, *WIDE), lines


@pytest.mark.parametrize("name", ["dropped", "kept", "thinned"])
def test_a_correct_program_with_dropout_is_cleared(name, tmp_path):
    given, _ = subject(name, tmp_path)
    report = bp.doctor(*given)
    assert report.verdict == "correct"
    assert report.findings == ()
    assert "seeded, and is held to what it drew" in str(report)


def test_masks_are_told_by_what_they_leave(tmp_path):
    (call, *args), _ = subject("dropped", tmp_path)
    (way,) = watched(call, args, None, None)
    for probe, seen in zip(way.probes, way.networks(), strict=True):
        drawn = [event.value for event in probe.run.events if two_valued(event.value)]
        assert [layer.kept for layer in seen.layers] == [None, 1.42857143, 1.42857143]
        assert seen.masks[0] is None
        for mask in seen.masks[1:]:
            assert any(one.shape == mask.shape and np.allclose(one, mask) for one in drawn)


def test_random_numbers_are_put_back_where_they_were(tmp_path):
    module, _ = load("dropped", tmp_path)
    net = module.Dropped()
    before = net.rng.bit_generator.state
    bp.annotate(net.fit_partial, X, Y)
    assert net.rng.bit_generator.state == before


def test_a_listing_speaks_of_the_mask_and_of_what_it_leaves(tmp_path):
    given, _ = subject("kept", tmp_path)
    found = bp.annotate(*given)
    assert "M1 of 0 and 1.25, drawn at line 22" in " ".join(found.summary)
    said = {note.text: note.formulas for line in found.lines for note in line.notes if line}
    assert said["A1 * D1"] == ("0.8 · (A1 ⊙ M1)",)
    assert said["A1 / KEEP"] == ("(A1 ⊙ M1)",)
    assert said["dA1 / KEEP"] == ("dA1",)
    assert found.share == 1.0


BACK, SCALE, MORE = "dA1 = dA1 * D1", "    dA1 = dA1 / KEEP\n", "(np.random.rand(*D1.shape) < KEEP)"
MISTAKES = [
    # the program, what is replaced, by what, the mistake, a tensor, part of the line
    ("dropped", "(1 - self.A1**2)", "(1 - self.D1**2)", 25, "self.W1", "self.D1**2"),
    ("kept", "dA1 * H1 * (1 - H1)", "dA1 * A1 * (1 - A1)", 25, "params['W1']", "* A1 *"),
    ("dropped", "self.W3.T * self.mask2", "self.W3.T", 59, "self.W2", "d2 = d3 @ self.W3.T"),
    ("dropped", "self.A2 * self.mask2", "self.A2 * 1", 59, "self.W2", "d2 = d3 @ self.W3.T"),
    ("dropped", "self.D2.T @ d3", "self.A2.T @ d3", 59, "self.W3", "self.A2.T @ d3"),
    ("kept", SCALE, "", 59, "params['W1']", BACK),
    ("kept", BACK, f"dA1 = dA1 * {MORE}", 59, "params['W1']", "np.random.rand(*"),
    ("thinned", "np.outer(back, seen)", "np.outer(back, x)", 59, "W[0]", "np.outer(back, x)"),
]


@pytest.mark.parametrize(("name", "old", "new", "bug", "tensor", "line"), MISTAKES)
def test_a_mistake_with_a_mask_is_named(name, old, new, bug, tensor, line, tmp_path):
    given, lines = subject(name, tmp_path, (old, new))
    report = bp.doctor(*given)
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert finding.bug == bug
    assert tensor in finding.tensors
    assert line in lines[finding.line - 1]


def test_other_mistakes_are_named_beside_a_mask(tmp_path):
    given, _ = subject("dropped", tmp_path, ("d2 @ self.W2.T", "d2 @ np.abs(self.W2).T"))
    (finding,) = bp.doctor(*given).findings
    assert finding.bug == 34
    assert finding.repaired == "d1 = d2 @ self.W2.T * self.mask1"


def test_the_repaired_line_has_the_mask_in_the_names_of_the_code(tmp_path):
    given, _ = subject("kept", tmp_path, (f"    {BACK}\n{SCALE}", ""))
    (finding,) = bp.doctor(*given).findings
    assert finding.bug == 59
    assert finding.repaired == 'dA1 = params["W2"].T.dot(dZ2) * D1 / KEEP'


@pytest.mark.parametrize("relu", [lambda z: z * (z > 0), lambda z: (np.abs(z) + z) / 2])
def test_a_relu_is_no_mask(relu):
    W, V = RANDOM.normal(size=(4, 5)), RANDOM.normal(size=(5, 2))

    def step(X, Y):
        Z = X @ W
        H = relu(Z)
        D = H @ V - Y
        back = D @ V.T * (Z > 0)
        V[:] = V - 0.1 * H.T @ D
        W[:] = W - 0.1 * X.T @ back

    (way,) = watched(step, (X, Y), None, None)
    assert [(one.activation, one.kept) for one in way.networks()[0].layers] == [
        ("relu", None),
        ("linear", None),
    ]
    assert bp.doctor(step, X, Y).verdict == "correct"


def test_samples_of_which_nothing_is_left_speak_for_no_mask():
    V = RANDOM.normal(size=(2, 4))

    def step(X, Y):
        parts = [np.zeros(3), 0.1 * X[1] * np.array([1, 1, 0])]  # a gradient that is added up
        V[:, :3] -= parts[1] * Y[1, :, None]
        V[:, 3] -= parts[0][0] + Y[0]

    (way,) = watched(step, (X[:, :3], Y), None, None)
    assert way.networks() == []
