import re
from collections.abc import Collection

import pytest

from backpass.forward.grammar import Scope, read_expression
from backpass.forward.syntax import (
    Call,
    Chain,
    Expression,
    Listing,
    Name,
    Negative,
    Number,
    Power,
    Transpose,
)
from backpass.forward.tokens import tokenize
from backpass.language.errors import BackpassError, NotationError, UnknownName

FUNCTIONS = {"sum", "sqrt", "sigmoid", "sigmoid′", "relu", "max", "reshape", "∇C", "log"}


def bracketed(node: Expression) -> str:
    """The tree with all its brackets; a product without a sign is written _."""
    match node:
        case Number():
            return str(node.value)
        case Name():
            return node.text
        case Chain():
            text = bracketed(node.first)
            for sign, operand in node.rest:
                text = f"({text} {sign or '_'} {bracketed(operand)})"
            return text
        case Negative():
            return f"(-{bracketed(node.operand)})"
        case Power():
            return f"({bracketed(node.base)}^{bracketed(node.exponent)})"
        case Transpose():
            return f"{bracketed(node.operand)}ᵀ"
        case Call():
            options = [f"{key}={value}" for key, value in node.options]
            return f"{node.function}({', '.join([*map(bracketed, node.arguments), *options])})"
        case Listing():
            return f"[{', '.join(map(bracketed, node.items))}]"


def read(source: str, functions: Collection[str] = FUNCTIONS, given: Collection[str] = ()) -> str:
    scope = Scope(source, functions, given)
    return bracketed(read_expression(tokenize(source), len(source), scope))


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("a @ b ⊙ c d / e · f ⊗ g", "((((((a @ b) ⊙ c) _ d) / e) · f) ⊗ g)"),
        ("(a3 - y) ⊙ a3 ⊙ (1 - a3) a2ᵀ", "((((a3 - y) ⊙ a3) ⊙ (1 - a3)) _ a2ᵀ)"),
        ("W₂ᵀ (∇C(y) ⊙ σ′(z₂))", "(W2ᵀ _ (∇C(y) ⊙ sigmoid′(z2)))"),
        ("½ Σ (a − y)²", "(0.5 _ sum(((a - y)^2)))"),
        ("Σ a ⊙ b + c", "(sum((a ⊙ b)) + c)"),
        ("-Σ a b", "(-sum((a _ b)))"),
        ("a - b - c + d", "(((a - b) - c) + d)"),
        ("-x^2", "(-(x^2))"),
        ("2^-x", "(2^(-x))"),
        ("2^x^y", "(2^(x^y))"),
        ("x²ᵀ", "(x^2)ᵀ"),
        ("xᵀ²", "(xᵀ^2)"),
        ("xⁿ", "(x^n)"),
        ("√(x + y) z", "(sqrt((x + y)) _ z)"),
        ("√2 x", "(sqrt(2) _ x)"),
        ("2(a - y)", "(2 _ (a - y))"),
        ("W (a + b)", "(W _ (a + b))"),
        ("(a)(b)", "(a _ b)"),
        ("W2 relu(z)", "(W2 _ relu(z))"),
        ("relu (z)²", "(relu(z)^2)"),
        ("η [W (a)] ⊙ b", "((η _ (W _ a)) ⊙ b)"),
        ("a < b + c", "(a < (b + c))"),
        ("W.T @ x.T", "(Wᵀ @ xᵀ)"),
        ("x.sum(axis=-1, keepdims=True)", "sum(x, axis=-1, keepdims=True)"),
        ("sum(X, axis=(0, 1))", "sum(X, axis=(0, 1))"),
        ("X.reshape(2, -1)", "reshape(X, [2, (-1)])"),
        ("a.dot(b)", "dot(a, b)"),
        ("(1, 1, 1)ᵀ", "[1, 1, 1]ᵀ"),
        ("(a,)", "[a]"),
        ("ln(x)", "log(x)"),
        ("x / σ", "(x / σ)"),
        ("+x", "x"),
    ],
)
def test_every_product_binds_equally_and_the_rest_as_in_textbooks(source, tree):
    assert read(source) == tree


def test_a_bracket_after_a_name_calls_only_what_is_a_function():
    assert read("f(a)", {"f"}) == "f(a)"
    assert read("f(a)", ()) == "(f _ a)"
    assert read("f(a)", {"f"}, given={"f"}) == "(f _ a)"
    assert read("σ(a)", {"sigmoid"}) == "sigmoid(a)"
    assert read("σ(a)", {"σ", "sigmoid"}) == "σ(a)"
    assert read("σ(a)", {"sigmoid"}, given={"σ"}) == "(σ _ a)"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "a quantity is missing at the end"),
        ("a +", "a quantity is missing at the end"),
        ("() a", "a quantity is missing before )"),
        ("a + * b", "a quantity is missing before *"),
        ("a.T = b", "one name stands left"),
        ("g(z) = z", "one name stands left"),
        ("W -= b", "an update is W <- W - …"),
        ("a, b", "a comma stands only inside brackets"),
        ("a 2", "an operator is missing before 2"),
        ("a ½", "an operator is missing before ½"),
        ("a₂²₃", "₃"),
        ("x[0]", "takes no entry"),
        ("1/2n", "write /(2 n), or /2 * n"),
        ("√x²", "use brackets"),
        ("√x^2", "use brackets"),
        ("0 < x < 1", "write two comparisons as a product"),
        ("relu", "relu is a function; write relu(…)"),
        ("relu z", "relu is a function; write relu(…)"),
        ("relu()", "relu() needs an argument"),
        ("max(z, 0)", "this is maximum(…)"),
        ("True + 2", "True stands only after"),
        ("sum(X, where=a)", "the options are axis= and keepdims="),
        ("sum(X, axis=0, axis=1)", "each once"),
        ("sum(X, axis=a)", "an axis is a whole number"),
        ("sum(X, axis=1.5)", "an axis is a whole number"),
        ("X.sun()", ".sun is not known here; did you mean sum?"),
        ("X.__class__", ".__class__ is not known here; known are .T, .mT, .sum"),
        ("X.sum", "write .sum() with brackets"),
        ("X.2", "an operator is missing before .2"),
        ("np.sum(X)", "write sum without np. before it"),
        ("2 .T", "put this number in brackets"),
        ("-" * 51 + "a", "nest at most 50 deep"),
        ("2^" * 51 + "a", "nest at most 50 deep"),
        ("√" * 51 + "a", "nest at most 50 deep"),
        ("a" + ".T" * 300, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(source, message):
    with pytest.raises(NotationError, match=re.escape(message)) as refusal:
        read(source)
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sums(X, axis=1)", "sums is no function known here; did you mean sum?"),
        ("X.trace()", "trace needs the function trace"),
    ],
)
def test_an_unknown_function_names_the_nearest_one(source, message):
    with pytest.raises(UnknownName, match=re.escape(message)):
        read(source)


def test_a_refusal_quotes_its_statement_and_marks_the_place():
    with pytest.raises(BackpassError) as refusal:
        read("z + [a b c, d] 2")
    assert str(refusal.value).splitlines() == [
        "an operator is missing before 2",
        "    z + [a b c, d] 2",
        "                   ^",
    ]


def test_brackets_fifty_deep_and_long_chains_are_read():
    assert read("(" * 50 + "a" + ")" * 50) == "a"
    assert read("(a b + " * 50 + "c" + ")" * 50).count("(") == 100
    assert read(" + ".join(["a"] * 900)).count("+") == 899
