"""Formulas in one line: what people write, and brackets that are never wrong."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpass.language.expr import Label, Number, Read, add, divide, multiply, power
from backpass.language.notation import parse_step, parse_term
from backpass.language.shapes import size
from backpass.reading import presentation as show
from backpass.reading.plain import Pen, plain, spell
from backpass.reading.spelling import spell_size, spell_term, spell_write

ASCII, MATH = Pen(ascii=True), Pen("math")
LABELS = [Label(name, size(name)) for name in "nkjmpu"]


@pytest.mark.parametrize(
    ("written", "unicode", "ascii"),
    [
        ("dy / x", "dy / x", "dy / x"),
        ("dy * 1 / x", "dy / x", "dy / x"),
        ("-dy * x / y**2", "−dy · x / y²", "-dy * x / y**2"),
        ("1/2 * (A[n,m] - Y[n,m])**2", "½ (A[n,m] − Y[n,m])²", "0.5 * (A[n,m] - Y[n,m])**2"),
        ("1/3 * x", "x / 3", "x / 3"),
        ("2 * x / 3", "2 x / 3", "2 * x / 3"),
        ("0.1 * x + 1e-8", "0.1 x + 1e-8", "0.1 * x + 1e-8"),
        ("1/4 + 1/3 + x", "7/12 + x", "7/12 + x"),
        ("x**(1/2)", "√x", "sqrt(x)"),
        ("x**(-1/2)", "1 / √x", "1 / sqrt(x)"),
        ("sqrt(x + 1)", "√(x + 1)", "sqrt(x + 1)"),
        ("abs(x[n])", "|x[n]|", "|x[n]|"),
        ("exp(-z[n])", "exp(−z[n])", "exp(-z[n])"),
        ("(a + b) * c", "(a + b) · c", "(a + b) * c"),
        ("a - (b - c)", "a − (b − c)", "a - (b - c)"),
        ("-(a + b)", "−(a + b)", "-(a + b)"),
        ("(-x)**2", "(−x)²", "(-x)**2"),
        ("(x**2)**n", "(x²)^n", "(x**2)**n"),
        ("x / n / n", "x / n²", "x / n**2"),
        ("1 / (n * x)", "1 / (n · x)", "1 / (n * x)"),
        ("A[n,2*p+u-1] * W[u]", "A[n,2p+u−1] · W[u]", "A[n,2*p+u-1] * W[u]"),
        ("[j <= k] * x[j]", "[j ≤ k] · x[j]", "[j <= k] * x[j]"),
        ("3.141592653589793 * x", "π x", "pi * x"),
        ("2 * 3**n", "2 · 3^n", "2 * 3**n"),
    ],
)
def test_terms_as_people_write_them(written, unicode, ascii):
    node = spell_term(parse_term(written, LABELS))
    assert (plain(node), plain(node, ASCII)) == (unicode, ascii)


@pytest.mark.parametrize(
    ("written", "sum"),
    [
        ("C[i,k] = A[i,j] * B[j,k]", "Σⱼ A[i,j] · B[j,k]"),
        ("L = 1/2 * (A[n,m] - Y[n,m])**2 / n", "½ Σₙₘ (A[n,m] − Y[n,m])² / n"),
        ("L = -Y[n,k] * log(P[n,k])", "−Σₙₖ Y[n,k] · log(P[n,k])"),
        ("s[n] = -A[n,d]", "−Σ_d A[n,d]"),
        ("s = A[a,d]", "Σ_(a, d) A[a,d]"),
        ("b[m] = dL for n, m", "n · dL"),
    ],
)
def test_sums_are_written_out(written, sum):
    (write,) = parse_step(written).writes
    assert plain(spell_write(write)) == sum


def test_every_mixture_of_products_is_bracketed():
    a, b, c = show.Name("A"), show.Name("B"), show.Name("C")
    product = show.multiplied("matrix", a, b)
    assert plain(show.multiplied("entrywise", product, c)) == "(A @ B) ⊙ C"
    assert plain(show.multiplied("matrix", a, show.multiplied("entrywise", b, c))) == "A @ (B ⊙ C)"
    assert plain(show.multiplied("scaling", show.TWO, product)) == "2 (A @ B)"
    assert plain(show.multiplied("scaling", show.Name("t"), product)) == "t · (A @ B)"
    assert plain(show.Over(product, show.Name("n"))) == "(A @ B) / n"
    assert plain(show.multiplied("matrix", a, product)) == "A @ (A @ B)"
    assert plain(show.multiplied("matrix", product, a)) == "A @ B @ A"
    assert plain(show.multiplied("matrix", product, c), MATH) == "A B C"


def test_a_sum_reaches_as_far_as_products_do():
    sum_of_a = show.Summed(("n",), show.Name("A"))
    assert plain(show.multiplied("entrywise", sum_of_a, show.Name("B"))) == "(Σₙ A) ⊙ B"
    assert plain(show.Raised(sum_of_a, show.TWO)) == "(Σₙ A)²"
    assert plain(show.Summed((), show.total(show.Name("A"), show.Name("B")))) == "Σ (A + B)"


def test_names_have_ascii_spellings():
    assert [spell(name, ASCII) for name in ("δ2", "k′", "∇C", "Zₗ₊₁", "Ω", "λ", "naïve")] == [
        "delta2", "k'", "grad_C", "Z[l+1]", "Omega", "lambda", "naive",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["n", "k+1", "n*k", "2*h-1", "n**2", "3", "-n+2"])
def test_sizes_are_formulas(text):
    assert plain(spell_size(size(text)), ASCII).replace(" ", "") == str(size(text))


# ── no bracket is missing: Python reads what was written and computes the same ───────────────

VALUES = {"x": 0.7, "y": -1.3, "z": 2.1}


def terms():
    fractions = st.fractions(min_value=-3, max_value=3, max_denominator=20)
    leaves = st.sampled_from([Read(name, ()) for name in VALUES]) | fractions.map(Number)
    return st.recursive(
        leaves,
        lambda below: st.one_of(
            st.lists(below, min_size=2, max_size=3).map(lambda parts: add(*parts)),
            st.lists(below, min_size=2, max_size=3).map(lambda parts: multiply(*parts)),
            st.tuples(below, below).map(lambda pair: divide(*pair)),
            st.tuples(below, st.sampled_from([-2, -1, 2, 3])).map(
                lambda pair: power(pair[0], Number(Fraction(pair[1])))
            ),
        ),
        max_leaves=8,
    )


def value(term):
    match term:
        case Read(name=name):
            return VALUES[name]
        case Number(value=number):
            return float(number)
    parts = term.terms if hasattr(term, "terms") else getattr(term, "factors", None)
    if parts is None:
        return value(term.base) ** value(term.exponent)
    return sum(map(value, parts)) if hasattr(term, "terms") else math.prod(map(value, parts))


@given(terms())
def test_python_reads_the_ascii_text_as_the_same_number(term):
    text = plain(spell_term(term), ASCII)
    try:
        expected = value(term)
    except (ZeroDivisionError, OverflowError):
        return
    assert eval(text, {}, VALUES) == pytest.approx(expected, rel=1e-9, abs=1e-9), text


def test_a_number_that_no_fraction_says_is_the_decimal_that_runs():
    root = Fraction(2**0.5)
    assert plain(show.scaled(1 / root, show.Name("x"))) == "0.7071067811865475 x"
    assert plain(show.scaled(Fraction(2, 3), show.Name("x"))) == "2 x / 3"
