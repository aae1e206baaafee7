"""Every function that a program may apply has a spelling, and it computes the same."""

import inspect

import numpy as np
import pytest

from backpass.calculus.library import FUNCTIONS as LIBRARY
from backpass.calculus.op import SCALARS
from backpass.calculus.reduction import ARGMAX, ARGMIN
from backpass.calculus.whole import FUNCTIONS
from backpass.language.expr import Apply, Label, Read
from backpass.language.program import Array, Call, Program, Step, Write
from backpass.language.shapes import size
from backpass.running.numpy.functions import SPELLINGS
from backpass.running.runner import compile_numpy

N, K = Label("n", size("n")), Label("k", size("k"))
RANDOM = np.random.default_rng(0)
FAR = np.array([[-800.0, -40, -3, -1], [-0.5, 0.0, 0.25, 0.5], [1, 3, 40, 800.0]])
UNIT = RANDOM.uniform(0.1, 0.9, (3, 4))
DOMAINS = {name: [UNIT] for name in ("log", "log1p", "log2", "log10")}
DOMAINS |= {"exp": [FAR / 10], "expm1": [FAR / 10]}
DOMAINS |= {"bernoulli_loss": [UNIT, np.array([[0, 1, 0.5, 1]] * 3)]}
DOMAINS |= {"where": [(FAR > 0) * 1.0, FAR, UNIT]}


def arguments(function):
    """As many arrays as the function's value takes, in its domain."""
    if function.name in DOMAINS:
        return DOMAINS[function.name]
    try:
        count = function.value.nin
    except AttributeError:
        count = len(inspect.signature(function.value).parameters)
    return [FAR, UNIT, UNIT + 1][: min(count, 3)]


def check(step, arrays, wanted):
    program = Program(tuple(Array(name, (N.size, K.size)) for name in "ABC"[: len(arrays)]),
                      (step,), (step.name,))  # fmt: skip
    run = compile_numpy(program)
    values = dict(zip("ABC", arrays, strict=False))
    np.testing.assert_allclose(run(values), wanted, rtol=1e-12, atol=1e-300)
    single = {name: value.astype(np.float32) for name, value in values.items()}
    with np.errstate(over="ignore"):
        assert run(single).dtype == np.float32


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_entry_by_entry(name):
    function, arrays = SCALARS[name], arguments(SCALARS[name])
    assert name in SPELLINGS
    reads = tuple(Read(one, (N, K)) for one in "ABC"[: len(arrays)])
    write = Write((N, K), Apply(function, reads), (N, K))
    with np.errstate(all="ignore"):
        wanted = function.value(*arrays)
    check(Step(Array("Y", (N.size, K.size)), (write,)), arrays, wanted)


def test_whole_arrays_are_all_spelled():
    assert {*FUNCTIONS, ARGMAX.name, ARGMIN.name} <= set(SPELLINGS)
    assert {"softmax", "cross_entropy"} <= set(LIBRARY) & set(SPELLINGS)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("over", [(K,), (N,)])
def test_along_an_axis(name, over):
    left = (N, K) if name != "logsumexp" else tuple(a for a in (N, K) if a not in over)
    call = Call(FUNCTIONS[name], (Read("A", (N, K)),), left, over)
    wanted = FUNCTIONS[name].value(FAR, axes=tuple((N, K).index(a) for a in over))
    check(Step(Array("Y", tuple(a.size for a in left)), call), [FAR], wanted)


@pytest.mark.parametrize("name", ["cross_entropy_of_shares", "cross_entropy_of_weights"])
def test_losses(name):
    shares = UNIT / UNIT.sum(axis=1, keepdims=True)
    call = Call(FUNCTIONS[name], (Read("A", (N, K)), Read("B", (N, K))), (), (N, K))
    check(
        Step(Array("L", ()), call), [FAR, shares], FUNCTIONS[name].value(FAR, shares, axes=(0, 1))
    )


def test_integers_that_name_classes_or_places():
    labels = np.array([0, 3, 1])
    loss = Call(FUNCTIONS["cross_entropy"], (Read("A", (N, K)), Read("y", (N,))), (), (N, K))
    place = Call(ARGMAX, (Read("A", (N, K)),), (N,), (K,))
    program = Program(
        (Array("A", (N.size, K.size)), Array("y", (N.size,), "int", K.size)),
        (Step(Array("L", ()), loss), Step(Array("p", (N.size,), "int", K.size), place)),
        ("L", "p"),
    )
    loss, places = compile_numpy(program)({"A": FAR, "y": labels})
    np.testing.assert_allclose(loss, FUNCTIONS["cross_entropy"].value(FAR, labels, axes=(0, 1)))
    np.testing.assert_array_equal(places, [3, 3, 3])
