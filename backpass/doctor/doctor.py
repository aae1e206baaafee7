"""Is this hand-written gradient right, and if not, what is the mistake? `bp.doctor(...)`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from backpass.derive import Derivation
from backpass.doctor.custom.judge import is_pair, judge_pair
from backpass.doctor.examine import examine
from backpass.doctor.formula.judge import judge
from backpass.doctor.formula.report import FormulaReport
from backpass.doctor.printed.judge import judge_printed
from backpass.doctor.printed.report import PrintedReport
from backpass.doctor.report import Report
from backpass.jacobian import Arrays
from backpass.language.errors import DerivationError
from backpass.nn.network import Network


@overload
def doctor(
    subject: Callable[..., Any],
    *given: Any,
    lr: float | None = None,
    x: int | str | None = None,
    y: int | str | None = None,
    loss: Callable[..., Any] | None = None,
    params: Any = None,
    args: Sequence[Any] = (),
) -> Report: ...
@overload
def doctor(
    subject: Derivation | Network,
    *given: Any,
    lr: float | None = None,
    printed: Mapping[int, Mapping[str, Any]],
) -> PrintedReport: ...
@overload
def doctor(
    subject: str,
    *,
    of: Derivation | Arrays | str,
    wrt: str | None = None,
    called: Mapping[str, str] | None = None,
) -> FormulaReport: ...
def doctor(
    subject: Callable[..., Any] | Derivation | Network | str,
    *given: Any,
    lr: float | None = None,
    x: int | str | None = None,
    y: int | str | None = None,
    loss: Callable[..., Any] | None = None,
    params: Any = None,
    args: Sequence[Any] = (),
    of: Derivation | Arrays | str | None = None,
    wrt: str | None = None,
    called: Mapping[str, str] | None = None,
    printed: Mapping[int, Mapping[str, Any]] | None = None,
) -> Report | FormulaReport | PrintedReport:
    """Hold training code or a formula to the derived gradient, and name the mistake in it.

        print(bp.doctor(net.fit_partial, X, Y))
        print(bp.doctor("(a3 - y) ⊙ a3 ⊙ (1 - a3) a2", of=d, wrt="W3"))

    `subject` is a method or a function that trains: it changes arrays that can be reached from it
    or from its arguments. `given` is what it is called with; the last two are samples and targets
    unless `x` and `y`, an argument's name or place, say otherwise, and only their shapes and kind
    count. `lr` is the learning rate where no number of the code shows it. It runs several times on
    random numbers; everything is put back afterwards.

    A function that returns gradients is called as `grads(params, *args)`, and `loss`, as
    `loss(params, *args)`, is what they should be the gradients of; `params` is any nest of arrays.

    A formula is held to the derivation `of`, to its gradient by `wrt`, an input or a forward line;
    it may speak of everything that the derivation names, and be several statements. `called` says
    which quantity an expression of somebody's code is, `{"A[-1]": "A2"}`. A formula for a Jacobian
    is held to a `bp.jacobian(…)`, or to a function of z by name:
    `bp.doctor("diag(p) − p pᵀ", of="softmax")`. With updates in it, `W <- W − η dW`, a text is an
    algorithm, of which sign, rate and order are judged.

    A `torch.autograd.Function` or a `jax.custom_vjp` is called with its inputs, and the gradient of
    each is held to the derivative of its forward pass.

    With numbers that somebody `printed`, after so many steps each, it is said which program
    printed them: the right one, or one with a known mistake. What it trains is a `bp.Network`,
    from the weights that it has, or a derivation with its arguments; see docs/published.md.

        print(bp.doctor(d, x, y, W1, W2, lr=0.5, printed={1: {"loss": "0.291027924"}}))

    Raises an error of the family `BackpassError` when nothing changes, and for text that cannot be
    read; what the code itself raises goes through.
    """
    if isinstance(subject, str):
        if of is None:
            raise DerivationError(
                "a formula is held to a derivation: bp.doctor(formula, of=bp.derive(…), wrt=…)"
            )
        if not isinstance(of, Derivation | Arrays | str):
            raise DerivationError(
                f"of={of!r} is no derivation; give bp.derive(…), bp.jacobian(…), or a function of "
                "z by name, as of='softmax'"
            )
        return judge(subject, of, wrt, called)
    if isinstance(subject, Derivation | Network):
        if printed is None:
            raise DerivationError(
                "a derivation is right as it is; give the numbers that a program printed: "
                "bp.doctor(d, …, lr=0.5, printed={1: {'loss': '0.291'}})"
            )
        return judge_printed(subject, given, printed, lr)
    if printed is not None:
        raise DerivationError(
            "printed numbers are held to a network that is stated: a bp.Network, or a derivation "
            "with its arguments"
        )
    if is_pair(subject):
        return judge_pair(subject, given)
    if params is not None:
        call = subject if loss is None else functools.partial(_after, loss, subject)
        return examine(call, (params, *args), lr, x, y, gradients=True)
    return examine(subject, given, lr, x, y)


def _after(loss: Callable[..., Any], grads: Callable[..., Any], params: Any, *args: Any) -> Any:
    """The gradients, once the loss was seen."""
    loss(params, *args)
    return grads(params, *args)
