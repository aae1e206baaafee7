"""The transpose law holds in every step, and the step that breaks it is named."""

from dataclasses import replace

import numpy as np
import pytest

import backpass as bp
from backpass.calculus.op import SCALARS
from backpass.checking.stand_ins import declared, specified
from backpass.checking.transposes import laws
from backpass.language.evaluate import evaluate
from backpass.language.expr import Apply, transform
from backpass.language.notation import parse_program
from backpass.language.program import Program
from backpass.language.shapes import bind, evaluate_size

PROGRAMS = {
    "layer": "X: n k\nW: k j\nb: j\nZ[n,j] = X[n,k] * W[k,j] + b[j]\nA[n,j] = tanh(Z[n,j])",
    "gather": "E: v d\nids: n int<v\nA[n,d] = E[ids[n],d] ** 2",
    "diagonal": "A: k k\nd[k] = A[k,k]\nB[k,k] = d[k]",
    "windows": "x: 7\nw: 3\ny[i] = x[i+j] * w[j] for i<5, j<3",
    "flatten": "A: n 3\na: 3*n\nB[n,i] = A[n,i] * a[3*n+i]",
    "mean": "X: n k\nm[k] = X[n,k] / n\nS = (X[n,k] - m[k]) ** 2",
    "unused label": "A: n m\ny: m\nL = A[n,m] - y[m]",
}


def held(program: Program, seed=0, functions=None):
    random = np.random.default_rng(seed)
    sizes = {"n": 4, "k": 3, "j": 2, "v": 5, "d": 6, "m": 7}
    values = {}
    for one in program.inputs:
        shape = tuple(evaluate_size(axis, sizes) for axis in one.shape)
        draw = random.integers(0, 5, shape) if one.kind == "int" else random.standard_normal(shape)
        values[one.name] = draw
    bound = bind((one.name, one.shape, values[one.name].shape) for one in program.inputs)
    arrays = evaluate(program, values)
    return laws(program, functions or {}, arrays, bound, random)


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_every_step_obeys(text):
    program = parse_program(text, functions=SCALARS)
    found = held(program)
    assert [law.step for law in found] == [step.name for step in program.steps]
    assert all(law.ok and law.error < 1e-8 for law in found)


def test_fused_functions_obey_forwards_and_backwards():
    d = bp.derive("L = cross_entropy(X @ W, y)", "X: n k, W: k m, y: n int<m")
    found = held(d.program)
    assert {"L", "dW", "P"} <= {law.step for law in found}
    assert all(law.ok for law in found)


def test_a_wrong_slope_is_found_in_its_step():
    d = bp.derive("A = tanh(X @ W); L = sum(A * A)", "X: n k, W: k m")

    def steep(args, y, dy):
        return (dy * (1 - y),)  # tanh′ is 1 − a²

    def wrong(node):
        if isinstance(node, Apply) and node.function.name == "tanh":
            return Apply(replace(node.function, slopes=steep), node.args)
        return None

    steps = tuple(
        replace(s, body=tuple(replace(w, term=transform(w.term, wrong)) for w in s.writes))
        for s in d.forward.steps
    )
    found = held(replace(d.forward, steps=steps))
    assert [law.step for law in found if not law.ok] == ["A"]
    assert all(law.error > 1e-2 for law in found if not law.ok)


def test_declared_functions_are_differentiated_once_more():
    d = bp.derive("L = C(g(W @ x))", "W: j k, x: k", functions="g: elementwise, C: scalar")
    functions = declared(d.program)
    found = held(specified(d.program, functions), functions=functions)
    assert all(law.ok for law in found)
    slopes = {step.name for step in d.program.steps if "g′" in str(step)}
    assert slopes  # their own slopes are g″
    assert slopes <= {law.step for law in found}


def test_a_step_whose_slope_nobody_knows_is_left_out():
    d = bp.derive("L = sum(g(x))", "x: k", functions="g: elementwise")
    functions = {"g": np.square, "g′": lambda x: 2 * x}
    found = held(specified(d.program, functions), functions=functions)
    assert {law.step for law in found} == {step.name for step in d.forward.steps}


def test_integers_and_truth_values_have_no_law():
    d = bp.derive(lambda X: np.sum(np.max(X, axis=1)), "X: n k")
    assert {law.step for law in held(d.program)} == {
        step.name for step in d.program.steps if step.target.kind == "real" and step.name != "dX"
    }
