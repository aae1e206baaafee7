"""Lines of source: their comments, their breaks, and that they still mean the same."""

import ast

import pytest

from backpass.running.numpy.layout import Row, broken, fitted, indented, joined, laid_out


def test_comments_stand_below_one_another_at_one_depth():
    rows = [Row("Z = X @ W", "(n, j)"), Row("A = sigmoid(Z)", "(n, j)"), Row("L = A.sum()")]
    inner = indented([Row("dZ = dA * A", "(n, j)")])
    assert laid_out([*rows, *inner]) == (
        "Z = X @ W       # (n, j)\n"
        "A = sigmoid(Z)  # (n, j)\n"
        "L = A.sum()\n"
        "    dZ = dA * A  # (n, j)\n"
    )


def test_a_comment_that_does_not_fit_stands_above():
    text = laid_out([Row(f"Z = {'x' * 78}", "(n, j)"), Row(f"Z = {'x' * 72}", "(n, j)")])
    above, long, beside = text.splitlines()
    assert above == "# (n, j)"
    assert long == f"Z = {'x' * 78}"
    assert beside.endswith("x  # (n, j)")


LONG = [
    f"def f({', '.join(f'W{l}' for l in range(60))}):",
    f'return L, {{"W": [{", ".join(f"dW{l}" for l in range(60))}], "b, c": (db, dc)}}',
    f"total = {' + '.join(f'term_{l} * (a - b)' for l in range(9))} - rest",
    f"A.append(np.sum({' - '.join(f'long_name_{l}' for l in range(12))}, axis=1)[:, None] * C)",
    f"W, b = params[{'x' * 40!r}], params[{'y' * 40!r}]",
]


@pytest.mark.parametrize("text", LONG)
def test_long_lines_are_broken_and_mean_the_same(text):
    lines = broken(text, 60)
    assert len(lines) > 2
    assert max(map(len, lines)) <= 60

    def meaning(source):
        if source.startswith("def"):
            source += "\n    pass"
        return ast.dump(ast.parse(source))

    assert meaning("\n".join(lines)) == meaning(text)


def test_a_comment_goes_above_a_line_that_is_too_long():
    assert fitted("A = X + Y  # (n, m)", 30) == ["A = X + Y  # (n, m)"]
    assert fitted("    A[i:i + 2] += X @ W  # (n, m)", 25) == [
        "    # (n, m)",
        "    A[i:i + 2] += X @ W",
    ]
    lines = fitted("    A[i:i + 2] += (X * Y) @ W + b", 28)
    assert lines == [
        "    A[i:i + 2] += (",
        "        (X * Y) @ W",
        "        + b",
        "    )",
    ]


def test_short_lines_stay_and_so_does_what_cannot_be_broken():
    assert broken("Z = X @ W + b", 20) == ["Z = X @ W + b"]
    assert broken("x" * 30, 20) == ["x" * 30]


def test_short_assignments_share_a_line():
    assert joined([("a", "[]"), ("b", "[x]")]) == [Row("a, b = [], [x]")]
    long = [("a", "x" * 40), ("b", "y" * 40)]
    assert joined(long) == [Row(f"a = {'x' * 40}"), Row(f"b = {'y' * 40}")]
    assert joined([]) == []
