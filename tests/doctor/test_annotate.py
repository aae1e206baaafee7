"""People's own listings, read back to them: every array has a name, and the right one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.annotate import annotate
from backpass.language.errors import BackpassError
from tests.doctor.test_infer import SEEN


def said(found, text, line=None):
    """What the listing says of a sub-expression, once for all places with this text."""
    return [
        note.formulas
        for noted in found.lines
        for note in noted.notes
        if note.text == text and line in (None, noted.source.strip())
    ]


@pytest.mark.parametrize("program", SEEN, ids=lambda one: one.__name__)
def test_every_array_of_a_program_has_a_name_and_the_loss_is_told(program):
    call, *args = program()
    found = annotate(call, *args)
    assert found.share == 1
    assert "exactly" in found.summary[-1]
    assert all(len(line) <= 80 or line[:4].strip().isdigit() for line in str(found).splitlines())


class Network:
    """Weights in a list, the bias as a last column of the samples, and nothing summed by name."""

    def __init__(self, widths, alpha):
        random = np.random.default_rng(0)
        self.alpha = alpha
        self.W = [random.normal(size=(into, out)) for into, out in pairwise(widths)]

    def fit_partial(self, x, y):
        A = [x]
        for W in self.W:
            A.append(np.tanh(A[-1].dot(W)))
        D = [(A[-1] - y) * (1 - A[-1] ** 2)]
        for layer in range(len(self.W) - 1, 0, -1):
            D.append(D[-1] @ self.W[layer].T * (1 - A[layer] ** 2))
        for layer, delta in enumerate(reversed(D)):
            self.W[layer] -= self.alpha * A[layer].T @ delta


def annotated(widths=(3, 4, 5, 2)):
    X = np.column_stack([np.arange(12.0).reshape(6, 2), np.ones(6)])
    return annotate(Network(widths, 0.25).fit_partial, X, np.ones((6, 2)))


def test_lines_are_named_in_the_order_of_the_run():
    found = annotated()
    assert said(found, "A[-1].dot(W)") == [("Z1", "Z2", "Z3")]
    assert said(found, "D[-1] @ self.W[layer].T") == [("dA2", "dA1")]
    assert said(found, "D[-1] @ self.W[layer].T * (1 - A[layer] ** 2)") == [("dZ2", "dZ1")]
    assert said(found, "self.W[layer].T") == [("W3.T", "W2.T")]
    assert said(found, "1 - A[layer] ** 2") == [("tanh′(Z2)", "tanh′(Z1)")]
    assert said(found, "self.alpha * A[layer].T") == [("0.25 · X.T", "0.25 · A1.T", "0.25 · A2.T")]
    update = "self.W[layer] -= self.alpha * A[layer].T @ delta"
    assert said(found, "self.W[layer]", update) == [("W1′", "W2′", "W3′")]


def test_transposes_have_their_reason_once():
    reasons = [text for noted in annotated().lines for text in noted.reasons]
    why = [text for text in reasons if text.startswith("dA2:")]
    assert len(why) == 1
    assert "W3" in why[0]
    assert ".T" in why[0]
    assert "(dA1 likewise)" in why[0]


def test_the_summary_states_what_was_found():
    network, names, trained, bias = annotated().summary
    assert "3 → 4 → 5 → 2 with tanh, tanh, tanh" in network
    assert "Samples are rows" in network
    assert names == "W1 is self.W[0], W2 is self.W[1], W3 is self.W[2]."
    assert trained == "It descends ½Σ(a − y)² at the rate 0.25, exactly."
    assert bias.startswith("Column 3 of the samples is 1: that is a true bias of the first layer.")


def test_a_wrong_update_is_not_called_a_gradient():
    class Wrong(Network):
        def fit_partial(self, x, y):
            hidden = np.tanh(x @ self.W[0])
            out = np.tanh(hidden @ self.W[1])
            late = (out - y) * (1 - out**2)
            early = late @ self.W[1].T
            self.W[1] -= 0.1 * hidden.T @ late
            self.W[0] -= 0.1 * x.T @ early

    found = annotate(Wrong([2, 3, 1], 0.1).fit_partial, np.ones((5, 2)), np.ones((5, 1)))
    assert "no multiple of the gradient" in found.summary[-1]
    assert said(found, "late @ self.W[1].T") == [("dA1",)]
    assert said(found, "0.1 * x.T @ early") == [("(0.1 * X.T) @ dA1",)]


def test_a_number_that_agrees_by_accident_has_no_name():
    def step(W, X, y):
        P = X @ W
        biggest = P.max(axis=1, keepdims=True)
        W -= 0.1 * X.T @ (P - biggest * 0 - y)

    found = annotate(step, np.ones((3, 2)), np.ones((7, 3)), np.ones((7, 2)))
    assert said(found, "P.max(axis=1, keepdims=True)") == [("Z1.max(axis=1, keepdims=True)",)]


def test_the_listing_is_plain_data_too():
    found = annotated().to_json()
    line = next(one for one in found["lines"] if "dot" in one["source"])
    note = next(one for one in line["notes"] if one["text"] == "A[-1].dot(W)")
    assert note["is"] == ["Z1", "Z2", "Z3"]
    assert note["shapes"] == [[6, 4], [6, 5], [6, 2]]
    assert found["share"] == 1


def test_the_listing_is_a_page_that_loads_nothing_and_a_notebook_shows_it():
    found = annotated()
    page = found.html()
    assert "http" not in page.replace("http://www.w3.org", "")
    assert '<code>A[-1].dot(W)</code>: <b data-name="Z1">Z1</b>' in page
    assert "self.W[layer] -= self.alpha * A[layer].T @ delta" in page
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == str(found)
    assert "<script" not in shown["text/html"]


def test_what_people_write_is_text_on_a_page():
    def step(W, X, y):
        name = "<b>&"
        W -= 0.1 * X.T @ (X @ W - y) * (len(name) < 9)

    page = annotate(step, np.ones((3, 2)), np.ones((7, 3)), np.ones((7, 2))).html()
    assert "name = &quot;&lt;b&gt;&amp;&quot;" in page


def test_code_without_a_network_is_told_so():
    store = np.zeros(3)

    def step(X, y):
        store[...] += y

    with pytest.raises(BackpassError, match="no layer was recognised"):
        annotate(step, np.ones((3, 2)), np.ones(3))


def test_it_is_a_public_verb():
    assert bp.annotate is annotate


class Batches(Network):
    def fit(self, X, y):
        for _ in range(2):
            for start in range(0, len(X), 2):
                rows = slice(start, start + 2)
                A = np.tanh(X[rows] @ self.W[0])
                Z = A @ self.W[1]
                P = np.exp(Z - Z.max(axis=1, keepdims=True))
                P /= P.sum(axis=1, keepdims=True)
                D = (P - y[rows]) / 2
                G = A.T @ D
                self.W[0] -= self.alpha * X[rows].T @ (D @ self.W[1].T * (1 - A**2))
                self.W[1] -= self.alpha * G


def test_the_first_of_many_batches_is_read():
    found = annotate(Batches([3, 4, 2], 0.2).fit, np.ones((6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]])
    assert found.share == 1
    assert found.summary[-1].startswith("It descends cross-entropy, averaged over samples at the")
    assert said(found, "X[rows]")[0][0] == "X"
    assert said(found, "X")[0] == ("all X",)
    assert said(found, "Z.max(axis=1, keepdims=True)")[0][0] == "max Z2"
    assert said(found, "D")[0][0] == "dZ2"
