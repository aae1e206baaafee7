"""The optimisers: each is a few lines of index notation, and the paper that they come from.

The rate `lr` is a number or a schedule (`schedules.py`). Where implementations differ the rules
are PyTorch's, so that the same weights and batches give the same curve there. An optimiser of
your own is a subclass of `Optimizer` with `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from backpass.language.errors import BackpassError
from backpass.nn.layers import is_count
from backpass.nn.optim import DECAY, Optimizer, share
from backpass.nn.schedules import Schedule, above_zero, restored_rate


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: a step of `lr` against the gradient of a few samples at a time.

    With `momentum` a velocity adds gradients up and forgets the share 1 − momentum of them at
    each step (Polyak, 1964); `nesterov` takes the step that the next velocity would take
    (Sutskever, Martens, Dahl and Hinton, 2013). The rate stands before the velocity, as in
    PyTorch; scikit-learn has it inside, which differs only while the rate changes.
    """

    lr: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("lr", self.lr)
        share("momentum", self.momentum)
        if self.nesterov and not self.momentum:
            raise BackpassError("nesterov=True looks ahead along a momentum; give it, say 0.9")

    @property
    def followed(self) -> tuple[str, ...]:
        """A velocity only where there is momentum."""
        if not self.momentum:
            return ("W′[k,j] = W[k,j] - lr * dW[k,j]",)
        ahead = "(dW[k,j] + momentum * V′[k,j])" if self.nesterov else "V′[k,j]"
        return ("V′[k,j] = momentum * V[k,j] + dW[k,j]", f"W′[k,j] = W[k,j] - lr * {ahead}")


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Steps are measured by the root mean square of late gradients (Tieleman and Hinton, 2012).

    Lecture 6.5 of Hinton's Neural Networks for Machine Learning; `alpha` is the share of V that
    is kept, and `eps` stands outside of the root, as in PyTorch.
    """

    lr: float | Schedule = 0.01
    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("lr", self.lr)
        share("alpha", self.alpha)
        above_zero("eps", self.eps)

    rules: ClassVar[tuple[str, ...]] = (
        "V′[k,j] = alpha * V[k,j] + (1 - alpha) * dW[k,j]**2",
        "W′[k,j] = W[k,j] - lr * dW[k,j] / (V′[k,j]**(1/2) + eps)",
    )


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Steps shrink with all that a weight has moved for (Duchi, Hazan and Singer, 2011)."""

    lr: float | Schedule = 0.01
    eps: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("lr", self.lr)
        above_zero("eps", self.eps)

    rules: ClassVar[tuple[str, ...]] = (
        "V′[k,j] = V[k,j] + dW[k,j]**2",
        "W′[k,j] = W[k,j] - lr * dW[k,j] / (V′[k,j]**(1/2) + eps)",
    )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Momentum in units of the gradient's own spread, both freed of their start at zero.

    Kingma and Ba, 2015, algorithm 1, as PyTorch has it: `eps` is added to the root of the
    unbiased square. scikit-learn adds it to the biased one, which differs by less than `eps`
    does.
    """

    lr: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("lr", self.lr)
        share("beta1", self.beta1)
        share("beta2", self.beta2)
        above_zero("eps", self.eps)

    rules: ClassVar[tuple[str, ...]] = (
        "t′ = t + 1",
        "r = lr / (1 - beta1**t′)",
        "c = (1 - beta2**t′)**(1/2)",
        "M′[k,j] = beta1 * M[k,j] + (1 - beta1) * dW[k,j]",
        "V′[k,j] = beta2 * V[k,j] + (1 - beta2) * dW[k,j]**2",
        "W′[k,j] = W[k,j] - r * M′[k,j] / (V′[k,j]**(1/2) / c + eps)",
    )


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam beside which weights shrink by a share of themselves (Loshchilov and Hutter, 2019).

    The decay does not pass through the moments, as it would if ½ weight_decay·W² stood in the
    loss. Biases do not decay.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        share("weight_decay", self.weight_decay)

    rules: ClassVar[tuple[str, ...]] = (
        *Adam.rules[:-1],
        Adam.rules[-1].replace("W[k,j]", f"{DECAY}W[k,j]", 1),
    )


@dataclass(frozen=True)
class FullBatch(Optimizer):
    """An optimiser of SciPy, which looks at all samples before it takes a step."""

    tol: float = 1e-5

    method: ClassVar[str] = ""
    direction: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.clip_norm is not None or self.clip_value is not None:
            raise BackpassError(f"{type(self).__name__} takes gradients as they are; clip none")
        above_zero("tol", self.tol)

    @property
    def options(self) -> dict[str, Any]:
        """What SciPy calls the numbers."""
        return {}

    def __str__(self) -> str:
        own = [one.name for one in fields(self) if not one.kw_only]
        said = ", ".join(f"{name}={getattr(self, name):g}" for name in own)
        return f"{type(self).__name__}({said})\n  W′ = W - a * D, {self.direction}; SciPy finds a"


@dataclass(frozen=True)
class LBFGS(FullBatch):
    """Steps along −H⁻¹ dW, where H⁻¹ is read off the last `memory` steps and their gradients.

    Liu and Nocedal, 1989, as SciPy's L-BFGS-B. It ends once no entry of the gradient is above
    `tol`; `epochs` is the most iterations, and there are no batches.
    """

    memory: int = 10

    method: ClassVar[str] = "L-BFGS-B"
    direction: ClassVar[str] = "D = H⁻¹ dW by late steps and gradients"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_count(self.memory):
            raise BackpassError(f"memory={self.memory} is not valid; give a whole number from 1 on")

    @property
    def options(self) -> dict[str, Any]:
        """`ftol` 0 leaves the end to the gradient alone."""
        return {"gtol": self.tol, "maxcor": self.memory, "ftol": 0.0, "maxfun": 10**9}


@dataclass(frozen=True)
class NewtonCG(FullBatch):
    """Newton's steps, H·step = −dW solved by conjugate gradients without ever making H.

    Nocedal and Wright, 2006, section 7.1, as SciPy's Newton-CG. The products H·v are the program
    that `bp.hvp` derives. It ends once steps are below `tol` on average.
    """

    method: ClassVar[str] = "Newton-CG"
    direction: ClassVar[str] = "H D = dW by conjugate gradients"

    @property
    def options(self) -> dict[str, Any]:
        """The mean size of a step that is small."""
        return {"xtol": self.tol}


OPTIMIZERS: dict[str, type[Optimizer]] = {
    one.__name__: one for one in (SGD, RMSProp, Adagrad, Adam, AdamW, LBFGS, NewtonCG)
}


def stored_optimizer(optimizer: Optimizer) -> list[Any]:
    """Name and settings, as JSON can hold them; BackpassError for a rule that is not of these."""
    name = type(optimizer).__name__
    if OPTIMIZERS.get(name) is not type(optimizer):
        raise BackpassError(f"{name} is an optimizer of your own, and a file cannot hold it")
    return [name, optimizer.settings]


def restored_optimizer(name: str, settings: Mapping[str, Any]) -> Optimizer:
    """The optimiser with these settings; KeyError and TypeError where there is none."""
    return OPTIMIZERS[name](**{name: restored_rate(one) for name, one in settings.items()})
