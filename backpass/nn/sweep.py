"""Many networks on one table, so that learning rates, initialisers and sizes can be compared."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.nn.exam import examine
from backpass.nn.history import History
from backpass.nn.learning import Learning
from backpass.nn.recipe import Job, Recipe, prepare
from backpass.nn.tables.data_file import Data
from backpass.nn.verdict import Verdict, verdict

SEED = "seed"
MOST = 200  # networks; more are a search, and want a library that searches
NAMED = 24  # curves, so that the legend has room
COLOURS = ("#1f77b4", "#e08214", "#1b9e77", "#c2388a", "#7a6fb0", "#a6761d", "#66a61e", "#777777")
DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Trial:
    """One network of a sweep: what was chosen for it, and what became of it.

    `verdict` is None where the numbers broke; then `history.stopped` tells how.
    """

    chosen: Mapping[str, Any]
    history: History
    verdict: Verdict | None

    @property
    def broke(self) -> bool:
        """Whether its loss ceased to be a number."""
        return self.verdict is None

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        found = {} if self.verdict is None else self.verdict.to_json()
        chosen = {name: plain(value) for name, value in self.chosen.items()}
        return {"chosen": chosen, **found, "history": self.history.to_json()}


@dataclass(frozen=True)
class Sweep:
    """All trials, in the order in which they ran; `varied` maps each option to its values."""

    varied: Mapping[str, Sequence[Any]]
    trials: Sequence[Trial]

    @property
    def ranked(self) -> list[list[Trial]]:
        """The trials, those that differ in their seed alone together, the best first.

        They are judged by the held-out samples, several seeds by their median (of an even number
        the worse of the middle two). Networks that broke come last.
        """
        groups: dict[str, list[Trial]] = {}
        names = [name for name in self.varied if name != SEED]
        for trial in self.trials:
            groups.setdefault(told(trial, names), []).append(trial)
        ordered = (sorted(one, key=rank) for one in groups.values())
        return sorted(ordered, key=lambda one: rank(one[len(one) // 2]))

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        varied = {name: list(map(plain, values)) for name, values in self.varied.items()}
        return {"varied": varied, "trials": [one.to_json() for one in self.trials]}

    def plot(self) -> Any:
        """One matplotlib figure of all curves, the loss of every epoch.

        The first option that varies is the colour, the second the dashes, any further one is told
        in the legend alone, which is left out where curves are very many. One that ends in a cross
        is of a network whose numbers broke.
        """
        from matplotlib.figure import Figure  # takes a second to import, and only this needs it

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot()
        several = [name for name, values in self.varied.items() if len(values) > 1]
        for trial in self.trials:
            look = dict(zip(("color", "linestyle"), self._look(trial, several), strict=True))
            values = [one for one in trial.history.loss if math.isfinite(one)]
            if values:
                axes.plot(range(1, len(values) + 1), values, label=told(trial, several), **look)
            if trial.broke:
                place = (len(values), values[-1]) if values else (1, math.nan)
                axes.plot(*place, "x", color=look["color"], markersize=9, markeredgewidth=2)
        if all(value > 0 for one in self.trials for value in one.history.loss):
            axes.set_yscale("log")
        axes.locator_params("x", integer=True)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss while training")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0] and len(self.trials) <= NAMED:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
        return figure

    def _look(self, trial: Trial, several: Sequence[str]) -> tuple[str, str]:
        """The colour and the dashes of a curve."""
        places = [list(self.varied[name]).index(trial.chosen[name]) for name in several]
        first, second, *_ = (*places, 0, 0)
        return COLOURS[first % len(COLOURS)], DASHES[second % len(DASHES)]


def sweep(
    data: Data,
    recipe: Recipe,
    varied: Mapping[str, Sequence[Any]],
    tell: Callable[[Trial], None] = lambda trial: None,
) -> Sweep:
    """Train a network for every combination of `varied`, and judge each by the same samples.

    `varied` maps fields of a `Recipe`, or of its `Learning`, to the values to be tried; all else is
    as `recipe` says, so the same samples are held out unless the seed varies. `tell` is called
    after each training. Raises UnknownName for a field that there is none of, and BackpassError for
    what no network can be made of.
    """
    known = [one.name for one in (*fields(Recipe), *fields(Learning)) if one.name != "learning"]
    for name, values in varied.items():
        if name not in known:
            raise UnknownName(f"there is no option {name}{choices(name, known, 'there are')}")
        if not values:
            raise BackpassError(f"no value of {name} is given to be tried")
    count = math.prod(len(values) for values in varied.values())
    if count > MOST:
        raise BackpassError(f"these are {count:,} networks; sweep takes up to {MOST} at once")
    first = next(combinations(varied))
    for name, values in varied.items():  # what is wrong is said before the first training
        for value in values[1:]:
            _job(data, recipe, {**first, name: value})
    trials = []
    for chosen in combinations(varied):
        trials.append(_tried(data, recipe, chosen))
        tell(trials[-1])
    return Sweep(dict(varied), trials)


def combinations(varied: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every choice of a value for each option, the last option going round fastest."""
    for values in product(*varied.values()):
        yield dict(zip(varied, values, strict=True))


def _job(data: Data, recipe: Recipe, chosen: Mapping[str, Any]) -> Job:
    how = {one.name: chosen[one.name] for one in fields(Learning) if one.name in chosen}
    rest = {name: value for name, value in chosen.items() if name not in how}
    return prepare(data, replace(recipe, learning=replace(recipe.learning, **how), **rest))


def _tried(data: Data, recipe: Recipe, chosen: dict[str, Any]) -> Trial:
    job = _job(data, recipe, chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the curve shows what they would say
        history = job.train(progress=False)
    if history.stopped:
        return Trial(chosen, history, None)
    exam = examine(job.model.network, job.X_held, job.y_held)
    return Trial(chosen, history, verdict(job, exam))


def rank(trial: Trial) -> tuple[bool, float, float]:
    """Smaller is better; where held-out samples do not tell, the loss does."""
    found, loss = trial.verdict, trial.history.loss
    if found is None:
        return True, 0.0, -float(len(loss))
    return False, -found.score if found.error is None else found.error, loss[-1]


def told(trial: Trial, names: Sequence[str]) -> str:
    """`lr 0.1, init he`: what was chosen for a trial."""
    return ", ".join(f"{name} {plain(trial.chosen[name])}" for name in names)


def plain(value: Any) -> Any:
    """A value as it is written on a command line."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else value
