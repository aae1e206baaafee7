"""A number that changes with the sizes is explained by them, or refused at its line."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from backpass.forward.record import record
from backpass.forward.trials import large_worlds, small_worlds
from backpass.forward.witness import explain, meaning, whole
from backpass.language.errors import TraceError
from backpass.language.evaluate import evaluate
from backpass.language.notation_text import format_term
from backpass.language.shapes import size
from tests.forward.recording import lines, recorded, refusal

SMALL = small_worlds(["n", "k", "m"], {3, 7})
WORLDS = (*SMALL, *large_worlds(["n", "k", "m"], {3, 7}, SMALL))


@pytest.mark.parametrize(
    "polynomial",
    [
        "n",
        "2*n",
        "n+1",
        "n-1",
        "3*n+784",
        "n*k",
        "2*n*k*m",
        "n*k-k",
        "n*k+k",
        "n+k",
        "n+m-1",
        "n**2",
    ],
)
def test_a_whole_number_is_a_polynomial_in_the_sizes(polynomial):
    value = {name: [world[name] for world in WORLDS] for name in ("n", "k", "m")}
    numbers = [int(eval(polynomial, {k: v[run] for k, v in value.items()}))
               for run in range(len(WORLDS))]  # fmt: skip
    assert whole(numbers, WORLDS) == size(polynomial)
    assert meaning(numbers, WORLDS) == size(polynomial)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1 / n", "1 / n"),
        ("-1 / n", "-1 / n"),
        ("1 / (n * k)", "1 / n / k"),
        ("n / k", "n / k"),
        ("2 / n", "2 / n"),
        ("1 / (2 * n)", "1/2 / n"),
        ("0.07 / (2 * n)", "0.035 / n"),
        ("1 / (n - 1)", "1 / (n-1)"),
        ("n / (n - 1)", "n / (n-1)"),
        ("1 / (n + k)", "1 / (k+n)"),
        ("k ** 0.5", "k**(1/2)"),
        ("1 / k ** 0.5", "1 / k**(1/2)"),
        ("(2 / k) ** 0.5", "2**(1/2) / k**(1/2)"),
        ("(6 / (n + k)) ** 0.5", "6**(1/2) / (k+n)**(1/2)"),
        ("n ** 1.5", "n**(3/2)"),
        ("1 / n ** 2", "1 / n**2"),
        ("3.5 * n", "7/2 * n"),
        ("0.1", "0.1"),
        ("2 ** 0.5", "1.4142135623730951"),
    ],
)
def test_a_real_number_is_a_product_of_powers_of_sizes(code, shown):
    numbers = [float(eval(code, dict(world))) for world in WORLDS]
    term = explain(numbers, WORLDS)
    assert term is not None
    text = re.sub(r"size\((\w+)\)", r"\1", format_term(term))
    assert text.replace("size", "") == shown


@pytest.mark.parametrize(
    "code", ["2.0 ** -(n % 7)", "1 / (n * n + 1)", "n % 5 + 0.5", "3 ** 0.5 * (n % 2 + k % 3)"]
)
def test_a_number_of_no_such_form_stays_unexplained(code):
    numbers = [float(eval(code, dict(world))) for world in WORLDS]
    assert explain(numbers, WORLDS) is None or len(set(numbers)) == 1


def test_some_runs_tell_less_and_never_something_else():
    first, second, *_ = WORLDS
    assert meaning([first["n"]], [first]) == size("n")
    assert meaning([first["n"] + 1], [first]) == size(first["n"] + 1)
    assert meaning([first["n"] + 1, second["n"] + 1], [first, second]) == size("n+1")
    assert meaning([4, 4, 4], WORLDS[:3]) == size(4)


def test_what_a_forward_pass_computes_from_lengths():
    def forward(X, W):
        n, k = X.shape
        total = np.sum(X @ W) / len(X) + np.sum(X) / (n * k) + np.mean(W) * np.sqrt(k)
        total += np.sum(X * X) / np.sqrt(2 * n) + np.sum(W) * 0.003 / (2 * len(X)) + n * X[0, 0]
        total += np.sum(np.column_stack([X, np.ones((len(X), 1))])) + np.sum(np.ones(n) @ X)
        total += np.sum(np.arange(k) * X) + np.sum(np.arange(n)[:, None] * X)
        total += np.sum(np.eye(k) * (X.T @ X)) + np.sum(np.zeros_like(X) + np.full((n, k), 0.5) * X)
        total += np.sum(X.reshape(n * k)) + np.sum(X[: n - 1]) + np.sum(X[1:] - X[:-1])
        return total

    recorded(forward, "X: n k, W: k m")


def test_a_mask_is_told_by_its_diagonal():
    def forward(X):
        n, k = X.shape
        rows, columns = np.arange(n)[:, None], np.arange(k)
        masks = [rows >= columns, rows > columns, np.tri(n, k, 2), columns >= rows - 6]
        masks.append(np.eye(n, k, k=-1))
        return sum(np.sum(X**2 * mask) for mask in masks)

    told = " ".join(lines(forward, "X: n k"))
    assert all(f"[k{mask}]" in told for mask in ("<=n", "<n", "<=n+2", ">=n-6", "==n-1"))


def test_a_fixed_array_stays_and_takes_part():
    kernel = np.array([[1.0, 0.0], [0.5, -1.0]])
    program = recorded(lambda X: np.sum(X @ kernel @ X.T), "X: n 2")
    ((array, value),) = program.constants
    np.testing.assert_array_equal(value, kernel)
    assert array.shape == (size(2), size(2))


def test_what_a_mask_or_a_count_becomes_is_told_too():
    def forward(X):
        n = len(X)
        later = np.triu(np.ones((n, n)), 1) * -1e9
        weights = np.arange(1, n + 1)
        return np.sum(np.tanh(X @ X.T + later) @ X) + np.sum(weights[:, None] * X)

    told = " ".join(lines(forward, "X: n k"))
    assert "- 1000000000 * [n′>n]" in told
    assert "(index(n) + 1) * X[n,k]" in told


def test_equal_arrays_are_fixed_once_and_stay_as_they_were_used():
    def forward(X):
        total, scale = 0.0, np.array([1.0, 2.0])
        for _ in range(3):
            total = total + np.sum(X * scale + X * np.array([3.0, -1.0]))
        scale *= 2
        return total + np.sum(X**2 * scale)

    program = recorded(forward, "X: n 2")
    values = sorted(value.tolist() for _, value in program.constants)
    assert values == [[1.0, 2.0], [2.0, 4.0], [3.0, -1.0]]


def looped(X):
    total = 0
    for row in range(len(X)):
        total = total + np.sum(X[row] ** 2)
    return total


def chosen(X):
    W = np.random.default_rng().normal(size=(3, 3))
    return np.sum(X @ W)


def halved(X):
    return np.sum(X[: len(X) // 2])


@pytest.mark.parametrize(
    ("forward", "sentence", "line"),
    [
        (
            looped,
            "the operations here depend on the sizes (a loop over samples",
            "total = total + np.sum(X[row] ** 2)",
        ),
        (
            chosen,
            "an array made here changes from run to run; pass it in as an argument",
            "return np.sum(X @ W)",
        ),
        (halved, "what is picked here is no simple part", "return np.sum(X[: len(X) // 2])"),
    ],
)
def test_what_cannot_be_explained_is_refused_at_its_line(forward, sentence, line):
    with pytest.raises(TraceError) as caught:
        record(forward, "X: n 3")
    assert caught.value.message.startswith(sentence)
    assert caught.value.line == line


def test_a_double_loop_over_samples_is_refused_before_it_takes_long():
    def forward(X):
        total = 0
        for row in range(len(X)):
            for column in range(X.shape[1]):
                total = total + X[row, column]
        return total

    assert "a loop over samples" in refusal(forward, "X: n k")


def test_a_loop_over_a_fixed_length_is_written_out():
    def forward(X):
        return sum(np.sum(row**2) for row in X)

    assert len(lines(forward, "X: 3 k")) == 1
    program = recorded(forward, "X: 3 k")
    assert evaluate(program, {"X": np.ones((3, 2))})[program.outputs[0]] == 6


def test_numbers_are_exact():
    assert explain([0.1, 0.1], WORLDS[:2]) == explain([Fraction(1, 10)] * 2, WORLDS[:2])


JUMPING = ["x[::2]", "x[::-2]", "x[: len(x) // 2]", "x[len(x) // 2]", "x[:9]", "x[7:]"]


@pytest.mark.parametrize("picked", JUMPING)
def test_parts_of_an_axis_that_grow_in_jumps_are_refused(picked):
    forward = eval(f"lambda x: np.sum({picked} ** 2)", {"np": np})
    assert refusal(forward, "x: n").startswith("what is picked here is no simple part of the axis")
    assert recorded(forward, "x: 12").outputs == ("L",)


@pytest.mark.parametrize(
    ("picked", "line"),
    [
        ("x[1:]", "L = x[i+1] for i<n-1"),
        ("x[:-1]", "L = x[i] for i<n-1"),
        ("x[-2]", "L = x[(n-2)]"),
        ("x[::-1] * x", "L = x[-n′+(n-1)] * x[n′]"),
        ("(x[1:] - x[:-1]) ** 2", "L = (x[i+1] - x[i])**2 for i<n-1"),
    ],
)
def test_parts_of_an_axis_that_grow_with_it_are_taken(picked, line):
    forward = eval(f"lambda x: np.sum({picked})", {"np": np})
    assert lines(forward, "x: n") == [line]


def test_an_even_length_can_be_halved():
    def loss(x):
        return np.sum(x[: len(x) // 2] * x[::2])

    assert lines(loss, "x: 2*n") == ["L = x[n] * x[2*n] for n"]
