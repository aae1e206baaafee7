"""The one rule, line by line: a read moves to the left, and its index stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.calculus import losses, reduction
from backpass.calculus.backward import depends_on, leads_to, reverse
from backpass.calculus.op import OPS, RESULT, SCALARS, steps_of
from backpass.calculus.whole import FUNCTIONS
from backpass.forward.record import record
from backpass.language.errors import NoRule
from backpass.language.expr import Bracket, Label, Read
from backpass.language.notation import parse_program
from backpass.language.notation_text import format_step
from backpass.language.program import Array, ArrayFunction, Program
from backpass.language.shapes import size

ENTERED = (losses, reduction)  # importing them enters their functions into the tables


def program(text: str) -> Program:
    return parse_program(text, functions=SCALARS, array_functions=FUNCTIONS)


def backward(text: str, wrt: str, **options) -> list[str]:
    forward = program(text)
    steps, _ = reverse(forward.steps, forward.arrays, forward.outputs[0], wrt.split(), **options)
    arrays = {**forward.arrays, **{step.name: step.target for step in steps}}
    return [format_step(step, arrays) for step in steps]


RULE = [
    # what was copied is added up, what was summed is copied
    ("X: n k\nb: k\nL = (X[n,k] + b[k])**2", "X b",
     ["db[k] = 2 * (X[n,k] + b[k])", "dX[n,k] = 2 * (X[n,k] + b[k])"]),
    ("x: n\nL = x[n]", "x", ["dx[n] = 1"]),
    ("A: n m\ny: m\nL = (A[n,m] - y[m])", "A y", ["dA[n,m] = 1", "dy[m] = -n"]),
    # a factor is the other's slope; the same array twice gets both shares
    ("x: n\ny: n\nL = x[n] * y[n]", "x y", ["dx[n] = y[n]", "dy[n] = x[n]"]),
    ("A: n n\nL = A[n,n′] * A[n′,n]", "A", ["dA[n,n′] = 2 * A[n′,n]"]),
    ("A: n n\nL = A[n,n]", "A", ["dA[n,n] = 1"]),
    # powers and quotients
    ("x: ()\ny: ()\nL = x / y", "x y", ["dx = 1 / y", "dy = -x / y**2"]),
    ("x: ()\nL = x**3", "x", ["dx = 3 * x**2"]),
    ("x: ()\ny: ()\nL = x**y", "y", ["dy = L * log(x)"]),
    # the output tells the slope where the function says so
    ("x: n\nA[n] = tanh(x[n])\nL = A[n]**2", "x",
     ["dA[n] = 2 * A[n]", "dx[n] = dA[n] * (1 - A[n]**2)"]),
    # an index moves unchanged: gather becomes scatter, stride stays stride
    ("E: v d\ny: n int<v\nG[n,d] = E[y[n],d]\nL = G[n,d]**2", "E",
     ["dG[n,d] = 2 * G[n,d]", "dE[y[n],d] = dG[n,d] for d, n"]),
    ("x: 2*n\ny: n\nL = x[2*i] * y[i] for i<n", "x", ["dx[2*n′] = y[n′]"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "steps"), RULE)
def test_the_rule(text, wrt, steps):
    found = "\n".join(backward(f"{text}\nreturn L", wrt)).splitlines()
    assert sorted(found) == sorted(steps)


def test_what_flows_in_twice_is_added():
    text = "x: n\nA[n] = x[n]**2\nL = A[n] * x[n]\nreturn L"
    assert backward(text, "x") == ["dA[n] = x[n]", "dx[n] = A[n] + 2 * dA[n] * x[n]"]


def test_a_mere_number_is_folded_into_the_lines_that_read_it():
    text = "X: n k\ns[n] = X[n,k]\nL = 1/n * s[n]\nreturn L"
    assert backward(text, "X") == ["dX[n,k] = 1 / n"]


def test_softmax_with_cross_entropy_leaves_p_minus_y():
    text = "Z: n k\ny: n int<k\nL = cross_entropy(Z[n,k], y[n] over n, k)\nreturn L"
    assert backward(text, "Z") == [
        "P[n,k] = softmax(Z[n,k] over k)",
        "dZ[n,k] = (P[n,k] - [k==y[n]]) / n",
    ]


def test_a_softmax_of_the_forward_pass_is_used_again():
    text = (
        "Z: n k\ny: n int<k\nP[n,k] = softmax(Z[n,k] over k)\n"
        "L = cross_entropy(Z[n,k], y[n] over n, k)\nreturn L"
    )
    assert backward(text, "Z") == ["dZ[n,k] = (P[n,k] - [k==y[n]]) / n"]


def test_names_that_are_taken_get_a_number():
    text = "x: n\ndx: n\nL = x[n] * dx[n]\nreturn L"
    assert backward(text, "x dx") == ["dx_2[n] = dx[n]", "ddx[n] = x[n]"]


def test_what_leads_nowhere_gets_no_step():
    forward = program("x: n\nb: n\ny: n int<3\nA[n] = x[n]**2\nB[n] = b[n]\nL = A[n]\nreturn L")
    assert depends_on(forward.steps, ["x"]) == {"x", "A", "L"}
    assert leads_to(forward.steps, "L") == {"x", "A", "L"}
    assert reverse(forward.steps, forward.arrays, "L", ["b", "y"]) == ([], {})


def test_many_directions_go_back_at_once():
    forward = program("x: n\ny[n] = x[n]**2\nreturn y")
    e = Label("e", forward.inputs[0].shape[0])
    steps, names = reverse(
        forward.steps, forward.arrays, "y", ["x"],
        seed=lambda index: Bracket("==", e, index[0]), extra=(e,), name=lambda one: f"J{one}",
    )  # fmt: skip
    assert names == {"x": "Jx"}
    assert [format_step(step) for step in steps] == ["Jx[n,n′] = 2 * [n==n′] * x[n′] for n′<n"]


def test_the_numbers_that_cancelled_are_noted():
    forward = program("x: n\nL = 1/2 * x[n]**2\nreturn L")
    steps, _ = reverse(forward.steps, forward.arrays, "L", ["x"])
    (note,) = steps[0].writes[0].notes
    assert (note.kind, [str(one) for one in note.data]) == ("cancelled", ["1/2", "2"])


def test_an_extreme_returns_its_gradient_to_one_entry():
    (pick,) = steps_of(OPS["max"], (Array("Z", (size("n"), size("k"))),), (("axis", (1,)),))[1:]
    write = pick.writes[0]
    steps, _ = reverse(
        [pick], {"Z": Array("Z", (size("n"), size("k"))), RESULT: pick.target}, RESULT, ["Z"],
        seed=lambda index: Read("v", index),
    )  # fmt: skip
    (back,) = steps[0].writes
    assert isinstance(write.term, Read)
    assert (back.left, back.term) == (write.term.index, Read("v", write.left))


def test_places_have_no_slope():
    forward = record(lambda Z, w: np.sum(w[np.argmax(Z, axis=1)] ** 2), "Z: n k, w: k").program
    steps, names = reverse(forward.steps, forward.arrays, "L", ["Z", "w"])
    assert names == {"w": "dw"}
    assert "argmax" not in "\n".join(map(format_step, steps))


def test_an_operation_without_a_rule_is_named():
    sorting = ArrayFunction("sorting")
    text = "z: n\ns[n] = sorting(z[n] over n)\nL = s[n]**2\nreturn L"
    unruly = parse_program(text, array_functions={"sorting": sorting})
    with pytest.raises(NoRule, match="sorting has no derivative"):
        reverse(unruly.steps, unruly.arrays, "L", ["z"])


def test_a_gradient_that_is_a_call_keeps_its_name_while_others_read_it():
    forward = record(lambda x, y: bp.logsumexp(x + y, axis=0), "x: n, y: n").program
    steps, _ = reverse(forward.steps, forward.arrays, "L", ["x", "y"])
    assert [format_step(step) for step in steps] == [
        "dZ[n] = softmax(Z[n] over n)",
        "dx[n] = dZ[n]",
        "dy[n] = dZ[n]",
    ]
    forward = record(lambda x: bp.logsumexp(x, axis=0), "x: n").program
    (step,), _ = reverse(forward.steps, forward.arrays, "L", ["x"])
    assert format_step(step) == "dx[n] = softmax(x[n] over n)"


@pytest.mark.parametrize(
    ("forward", "x", "slope"),
    [
        (lambda x: np.sum(np.where(x > 0, np.log(x), 0)), [-1.0, 0.0, 2.0], [0, 0, 0.5]),
        (lambda x: np.sum(np.where(x > 0, np.sqrt(x), x)), [-4.0, 0.0, 4.0], [1, 1, 0.25]),
        (lambda x: np.sum(np.where(x < 10, np.exp(x), x)), [1e3, 0.0], [1, 1]),
        (lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1)), [0.0, np.pi], [0, -1 / np.pi]),
        (lambda x: np.sum(3 * np.where(x <= 0, x, x * np.log(x))), [0.0, 1.0], [3, 3]),
    ],
)
def test_the_side_that_is_not_chosen_has_no_say(forward, x, slope):
    """Its slope may be infinite, and 0·inf would be no number."""
    d, x = bp.derive(forward, "x: n"), np.array(x)
    with np.errstate(all="ignore"):
        found = d(x)[1]["x"]
    np.testing.assert_allclose(found, slope, rtol=1e-12)


def test_a_slope_reads_what_the_forward_pass_holds():
    """σ(z) is there already, if somebody named it; a part of it would not do for the whole."""
    held = "z: k\na[k] = sigmoid(z[k])\nL = softplus(z[k])\nreturn L\n"
    assert backward(held, "z") == ["dz[k] = a[k]"]
    part = "z: 3\na: 2\na[i] = sigmoid(z[i]) for i<2\nL = softplus(z[i])\nreturn L\n"
    assert backward(part, "z") == ["dz[i] = sigmoid(z[i])"]


def test_a_root_that_is_known_tells_its_own_slope():
    held = "v: n\ny: n\nT[n] = (v[n] + 1)**(1/2)\nL = y[n]*T[n]"
    assert backward(held, "v")[-1] == "dv[n] = 1/2 * dT[n] / T[n]"
    inside = "v: n\ny: n\nL = y[n]*(v[n] + 1)**(1/2)"
    assert backward(inside, "v")[-1] == "dv[n] = 1/2 * y[n] / (v[n] + 1)**(1/2)"
