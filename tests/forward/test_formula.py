import re
from typing import Any

import numpy as np
import pytest

from backpass.forward.formula import free_names, run, targets
from backpass.forward.quantity import Misfit
from backpass.language.errors import BackpassError, NotationError, ShapeError, UnknownName


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: dict[str, Any] = {
    "sigmoid": sigmoid,
    "sigmoid′": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "relu": lambda z: np.maximum(z, 0),
    "∇C": lambda y: 2 * y,
    "where": np.where,
    "maximum": np.maximum,
    "concatenate": np.concatenate,
    "nonzero": np.nonzero,
    **{f.__name__: f for f in (np.sum, np.mean, np.max, np.reshape, np.trace, np.sqrt)},
    "outer": np.outer,
}
random = np.random.default_rng(3)
SHAPES = {"W2": (3, 2), "W3": (2, 3), "a1": (2,), "y": (2,), "eta": ()}
SHAPES |= {"X": (5, 2), "Y": (5, 4), "W": (2, 4), "b": (4,), "dz3": (2,), "z2": (3,)}
VALUES: dict[str, Any] = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
FORWARD = "z2 = W2 @ a1; a2 = relu(z2); z3 = W3 @ a2; a3 = sigmoid(z3); L = ½ Σ (a3 − y)²"


def last(text: str, **more: Any) -> Any:
    return run(text, VALUES | more, FUNCTIONS, rebind=True)[-1].value


def test_a_network_is_computed_line_by_line():
    values = {name: value for name, value in VALUES.items() if name != "z2"}
    results = run(FORWARD, values, FUNCTIONS)
    z2 = VALUES["W2"] @ VALUES["a1"]
    a3 = sigmoid(VALUES["W3"] @ np.maximum(z2, 0))
    assert [r.statement.target for r in results] == ["z2", "a2", "z3", "a3", "L"]
    assert results[-1].statement.text == "L = ½ Σ (a3 − y)²"
    np.testing.assert_allclose(results[0].value, z2)
    np.testing.assert_allclose(results[-1].value, 0.5 * ((a3 - VALUES["y"]) ** 2).sum())


def test_what_textbooks_and_what_programs_write():
    X, Y, W, b, W3, y = (VALUES[name] for name in ("X", "Y", "W", "b", "W3", "y"))
    loss = 0.5 * ((sigmoid(X @ W + b) - Y) ** 2).sum()
    for text in (
        "L = 0.5 * sum((sigmoid(X @ W + b) - Y)**2)",
        "½ Σ (σ(X W + b) − Y)²",
        "1/2 * ((σ(X·W + b) - Y)^2).sum()",
        "A = σ(X.dot(W) + b.T)\nD = A - Y\nL = sum(D ⊙ D, axis=(0, 1)) / 2",
    ):
        np.testing.assert_allclose(last(text), loss)
    a3, a2, z2 = sigmoid(random.normal(size=2)), random.normal(size=3), random.normal(size=3)
    layers = {"a3": a3, "a2": a2, "z2": z2}
    delta = (a3 - y) * a3 * (1 - a3)
    np.testing.assert_allclose(
        last("(a⁽³⁾ - y) ⊙ a^(3) ⊙ (1 - a₃) a⁽²⁾ᵀ", **layers), np.outer(delta, a2)
    )
    slope = FUNCTIONS["sigmoid′"](z2)
    np.testing.assert_allclose(
        last("[W₃ᵀ (∇C(y) ⊙ σ′(y))] ⊙ σ'(z₂) ⊗ y", **layers),
        np.outer(W3.T @ (2 * y * FUNCTIONS["sigmoid′"](y)) * slope, y),
    )
    np.testing.assert_allclose(last("W3 (1, 1, 1)ᵀ"), W3.sum(axis=1))
    np.testing.assert_allclose(last("√(yᵀ y)"), np.linalg.norm(y))


