"""Write the forward pass. Read the backward pass. Run both at full speed.

    import backpass as bp

    d = bp.derive(loss, "X: n k, W: k j", wrt="W")
    print(d)

The verbs are listed in `__all__`; functions such as `bp.sigmoid` come from `backpass.calculus`,
layers and optimisers such as `bp.Dense` and `bp.SGD` from `backpass.nn`.
Everything is imported when it is first asked for, so that `import backpass` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from backpass._collector import importing
from backpass._version import __version__

if TYPE_CHECKING:
    from backpass.check import Check as Check
    from backpass.check import check as check
    from backpass.derive import Derivation as Derivation
    from backpass.derive import derive as derive
    from backpass.doctor.annotate import annotate as annotate
    from backpass.doctor.doctor import doctor as doctor
    from backpass.jacobian import hessian as hessian
    from backpass.jacobian import hvp as hvp
    from backpass.jacobian import jacobian as jacobian
    from backpass.language.errors import BackpassError as BackpassError
    from backpass.nn.callbacks import EarlyStopping as EarlyStopping
    from backpass.nn.layers import BatchNorm as BatchNorm
    from backpass.nn.layers import Dense as Dense
    from backpass.nn.layers import Dropout as Dropout
    from backpass.nn.network import Network as Network
    from backpass.nn.optimizers import LBFGS as LBFGS
    from backpass.nn.optimizers import SGD as SGD
    from backpass.nn.optimizers import Adagrad as Adagrad
    from backpass.nn.optimizers import Adam as Adam
    from backpass.nn.optimizers import AdamW as AdamW
    from backpass.nn.optimizers import NewtonCG as NewtonCG
    from backpass.nn.optimizers import RMSProp as RMSProp
    from backpass.nn.saved import load as load
    from backpass.nn.schedules import Adaptive as Adaptive
    from backpass.nn.schedules import Constant as Constant
    from backpass.nn.schedules import Cosine as Cosine
    from backpass.nn.schedules import ExponentialDecay as ExponentialDecay
    from backpass.nn.schedules import InverseScaling as InverseScaling
    from backpass.nn.schedules import StepDecay as StepDecay
    from backpass.nn.schedules import WarmUp as WarmUp

_HOMES = {
    "Adagrad": "backpass.nn.optimizers",
    "Adam": "backpass.nn.optimizers",
    "AdamW": "backpass.nn.optimizers",
    "Adaptive": "backpass.nn.schedules",
    "BackpassError": "backpass.language.errors",
    "BatchNorm": "backpass.nn.layers",
    "Check": "backpass.check",
    "Constant": "backpass.nn.schedules",
    "Cosine": "backpass.nn.schedules",
    "Dense": "backpass.nn.layers",
    "Derivation": "backpass.derive",
    "Dropout": "backpass.nn.layers",
    "EarlyStopping": "backpass.nn.callbacks",
    "ExponentialDecay": "backpass.nn.schedules",
    "InverseScaling": "backpass.nn.schedules",
    "LBFGS": "backpass.nn.optimizers",
    "Network": "backpass.nn.network",
    "NewtonCG": "backpass.nn.optimizers",
    "RMSProp": "backpass.nn.optimizers",
    "SGD": "backpass.nn.optimizers",
    "StepDecay": "backpass.nn.schedules",
    "WarmUp": "backpass.nn.schedules",
    "annotate": "backpass.doctor.annotate",
    "check": "backpass.check",
    "derive": "backpass.derive",
    "doctor": "backpass.doctor.doctor",
    "hessian": "backpass.jacobian",
    "hvp": "backpass.jacobian",
    "jacobian": "backpass.jacobian",
    "load": "backpass.nn.saved",
}

__all__ = [
    "BackpassError",
    "Check",
    "Derivation",
    "Network",
    "__version__",
    "annotate",
    "check",
    "derive",
    "doctor",
    "hessian",
    "hvp",
    "jacobian",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        with importing():
            value = getattr(import_module(_HOMES[name]), name)
    else:
        functions: dict[str, Any] = import_module("backpass.calculus.library").FUNCTIONS
        if name.startswith("_") or name not in functions:
            raise AttributeError(f"backpass has no {name}")
        value = functions[name]
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    functions: dict[str, Any] = import_module("backpass.calculus.library").FUNCTIONS
    return sorted({*__all__, *_HOMES, *functions})


class _Package(ModuleType):
    """Importing `backpass.derive`, the module, leaves `bp.derive` the verb that it was."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
