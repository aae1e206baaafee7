"""Random forward passes against JAX: the value, every gradient, and a Hessian times a vector."""

import re
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from hypothesis import given, seed, settings

import backpass as bp
from backpass.calculus.library import FUNCTIONS
from backpass.language.evaluate import evaluate
from backpass.language.notation import parse_program
from tests.random_losses import OPERATIONS
from tests.random_programs import Plain, RandomProgram, programs

EXAMPLES = settings().max_examples
PARTS = 4  # so that several processes share the work
PROGRAMS = max(500, EXAMPLES) // PARTS
OURS = SimpleNamespace(**FUNCTIONS)


@pytest.fixture(scope="module", autouse=True)
def _compiled_once(pytestconfig):
    """What JAX compiled in one process serves the others, and the next run."""
    assert pytestconfig.cache is not None
    jax.config.update("jax_compilation_cache_dir", str(pytestconfig.cache.mkdir("jax")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def tried(part: int, test: Callable[[RandomProgram], None]) -> None:
    """Run a test on the programs of one part."""
    # a fixed choice has to be another one in each part; `make fuzz` never makes one twice
    chosen = seed(part) if settings().derandomize else lambda unchanged: unchanged

    @chosen
    @settings(max_examples=PROGRAMS)
    @given(programs(OPERATIONS))
    def each(program: RandomProgram) -> None:
        test(program)

    each()


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore:Error reading persistent")  # while another process writes it
@pytest.mark.parametrize("part", range(PARTS))
def test_gradients_and_second_derivatives_agree_with_jax(part):
    tried(part, compare)


def test_every_operation_is_in_at_least_20_of_500_programs():
    drawn: list[RandomProgram] = []
    for part in range(PARTS):
        tried(part, drawn.append)
    assert len(drawn) >= 500
    seen = Counter(name for program in drawn for name in program.operations)
    assert {name: seen[name] for name in OPERATIONS if seen[name] * 500 < 20 * len(drawn)} == {}
    for program in drawn:
        assigned = re.findall(r"^ +(\w+) = ", program.source, re.MULTILINE)
        assert len(assigned) >= 6
        words = Counter(re.findall(r"\w+", program.source))
        assert max(words[name] for name in assigned) > 2, program  # once assigned, twice used


def compare(program: RandomProgram) -> None:
    """Hold one program to JAX: within rounding of the largest entry."""
    forward, shapes = program.function(np, OURS), program.shapes
    arguments = program.arguments
    d = bp.derive(forward, shapes)
    value, gradients = d(*arguments)
    assert np.isclose(value, program.function(np, Plain(np))(*arguments), rtol=1e-10)

    literal = evaluate(d.program, {one.name: one.numbers for one in program.inputs})
    for leaf, name in d.gradients.items():
        close(gradients[leaf], literal[name], f"emitted {name}")
    constants = {array.name: fixed for array, fixed in d.program.constants}
    assert parse_program(d.index(), constants=constants) == d.program, d.index()

    vectors = {name: direction(program, at) for at, name in named(program)}
    twice = bp.hvp(forward, shapes)
    v = {name: vectors[name] for name in d.wrt}
    (alone,) = v.values() if len(v) == 1 else (v,)
    products = twice(*arguments, alone)
    if len(v) == 1:
        products = dict.fromkeys(v, products)

    expected, expected_products = oracle(program, list(vectors.values()))
    for (_, name), wanted, product in zip(named(program), expected, expected_products, strict=True):
        zero = np.zeros_like(wanted)
        close(gradients.get(name, zero), wanted, f"gradient of {name}")
        close(products.get(name, zero), product, f"second derivative of {name}")


def named(program: RandomProgram) -> list[tuple[int, str]]:
    return [(at, program.inputs[at].name) for at in program.real]


def direction(program: RandomProgram, at: int) -> np.ndarray:
    return np.random.default_rng(at).normal(size=program.inputs[at].numbers.shape)


def oracle(program: RandomProgram, vectors: list[np.ndarray]) -> tuple[list, list]:
    """JAX's gradients, and their derivative along the vectors.

    Without jit every primitive is compiled once for each shape, and not every program anew.
    """
    forward = program.function(jax.numpy, Plain(jax.numpy))

    def of_reals(*reals):
        arguments = list(program.arguments)
        for at, real in zip(program.real, reals, strict=True):
            arguments[at] = real
        return forward(*map(jax.numpy.asarray, arguments))

    gradient = jax.grad(of_reals, argnums=tuple(range(len(program.real))))
    reals = tuple(jax.numpy.asarray(program.arguments[at]) for at in program.real)
    with jax.disable_jit():
        found = jax.jvp(gradient, reals, tuple(map(jax.numpy.asarray, vectors)))
    return tuple([np.asarray(one) for one in part] for part in found)


def close(found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    assert found.shape == wanted.shape, what
    largest = max(1.0, np.abs(wanted).max(initial=0))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9 * largest, err_msg=what)
