"""What the updates are times the gradients: the learning rate, and the mistakes that only scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backpass.doctor.evidence import Rates, Shown
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
) -> Scales:
    """Read the rate off the scales, for the first of the wanted losses that it fits."""
    n, m = story.at[0].run.y.shape
    found = {
        tensor: fit.scale
        for tensor, fit in story.fits.items()
        if fit is not None and (fit.slip is None or fit.scale != 1.0)
    }
    bent = max((slip.layer for slip in story.slips if not slip.mistake.linear), default=0)
    plain = {t: s for t, s in found.items() if _is_plain(story.fits[t]) and t[1] > bent}
    near = {} if lr is not None else _near(rates, paths.values())
    losses = [(one.title, one.times) for one in wanted] or [
        (title, times(n, m)) for title, times in story.family.members
    ]
    far = {} if lr is not None else rates.far
    given = {lr: "lr"} if lr is not None else near or far or {1.0: ""}
    common = _common(plain or found, [r * t for r in (*given, *far) for _, t in losses])
    rate, name, factor, title, times = _rate(
        abs(common), losses, given, far if wanted else {}, bool(wanted), (n, m)
    )
    apart = {
        tensor: scale / common
        for tensor, scale in plain.items()
        if not same(scale, common)
        and not _has_its_own_rate(scale, rates.near.get(paths[tensor], {}), factor * times, rate)
    }
    return Scales(common, apart, rate, name, factor, title, times)


def _is_plain(fit: Fit | None) -> bool:
    return fit is not None and fit.slip is None


def _common(found: Mapping[Tensor, float], known: Sequence[float]) -> float:
    """The scale that a rate and a loss explain; else what the outputs have, if they agree."""
    if not found:
        return 1.0
    top = max(layer for _, layer in found)
    last = [scale for (_, layer), scale in found.items() if layer == top]
    agreed = last[0] if all(same(one, last[0]) for one in last) and len(last) > 1 else None

    def weight(value: float) -> tuple[bool, bool, int, bool]:
        alike = sum(same(value, other) for other in found.values())
        explained = any(same(abs(value), one) for one in known)
        return explained, agreed is not None and same(value, agreed), alike, value > 0

    return max(reversed(list(found.values())), key=weight)


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
    is_shown: bool,
    size: tuple[int, int],
) -> tuple[float | None, str, float, str, float]:
    """The rate, its name, the factor that is left over, and the loss that it is the factor of."""
    for rate, name in {**near, **far}.items():
        for title, times in losses:
            if same(common, rate * times):
                return rate, name, 1.0, title, times
    title, times = losses[0]
    for rate, name in near.items():
        factor = common / (rate * times)
        if _named(factor, size):
            return rate, name, factor, title, times
    if len(near) == 1 and is_shown:
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
    scale: float, near: Mapping[float, str], times: float, rate: float | None
) -> bool:
    """Whether the statement that updates it names another rate, which it keeps to."""
    return any(
        not name[0].isdigit() and value != rate and same(scale, value * times)
        for value, name in near.items()
    )
