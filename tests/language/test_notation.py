import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backpass.language.errors import BackpassError, NotationError, ShapeError, UnknownName
from backpass.language.expr import (
    Bracket,
    Function,
    Label,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    number,
    power,
)
from backpass.language.notation import (
    format_array,
    format_program,
    format_step,
    format_term,
    parse_array,
    parse_program,
    parse_step,
    parse_term,
)
from backpass.language.program import Array, ArrayFunction, Call, Program, Step, Write
from backpass.language.shapes import size
from tests.language.terms import ARRAYS, FULL, calls, runnable, steps

EXAMPLES = settings().max_examples
n, k, i, j = (Label(name, size(name)) for name in "nkij")
A, b = Read("A", (n, k)), Read("b", (k,))


@pytest.mark.fuzz
@settings(max_examples=max(200, EXAMPLES))
@given(steps() | calls())
def test_what_is_written_reads_back_as_the_same_tree(step):
    arrays = ARRAYS | {step.name: step.target}
    text = format_step(step, arrays)
    assert parse_step(text, {name: array.shape for name, array in arrays.items()}) == step, text


@pytest.mark.fuzz
@given(st.lists(runnable(), max_size=3))
def test_a_program_reads_back_as_the_same_program(found):
    steps = tuple(Step(Array(f"C{at}", s.target.shape), s.body) for at, s in enumerate(found))
    program = Program(tuple(FULL.values()), steps, ("A", *(step.name for step in steps)))
    assert parse_program(format_program(program)) == program


TEMPLATES = [
    "C[i,k] = A[i,j] * B[j,k] + b[k]",
    "C[...,i,k] = A[...,i,j] * B[...,j,k]",
    "y = -x + 2 * dy / x",
    "L = (A[n,m] - y[m]) / n",
    "L = A[n,m] / (m*n)",
    "m[n] = Z[n,am[n]]",
    "C[p] = X[2*p+u-1] * K[u] for p<h-2",
    "c[j] = [i<=j] * x[i]",
    "W′[k,j] = W[k,j] - lr * dW[k,j]",
    "D[n] = 0.01 * x[n] * index(n)",
    "P[n,k] = softmax(Z[n,k] over k)",
    "L = cross_entropy(Z[n,k], y[n] over n,k)",
    "dZ[n,j] = dA[n,j] * g′(Z[n,j])",
    "L = f(over[n], over[n] over n)",
    "L = dL for n, k<3",
    "C[i,k] = A[i,j] for i, j, k",
    "Z[i] = 0",
    "Z[i] = (0)",
]


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_template_is_written_as_it_was_read(text):
    step = parse_step(text)
    assert format_step(step) == text
    assert parse_step(text.replace(" = ", " += ")) == step


def test_top_level_signs_separate_writes_and_brackets_do_not():
    step = parse_step("L = A[n,k] - 2*b[k]")
    minus_2b = Product((number(-2), b))
    assert step.body == (Write((), A, (n, k)), Write((), minus_2b, (k,)))
    assert parse_step("L = (A[n,k] - 2*b[k])").body == (Write((), Sum((A, minus_2b)), (n, k)),)
    assert parse_step("L += A[n,k]; L += -2*b[k]") == step
    assert parse_step("L = A[n,k]\nL = - 2*b[k]") == step


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("1/2", number(0.5)),
        ("0.1", number(0.1)),
        ("1e-3", number(0.001)),
        ("-A[n,k]**2", -(A**2)),
        ("(-2)**A[n,k]", power(number(-2), A)),
        ("A[n,k] / b[k] * 3", A / b * 3),
        ("A[n,k] / (b[k]*3)", A / (3 * b)),
        ("2**b[k]**2", power(number(2), b**2)),
        ("A[n,k]**-1/2", 0.5 / A),
        ("A[n,k]**(-1/2)", power(A, number(-0.5))),
        ("[k == y[n]]", Bracket("==", k, Read("y", (n,)))),
        ("[n-1 >= k]", Bracket(">=", n - 1, k)),
        ("n", SizeTerm(size("n"))),
        ("index(n)", n),
        ("(n-1)", SizeTerm(size("n-1"))),
        ("n - 1", SizeTerm(size("n")) - 1),
        ("(2*n)**k", power(SizeTerm(size("2*n")), SizeTerm(size("k")))),
        ("X[size(n)-k]", Read("X", (SizeTerm(size("n")) - k,))),
        ("X[h-1-k]", Read("X", (SizeTerm(size("h")) - 1 - k,))),
        ("dL", Read("dL", ())),
        ("n[]", Read("n", ())),
        ("9**9**9", Power(number(9), number(9**9))),
    ],
)
def test_a_term_is_read(text, term):
    assert parse_term(text, [n, k]) == term
    assert parse_term(format_term(term, [n, k]), [n, k]) == term


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Read("dy", ()) / Read("x", ()), "dy / x"),
        (Read("x", ()) - (A - b), "x - (A[n,k] - b[k])"),
        (2 * (A + b) * A, "2 * (A[n,k] + b[k]) * A[n,k]"),
        (-(A + b), "-(A[n,k] + b[k])"),
        (A * -1 / b, "-A[n,k] / b[k]"),
        (1 / b**2, "1 / b[k]**2"),
        (A * power(A * b, number(-1)), "A[n,k] * (A[n,k] * b[k])**-1"),
        (power(A, number(0.5)), "A[n,k]**(1/2)"),
        (A / 3, "1/3 * A[n,k]"),
        (Read("X", (2 * n + k - 1,)), "X[2*n+k-1]"),
        ((SizeTerm(size("n")) - 1) * b, "((n) - 1) * b[k]"),
        (SizeTerm(size("n-1")) * b, "(n-1) * b[k]"),
        (Read("X", (SizeTerm(size("h")),)), "X[size(h)]"),
    ],
)
def test_a_term_is_written_as_people_write_it(term, text):
    assert format_term(term, [n, k]) == text


