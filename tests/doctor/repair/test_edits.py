"""Small edits of a statement."""

import ast

import pytest

from backpass.doctor.repair.edits import Edit, Statement, applied

SOURCE = """\
def step(X, d):
    for _ in range(2):
        dW = 2 * (X.T @ d) / n
        db = d[:-1].mean(axis=0)
    return 1 - a
"""


def shown(line, source=SOURCE):
    return [edit.shown for edit in Statement(source, line).small()]


def test_factors_transposes_and_words_are_tried():
    assert {
        "dW = 2 * (X.T @ d)",
        "dW = X.T @ d / n",
        "dW = 2 * (X @ d) / n",
        "dW = 2 * (d.T @ X) / n",
    } <= set(shown(3))
    assert {"db = d.mean(axis=0)", "db = d[:-1].sum(axis=0)", "db = d[:-1].mean(axis=1)"} <= set(
        shown(4)
    )
    assert "return a - 1" in shown(5)


def test_a_sign_is_turned():
    assert shown(1, "W += rate * dW\n")[0] == "W -= rate * dW"
    assert "error = out - y" in shown(1, "error = y - out\n")
    assert "W = W - rate * dW" in shown(1, "W = W + rate * dW\n")


def test_a_head_of_a_loop_has_no_edits():
    assert shown(2) == []


@pytest.mark.parametrize("line", [3, 4, 5])
def test_every_edit_can_be_read_and_changes_its_line_alone(line):
    for edit in Statement(SOURCE, line).small():
        found = applied(SOURCE, [edit])
        ast.parse(found)
        assert found != SOURCE
        changed = [a != b for a, b in zip(SOURCE.splitlines(), found.splitlines(), strict=True)]
        assert changed == [number == line for number in range(1, 6)]


def test_parentheses_stay_only_where_they_are_needed():
    statement = Statement("d1 = (d2 @ W) * slope(2 * x)\n", 1)
    product = statement.at(1, 6, 12)
    assert [one.shown for one in statement.replaced(product, "d2 @ W.T")] == [
        "d1 = (d2 @ W.T) * slope(2 * x)"
    ]
    assert [one.shown for one in statement.replaced(product, "d2")] == ["d1 = d2 * slope(2 * x)"]
    inner = statement.at(1, 22, 27)
    assert [one.shown for one in statement.replaced(inner, "(x + y)")] == [
        "d1 = (d2 @ W) * slope(x + y)"
    ]


def test_characters_are_counted_not_bytes():
    statement = Statement("δ = 2 * ε  # ½\n", 1)
    assert "δ = ε  # ½" in [one.shown for one in statement.small()]


def test_edits_of_several_lines_are_made_together():
    edits = [Edit(1, 1, ("a = 1\n", "b = 2\n"), "a = 1"), Edit(3, 3, ("d = 4\n",), "d = 4")]
    assert applied("x\ny\nz\n", edits) == "a = 1\nb = 2\ny\nd = 4\n"
    assert edits[0].meets(Edit(1, 2, (), ""))
    assert not edits[0].meets(edits[1])


UPDATING = """\
def back(d):
    gradient = X.T @ d
    down = d @ W.T
    W -= rate * gradient
    return d @ W.T
"""


def test_what_has_a_name_already_is_called_by_it():
    named = [edit.shown for edit in Statement(UPDATING, 5).known_before()]
    assert named == ["return down"]


def test_what_stands_above_is_moved_to_below_the_nearest_first():
    edits = list(Statement(UPDATING, 4).later())
    shown = [edit.shown for edit in edits]
    update = "W -= rate * gradient   # before "
    assert shown == [f"{update}down = d @ W.T", f"{update}gradient = X.T @ d"]
    assert applied(UPDATING, edits[:1]).splitlines()[2:4] == [
        "    W -= rate * gradient",
        "    down = d @ W.T",
    ]
