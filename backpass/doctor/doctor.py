"""Is this hand-written gradient right, and if not, what is the mistake? `bp.doctor(...)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backpass.doctor.examine import examine
from backpass.doctor.report import Report


def doctor(
    subject: Callable[..., Any],
    *args: Any,
    lr: float | None = None,
    x: int | str | None = None,
    y: int | str | None = None,
) -> Report:
    """Hold training code to the derived gradient, and name the mistake if there is one.

        print(bp.doctor(net.fit_partial, X, Y))

    `subject` is a method or a function that trains: it changes arrays that can be reached from it
    or from its arguments. `args` are what it is called with; the last two are samples and targets
    unless `x` and `y`, an argument's name or place, say otherwise, and only their shapes and kind
    count. `lr` is the learning rate where no number of the code shows it. It runs several times on
    random numbers; everything is put back afterwards.

    Raises an error of the family `BackpassError` when nothing changes; what the code itself raises
    goes through.
    """
    return examine(subject, args, lr, x, y)
