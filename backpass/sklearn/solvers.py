"""How an estimator comes to its weights: walks through the samples, or L-BFGS on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.backends import backend_for, choose
from backpass.nn.forward import KEPT
from backpass.nn.optim import Optimizer, first_state, updated, with_updates
from backpass.nn.optimizers import SGD, Adam
from backpass.nn.step import following
from backpass.running.epoch import Backend, Drawn, Stepping
from backpass.sklearn.objective import MOMENTUM, REMEMBERED, Objective, derived, gradients, telling

Array = NDArray[Any]
Arrays = dict[str, Array]
READY = 8  # back ends that a process holds; each has buffers
SOME = 0.5  # momentum, of a rule that is given its own at every walk


@dataclass(frozen=True, slots=True)
class Samples:
    """What is learnt from: inputs, targets as the objective takes them, and what each counts."""

    X: Array
    y: Array
    s: Array | None = None

    def __len__(self) -> int:
        return len(self.X)

    def at(self, places: Array) -> Samples:
        """Those at these places."""
        return Samples(self.X[places], self.y[places], None if self.s is None else self.s[places])

    @property
    def arrays(self) -> Arrays:
        """Those that a step takes a batch of."""
        found = {"X": self.X, "y": self.y}
        return found if self.s is None else found | {"s": self.s}


@dataclass(frozen=True, slots=True)
class Pace:
    """Which rule a stochastic solver follows, and how fast."""

    solver: str
    lr: float
    schedule: str
    power_t: float
    momentum: float
    nesterov: bool
    beta_1: float
    beta_2: float
    epsilon: float

    @property
    def rule(self) -> Optimizer:
        """The lines of the update; their numbers are given at every walk."""
        if self.solver == "adam":
            return Adam()
        if not self.momentum:
            return SGD()
        return SGD(momentum=SOME, nesterov=self.nesterov)


@dataclass
class Descent:
    """Where a stochastic solver stands; with this, `partial_fit` goes on."""

    pace: Pace
    state: Arrays
    lr: float
    seed: int = 0  # of the masks of a dropout
    steps: int = 0

    def numbers(self, count: int) -> dict[str, Any]:
        """What the rule reads in the next `count` steps."""
        pace = self.pace
        t = np.arange(self.steps + 1, self.steps + count + 1)
        # the mean of all batches, until a tenth of the last one is more: few steps must do, too
        norms = {MOMENTUM: np.maximum(1 / t, 0.1)}
        if pace.solver == "sgd":
            return norms | {"lr": self.lr, "momentum": pace.momentum}
        # scikit-learn adds epsilon to the biased root of V, and the rule to the unbiased one
        eps = pace.epsilon / np.sqrt(1 - pace.beta_2**t)
        return norms | {"lr": self.lr, "beta1": pace.beta_1, "beta2": pace.beta_2, "eps": eps}

    def walked(self, samples: int) -> None:
        """Set the learning rate for the next walk, after so many samples in all."""
        if self.pace.solver == "sgd" and self.pace.schedule == "invscaling":
            self.change(self.pace.lr / (samples + 1) ** self.pace.power_t)

    def change(self, lr: float) -> None:
        """Go on at another rate, with what was gathered at the old one.

        scikit-learn's velocity is −lr·V at the rate of its time, and the rule's is V.
        """
        self.state = {name: one * (self.lr / lr) for name, one in self.state.items()}
        self.lr = lr


def starting(pace: Pace, weights: Arrays, dtype: Any, seed: int) -> Descent:
    """A solver that has not made a step yet; running means and variances are not descended."""
    trained = {name: one for name, one in weights.items() if not name.startswith(KEPT)}
    return Descent(pace, first_state(pace.rule, trained, dtype), pace.lr, seed)


@lru_cache(REMEMBERED)
def stepping(objective: Objective, rule: Optimizer, keep: float = 1.0) -> Stepping:
    """One step as a program: the loss that is told, what the last layer gives, new weights.

    `keep` is the share of hidden units that a mask leaves where they are.
    """
    derivation = derived(objective)
    program, told = objective.telling(derivation)
    whole = with_updates(program, derivation.gradients, rule, (told, objective.output))
    whole, kept = following(whole, objective.norms)
    numbers = [*rule.numbers, *(("alpha",) if objective.penalised else ())]
    numbers += [MOMENTUM] if objective.norms else []
    axes = {"X": 0, "y": 0} | ({"s": 0} if objective.weighted else {})
    drawn = {name: Drawn(place, keep) for place, name in enumerate(objective.masks, 1)}
    changed = (*updated(rule, derivation.gradients), *kept)
    return Stepping(whole, changed, axes, tuple(numbers), drawn)


@dataclass
class Walker:
    """Walks through samples and changes weights on the way."""

    descent: Descent
    stepping: Stepping
    backend: Backend
    samples: Samples
    batch_size: int
    alpha: float

    def walk(self, weights: Arrays, order: Array) -> float:
        """Take every sample once, in this order, and return the mean loss.

        NaN where the loss of a step was not finite; the weights are then those before that step.
        """
        count, dtype = len(order), self.samples.X.dtype
        steps = -(-count // self.batch_size)
        values = self.descent.numbers(steps) | {"alpha": self.alpha}
        numbers = {name: np.asarray(values[name], dtype) for name in self.stepping.numbers}
        arrays = weights | self.descent.state
        epoch = self.backend.epoch(
            self.samples.arrays, order, self.batch_size, arrays, numbers,
            seed=self.descent.seed, first=self.descent.steps,
        )  # fmt: skip
        weights.update({name: arrays[name] for name in weights})
        self.descent.state = {name: arrays[name] for name in self.descent.state}
        self.descent.steps += epoch.done
        if not epoch.finite:
            return float("nan")
        sizes = np.full(steps, self.batch_size)
        sizes[-1] = count - (steps - 1) * self.batch_size
        return float(epoch.losses @ sizes) / count


def walker(
    objective: Objective, descent: Descent, samples: Samples,
    batch_size: int, epochs: int, alpha: float, keep: float, backend: str,
) -> Walker:  # fmt: skip
    """What walks through these samples towards this objective."""
    rule = descent.pace.rule
    one = stepping(objective, rule, keep)
    steps = epochs * -(-len(samples) // batch_size)
    name = _chosen(objective, rule, keep, backend, batch_size, steps)
    ready = _ready(objective, rule, keep, name, get_ident())
    return Walker(descent, one, ready, samples, batch_size, alpha)


@lru_cache(REMEMBERED)
def _chosen(
    objective: Objective, rule: Optimizer, keep: float, backend: str, batch_size: int, steps: int
) -> str:
    """The back end of such a training, which `partial_fit` asks for at every batch."""
    return choose(stepping(objective, rule, keep), backend, batch_size, steps)


@lru_cache(READY)
def _ready(
    objective: Objective, rule: Optimizer, keep: float, backend: str, thread: int
) -> Backend:
    """What runs such steps in one thread: its buffers are not to be shared."""
    return backend_for(stepping(objective, rule, keep), backend)


@dataclass(frozen=True, slots=True)
class Found:
    """What L-BFGS came to: the loss, its iterations, and why it ended where it did not arrive."""

    loss: float
    iterations: int
    short: str | None


def lbfgs(
    objective: Objective, samples: Samples, weights: Arrays, alpha: float, *,
    max_iter: int, max_fun: int, tol: float, tell: Callable[[], bool],
) -> Found:  # fmt: skip
    """Follow SciPy's L-BFGS-B over all samples at once; `weights` change in place.

    `tell` is called after every iteration and says whether to stop.
    """
    from scipy.optimize import minimize

    runner, dtype = gradients(objective), samples.X.dtype
    order = tuple(derived(objective).gradients)
    given = {**samples.arrays, "alpha": np.asarray(alpha, dtype)}

    def unpack(flat: Array) -> None:
        place = 0
        for name in order:
            one = weights[name]
            weights[name] = flat[place : place + one.size].reshape(one.shape).astype(dtype)
            place += one.size

    def judge(flat: Array) -> tuple[float, Array]:
        unpack(flat)
        with np.errstate(all="ignore"):
            loss, *found = runner({**given, **weights})
        return float(loss), np.concatenate([one.ravel() for one in found]).astype(np.float64)

    def between(flat: Array) -> None:
        unpack(flat)
        if tell():
            raise StopIteration

    options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
    start = np.concatenate([weights[name].ravel() for name in order]).astype(np.float64)
    found = minimize(judge, start, method="L-BFGS-B", jac=True, options=options, callback=between)
    unpack(found.x)
    loss = float(telling(objective)({**given, **weights}))
    short = None if found.success or found.status == 99 else str(found.message)
    return Found(loss, min(int(found.nit), max_iter), short)
