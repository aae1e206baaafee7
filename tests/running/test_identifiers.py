"""Names of emitted source."""

import ast
import keyword

from hypothesis import given
from hypothesis import strategies as st

from backpass.running.identifiers import as_comment, assign, identifier


def test_names_are_spelled_as_they_are_spoken():
    words = ["W′", "σ1", "∇C", "Σx", "∂L", "x₁", "1st", "Ωhat", "é", "数", "a b"]
    assert [identifier(word) for word in words] == [
        "W_prime", "sigma1", "grad_C", "sum_x", "dL", "x1", "_1st", "Omegahat", "e", "_", "a_b",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=5)), st.sets(st.sampled_from(["np", "x", "dtype"])))
def test_every_name_gets_an_identifier_of_its_own(names, taken):
    words = assign(names, taken)
    assert set(words) == set(names)
    assert len(set(words.values())) == len(words)
    for word in words.values():
        assert word.isascii()
        assert word.isidentifier()
        assert not keyword.iskeyword(word)
        assert word not in {*taken, "print", "float", "match"}


@given(st.text())
def test_a_comment_holds_nothing_but_the_text(text):
    line = as_comment(text)
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert ast.parse(f"x = 1\n{line}\ny = 2").body[1].lineno == 3
