"""Emitted NumPy against the literal runner, on random programs and on what people write."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backpass.language.evaluate import evaluate
from backpass.running.runner import compile_numpy
from tests.running.random_steps import Maker

EXAMPLES = settings().max_examples


def compare(seed, lengths):
    """A random program, emitted and run, beside the loop nests taken literally."""
    maker = Maker(seed, lengths)
    program = maker.program()
    values = maker.values(program)
    wanted = evaluate(program, values)
    before = {name: value.copy() for name, value in values.items()}
    run = compile_numpy(program, gradients=list(program.outputs))
    _, found = run(values)
    for name, value in zip(program.outputs, found, strict=True):
        np.testing.assert_allclose(
            value, wanted[name], rtol=1e-11, atol=1e-11, err_msg=run.source.text
        )
        assert np.shape(value) == wanted[name].shape
        value = np.asarray(value)
        value += 1  # it is the caller's own, and writing to it changes nothing else
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])
    single = {k: v.astype(np.float32) if v.dtype == float else v for k, v in values.items()}
    with np.errstate(all="ignore"):
        _, found = run(single)
    kinds = [np.asarray(value).dtype for value in found]
    assert kinds == [np.float32] * len(found), run.source.text


@pytest.mark.fuzz
@settings(max_examples=max(400, EXAMPLES))
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_emitted_source_computes_what_the_loop_nests_say(seed, lengths):
    compare(seed, dict(zip("abc", lengths, strict=True)))
