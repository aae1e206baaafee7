"""Recurrent networks are told by their numbers, and mistakes in going back in time are named."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.recurrent.explained import account
from backpass.doctor.recurrent.rows import RIGHT
from backpass.doctor.recurrent.seen import recurrent
from backpass.doctor.recurrent.through_time import taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.watched import watched
from tests.doctor.mutants import load
from tests.doctor.test_infer import loops

RANDOM = np.random.default_rng(0)
STEPS = RANDOM.normal(size=(6, 3)), np.eye(4)[[0, 1, 2, 3, 0, 1]]
BATCH = RANDOM.normal(size=(7, 5, 3)), RANDOM.normal(size=(7, 2))


TEXT = [0, 3, 1, 5, 2, 2, 4, 0], [3, 1, 5, 2, 2, 4, 0, 1], np.zeros((5, 1))


def subject(name, folder, *edits):
    module, lines = load(name, folder, *edits)
    if name == "recalled":
        return (module.train, *STEPS), lines
    if name == "outward":
        return (module.learn, *TEXT[:2]), lines
    if name == "spelled":
        return (module.slopes, *TEXT), lines
    return (module.Unrolled().fit_partial, *BATCH), lines


@pytest.mark.parametrize(
    ("name", "loss", "sentence"),
    [
        ("recalled", "cross-entropy, summed over samples", "3 → 5 → 4 with tanh and softmax"),
        ("unrolled", "the mean of (a − y)²", "3 → 6 → 2 with tanh and linear outputs at the last"),
    ],
)
def test_a_correct_recurrent_program_is_cleared(name, loss, sentence, tmp_path):
    given, _ = subject(name, tmp_path)
    report = bp.doctor(*given)
    assert report.verdict == "correct"
    assert report.findings == ()
    assert loss in report.loss
    assert sentence in report.network
    assert {one.verdict for one in report.tensors} == {"correct"}


@pytest.mark.parametrize("name", ["slopes", "learn"])
def test_letters_that_come_as_indices_are_told_by_their_numbers(name, tmp_path):
    module, _ = load("spelled", tmp_path)
    report = bp.doctor(getattr(module, name), *TEXT)
    assert report.verdict == "correct"
    assert "6 → 5 → 6 with tanh and softmax outputs at every step" in report.network
    assert "the loss that the code shows" in report.loss
    assert {one.path: one.verdict for one in report.tensors} == dict.fromkeys("UVuQq", "correct")
    assert ("divided by its own size" in " ".join(report.notes)) == (name == "learn")


def test_the_gradients_through_time_are_those_that_are_derived(tmp_path):
    (call, *args), _ = subject("unrolled", tmp_path)
    (way,) = watched(call, args, None, None)
    (seen, (one, _)), *_ = recurrent(way.probes)

    def loss(x, y, Wx, Wh, b, Wy, c):
        h = np.tanh(x[0] @ Wx + b)
        for step in x[1:]:
            h = np.tanh(step @ Wx + h @ Wh + b)
        return np.sum((h @ Wy + c - y) ** 2) / 2

    weights = {name: w.ravel() if name in "bc" else w for name, w in one.weights.items()}
    shapes = "x: 5 n k, y: n m, Wx: k j, Wh: j j, b: j, Wy: j m, c: m"
    wanted = bp.derive(loss, shapes, wrt=list(weights))(np.array(one.x), one.y[0], **weights)[1]
    at = taken(one, [one.out[0] - one.y[0]], Way())
    assert not seen.every
    for name, row in RIGHT.items():
        np.testing.assert_allclose(row.total(at).ravel(), wanted[name].ravel(), rtol=1e-10)


MISTAKES = [
    # the program, what is replaced, by what, the mistake, a tensor, part of the line
    ("recalled", "np.outer(draw, hs[t - 1])", "np.outer(draw, hs[t])", 60, "Whh", "dWhh +="),
    ("recalled", "Why.T @ dy + dh_next", "Why.T @ dy", 60, "Wxh", "dh ="),
    ("recalled", "(1 - hs[t] ** 2)", "(1 - hs[t - 1] ** 2)", 60, "Whh", "draw ="),
    ("recalled", "t in reversed(range(len(xs)))", "t in range(len(xs) + 0)", 60, "bh", "+ 0"),
    ("recalled", "np.outer(draw, xs[t])", "np.outer(draw, xs[t - 1])", 60, "Wxh", "xs[t - 1]"),
    ("recalled", "Whh.T @ draw", "Whh @ draw", 30, "Whh", "dh_next = Whh @"),
    ("recalled", "dWxh += np.outer", "dWxh = np.outer", 49, "Wxh", "dWxh ="),
    ("recalled", "dby += dy", "dby += 2 * dy", 4, "by", "dby +="),
    ("spelled", "np.dot(dz, states[t - 1].T)", "np.dot(dz, states[t].T)", 60, "V", "dV +="),
    ("spelled", "np.dot(V.T, dz)", "np.dot(V, dz)", 30, "V", "later = np.dot"),
    ("spelled", "(1 - states[t] * states[t])", "(1 - states[t])", 23, "V", "dz ="),
    ("spelled", "du += dz", "du += ds", 17, "u", "du +="),
    ("spelled", "dQ += np.dot", "dQ = np.dot", 44, "Q", "dQ ="),
    ("spelled", "dq += e", "dq = e", 49, "q", "dq ="),
    ("spelled", "dz = (1 - states[t] * states[t]) * ds", "dz = ds", 16, "u", "dz = ds"),
    ("spelled", "later = np.dot(V.T, dz)", "later = dz", 57, "V", "later = dz"),
    ("spelled", "np.dot(dz, x[t].T)", "np.dot(dz, x[max(t - 1, 0)].T)", 60, "U", "dU +="),
    ("outward", "d = (Q.T @ p[t]) * (1 - states[t] ** 2)", "d = Q.T @ p[t]", 16, "V", "d = Q.T"),
    ("outward", "(1 - states[k - 1] ** 2)", "(1 - states[k] ** 2)", 60, "U", "d = (V.T"),
    ("outward", "range(t, -1, -1)", "range(t, max(t - 2, -1), -1)", 60, "U", "for k in"),
    ("outward", "dU[:, letters[k]] += d", "dU[:, letters[k]] = d", 49, "U", "dU[:, letters"),
    ("outward", "    Q[...] -= 0.1 * dQ\n", "", 36, "Q", "for weight,"),
    ("unrolled", "error.sum(axis=0)", "error.sum()", 39, "self.c", "error.sum()"),
    (
        "unrolled",
        "        dH = error",
        "        self.Wy -= self.rate * dWy\n        dH = error",
        31,
        "self.Wh",
        "dH = error",
    ),
    ("unrolled", "self.H[t - 1].T @ dZ", "self.H[t].T @ dZ", 60, "self.Wh", "dWh +="),
    ("unrolled", "(1 - self.H[t] ** 2)", "(1 - self.H[t - 1] ** 2)", 60, "self.b", "dZ ="),
    ("unrolled", "            dH = dZ @ self.Wh.T\n", "", 60, "self.Wx", "dH ="),
    ("unrolled", "range(X.shape[1], 0, -1)", "range(1, X.shape[1] + 1)", 60, "self.b", "for t in"),
    ("unrolled", "dH = dZ @ self.Wh.T", "dH = dH @ self.Wh.T", 33, "self.Wh", "dH = dH"),
]


REPAIRED = {
    "np.outer(draw, hs[t])": "dWhh += np.outer(draw, hs[t - 1])",
    "Why.T @ dy": "dh = Why.T @ dy + dh_next",
    "Whh @ draw": "dh_next = Whh.T @ draw",
    "dWxh = np.outer": "dWxh += np.outer(draw, xs[t])",
    "t in range(len(xs) + 0)": "for t in reversed(range(len(xs) + 0)):",
    "dH = dH @ self.Wh.T": "dH = dZ @ self.Wh.T",
    "(1 - states[t])": "dz = (1 - states[t] ** 2) * ds",
    "np.dot(V, dz)": "later = np.dot(V.T, dz)",
}


@pytest.mark.parametrize(("name", "old", "new", "bug", "tensor", "line"), MISTAKES)
def test_a_mistake_in_going_back_in_time_is_named(name, old, new, bug, tensor, line, tmp_path):
    given, lines = subject(name, tmp_path, (old, new))
    report = bp.doctor(*given)
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert bug in (finding.bug, *finding.also)
    assert tensor in finding.tensors
    assert line in lines[finding.line - 1]
    assert finding.repaired == REPAIRED.get(new, finding.repaired)
    if finding.repaired:
        assert finding.repaired != finding.source
        assert "every update is the gradient through time times one rate" in finding.recheck
    else:
        assert finding.recheck == "This was checked in the algebra only, not in your code."
    right = [one for one in report.tensors if one.path not in finding.tensors]
    assert {one.verdict for one in right} <= {"correct"}
    assert max(map(len, str(report).splitlines())) <= 80


def test_an_update_that_was_never_made_is_written_as_the_others_are(tmp_path):
    given, _ = subject("unrolled", tmp_path, ("        self.Wh -= self.rate * dWh\n", ""))
    (finding,) = bp.doctor(*given).findings
    after = "self.Wx -= self.rate * dWx"
    assert (finding.bug, finding.source) == (36, after)
    assert finding.repaired == f"self.Wh -= self.rate * dWh   # after {after}"


def test_two_mistakes_in_one_step_back_are_told_apart(tmp_path):
    edits = ("dH = dZ @ self.Wh.T", "dH = dZ @ self.Wh"), (" * (1 - self.H[t] ** 2)", "")
    given, lines = subject("unrolled", tmp_path, *edits)
    findings = bp.doctor(*given).findings
    told = {one.bug: lines[one.line - 1].strip() for one in findings}
    assert told == {16: "dZ = dH", 30: "dH = dZ @ self.Wh"}


def test_targets_that_count_twice_are_in_every_gradient(tmp_path):
    given, lines = subject("spelled", tmp_path, ("e[following[t]] -= 1", "e[following[t]] -= 2"))
    report = bp.doctor(*given)
    (finding,) = report.findings
    assert (finding.bug, lines[finding.line - 1].strip()) == (12, "e[following[t]] -= 2")
    assert {one.verdict for one in report.tensors} == {"bug"}


def test_sums_for_states_are_seen_whatever_stands_before_the_first(tmp_path):
    sums = "(X[:, t - 2] @ self.Wx + self.H[t - 2] @ self.Wh + self.b).T @ dZ"
    given, _ = subject("unrolled", tmp_path, ("self.H[t - 1].T @ dZ", sums))
    (finding,) = bp.doctor(*given).findings
    assert (finding.bug, finding.tensor) == (26, "self.Wh")


def test_what_no_known_mistake_makes_is_unknown(tmp_path):
    given, _ = subject("unrolled", tmp_path, ("dZ.sum(axis=0)", "np.sin(dZ).sum(axis=0)"))
    report = bp.doctor(*given)
    assert report.verdict == "unknown"
    assert {one.path for one in report.tensors if one.verdict == "unknown"} == {"self.b"}
    assert "What self.b got is nothing that is known here." in report.loss


def test_a_network_without_a_past_is_none_of_these():
    call, *args = loops()
    (way,) = watched(call, args, None, None)
    assert recurrent(way.probes) == []


def test_no_account_is_given_of_updates_that_are_no_gradient(tmp_path):
    (call, *args), _ = subject("unrolled", tmp_path)
    (way,) = watched(call, args, None, None)
    (seen, runs), *_ = recurrent(way.probes)
    noise = [{path: RANDOM.normal(size=v.shape) for path, v in own.items()} for own in way.moved]
    assert account(seen, runs, noise) is None


@pytest.mark.parametrize("name", ["recalled", "unrolled", "spelled"])
def test_every_part_of_a_recurrent_program_is_named_and_its_steps_folded(name, tmp_path):
    given, _ = subject(name, tmp_path)
    listing = bp.annotate(*given)
    assert listing.share == 1
    text = str(listing)
    last = {"recalled": 6, "unrolled": 5, "spelled": 8}[name]
    assert f"→ h[1], h[2] … h[{last}] " in text or f": h[1], h[2] … h[{last}] " in text
    assert f"→ dZ[{last}], dZ[{last - 1}] … dZ[1] " in text
    assert f"(dZ[{last}]·Whᵀ), (dZ[{last - 1}]·Whᵀ) … (dZ[1]·Whᵀ)" in text
    assert "dZ[t]: dh[t] times the slope of its own step, f′(Z[t])" in text
    assert ", exactly." in listing.summary[2]
    assert max(map(len, text.splitlines())) <= 80


def test_of_a_turned_weight_it_is_said_that_it_is_turned(tmp_path):
    given, _ = subject("recalled", tmp_path)
    notes = {note.text: note.formulas for line in bp.annotate(*given).lines for note in line.notes}
    assert notes["Whh"] == ("Wh",)
    assert notes["Whh.T"] == ("Wh.T",)
    assert notes["Whh @ hs[t - 1]"] == ("0", "(h[1]·Wh), (h[2]·Wh) … (h[5]·Wh)")


def test_the_names_of_a_mistaken_way_back_are_not_those_of_the_right_one(tmp_path):
    given, _ = subject("recalled", tmp_path, ("Whh.T @ draw", "Whh @ draw"))
    listing = bp.annotate(*given)
    assert "no multiple of the gradient through time" in listing.summary[2]
    assert "(dZ[4]·Whᵀ)" not in str(listing)
    notes = {note.text: note.formulas for line in listing.lines for note in line.notes}
    assert notes["Whh @ draw"][0].startswith("Wh @ ")


@pytest.mark.parametrize(
    ("name", "shapes", "said"),
    [
        ("gated", ((6, 3), (2,)), "self.W['f'], self.W['i'], self.W['o'] make of the first"),
        ("towers", ((7, 5, 3), (7, 2)), "lower['h'] takes each state to the next"),
    ],
)
def test_of_gates_and_towers_it_is_said_what_is_read(name, shapes, said, tmp_path):
    module, _ = load(name, tmp_path)
    call = module.Gated().fit if name == "gated" else module.train
    given = [RANDOM.normal(size=shape) for shape in shapes]
    report = bp.doctor(call, *given)
    assert (report.verdict, report.findings) == ("unknown", ())
    assert said in report.network
    assert "gates as LSTM and GRU have them, are not." in report.network
    with pytest.raises(bp.BackpassError, match="One recurrent layer, h_t"):
        bp.annotate(call, *given)
