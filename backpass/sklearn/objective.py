"""What an estimator minimises, derived: equal estimators share one derivation and its runners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.calculus.elementwise import sigmoid, softplus
from backpass.calculus.fused import logsumexp, softmax
from backpass.calculus.losses import binary_cross_entropy, cross_entropy
from backpass.derive import Derivation, derive
from backpass.language.notation import parse_step
from backpass.language.program import Program
from backpass.nn.architecture import forward_only
from backpass.nn.forward import KEPT, NORMS
from backpass.nn.layers import ACTIVATIONS
from backpass.nn.losses import find_loss
from backpass.running.runner import Runner, compile_numpy

Array = NDArray[Any]
TOLD = "told"
MOMENTUM = "follow"  # how far running means and variances go to those of the batch, step by step
EPS = 1e-5  # of batch norms, as `bp.BatchNorm` has it
LEARNT = {  # where an estimator holds what its derivation calls so
    "W": "coefs_", "b": "intercepts_", "γ": "scales_", "β": "shifts_",
    "mean": "running_means_", "var": "running_variances_",
}  # fmt: skip
REMEMBERED = 256  # derivations that a process holds


def _same(z: Any) -> Any:
    return z


SQUASHES: dict[str, Callable[[Any], Any]] = {
    "identity": _same,
    "softmax": softmax,
    "logistic": sigmoid,
    "exp": np.exp,
}


def _crossed(z: Any, y: Any) -> Any:
    """−y·log σ(z) − (1 − y)·log(1 − σ(z)), which no z can overflow."""
    return softplus(z) - y * z


def _poisson(z: Any, y: Any) -> Any:
    """Half the deviance of counts whose mean is exp(z); y·log y is 0 at 0."""
    positive = np.where(y > 0, y, 1.0)
    return np.exp(z) - y * z + y * np.log(positive) - y


ENTRIES: dict[str, Callable[[Any, Any], Any]] = {
    "log_loss": _crossed,
    "squared_error": lambda z, y: 0.5 * (z - y) ** 2,
    "poisson": _poisson,
    "absolute_error": lambda z, y: np.abs(z - y),
}
AVERAGED = ("absolute_error",)  # over the outputs, too; the others add their outputs up


@dataclass(frozen=True, slots=True)
class Objective:
    """Everything that the derivation of an estimator depends on.

    `widths` are the inputs, the hidden layers and the outputs. `squash` turns what the last layer
    gives into what is predicted. `loss` is a name of `ENTRIES` or a formula in `output`, which
    is squashed already, and `target`. `weighted` says that samples count unequally, `penalised`
    that ½·alpha·ΣW² is added, divided as the loss is, `dropped` that hidden units are left out at
    random, by masks that are inputs. `normed` says that a batch norm stands before each
    activation, and `kept` that it takes the running mean and variance, not those of a batch.
    """

    widths: tuple[int, ...]
    activation: str
    squash: str
    loss: str
    weighted: bool
    penalised: bool
    dropped: bool = False
    normed: bool = False
    kept: bool = False

    @property
    def norms(self) -> dict[int, tuple[int, str]]:
        """Units and momentum of each batch norm that is trained, by its layer."""
        hidden = self.widths[1:-1] if self.normed and not self.kept else ()
        return {place: (units, MOMENTUM) for place, units in enumerate(hidden, 1)}

    @property
    def masks(self) -> dict[str, int]:
        """The masks by name, M1 behind the first hidden layer, and how many units each has."""
        hidden = self.widths[1:-1] if self.dropped else ()
        return {f"M{place}": units for place, units in enumerate(hidden, 1)}

    @property
    def labelled(self) -> bool:
        """Whether targets are one integer a sample."""
        return self.squash == "softmax" and self.loss in ENTRIES

    @property
    def output(self) -> str:
        """What the last layer gives is called."""
        return f"Z{len(self.widths) - 1}"

    def telling(self, derivation: Derivation) -> tuple[Program, str]:
        """The derivation's program, and the name of the loss in it that scikit-learn would tell.

        The squares of several outputs are added up to be minimised, and averaged to be told.
        """
        program, outputs = derivation.program, self.widths[-1]
        if self.loss != "squared_error" or outputs == 1:
            return program, derivation.loss
        squares = "loss" if self.penalised else derivation.loss
        said = f"{TOLD} = {derivation.loss} - {outputs - 1} / {outputs} * {squares}"
        step = parse_step(said, {name: one.shape for name, one in program.arrays.items()})
        return replace(program, steps=(*program.steps, step)), TOLD

    def forward(
        self, X: Any, y: Any, W: Any, b: Any, alpha: Any = 0.0, s: Any = None, M: Any = (),
        γ: Any = (), β: Any = (), mean: Any = (), var: Any = (),
    ) -> Any:  # fmt: skip
        """The forward pass as anybody would write it."""
        activation = ACTIVATIONS[self.activation]
        Z, m, v, N, H, A, D = [], [], [], [], [], [X], [X]
        for layer in range(len(W)):
            if Z and self.kept:
                N.append((Z[-1] - mean[layer - 1]) / np.sqrt(var[layer - 1] + EPS))
            elif Z and self.normed:
                m.append(np.mean(Z[-1], axis=0))
                v.append(np.mean((Z[-1] - m[-1]) ** 2, axis=0))
                N.append((Z[-1] - m[-1]) / np.sqrt(v[-1] + EPS))
            if N:
                H.append(γ[layer - 1] * N[-1] + β[layer - 1])
            if Z:
                A.append(activation((H or Z)[-1]))
            if Z and self.dropped:
                D.append(A[-1] * M[layer - 1])
            Z.append((D if self.dropped else A)[-1] @ W[layer] + b[layer])
        total = len(X) if s is None else np.sum(s)
        if not self.penalised:
            return self.cost(Z[-1], y, s, total)
        loss = self.cost(Z[-1], y, s, total)
        squares = sum(np.sum(one**2) for one in W)
        return loss + 0.5 * alpha * squares / total

    def cost(self, z: Any, y: Any, s: Any, total: Any) -> Any:
        """The mean over samples of what the outputs cost."""
        if self.loss not in ENTRIES:
            stated, output = find_loss(self.loss), SQUASHES[self.squash](z)
            by_weight = stated.weighted if s is not None else None
            return stated.function(output, y) if by_weight is None else by_weight(output, y, s)
        if self.labelled:
            if s is None:
                return cross_entropy(z, y)
            each = logsumexp(z, axis=1) - z[np.arange(len(y)), y]
            return np.sum(s * each) / total
        if self.loss == "log_loss" and self.widths[-1] == 1 and s is None:
            return binary_cross_entropy(z, y)  # the same number, of which a shorter slope is known
        each = ENTRIES[self.loss](z, y)
        if self.loss in AVERAGED:
            total = total * self.widths[-1]
        return np.sum(each if s is None else s[:, None] * each) / total


@lru_cache(REMEMBERED)
def derived(objective: Objective) -> Derivation:
    """The forward pass of an objective and its backward pass."""
    *_, outputs = objective.widths
    pairs = list(pairwise(objective.widths))
    shapes: dict[str, Any] = {
        "X": f"n {objective.widths[0]}",
        "y": f"n int<{outputs}" if objective.labelled else f"n {outputs}",
        "W": [f"{into} {out}" for into, out in pairs],
        "b": [f"{out}" for _, out in pairs],
    }
    if objective.penalised:
        shapes["alpha"] = "()"
    if objective.weighted:
        shapes["s"] = "n"
    if objective.masks:
        shapes["M"] = [f"n {units}" for units in objective.masks.values()]
    trained = ["W", "b"]
    if objective.normed:
        trained += NORMS
        units = list(map(str, objective.widths[1:-1]))
        shapes |= dict.fromkeys((*NORMS, *(KEPT if objective.kept else ())), units)
    found = derive(objective.forward, shapes, wrt=trained)
    steps = tuple(replace(step, line=None) for step in found.forward.steps)  # lines of ours
    return replace(found, forward=replace(found.forward, steps=steps))


@lru_cache(REMEMBERED)
def gradients(objective: Objective) -> Runner:
    """The loss and every gradient, in the order of `derived(objective).gradients`."""
    return compile_numpy(derived(objective).program, name="gradients")


@lru_cache(REMEMBERED)
def outputs(objective: Objective) -> Runner:
    """What the last layer gives."""
    return compile_numpy(forward_only(derived(objective), objective.output), name="outputs")


@lru_cache(REMEMBERED)
def telling(objective: Objective) -> Runner:
    """The loss that scikit-learn would tell, alone."""
    program, name = objective.telling(derived(objective))
    return compile_numpy(replace(program, outputs=(name,)), name="telling")
