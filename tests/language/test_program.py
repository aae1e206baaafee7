import numpy as np
import pytest
from hypothesis import given

from backpass.language.evaluate import evaluate_step
from backpass.language.expr import Label, Read, labels
from backpass.language.notation import parse_array, parse_program, parse_step
from backpass.language.program import (
    Array,
    Program,
    Step,
    axis_labels,
    bare,
    canonical,
    relabel,
    rename_step,
    step_reads,
    step_sizes,
)
from backpass.language.shapes import size
from tests.language.terms import HERE, VALUES, runnable

ARRAYS = {name: np.array(value) for name, value in VALUES.items()}


@given(runnable())
def test_naming_the_loops_anew_changes_no_value(step):
    new = canonical(step)
    before, after = (evaluate_step(s, ARRAYS, HERE) for s in (step, new))
    np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)
    assert canonical(new) == new
    for write in new.writes:
        assert len({label.name for label in write.labels}) == len(write.labels)


def names(step: Step) -> list[str]:
    return [" ".join(label.name for label in write.labels) for write in step.writes]


def test_loops_are_called_like_their_sizes_and_the_lefts_come_first():
    shapes = {"X": (size("n"), size("k")), "W": (size("k"), size("m")), "b": (size("m"),)}
    step = parse_step("Z[p,q] = X[p,r]*W[r,q] + b[q]", shapes)
    assert names(canonical(step)) == ["n m k", "n m"]


def test_a_square_has_two_labels_and_a_number_takes_a_letter():
    square, three = (size("k"), size("k")), (size(3), size("k+1"))
    shapes = {"W": square, "X": three}
    assert names(canonical(parse_step("C[a,b] = W[a,c]*W[c,b]", shapes))) == ["k k′ k′′"]
    assert names(canonical(parse_step("D[a,b] = X[a,b]", shapes))) == ["i j"]


def test_labels_of_axes_avoid_what_is_taken():
    found = axis_labels([size("n"), size(3), size("n"), size("k+1")], taken=["i"])
    assert [label.name for label in found] == ["n", "j", "n′", "k"]


def test_a_left_is_bare_when_it_is_distinct_labels():
    i, j = Label("i", size("n")), Label("j", size("n"))
    assert bare((i, j)) == (i, j)
    assert bare(()) == ()
    assert bare((i, i)) is None
    assert bare((i + 1,)) is None


SHAPES = {
    name: parse_array(f"{name}: {sizes}").shape
    for name, sizes in {
        "A": "n k",
        "B": "n k",
        "ids": "n",
        "rows": "n",
        "C": "m k",
        "D": "m k",
    }.items()
}


def test_the_labels_missing_on_the_left_are_summed():
    (write,) = parse_step("L = 2 * A[i] for n, i<3").writes
    assert [label.name for label in write.summed] == ["n", "i"]
    (write,) = parse_step("C[ids[i],j] = A[i,k]", SHAPES).writes
    assert [label.name for label in write.summed] == ["k"]


def test_relabelling_swaps():
    (write,) = parse_step("C[i,j] = A[i,j]").writes
    i, j = write.labels
    swapped = relabel(write, {i: j, j: i})
    assert (swapped.left, swapped.term, swapped.labels) == ((j, i), Read("A", (j, i)), (j, i))


def test_renaming_reaches_both_sides():
    step = rename_step(
        parse_step("C[ids[i],0] = A[i,1]", SHAPES), {"C": "D", "ids": "rows", "A": "B"}
    )
    assert step == parse_step("D[rows[i],0] = B[i,1]", SHAPES)
    call = rename_step(parse_step("P[n,k] = softmax(Z[n,k] over k)"), {"P": "Q", "Z": "Z2"})
    assert call == parse_step("Q[n,k] = softmax(Z2[n,k] over k)")


def test_what_a_step_reads_and_which_sizes_it_mentions():
    step = parse_step("C[ids[i],j] = A[i,j]/k + B[ids[i],j]", SHAPES)
    assert [read.name for read in step_reads(step)] == ["ids", "A", "ids", "B", "ids"]
    step = parse_step("P[n] = f(Z[n,k] over k)")
    assert {str(s) for s in step_sizes(step)} == {"n", "k"}
    step = parse_step("L = A[i]/size(2*h) for i<3")
    assert {str(s) for s in step_sizes(step)} == {"3", "2*h"}
    assert labels(step.writes[0].term) == step.writes[0].labels


def test_a_program_knows_its_arrays_and_refuses_a_second_assignment():
    program = parse_program("X: n\nc: n fixed\nY[n] = X[n]*c[n]\nreturn Y", constants={"c": [1.0]})
    assert list(program.arrays) == ["X", "c", "Y"]
    assert program.arrays["Y"] == parse_array("Y: n")
    assert program.step("Y") is program.steps[0]
    with pytest.raises(KeyError):
        program.step("X")
    with pytest.raises(ValueError, match="Y is assigned twice"):
        Program((Array("Y", ()),), program.steps, ())
