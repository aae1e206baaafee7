"""Training by compiled steps, beside the NumPy back end step by step."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.language.notation import parse_program
from backpass.nn.backends import NumPy
from backpass.nn.optim import first_state, updated, with_updates
from backpass.running.compiled import backend, memory
from backpass.running.compiled.backend import Compiled
from backpass.running.epoch import Answers, Drawn, Epoch, Stepping

NEAR = {"float32": 1e-5, "float64": 1e-12}


@dataclass
class Job:
    """A network's step, compiled, and something to train it on."""

    stepping: Stepping
    compiled: Compiled
    arrays: dict[str, Any]
    numbers: dict[str, Any]
    samples: dict[str, Any]

    def run(
        self, by: Any, batch: int = 8, order: Any = None, **options: Any
    ) -> tuple[Epoch, dict[str, Any]]:
        arrays = {name: values.copy() for name, values in self.arrays.items()}
        order = np.random.default_rng(1).permutation(27) if order is None else order
        found = by.epoch(self.samples, order, batch, arrays, self.numbers, **options)
        return found, arrays


def job(net: Any, axis: int = 0) -> Job:
    derivation = net.derivation()
    shown = derivation.loss, net.architecture.output(derivation)
    program = with_updates(derivation.program, derivation.gradients, net.optimizer, shown)
    random, width = np.random.default_rng(0), net.architecture.outputs
    classes = net.architecture.loss.targets == "classes"
    X = random.standard_normal((27, net.architecture.inputs)).astype(net.dtype)
    y = random.integers(0, width, 27) if classes else random.random((27, width)).astype(net.dtype)
    samples = {"X": X if axis == 0 else np.ascontiguousarray(X.T)}
    samples["y"] = y if classes or axis == 0 else np.ascontiguousarray(y.T)
    stepping = Stepping(
        program,
        tuple(updated(net.optimizer, derivation.gradients)),
        {"X": axis, "y": 0 if classes else axis},
        tuple(net.optimizer.numbers),
        answers=Answers("largest", axis),
    )
    arrays = {**net.weights, **first_state(net.optimizer, net.weights, net.dtype)}
    numbers = {name: np.asarray(one, net.dtype) for name, one in net.optimizer.numbers.items()}
    return Job(stepping, Compiled(stepping), arrays, numbers, samples)


@cache
def plain() -> Job:
    """Rows, softmax, SGD, float32: shared, because compiling takes a moment."""
    layers = [bp.Dense(9, "relu"), bp.Dense(4)]
    return job(bp.Network(layers, inputs=13, optimizer=bp.SGD(0.3)))


@cache
def rich() -> Job:
    """Columns, an augmented bias, squares, Adam, float64."""
    net = bp.Network(
        [bp.Dense(9, "tanh"), bp.Dense(7, "sigmoid"), bp.Dense(3)], 13, "½ Σ (output − target)²",
        bp.Adam(0.01), "augmented", convention="columns", dtype="float64",
    )  # fmt: skip
    return job(net, axis=1)


@pytest.mark.parametrize("make", [plain, rich])
def test_steps_agree_with_numpy(make: Any) -> None:
    one = make()
    found, arrays = one.run(one.compiled)
    wanted, expected = one.run(NumPy(one.stepping))
    near = NEAR[str(found.losses.dtype)]
    assert found.done == wanted.done == 4  # 27 samples in batches of 8: the last holds 3
    assert (found.finite, found.right) == (wanted.finite, wanted.right)
    np.testing.assert_allclose(found.losses, wanted.losses, near)
    for name, values in expected.items():
        np.testing.assert_allclose(arrays[name], values, 4 * near, 4 * near, err_msg=name)


def test_the_same_bits_again() -> None:
    one = plain()
    (first, arrays), (again, others) = (one.run(one.compiled) for _ in range(2))
    assert first.losses.tobytes() == again.losses.tobytes()
    assert all(arrays[name].tobytes() == others[name].tobytes() for name in arrays)