def test_a_bound_is_the_size_of_the_axis_where_the_label_stands_alone():
    shapes = {"X": (size("a"), size("b")), "W": (size("b"), size(3)), "c": (size(3),)}
    step = parse_step("Z[n,j] = X[n,k]*W[k,j] + c[j]", shapes)
    assert step.target == Array("Z", (size("a"), size(3)))
    assert [[str(label.size) for label in write.labels] for write in step.writes] == [
        ["a", "3", "b"],
        ["a", "3"],
    ]
    shapes["Xb"] = (size("a"), size("b+1"))
    step = parse_step("Xb[n,j] = X[n,j] for j<b; Xb[n,size(b)] += 1", shapes)
    assert [[str(label.size) for label in write.labels] for write in step.writes] == [
        ["a", "b"],
        ["a"],
    ]


def test_the_names_of_arrays_go_before_the_names_of_sizes():
    step = parse_step("L = n * x[i] / size(n)", {"n": (), "x": (size("n"),)})
    assert step.writes[0].term == Read("n", ()) * Read("x", (Label("i", size("n")),)) / SizeTerm(
        size("n")
    )


def test_functions_are_looked_up():
    tanh, softmax = Function("tanh", abs), ArrayFunction("softmax", sum)
    step = parse_step("y[i] = tanh(x[i])", None, {"tanh": tanh})
    assert step.writes[0].term.function is tanh
    step = parse_step("y[i] = softmax(x[i])", None, {}, {"softmax": softmax})
    assert step.body == Call(softmax, (Read("x", (i,)),), (i,), ())
    assert step.body.function is softmax


@pytest.mark.parametrize(
    "text", ["X: n k", "w: ()", "W: 3 2", "y: n int<m", "t: k+1 bool", "s: int"]
)
def test_a_declaration_reads_back(text):
    assert format_array(parse_array(text)).replace("() ", "") == text


PROGRAM = """\
X: n k
y: n int<m
W: k m
c: m fixed
Z[n,m] = X[n,k] * W[k,m] + c[m]
am: n int<m
am[n] = argmax(Z[n,m] over m)
C: 2*n m
C[i,j] = Z[i,j] for i<n
C[i+n,j] += tanh(Z[i,j])
L = C[i,j]**2 / (m*n)
return L, am"""


