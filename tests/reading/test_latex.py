"""Formulas as LaTeX: what TeX draws needs no brackets, what it does not draw does."""

import re

import pytest

from backpass.language.expr import Label
from backpass.language.notation import parse_term
from backpass.language.shapes import size
from backpass.reading import presentation as show
from backpass.reading.document import derivation_latex, derivation_markdown, explanation_markdown
from backpass.reading.latex import latex, symbol
from backpass.reading.spelling import spell_term
from backpass.reading.typeset import Type
from backpass.reading.why import explain
from tests.reading.networks import BATCH, COLUMNS, PAIR, RESIDUAL, passes

LABELS = [Label(name, size(name)) for name in "nkjm"]


@pytest.mark.parametrize(
    ("name", "set"),
    [
        ("A1", "A_1"),
        ("W12", "W_{12}"),
        ("W_out", r"W_{\mathrm{out}}"),
        ("N_1", "N_1"),
        ("k′", "k'"),
        ("delta2", r"\delta_2"),
        ("δ2", r"\delta_2"),
        ("λ", r"\lambda"),
        ("hidden1", r"\mathrm{hidden}_1"),
        ("my_long_name", r"\mathrm{my\_long\_name}"),
        ("∇C", r"\nabla C"),
    ],
)
def test_names_as_mathematics(name, set):
    assert symbol(name) == set


@pytest.mark.parametrize(
    ("written", "set"),
    [
        ("dy / x", r"\frac{dy}{x}".replace("dy", r"\mathrm{dy}")),
        ("1/2 * (A2[n,m] - Y[n,m])**2", r"\tfrac{1}{2} (A_{2,nm} - Y_{nm})^2"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("abs(x[n])", r"\left|x_n\right|"),
        ("exp(-z[n])", r"\exp(-z_n)"),
        ("log(a / b)", r"\log\left(\frac{a}{b}\right)"),
        ("(a + b) * c", "(a + b) c"),
        ("(-x)**2", "(-x)^2"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a / b)**2", r"\left(\frac{a}{b}\right)^2"),
        ("x * 1e-8", r"10^{-8} x"),
        ("1.5e-9 * x", r"1.5 \cdot 10^{-9} x"),
        ("0.1 * x", "0.1 x"),
        ("2 * 3**n", r"2 \cdot 3^n"),
        ("[j <= k] * x[j]", r"[j \le k] x_j"),
        ("sigmoid(z) * g(z)", r"\sigma(z) g(z)"),
    ],
)
def test_terms_as_mathematics(written, set):
    assert latex(spell_term(parse_term(written, LABELS))) == set


def test_matrices():
    a, b, v = show.Name("A"), show.Name("dB"), show.Name("v")
    gradients = {"dB": "B"}
    fraction, bar = Type("L", gradients), Type("L", gradients, "bar")
    product = show.multiplied("matrix", show.Transposed(a), b)
    assert latex(product, fraction) == r"A^\top \, \frac{\partial L}{\partial B}"
    assert latex(product, bar) == r"A^\top \bar{B}"
    turned = show.Transposed(b)
    assert latex(turned, fraction) == r"\left(\frac{\partial L}{\partial B}\right)^\top"
    entry = show.Entry(b, (show.Name("n"), show.Name("m")))
    assert latex(entry, fraction) == r"\frac{\partial L}{\partial B_{nm}}"
    assert latex(entry, bar) == r"\bar{B}_{nm}"
    mixed = show.multiplied("entrywise", show.multiplied("matrix", a, b), v)
    assert latex(mixed, bar) == r"(A \bar{B}) \odot v"
    assert latex(show.Copied(v, (True, False))) == r"v \, \mathbf{1}^\top"
    assert latex(show.Copied(v, (False, True))) == r"\mathbf{1} \, v^\top"
    beside = show.Blocks((a, show.ONE), beside=True)
    assert latex(beside) == r"\begin{bmatrix} A & \mathbf{1} \end{bmatrix}"


def test_a_derivation_is_one_aligned_display():
    assert (
        derivation_latex(passes(BATCH, "W2 b2"), gradients="bar")
        == r"""\begin{aligned}
  &\textbf{forward} \\
  Z_1 &= X W_1 + \mathbf{1} \, b_1^\top && \in \mathbb{R}^{n \times j} \\
  A_1 &= \sigma(Z_1) && \in \mathbb{R}^{n \times j} \\
  Z_2 &= A_1 W_2 + \mathbf{1} \, b_2^\top && \in \mathbb{R}^{n \times m} \\
  A_2 &= \sigma(Z_2) && \in \mathbb{R}^{n \times m} \\
  L &= \tfrac{1}{2} \sum (A_2 - Y)^2 && \in \mathbb{R} \\
  &\textbf{backward} \\
  \bar{A}_2 &= A_2 - Y && \in \mathbb{R}^{n \times m} \\
  \bar{Z}_2 &= \bar{A}_2 \odot A_2 \odot (1 - A_2) && \in \mathbb{R}^{n \times m} \\
  \bar{W}_2 &= A_1^\top \bar{Z}_2 && \in \mathbb{R}^{j \times m} \\
  \bar{b}_2 &= \sum_{n} \bar{Z}_2 && \in \mathbb{R}^{m}
\end{aligned}"""
    )


EVERY = [
    (BATCH, "W1 b1 W2 b2", "code"),
    (COLUMNS, "W2 W3", "math"),
    (PAIR, "w1 w2", "math"),
    (RESIDUAL, "X W1 g b W2", "code"),
]


@pytest.mark.parametrize(("text", "wrt", "dialect"), EVERY)
def test_braces_and_brackets_close(text, wrt, dialect):
    both = passes(text, wrt, dialect)
    told = [explanation_markdown(both, explain(both, step.name)) for step in both.backward]
    for written in [derivation_latex(both), derivation_markdown(both), *told]:
        assert written.count("{") == written.count("}")
        assert written.count(r"\left") == written.count(r"\right")
        assert written.count("$") % 2 == 0
        assert re.sub(r"[ -~\n½Σᵀ⊙⊗·→←×−—]", "", written) == ""


def test_a_document_gives_each_backward_line_its_reason():
    text = derivation_markdown(passes(COLUMNS, "W3", "math"))
    parts = text.split("\n\n")
    assert parts[0] == "# The gradient of $L$"
    assert parts[1].startswith(r"Given $a_1 \in \mathbb{R}^{2}$, $y \in")
    assert parts[1].endswith(r"; wanted $\frac{\partial L}{\partial W_3}$.")
    assert parts[2] == "## Forward pass"
    assert r"z_2 &= W_2 a_1 && \in \mathbb{R}^{3} \\" in parts[3].splitlines()
    assert parts[4] == "## Backward pass"
    assert r"&= \frac{\partial L}{\partial z_3} \, a_2^\top && \in" in parts[-2]
    assert parts[-1] == (
        "Each entry of $W_3$ joins one entry of $a_2$ to one of $z_3$: nothing is summed.\n"
    )
