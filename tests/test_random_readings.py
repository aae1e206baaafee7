"""Everything that a derivation answers, asked of random forward passes."""

from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from hypothesis import given, settings

import backpass as bp
from backpass.calculus.library import FUNCTIONS
from backpass.reading.html import styled_html
from tests.random_losses import OPERATIONS
from tests.random_programs import RandomProgram, programs

EXAMPLES = settings().max_examples
OURS = SimpleNamespace(**FUNCTIONS)
any_program = given(programs(OPERATIONS))


def derived(program: RandomProgram) -> bp.Derivation:
    return bp.derive(program.function(np, OURS), program.shapes)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, wanted in one.items():
        largest = max(1.0, np.abs(wanted).max(initial=0))
        np.testing.assert_allclose(other[name], wanted, rtol=0, atol=1e-9 * largest, err_msg=name)


@pytest.mark.fuzz
@settings(max_examples=max(60, EXAMPLES // 2))
@any_program
def test_every_reading_can_be_written(program):
    d = derived(program)
    assert [line for line in str(d).splitlines() if len(line) > 80] == []
    for name in (*d.wrt, *(step.name for step in d.program.steps)):
        assert name in d.why(name)
    for leaf in d.wrt:
        for layout in ("mixed", "numerator", "denominator"):
            assert str(d.chain(leaf, layout=layout))
    assert d.latex().count("{") == d.latex().count("}")
    assert d.markdown().startswith("#")
    assert {row.get("class") for row in fromstring(styled_html(d.passes)).iter("tr")} >= {"step"}
    assert str(d.saved)


@pytest.mark.fuzz
@settings(max_examples=max(60, EXAMPLES // 2))
@any_program
def test_the_emitted_source_stands_alone(program):
    d = derived(program)
    names: dict[str, object] = {}
    exec(d.code(), names)
    value, gradients = names["forward_backward"](*program.arguments)
    expected, wanted = d(*program.arguments)
    assert value == expected
    same(wanted, gradients)


@pytest.mark.fuzz
@settings(max_examples=max(60, EXAMPLES // 2))
@any_program
def test_other_statements_of_the_same_pass_have_the_same_gradients(program):
    d = derived(program)
    value, gradients = d(*program.arguments)
    long = d.unfused()(*program.arguments)
    assert np.isclose(long[0], value, rtol=1e-10)
    same(gradients, long[1])
    try:
        turned = d.columns()
    except bp.BackpassError:
        return  # nothing tells rows from columns
    if turned is not d:
        value, transposed = turned(*(one.T for one in program.arguments))
        same({name: one.T for name, one in gradients.items()}, transposed)


@pytest.mark.fuzz
@settings(max_examples=max(40, EXAMPLES // 4))
@any_program
def test_a_check_raises_no_false_alarm(program):
    check = derived(program).check()
    assert check, str(check)