def test_a_program_is_written_as_it_was_read():
    program = parse_program(PROGRAM, constants={"c": [1.0]})
    assert format_program(program) == PROGRAM
    assert [array.name for array in program.inputs] == ["X", "y", "W"]
    assert program.arrays["am"] == Array("am", (size("n"),), "int", size("m"))
    assert program.outputs == ("L", "am")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("C[i,k] = A[i,j", "']' is missing at the end of the index of A"),
        ("C[i] = A[i] B[i]", "'B' does not continue what stands before it"),
        ("C[i] = A[i] *", "a name, a number or a bracket must come before the end"),
        ("C[i] = A[i] +", "a term is missing after '+'"),
        ("C[i] = ", "a term is missing after '='"),
        ("C[i]", "a step has one = between its target and its terms"),
        ("C[i] = A[i] = 3", "a step has one = between its target and its terms"),
        ("2*C = A[i]", "the left of = is a name with its index, such as C[i,k]"),
        ("C[i] = A[i]·2", "'·' is neither a name, a number nor a sign"),
        ("C[i] = x²", "'x²' is neither a name, a number nor a sign"),
        ("C[i] = [i] * A[i]", "a bracket [ ] compares two things, such as [j<=i]"),
        ("C[i] = A[i] for", "`for` is followed by bounds, such as for j<k, u<3"),
        ("C[i] = A[i] for i<1/2", "the bound of i is a size, such as n or 2*k+1"),
        ("C[i] = A[j]; D[i] = A[i]", "one step assigns C, not D as well"),
        ("C[2*i] = A[i]", "the shape of C cannot be read off this; declare it"),
        (
            "P[n] = softmax(Z[n]**2 over n)",
            "softmax takes whole arrays, each index a bare label, such as Z[n,k]",
        ),
        (
            "P[n] = 2*softmax(Z[n] over n)",
            "')' is missing before 'over' of the arguments of softmax",
        ),
        ("P[n] = softmax(Z[n] over k)", "k after `over` is no label of softmax's arrays"),
        ("C[i] = index(k)", "index(k): k is no label here; add `for k<…`"),
        (
            "C[i] = " + "(" * 60 + "1" + ")" * 60,
            "brackets nest deeper than 50; split the statement",
        ),
        (
            "C = " + "1+" * 10_000 + "1",
            "a statement has 20005 characters; the most is 20000: split it",
        ),
        ("C = 1e99999", "the number 1e99999… is too long"),
    ],
)
def test_what_cannot_be_read_is_quoted_and_mended(text, sentence):
    with pytest.raises(NotationError) as caught:
        parse_step(text)
    assert caught.value.message == sentence
    assert caught.value.line is None or caught.value.line in text


SHAPES = {"A": (size("n"), size("k")), "W1": (size("k"), size("m"))}


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("C[n] = A[n]", ShapeError, "A is n×k: it takes 2 indices, not 1"),
        ("C[n] = w1[n,k]", UnknownName, "w1 is read and nothing defines it; did you mean W1?"),
        (
            "C[i] = A[i,j]*W1[i,j]",
            ShapeError,
            "i is n elsewhere and k in W1; state its bound: `for i<…`",
        ),
        ("C[n,j] = 3", NotationError, "nothing tells how far n runs; state it: `for n<…`"),
        ("A[n] = 3", ShapeError, "A is n×k, and 1 indices stand here"),
        ("A[j,i] = W1[i,j]", ShapeError, "j is m here and n in A; state it: `for j<…`"),
        ("C = tan(3)", UnknownName, "no function is called tan; did you mean tanh?"),
        (
            "C = argmx(A[n,k] over n,k)",
            UnknownName,
            "no function is called argmx; did you mean argmax?",
        ),
    ],
)
def test_what_contradicts_the_shapes_is_named(text, error, sentence):
    functions, arrays = {"tanh": Function("tanh")}, {"argmax": ArrayFunction("argmax")}
    with pytest.raises(error) as caught:
        parse_step(text, SHAPES, functions, arrays)
    assert (caught.value.message, caught.value.line) == (sentence, text)


SIGNS = [*"+-*/()[],<=∇½′:;#\n. 0Abikyn", "**", "<=", "==", "...", "1e9", "12"]
PHRASES = ["A[i,k]", "y[n]", "C[i] = ", " for ", " over ", "return ", "index(", "size(", "tanh("]
pieces = st.sampled_from(SIGNS + PHRASES)


@pytest.mark.fuzz
@settings(max_examples=max(300, EXAMPLES))
@example("C = " + "-" * 19_000 + "1")
@example("C = " + "(((9**64)**64)**64)**64")
@example("C = " + "*".join(["A[i]"] * 3_900))
@example("C = size(" + "(n+k+m)*" * 2_000 + "1)")
@example("C = " + "9" * 19_000)
@given(st.lists(pieces, max_size=30).map("".join) | st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    begin = time.perf_counter()
    for parse in (parse_step, parse_program, parse_array, lambda text: parse_step(text, SHAPES)):
        try:
            parse(text)
        except BackpassError:
            continue
    assert time.perf_counter() - begin < 2
