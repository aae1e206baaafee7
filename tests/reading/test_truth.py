"""What is printed is what runs: every formula is read back by Python and computes its quantity."""

import re

import numpy as np
import pytest

from backpass.language.evaluate import evaluate, evaluate_step
from backpass.language.program import Program, Step, bare
from backpass.language.shapes import evaluate_size
from backpass.reading.component import closed, opened
from backpass.reading.plain import Pen, plain
from backpass.reading.text import rows
from tests.reading.networks import BATCH, COLUMNS, CONVOLUTION, PAIR, RESIDUAL, SHAPES, passes

NETWORKS = [
    (BATCH, "X W1 b1 W2 b2", "code"),
    (BATCH, "W1 W2", "math"),
    (COLUMNS, "a1 W2 W3", "math"),
    (COLUMNS, "a1 W2 W3", "code"),
    (PAIR, "x w1 w2", "math"),
    (RESIDUAL, "X W1 g b W2", "code"),
    (SHAPES, "A B s", "code"),
    (CONVOLUTION, "X W", "code"),
]
SIZES = {"n": 5, "k": 3, "j": 4, "m": 2, "p": 4, "u": 3}


def values(both):
    """Every array of the two passes, on random inputs."""
    random = np.random.default_rng(0)
    given = {}
    for one in both.forward.inputs:
        shape = [evaluate_size(axis, SIZES) for axis in one.shape]
        if one.kind == "int":
            given[one.name] = random.integers(0, evaluate_size(one.below, SIZES), shape)
        else:
            given[one.name] = random.normal(size=shape)
    program = Program(both.forward.inputs, (*both.forward.steps, *both.backward), both.wrt)
    return evaluate(program, given)


def summed(text):
    """`Sum_n A * B` as a call; a sum reaches as far as products do."""
    found = re.search(r"Sum\S* ", text)
    if found is None:
        return text
    depth, end = 0, len(text)
    for place in range(found.end(), len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth < 0 or (not depth and re.match(r" [-+/] ", text[place:])):
            end = place
            break
    return f"{text[: found.start()]}Sum({summed(text[found.end() : end])}){summed(text[end:])}"


def namespace(arrays, target, dialect):
    """What the text may name; in mathematics a vector is a column."""
    known = {
        name: value[:, None] if dialect == "math" and np.ndim(value) == 1 else value
        for name, value in arrays.items()
    }

    def total(value):
        axes = [axis for axis, size in enumerate(np.shape(value)) if size not in target]
        return np.sum(value, axis=tuple(axes) if target else None)

    functions = {
        "Sum": total,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sqrt": np.sqrt,
        "outer": np.outer,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
        "beside": lambda a, b: np.concatenate([a, b], axis=-1),
        "onehot": lambda y: np.eye(SIZES["m"])[y],
        "reshape": lambda a, *shape: a.reshape(shape),
        "cross_entropy": lambda z, y: np.mean(
            np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, y[:, None], -1)[:, 0]
        ),
    }
    return SIZES | functions | known


def computed(text, arrays, target, dialect):
    text = re.sub(r"\[(\w+) \| (\w+)\]", r"beside(\1, \2)", text)
    text = re.sub(
        r"(?<![\w\])])\[([^\[\]]*?(?:\[[^\]]*\])?[^\[\]]* [<>=!]+ [^\[\]]*)\]", r"(\1)", text
    )
    return eval(summed(text), {"__builtins__": {}}, namespace(arrays, target, dialect))


@pytest.mark.parametrize(("text", "wrt", "dialect"), NETWORKS)
def test_every_printed_line_computes_its_quantity(text, wrt, dialect):
    both = passes(text, wrt, dialect)
    arrays = values(both)
    pen = Pen(dialect, ascii=True)
    tried = 0
    for step in (*both.forward.steps, *both.backward):
        found = rows(both, step, pen)
        if found[0].left != step.name:
            continue  # in components; what the literal runner takes is held to notation elsewhere
        (row,) = found
        expected = arrays[step.name]
        value = computed(row.right, arrays, expected.shape, dialect)
        shown = np.broadcast_to(np.reshape(value, np.shape(value)), np.shape(value))
        if dialect == "math" and expected.ndim == 1:
            shown = np.reshape(shown, expected.shape)
        np.testing.assert_allclose(np.broadcast_to(shown, expected.shape), expected, atol=1e-12)
        tried += 1
    assert tried > 3


@pytest.mark.parametrize(("text", "wrt", "dialect"), NETWORKS)
def test_a_gradient_with_everything_put_in_is_the_gradient(text, wrt, dialect):
    both = passes(text, wrt, dialect)
    arrays = values(both)
    for name in both.wrt:
        step = both.step(both.adjoints[name])
        write = opened(both, step)
        if write is None:
            assert len(step.writes) != 1 or bare(step.writes[0].left) is None
            continue
        value = evaluate_step(Step(step.target, (write,)), arrays, SIZES)
        np.testing.assert_allclose(value, arrays[step.name], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "wrt"), [(BATCH, "W1 b1 W2"), (COLUMNS, "a1 W2 W3"), (PAIR, "w1")]
)
def test_a_closed_formula_is_the_gradient(text, wrt):
    both = passes(text, wrt, "math")
    arrays = values(both)
    for name in both.wrt:
        expected = arrays[both.adjoints[name]]
        formula = plain(closed(both, name), Pen("math", ascii=True)).partition(" = ")[2]
        value = computed(formula, arrays, expected.shape, "math")
        np.testing.assert_allclose(np.reshape(value, expected.shape), expected, atol=1e-12)
