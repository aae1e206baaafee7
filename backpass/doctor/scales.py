"""What the updates are times the gradients: the learning rate, and the mistakes that only scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backpass.doctor.evidence import Shown
from backpass.doctor.rates import Rates
from backpass.doctor.search import Fit, Story, Tensor

CLOSE = 1e-5


@dataclass(frozen=True, slots=True)
class Scales:
    """`common` is what most updates are times the base gradient; `apart` are the others, by it.

    `rate` is the learning rate, None when no number of the code can be it, and `factor` what the
    gradient is times that of the wanted loss, which is `title`.
    """

    common: float
    apart: Mapping[Tensor, float]
    rate: float | None
    rate_name: str
    factor: float
    title: str
    times: float


def same(one: float, other: float) -> bool:
    """Whether two scales are one, up to what was rounded."""
    return math.isclose(one, other, rel_tol=CLOSE)


def scales(
    story: Story,
    wanted: Sequence[Shown],
    rates: Rates,
    paths: Mapping[Tensor, str],
    lr: float | None,
    gradients: bool,
) -> Scales:
    """Read the rate off the scales, for the first of the wanted losses that it fits.

    That of gradients is 1, for every tensor: no number that one is multiplied by is its own.
    """
    lr, own = (1.0, {}) if gradients else (lr, rates.near)
    n, m = story.at[0].run.y.shape
    bent = max((slip.layer for slip in story.slips if not slip.mistake.linear), default=0)
    found = {
        tensor: fit.scale for tensor, fit in story.fits.items() if fit is not None and _speaks(fit)
    }
    straight = {tensor: scale for tensor, scale in found.items() if tensor[1] > bent}
    near = {} if lr is not None else _near(rates, paths.values())
    losses = [(one.title, one.times) for one in wanted] or [
        (title, times(n, m)) for title, times in story.family.members
    ]
    far = {} if lr is not None else rates.far
    given = {lr: "lr"} if lr is not None else near or far or {1.0: ""}
    common = _common(straight or found, [r * t for r in (*given, *far) for _, t in losses])
    is_sure = gradients or bool(wanted and (near or lr))
    rate, name, factor, title, times = _rate(
        abs(common), losses, given, far if wanted else {}, is_sure, (n, m)
    )
    apart = {
        tensor: scale / common
        for tensor, scale in straight.items()
        if not same(scale, common)
        and not _has_its_own_rate(scale, own.get(paths[tensor], {}), factor * times, rate, (n, m))
    }
    apart |= {  # of what is not linear in the error, only the sign tells anything
        tensor: -1.0
        for tensor, scale in found.items()
        if tensor not in straight and scale * common < 0
    }
    return Scales(common, apart, rate, name, factor, title, times)


def _speaks(fit: Fit) -> bool:
    """Whether the scale of an update tells anything; that of another quantity does not."""
    slips = (*fit.more, fit.slip) if fit.slip is not None else ()
    return all(slip.mistake.linear and slip.mistake.bug not in (36, 37) for slip in slips) or (
        len(slips) == 1 and slips[0].mistake.bug == 37 and fit.scale != 1.0
    )


def _common(found: Mapping[Tensor, float], known: Sequence[float]) -> float:
    """The scale of most, the outputs among them; else what a rate and a loss explain."""
    if not found:
        return 1.0
    top = max(layer for _, layer in found)
    last = [scale for (_, layer), scale in found.items() if layer == top]
    agreed = last[0] if all(same(one, last[0]) for one in last) else None
    if agreed is not None and _deepens(found, top):
        return agreed

    def weight(tensor: Tensor) -> tuple[bool, bool, bool, int, bool, bool, int]:
        value = found[tensor]
        alike = sum(same(value, other) for other in found.values())
        explained = any(same(abs(value), one) for one in known)
        outer = agreed is not None and same(value, agreed)
        most = outer and 2 * alike > len(found)
        paired = outer and len(last) > 1
        return most, explained, paired, alike, value > 0, tensor[0] == "W", tensor[1]

    return found[max(found, key=weight)]


def _deepens(found: Mapping[Tensor, float], top: int) -> bool:
    """Whether every layer has one scale, and each the same part of the one above."""
    layers = [
        {s for (_, layer), s in found.items() if layer == place} for place in range(top, 0, -1)
    ]
    if len(layers) < 3 or any(not one for one in layers):
        return False
    first = [next(iter(one)) for one in layers]
    whole = all(same(scale, f) for f, one in zip(first, layers, strict=True) for scale in one)
    ratio = first[1] / first[0]
    steps = [below / above for above, below in itertools.pairwise(first)]
    return whole and ratio < 0.99 and all(same(step, ratio) for step in steps)


def _near(rates: Rates, paths: Iterable[str]) -> dict[float, str]:
    found: dict[float, str] = {}
    for path in paths:
        found |= rates.near.get(path, {})
    return found


def _rate(
    common: float,
    losses: Sequence[tuple[str, float]],
    near: Mapping[float, str],
    far: Mapping[float, str],
    is_sure: bool,
    size: tuple[int, int],
) -> tuple[float | None, str, float, str, float]:
    """The rate, its name, the factor that is left over, and the loss that it is the factor of."""
    for rate, name in {**near, **far, **near}.items():
        for title, times in losses:
            if same(common, rate * times):
                return rate, name, 1.0, title, times
    title, times = losses[0]
    for rate, name in near.items():
        factor = common / (rate * times)
        if _named(factor, size):
            return rate, name, factor, title, times
    if len(near) == 1 and is_sure and near != {1.0: ""}:
        rate, name = next(iter(near.items()))
        return rate, name, common / (rate * times), title, times
    return None, "", 1.0, title, times


def _named(factor: float, size: tuple[int, int]) -> bool:
    return any(same(factor, one) for one, _, _ in known_factors(size))


def known_factors(size: tuple[int, int]) -> list[tuple[float, int | None, str]]:
    """Factors that gradients are off by: with the mistake that makes them, and their name."""
    n, m = size
    found: list[tuple[float, int | None, str]] = [
        (1.0, None, "1"), (2.0, 3, "2"), (0.5, 3, "½"), (float(n), 5, f"N = {n}"),
        (1 / n, 6, f"1/N = 1/{n}"), (1 / m, 8, f"1/{m}, the width of the outputs"),
        (float(m), 8, f"{m}, the width of the outputs"), (1 / (n * m), 8, f"1/{n * m}"),
        (float(n * m), 5, f"{n * m}, the count of all entries"), (2 * n, 5, f"2N = {2 * n}"),
        (2 / n, 6, f"2/N = 2/{n}"), (1 / n**2, 6, f"1/N² = 1/{n * n}"),
        (n / 2, 5, f"N/2 = {n}/2"), (1 / (2 * n), 6, f"1/2N = 1/{2 * n}"),
        (2 / (n * m), 8, f"2/{n * m}"), (4.0, 3, "4"), (0.25, 3, "¼"),
        (2 / m, 8, f"2/{m}"), (m / 2, 8, f"{m}/2"), (n * m / 2, 5, f"{n * m}/2"),
    ]  # fmt: skip
    return found


def _has_its_own_rate(
    scale: float,
    near: Mapping[float, str],
    times: float,
    rate: float | None,
    size: tuple[int, int],
) -> bool:
    """Whether the statement that updates it has a rate of its own, by name or as `lr * 0.3`."""
    for value, name in near.items():
        if name and not name[0].isdigit():
            if value != rate and same(scale, value * times):
                return True
        elif rate is not None and same(scale, value * rate * times) and not _named(value, size):
            return True
    return False
