"""The source of compiled steps, interpreted, beside the literal runner on random programs."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import backpass as bp
from backpass.calculus.library import FUNCTIONS
from backpass.language.evaluate import evaluate
from backpass.language.notation import parse_program
from backpass.running.compiled import backend, dividing, products
from backpass.running.compiled.program import CompiledProgram
from tests.random_losses import OPERATIONS
from tests.random_programs import RandomProgram, programs
from tests.running.compiled.interpreted import Interpreted, Together, Vector
from tests.running.random_steps import Maker

EXAMPLES = settings().max_examples
OURS = SimpleNamespace(**FUNCTIONS)


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs the source; no product is too small for BLAS."""
    monkeypatch.setattr(backend, "load", Interpreted)
    monkeypatch.setattr(backend, "Vector", Vector)
    monkeypatch.setattr(products, "SMALL", 0)


@pytest.fixture(params=[(2, False), (3, True)], ids=["two", "three, backward"])
def shared(
    interpreted: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Together:
    """Threads share every program, however small."""
    threads, backward = request.param
    together = Together(backward=backward)
    monkeypatch.setattr(backend, "threads_for", lambda _: threads)
    monkeypatch.setattr(backend, "picks_freely", lambda _: False)
    monkeypatch.setattr(backend, "together", together)
    monkeypatch.setattr(dividing, "NARROW", 0)
    return together


@pytest.mark.fuzz
@pytest.mark.usefixtures("interpreted")
@settings(max_examples=max(200, EXAMPLES))
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_source_computes_what_the_loop_nests_say(seed: int, lengths: list[int]) -> None:
    _computes(seed, lengths)


@pytest.mark.fuzz
@settings(
    max_examples=max(60, EXAMPLES),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_threads_compute_what_the_loop_nests_say(
    shared: Together, seed: int, lengths: list[int]
) -> None:
    _computes(seed, lengths)


def _computes(seed: int, lengths: list[int]) -> None:
    maker = Maker(seed, dict(zip("abc", lengths, strict=True)))
    program = maker.program()
    values: dict[str, Any] = maker.values(program)
    wanted = evaluate(program, values)
    run = CompiledProgram(program)
    found = run(values)
    for name in program.outputs:
        text = run.backend.plan()
        np.testing.assert_allclose(found[name], wanted[name], 1e-11, 1e-11, err_msg=text)
        assert found[name].shape == np.shape(wanted[name])


@pytest.mark.usefixtures("interpreted")
@settings(max_examples=60)
@given(programs(OPERATIONS))
def test_gradients_of_forward_passes_too(drawn: RandomProgram) -> None:
    _gradients(drawn)


def _gradients(drawn: RandomProgram) -> None:
    program = bp.derive(drawn.function(np, OURS), drawn.shapes).program
    values = {one.name: value for one, value in zip(program.inputs, drawn.arguments, strict=True)}
    wanted, run = evaluate(program, values), CompiledProgram(program)
    found = run(values)
    for name in program.outputs:
        text = run.backend.plan()
        np.testing.assert_allclose(found[name], wanted[name], 1e-10, 1e-11, err_msg=text)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=programs(OPERATIONS))
def test_gradients_of_forward_passes_by_threads(shared: Together, drawn: RandomProgram) -> None:
    _gradients(drawn)


def test_a_product_makes_an_update_only_as_a_whole(interpreted: None) -> None:
    text = """
    A: n k
    B: k m
    P[n,m] = A[n,k] * B[k,m]
    Q[n,j] = 2 * P[n,j] for n, j<3
    return Q
    """
    run = CompiledProgram(parse_program(text))
    A, B = np.arange(8.0).reshape(2, 4), np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(run({"A": A, "B": B})["Q"], 2 * (A @ B)[:, :3])