@pytest.mark.parametrize("make", [plain, rich])
def test_threads_share_a_step(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make()
    wanted, expected = one.run(one.compiled)
    monkeypatch.setattr(backend, "threads_for", lambda _: 2)
    shared = Compiled(one.stepping)
    (found, arrays), (again, others) = one.run(shared), one.run(shared)
    assert "2 threads" in shared.plan()
    near = NEAR[str(found.losses.dtype)]
    assert (found.right, found.done) == (wanted.right, wanted.done)
    np.testing.assert_allclose(found.losses, wanted.losses, near)
    assert found.losses.tobytes() == again.losses.tobytes()
    for name, values in expected.items():
        np.testing.assert_allclose(arrays[name], values, 4 * near, 4 * near, err_msg=name)
        assert arrays[name].tobytes() == others[name].tobytes()


def test_arrays_may_lie_anyhow() -> None:
    one = plain()
    wanted = one.run(one.compiled)[0].losses
    turned = {name: np.asfortranarray(values) for name, values in one.arrays.items()}
    strided = {**one.samples, "X": np.repeat(one.samples["X"], 2, axis=1)[:, ::2]}
    other = Job(one.stepping, one.compiled, turned, one.numbers, strided)
    np.testing.assert_array_equal(other.run(one.compiled)[0].losses, wanted)


def test_a_loss_that_breaks_changes_nothing() -> None:
    one = plain()
    X = one.samples["X"].copy()
    order = np.random.default_rng(1).permutation(27)
    X[order[9]] = np.nan  # in the second batch
    arrays = {name: values.copy() for name, values in one.arrays.items()}
    found = one.compiled.epoch({**one.samples, "X": X}, order, 8, arrays, one.numbers)
    assert (found.done, found.finite, len(found.losses)) == (1, False, 2)
    assert all(np.isfinite(values).all() for values in arrays.values())


def test_a_number_may_change_from_step_to_step() -> None:
    one = plain()
    rates = {"lr": np.array([0.3, 0.2, 0.1, 0.0], np.float32)}
    other = Job(one.stepping, one.compiled, one.arrays, rates, one.samples)
    found, arrays = other.run(one.compiled)
    wanted, expected = other.run(NumPy(one.stepping))
    np.testing.assert_allclose(found.losses, wanted.losses, 1e-5)
    np.testing.assert_allclose(arrays["W1"], expected["W1"], 4e-5, 4e-5)


def test_wrong_samples_are_refused() -> None:
    one = plain()
    order = np.arange(27)
    labels = {**one.samples, "y": one.samples["y"] + 1}
    with pytest.raises(BackpassError, match="its integers run from 0 to 3"):
        one.compiled.epoch(labels, order, 8, dict(one.arrays), one.numbers)
    with pytest.raises(BackpassError, match="is not among the 27"):
        one.compiled.epoch(one.samples, order + 1, 8, dict(one.arrays), one.numbers)


PLAN = """
compiled in float32, 1 thread; a step is, in this order
  matmul Z1[n,i] = X[n,j] * W1[j,i]
  loop   over n: Z1, A1, Z2, L, P, dZ2, dW2, db2, dA1, dZ1, db1, top_Z2, exp_Z2,
"""


def test_the_plan_says_what_is_fast_and_what_is_not() -> None:
    one = plain()
    one.run(one.compiled)
    text = one.compiled.plan()
    assert text.startswith(PLAN.strip())
    assert "\n  matmul W1[j,i] += -lr * X[n,j] * dZ1[n,i], in its place\n" in text
    assert "\n  stop   if L is not finite\n" in text
    assert "no fast form" not in text
    assert "\nno fast form, one call for each entry: power\n" in rich().compiled.plan()
    assert "\nno matrix product, summed in loops: Z2, dW2, dA1\n" in text  # 9×4 is too small
    assert max(map(len, text.splitlines())) <= 80


MASKED = """
X: 6 n
M: 6 n
w: 6
A[k,n] = X[k,n] * M[k,n]
z[n] = A[k,n] * w[k]
L = z[n]**2
u[k] = w[k] + 0.001 * A[k,n] * z[n]
return L, A, u
"""


def test_masks_are_drawn_as_numpy_draws_them() -> None:
    program = parse_program(MASKED)
    stepping = Stepping(program, ("w",), {"X": 1}, (), {"M": Drawn(3, 0.7, 1)})
    X = np.random.default_rng(0).standard_normal((6, 40))
    found: list[Any] = []
    for one in (Compiled(stepping), NumPy(stepping)):
        arrays = {"w": np.ones(6)}
        for seed, first in ((0, 0), (2**63 + 11, 1000)):
            epoch = one.epoch({"X": X}, np.arange(37), 8, arrays, {}, seed=seed, first=first)
            found.append((epoch.losses, arrays["w"].copy()))
    for (losses, w), (wanted, other) in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(losses, wanted, 1e-12)
        np.testing.assert_allclose(w, other, 1e-12)


class Guarded:
    """NumPy and `buffers` whose arrays have a margin on either side, which `check` compares."""

    MARGIN, MARK = 4096, 0xAB

    def __init__(self) -> None:
        self.given: list[tuple[Any, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        kind = np.dtype(dtype)
        count = int(np.prod(shape)) * kind.itemsize
        whole = np.full(count + 2 * self.MARGIN, self.MARK, np.uint8)
        self.given.append((whole, count))
        return whole[self.MARGIN : self.MARGIN + count].view(kind).reshape(shape)

    def buffers(self, wanted: Any) -> list[Any]:
        return [self.empty(shape, dtype) for shape, dtype in wanted]

    def check(self) -> None:
        for whole, count in self.given:
            assert (whole[: self.MARGIN] == self.MARK).all()
            assert (whole[self.MARGIN + count :] == self.MARK).all()


@pytest.mark.parametrize("make", [plain, rich])
def test_nothing_is_written_beside_the_buffers(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded, one = Guarded(), make()
    monkeypatch.setattr(backend, "np", guarded)
    monkeypatch.setattr(memory, "buffers", guarded.buffers)
    for batch in (27, 5, 8):
        one.run(one.compiled, batch)
    assert len(guarded.given) > 20
    guarded.check()


def test_samples_may_be_read_only_and_weights_one_array() -> None:
    one = plain()
    wanted = one.run(one.compiled)
    fixed = {name: values.copy() for name, values in one.samples.items()}
    for values in fixed.values():
        values.flags.writeable = False
    other = Job(one.stepping, one.compiled, one.arrays, one.numbers, fixed)
    np.testing.assert_array_equal(other.run(one.compiled)[0].losses, wanted[0].losses)
    program = parse_program("X: n 2\nu: 2\nv: 2\nz[n] = X[n,k] * u[k] * v[k]\nL = z[n]**2\n"
                            "p[k] = u[k] + 1\nq[k] = v[k] + 2\nreturn L, z, p, q")  # fmt: skip
    both = np.zeros(2)
    arrays = {"u": both, "v": both}
    Compiled(Stepping(program, ("u", "v"), {"X": 0}, ())).epoch(
        {"X": np.ones((3, 2))}, np.arange(3), 3, arrays, {}
    )
    assert (arrays["u"].tolist(), arrays["v"].tolist()) == ([1, 1], [2, 2])


@pytest.mark.parametrize("make", [plain, rich])
def test_batches_that_lie_one_behind_another_are_taken_where_they_lie(make: Any) -> None:
    one = make()
    near = NEAR[str(one.samples["X"].dtype)]
    for order in (np.arange(27), np.arange(4, 21), np.arange(27)[::-1], np.arange(0)):
        found, wanted = (one.run(by, order=order)[0] for by in (one.compiled, NumPy(one.stepping)))
        np.testing.assert_allclose(found.losses, wanted.losses, near)
        assert found.right == wanted.right


def test_weights_and_buffers_begin_on_cache_lines() -> None:
    one = plain()
    _, arrays = one.run(one.compiled)
    again = one.compiled.epoch(one.samples, np.arange(27), 8, arrays, one.numbers)
    assert again.finite
    found = memory.buffers([((3,), "f4"), ((5, 7), "f8"), ((), "?")])
    assert [values.shape for values in found] == [(3,), (5, 7), ()]
    for values in (*arrays.values(), *found):
        assert memory.address(values) % memory.LINE == 0


def test_arrays_that_are_known_may_change_and_others_may_follow() -> None:
    one = plain()
    samples = {**one.samples, "X": one.samples["X"].copy()}
    fresh = Job(one.stepping, Compiled(one.stepping), one.arrays, one.numbers, samples)
    fresh.run(fresh.compiled)
    samples["X"] *= 2
    for by in (fresh.compiled, one.compiled):
        arrays = {name: values.copy() for name, values in one.arrays.items()}
        for _ in range(2):
            found = by.epoch(samples, np.arange(27), 8, arrays, one.numbers)
        wanted = NumPy(one.stepping).epoch(samples, np.arange(27), 8, dict(arrays), one.numbers)
        again = by.epoch(samples, np.arange(27), 8, arrays, one.numbers)
        np.testing.assert_allclose(again.losses, wanted.losses, 1e-5)
        assert found.losses[0] > again.losses[0]
    samples["y"] = samples["y"] + 1
    with pytest.raises(BackpassError, match="its integers run from 0 to 3"):
        one.compiled.epoch(samples, np.arange(27), 8, arrays, one.numbers)
