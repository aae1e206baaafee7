"""Formulas as MathML: well-formed whatever they say, cut only where a line may break."""

import re
from xml.etree.ElementTree import fromstring

import pytest

from backpass.language.expr import Label
from backpass.language.notation import parse_term
from backpass.language.shapes import size
from backpass.reading import presentation as show
from backpass.reading.mathml import displayed, line, mathml, member
from backpass.reading.spelling import spell_term
from backpass.reading.typeset import Type

LABELS = [Label(name, size(name)) for name in "nkjm"]
A, B, V = show.Name("A1"), show.Name("dB2"), show.Name("v")
MARKED = Type("L", {"dB2": "B2"}, marked=True)


def read(text):
    """All that a formula shows, in its order, and the names of its elements."""
    root = fromstring(text)
    return "".join(root.itertext()), {element.tag for element in root.iter()}


@pytest.mark.parametrize(
    ("written", "letters", "elements"),
    [
        ("dy / x", "dyx", {"mfrac"}),
        ("1/2 * (A2[n,m] - Y[n,m])**2", "12(A2,nm−Ynm)2", {"mfrac", "msup", "msub"}),
        ("sqrt(x + 1)", "x+1", {"msqrt"}),
        ("abs(x[n])", "|xn|", {"msub"}),
        ("exp(-z[n])", "exp(−zn)", {"msub"}),
        ("[j <= k] * x[j]", "[j≤k]xj", {"msub"}),
        ("sigmoid(z) * g(z)", "σ(z)g(z)", set()),
        ("x * 1.5e-9", "1.5·10−9x", {"msup"}),
    ],
)
def test_terms_show_the_same_letters_as_in_print(written, letters, elements):
    shown, tags = read(mathml(spell_term(parse_term(written, LABELS))))
    assert shown == letters
    assert tags - {"math", "mrow", "mi", "mn", "mo", "mspace"} == elements


def test_matrices_and_gradients():
    product = show.multiplied("matrix", show.Transposed(A), B)
    assert read(mathml(product, MARKED))[0] == "A1⊤∂L∂B2"
    assert read(mathml(show.Name("k′")))[0] == "k′"
    assert read(mathml(show.Blocks((A, show.ONE), beside=True)))[1] >= {"mtable", "mtd"}
    assert read(mathml(show.Copied(V, (True, False)), Type(dialect="code")))[0] == "v[:,None]"
    assert read(mathml(show.Copied(V, (True, False))))[0] == "v1⊤"
    assert read(member(A, "ℝ", "n×(k+1)"))[0] == "A1∈ℝn×(k+1)"
    assert read(mathml(show.Summed(("n", "m"), V)))[0] == "∑n,mv"


def test_an_index_and_a_power_stand_one_above_the_other():
    squared = show.Raised(A, show.TWO)
    assert mathml(squared) == "<math><msubsup><mi>A</mi><mn>1</mn><mn>2</mn></msubsup></math>"


def test_a_name_says_which_one_it_is():
    assert re.findall('data-name="(.*?)"', mathml(show.Transposed(A), MARKED)) == ["A1"]
    assert re.findall('data-name="(.*?)"', mathml(B, MARKED)) == ["dB2"]
    assert "data-name" not in mathml(A)


def test_a_line_breaks_before_its_outermost_signs():
    right = show.total(A, show.multiplied("entrywise", V, show.total(V, A)), show.negated(V))
    left, text = displayed(B, "=", right, MARKED)
    assert read(left)[0] == "∂L∂B2"
    assert [read(piece)[0] for piece in text.split("<wbr/>")] == ["=A1", "+v⊙(v+A1)", "−v"]
    assert [read(piece)[0] for piece in line("(n×k)(k×j) + j → n×j").split("<wbr/>")] == [
        "(n×k)(k×j)",
        "+j",
        "→n×j",
    ]


def test_no_name_becomes_markup():
    hostile = show.Name('<b a="1">&')
    entry = show.Entry(hostile, (show.Name("</math>"),))
    for text in (mathml(hostile, Type(marked=True)), mathml(entry), line("<i>&x")):
        shown, tags = read(text)
        assert shown
        assert not tags & {"b", "i"}
