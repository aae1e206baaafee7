import re

import pytest

from backpass.forward.statements import parse, targets
from backpass.forward.syntax import Call, Chain, Name, Statement
from backpass.language.errors import BackpassError, NotationError


def test_statements_know_their_name_text_and_kind():
    source = "\nz2 = W2 @\ta1;; W <- W - z2\n # nothing\nz2"
    first, second, third = parse(source, ())
    assert first == Statement(1, 13, 0, "z2", False, "z2 = W2 @ a1", first.body)
    assert (second.index, second.target, second.updates) == (1, "W", True)
    assert third == Statement(39, 41, 2, None, False, "z2", Name(39, 41, "z2"))
    assert source[second.start : second.end] == second.text == "W <- W - z2"


def test_targets_are_what_a_text_names():
    assert targets("a = 1; b <- a; a; a = 2\n∂L/∂W⁽²⁾ = sum(a, axis=0)") == ("a", "b", "dW2")
    assert targets("a == 1; (a)") == ()


def test_a_line_goes_on_inside_brackets():
    (statement,) = parse("L = sum(\n  a\n  + b)", {"sum"})
    assert statement.text == "L = sum( a + b)"


def test_what_a_statement_has_named_is_a_quantity_from_then_on():
    first, _, third = parse("σ(a); σ = 2; σ(a)", {"sigmoid"})
    assert isinstance(first.body, Call)
    assert isinstance(third.body, Chain)
    assert parse("sum = 2", {"sum"}, given={"sum"})[0].target == "sum"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "the formula is empty"),
        ("# only a comment", "the formula is empty"),
        ("; ;\n;", "the formula is empty"),
        ("a =", "a quantity is missing at the end"),
        ("a = b = c", "one name stands left"),
        ("2 = a", "one name stands left"),
        ("a = 1 +\nb", "a quantity is missing at the end"),
        ("sum = 2", "sum has a meaning of its own here; give the result another name"),
        ("True = 2", "True has a meaning of its own"),
        ("import os", "import is a word of Python"),
        ("lambda x: x", "lambda is a word of Python"),
    ],
)
def test_what_is_no_statement_is_refused_in_one_sentence(source, message):
    with pytest.raises(NotationError, match=re.escape(message)) as refusal:
        parse(source, {"sum"})
    assert "\n" not in refusal.value.message


def test_a_refusal_quotes_its_statement_and_marks_the_place():
    with pytest.raises(BackpassError) as refusal:
        parse("z = W a\n  q = z + [a b] 2; r = 1", ())
    assert str(refusal.value).splitlines() == [
        "an operator is missing before 2",
        "    q = z + [a b] 2",
        "                  ^",
    ]


def test_running_out_of_stack_is_a_refusal_too(monkeypatch: pytest.MonkeyPatch):
    def exhausted(source: str) -> None:
        raise RecursionError

    monkeypatch.setattr("backpass.forward.statements.tokenize", exhausted)
    with pytest.raises(NotationError, match="too deeply nested"):
        parse("a", ())