def test_functions_take_options_lists_and_rows():
    X, a1 = VALUES["X"], VALUES["a1"]
    np.testing.assert_allclose(last("X - mean(X, axis=0, keepdims=True)"), X - X.mean(axis=0))
    np.testing.assert_allclose(last("X.max(axis=-1)"), X.max(axis=-1))
    np.testing.assert_allclose(last("X.reshape(2, -1)"), X.reshape(2, 5))
    np.testing.assert_allclose(last("trace(X.T X)"), (X**2).sum())
    np.testing.assert_allclose(last("where(a1 > 0, a1, 0.1 a1)"), np.where(a1 > 0, a1, 0.1 * a1))
    np.testing.assert_allclose(last("concatenate((a1, y))").shape, (4,))
    np.testing.assert_allclose(last("a1.dot(y)"), a1 @ VALUES["y"])
    (result,) = run("relu(a1ᵀ)", VALUES, FUNCTIONS)
    assert result.row
    assert not run("sum(X, axis=0)", VALUES, FUNCTIONS)[0].row
    with pytest.raises(ShapeError, match="maximum is given a column and a row"):
        last("maximum(a1, yᵀ)")


def test_a_row_stays_a_row_under_its_name():
    first, second = run("r = a1ᵀ; r y", VALUES, FUNCTIONS)
    assert first.row
    np.testing.assert_allclose(second.value, VALUES["a1"] @ VALUES["y"])


def test_a_given_value_hides_the_function_of_its_name():
    assert last("mean (2)", mean=3.0) == 6
    assert last("x / σ", x=6, σ=2) == 3
    np.testing.assert_allclose(last("sum", sum=1.5), 1.5)
    assert last("σ (2)", σ=3) == 6
    assert last("σ = 3; σ (2)") == 6
    assert free_names("σ (x)", FUNCTIONS, given={"σ"}) == ("σ", "x")
    assert free_names("σ (x)", FUNCTIONS) == ("x",)


def test_each_statement_is_announced_before_it_runs():
    heard: list[str] = []
    with pytest.raises(UnknownName):
        run(
            "p = a1; q = p + nobody; r = q",
            VALUES,
            FUNCTIONS,
            on_statement=lambda statement: heard.append(f"{statement.index} {statement.text}"),
        )
    assert heard == ["0 p = a1", "1 q = p + nobody"]


def test_a_name_is_assigned_once_unless_rebinding_is_asked_for():
    for text in ("p = 1; p = 2", "a1 = 2"):
        with pytest.raises(NotationError, match="has a value already; use a new name"):
            run(text, VALUES, FUNCTIONS)
    assert run("p = 1; p = p + 1", VALUES, FUNCTIONS, rebind=True)[-1].value == 2


def test_an_update_replaces_a_value_where_updates_are_expected():
    text = "W2 <- W2 - eta * (z2 a1ᵀ); W2 ← 2 W2"
    with pytest.raises(NotationError, match=re.escape("W2 <- … is an update")):
        run(text, VALUES, FUNCTIONS)
    results = run(text, VALUES, FUNCTIONS, updates=True)
    step = VALUES["W2"] - VALUES["eta"] * np.outer(VALUES["z2"], VALUES["a1"])
    np.testing.assert_allclose(results[-1].value, 2 * step)
    assert [r.statement.updates for r in results] == [True, True]
    with pytest.raises(ShapeError, match="takes W2 from 3×2 to 2×3"):
        run("W2 <- W2ᵀ", VALUES, FUNCTIONS, updates=True)
    with pytest.raises(UnknownName, match="was never given"):
        run("V <- 1", VALUES, FUNCTIONS, updates=True)


