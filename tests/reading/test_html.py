"""A derivation as HTML: every printed line has its row, and nothing that a user wrote is markup."""

import re
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from backpass.language.program import Line
from backpass.reading.explanation import explanation_text
from backpass.reading.html import (
    AT_LENGTH,
    derivation_html,
    derivation_page,
    explanation_html,
    styled_html,
    type_of,
    words_html,
)
from backpass.reading.plain import UNICODE
from backpass.reading.text import derivation_text
from backpass.reading.why import explain
from backpass.reading.words import words
from tests.reading.networks import BATCH, COLUMNS, CONVOLUTION, PAIR, RESIDUAL, SHAPES, passes

EVERY = [
    (BATCH, "W1 b1 W2 b2", "code"),
    (COLUMNS, "W2 W3", "math"),
    (PAIR, "w1 w2", "math"),
    (RESIDUAL, "X W1 g b W2", "code"),
    (SHAPES, "A B s", "code"),
    (CONVOLUTION, "X W c", "code"),
]

# Five layers alike, which are folded.
DEEP = "\n".join(
    ["X: n k", *(f"W{l}: k k" for l in range(1, 6)), "A0[n,k] = X[n,k]"]
    + [f"Z{l}[n,k′] = A{l - 1}[n,k]*W{l}[k,k′]\nA{l}[n,k] = tanh(Z{l}[n,k])" for l in range(1, 6)]
    + ["L = A5[n,k]**2", "return L"]
)

# A chain of functions that is never the same twice in a row.
LONG = "\n".join(
    ["x: ()", "h0 = sin(x)"]
    + [f"h{n} = {('sin', 'cos')[n % 2]}(h{n - 1})" for n in range(1, AT_LENGTH + 1)]
    + [f"return h{AT_LENGTH}"]
)


def read(fragment):
    return fromstring(f"<main>{fragment}</main>")


def rows(root, kind):
    return [row for row in root.iter("tr") if row.get("class") == kind]


def text_of(element):
    return "".join(element.itertext())


@pytest.mark.parametrize(("text", "wrt", "dialect"), EVERY)
def test_every_line_has_its_row_and_every_reason_its_account(text, wrt, dialect):
    both = passes(text, wrt, dialect)
    root = read(derivation_html(both, fold=False))
    printed = derivation_text(both, fold=False).splitlines()
    starts = [line.split(" = ")[0].split(" += ")[0].strip()
              for line in printed if re.match(r"  \S.*? \+?= ", line)]  # fmt: skip
    labels = [row.find("th").get("aria-label") for row in rows(root, "step")]
    assert labels == starts
    reasons = rows(root, "reason")
    assert len(reasons) == len(both.backward)
    for step, row in zip(both.backward, reasons, strict=True):
        details = row.find(".//details")
        assert text_of(details.find("summary")).endswith(".")
        assert len(details) == len(explain(both, step.name))  # its title is the row itself


def test_the_tables_are_tables():
    root = read(derivation_html(passes(BATCH, "W1 b1"), level=3))
    assert [text_of(head) for head in root.iter("h3")] == ["Forward pass", "Backward pass"]
    for table in root.iter("table"):
        heads = table.findall("thead/tr/th")
        assert [(text_of(one), one.get("scope")) for one in heads] == [
            ("quantity", "col"),
            ("formula", "col"),
            ("shapes", "col"),
        ]
    first = rows(root, "step")[0]
    assert [text_of(cell) for cell in first] == ["Z1", "=XW1+b1", "(n×k)(k×j)+j→n×j"]


def test_equal_layers_are_one_group():
    both = passes(DEEP, " ".join(f"W{l}" for l in range(1, 6)))
    root = read(derivation_html(both))
    heads = [text_of(one) for one in root.iter("th") if one.get("class") == "layers"]
    assert heads == ["for l = 1 … 5", "for l = 4 … 1"]
    one_by_one = read(derivation_html(both, fold=False))
    assert len(rows(root, "step")) < len(rows(one_by_one, "step"))
    assert 'class="layers"' not in derivation_html(both, fold=False)


def test_nothing_that_a_user_wrote_is_markup():
    both = passes(PAIR, "w1 w2")
    line = Line("<i>/<b>&.py", 7, 'z1 = w1 * x  # </td><script>alert("1")</script>')
    steps = tuple(replace(step, line=line) for step in both.forward.steps)
    both = replace(both, forward=replace(both.forward, steps=steps))
    page = derivation_page(both, "# </pre><script>")
    root = read(derivation_html(both))
    assert page.count("<script>") == 1
    assert text_of(rows(root, "source")[0]).split() == [*line.text.split(), "<b>&.py:7"]
    assert len(rows(root, "source")) == 1  # said once for all steps that it makes
    assert {element.tag for element in root.iter()}.isdisjoint({"script", "b", "i"})


@pytest.mark.parametrize(("text", "wrt", "dialect"), EVERY)
def test_an_account_says_what_it_says_as_text(text, wrt, dialect):
    both = passes(text, wrt, dialect)
    for step in both.backward:
        blocks = explain(both, step.name)
        root = read(explanation_html(both, blocks))
        plain = explanation_text(blocks, UNICODE)
        for paragraph in root.iter("p"):
            start = paragraph.text.split()[:3] if paragraph.text else []
            assert " ".join(start) in " ".join(plain.split())


def test_a_sentence_has_its_gradients_in_one_line_and_keeps_its_full_stop():
    type = type_of(passes(PAIR, "w1 w2"))
    told = words_html(words("w1 < {a}, hence {mark}.", a="dw1", mark=(".T",)), type)
    assert text_of(read(told)) == "w1 < ∂y/∂w1, hence ⊤."
    assert "mfrac" not in told
    assert re.findall(r'<span class="held">.*?</span>', told)[-1].endswith("</math>.</span>")


def test_a_notebook_gets_a_small_fragment():
    short = styled_html(passes(BATCH, "W1 b1 W2 b2"))
    assert short.startswith('<div class="backpass">\n<style>')
    assert "<details>" in short
    assert "<script" not in short
    assert "data:" not in short
    assert len(short) < 70_000
    assert "<details>" not in styled_html(passes(LONG, "x"))
