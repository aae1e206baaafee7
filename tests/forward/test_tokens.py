import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpass.forward.tokens import MAX_DEPTH, quote, tokenize
from backpass.language.errors import NotationError


def texts(source: str) -> list[str]:
    return [token.text for token in tokenize(source)]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("W₂", "W2"),
        ("W₁₂", "W12"),
        ("W₍₂₎", "W2"),
        ("a⁽²⁾", "a2"),
        ("a^(2)", "a2"),
        ("a^( 12 )", "a12"),
        ("a_2", "a_2"),
        ("δ", "δ"),
        ("σ′", "σ′"),
        ("σ″", "σ′′"),
        ("∇C", "∇C"),
        ("∂L/∂W⁽²⁾", "dW2"),
        ("∂L / ∂b", "db"),
        ("y\u0302", "ŷ"),
        ("ŷ", "ŷ"),
    ],
)
def test_a_name_has_one_plain_spelling(written, name):
    (token,) = tokenize(written)
    assert (token.kind, token.text, token.end) == ("name", name, len(written))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("a ⊙ b ∘ c ∗ d", "a ⊙ b ⊙ c * d"),
        ("a · b ⋅ c × d ⊗ e", "a · b · c × d ⊗ e"),
        ("a − b – c ÷ d", "a - b - c / d"),
        ("a ≤ b", "a <= b"),
        ("∑ a^b", "Σ a ** b"),
        ("½ ¼", "0.5 0.25"),
        ("Wᵀ W^T W⊤ W^⊤", "W ᵀ W ᵀ W ᵀ W ᵀ"),
        ("x² x⁻¹ xⁿ", "x 2 x -1 x n"),
        ("W₂x", "W2 x"),
        ("2x1", "2 x1"),
        ("2e3x", "2e3 x"),
        ("W2.T", "W2 . T"),
        (".5 2. 2.5", ".5 2. 2.5"),
        ("a # a comment", "a"),
        ("a\u00a0+\u2009b", "a + b"),
        ("σ'(z)", "σ′ ( z )"),
        ("σ’ (z)", "σ′ ( z )"),
    ],
)
def test_signs_are_translated_on_purpose(written, plain):
    assert texts(written) == plain.split()


def test_an_arrow_updates_a_lone_name_and_compares_elsewhere():
    assert texts("W <- W") == ["W", "<-", "W"]
    assert texts("W ← W") == ["W", "<-", "W"]
    assert texts("a = 1; W <- W") == ["a", "=", "1", ";", "W", "<-", "W"]
    assert texts("m = (z <-1)") == ["m", "=", "(", "z", "<", "-", "1", ")"]


def test_lines_end_statements_but_not_inside_brackets():
    assert texts("\n\na\n\n\nb") == ["a", "\n", "b"]
    assert texts("f(a\n+ b)") == ["f", "(", "a", "+", "b", ")"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("𝐖 a", "Python reads 𝐖 as W"),
        ("xᵢ", "Python reads ᵢ as i"),
        ("ϕ(z)", "Python reads ϕ as φ"),
        ("a⁽ˡ⁾", "a layer is a number in brackets"),
        ("a2⁽³⁾", "may be a layer or a power; write a2**3"),
        ("\\sigma(z)", "LaTeX is not read"),
        ("a^{2}", "LaTeX is not read"),
        ("‖a‖²", "Σ x² for a squared norm"),
        ("'abc'", "no quoted text"),
        ("f'abc'", "no quoted text"),
        ('"abc"', "no quoted text"),
        ("W'", "a transpose is W.T"),
        ("x[1:2]", "has no colon"),
        ("lambda", "lambda is a word of Python"),
        ("Σₙ a", "sum(x, axis=0)"),
        ("Σ_n a", "sum(x, axis=0)"),
        ("∇ C(y)", "directly before the name"),
        ("∂a/∂z", "∂L/∂W2, or dW2"),
        ("a ? b", "? means nothing in a formula"),
        ("a\u200bb", "U+200B (zero width space)"),
        ("a\x1bb", "U+001B (a control character)"),
        ("0x10", "numbers are decimal"),
        ("1e999", "larger than any float"),
        ("x" + "⁹" * 99 * 4, "at most 100 characters"),
        ("a" * 101, "at most 100 characters"),
        ("(a", "never closed"),
        ("a)", ") meets no opening bracket"),
        ("(a]", "] meets ("),
        ("(a; b)", "; meets ("),
        ("a" * 20_001, "at most 20,000 characters, not 20,001"),
        ("a " * 2_001, "at most 2,000 signs"),
        ("(" * 51 + ")" * 51, "brackets are at most 50 deep"),
    ],
)
def test_what_means_nothing_is_refused_in_one_sentence(source, message):
    with pytest.raises(NotationError, match=re.escape(message)) as refusal:
        tokenize(source)
    assert "\n" not in refusal.value.message


def test_fifty_brackets_are_not_too_many():
    assert len(tokenize("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)) == 2 * MAX_DEPTH + 1


def test_a_place_is_quoted_with_its_statement():
    source = "a = 1; b  = 2 @\tc\x1b[2J; d"
    assert quote(source, 13, 15) == "b  = 2 @ c�[2J\n          ^^"
    start = len("a + " * 30)
    long = quote("a + " * 30 + "here" + " + a" * 30, start, start + 4)
    assert long.splitlines()[1].index("^") - 4 == long.index("here")
    assert max(map(len, long.splitlines())) <= 80


@given(st.text(max_size=8))
def test_no_letter_silently_becomes_another(letters):
    """Whatever is read as one name of letters is that name to Python too, and to the reader."""
    try:
        tokens = tokenize(f"a{letters}")
    except NotationError:
        return
    if len(tokens) == 1 and not re.search("[′″‴⁽₍^₀-₉]", letters):
        spelled = unicodedata.normalize("NFC", f"a{letters}").rstrip()
        assert tokens[0].text == unicodedata.normalize("NFKC", spelled).split("#")[0].rstrip()