def test_the_names_that_must_be_given():
    assert free_names(FORWARD, FUNCTIONS) == ("W2", "a1", "W3", "y")
    assert free_names("q = p; p = q + σ(r) + s (t)", FUNCTIONS) == ("p", "r", "s", "t")
    assert free_names("W <- W - eta dW", FUNCTIONS) == ("W", "eta", "dW")
    assert targets(FORWARD) == ("z2", "a2", "z3", "a3", "L")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("sigmod(a1)", UnknownName, "sigmod is not known; did you mean sigmoid?"),
        ("W4 a1", UnknownName, "W4 is not known; did you mean W"),
        ("a1 T", UnknownName, "T is not known; a transpose is written .T or ᵀ"),
        ("eta^(2)", UnknownName, "not known as eta2; a power is written eta**2"),
        ("W2⁻¹", NotationError, "write 1 / W2 entry by entry"),
        ("W2^-1", NotationError, "write 1 / W2 entry by entry"),
        ("9**9**9", NotationError, "no finite real number"),
        ("2^9^9^9", NotationError, "no finite real number"),
        ("1 / 0", NotationError, "no finite real number"),
        ("(a1, y)", NotationError, "commas stand between arguments"),
        ("a1.dot()", NotationError, "dot takes two arrays"),
        ("sum(a1, axis=3)", NotationError, "this cannot be computed: axis 3 is out of bounds"),
        ("reshape(a1, 7)", NotationError, "this cannot be computed: cannot reshape"),
        ("nonzero(a1)", NotationError, "nonzero(a1) is neither an array nor a number, but a tuple"),
        ("__import__('os')", NotationError, "no quoted text"),
        ("a1.__class__", NotationError, ".__class__ is not known here"),
        ("__import__(os)", UnknownName, "__import__ is not known"),
        ("eval(a1)", UnknownName, "eval is not known"),
    ],
)
def test_what_goes_wrong_is_told_in_one_sentence_about_its_line(text, kind, message):
    with pytest.raises(kind, match=re.escape(message)) as refusal:
        run(f"p = 1\n{text}", VALUES, FUNCTIONS)
    assert "\n" not in refusal.value.message
    assert str(refusal.value).splitlines()[1] == f"    {text}"
    assert set(str(refusal.value).splitlines()[2]) == {" ", "^"}


def test_an_elementwise_power_of_minus_one_is_spelled_as_in_python():
    np.testing.assert_allclose(last("W2**-1"), 1 / VALUES["W2"])
    np.testing.assert_allclose(last("eta⁻¹"), 1 / VALUES["eta"])


def test_the_product_that_fails_is_marked_in_its_statement():
    with pytest.raises(ShapeError) as refusal:
        run("q = 1; p = a1 + W3 @ dz3 + 1; r = 2", VALUES, FUNCTIONS)
    assert str(refusal.value).splitlines() == [
        "W3 @ dz3 is (2×3)(2×1): 3 meets 2; did you mean W3.T @ dz3?",
        "    p = a1 + W3 @ dz3 + 1",
        "             ^^^^^^^^",
    ]


def test_sizes_that_do_not_meet_may_get_their_names_later():
    names = {1: "1", 2: "n", 3: "k"}
    for text, message in [
        ("W3 @ dz3", "W3 @ dz3 is (n×k)(n×1): k meets n; did you mean W3.T @ dz3?"),
        ("W2 <- W2ᵀ", "an update keeps the sizes, and this takes W2 from k×n to n×k"),
        ("W2 + W3", "W2 is k×n and W3 is n×k, which do not go together entry by entry"),
    ]:
        with pytest.raises(Misfit) as refusal:
            run(text, VALUES, FUNCTIONS, updates=True)
        assert refusal.value.sentence(names.__getitem__).startswith(message)
        assert refusal.value.line is not None
        assert refusal.value.line.startswith(text)


def test_an_error_of_the_values_themselves_is_given_the_line():
    def strict(value: Any) -> Any:
        raise ShapeError("too strict")

    def own(value: Any) -> Any:
        raise ShapeError("too strict", line="somewhere else")

    with pytest.raises(BackpassError, match=re.escape("strict(a1)\n    ^^^^^^^^^^")):
        run("strict(a1)", VALUES, {"strict": strict})
    with pytest.raises(BackpassError, match="somewhere else"):
        run("own(a1)", VALUES, {"own": own})
    with pytest.raises(UnknownName, match="needs the function outer"):
        run("a1 yᵀ", VALUES, {})
    with pytest.raises(NotationError, match="too large to be computed"):
        run("f(a1)", VALUES, {"f": endless})
    with pytest.raises(NotationError, match="p is neither an array nor a number, but a list"):
        run("p", {"p": [1], "q": None}, {})


def endless(value: Any) -> Any:
    return endless(value)
