"""A training that is kept in a file while it goes on, to be taken up after whatever ended it.

The file is a saved network like any other, which `bp.load` reads, and beside its weights stand
those that were best, the optimiser's state, the shuffling, the history, and what was asked of fit.
"""

from __future__ import annotations

import hashlib
import json
import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from backpass._version import __version__
from backpass.language.errors import BackpassError
from backpass.nn import checkpoint
from backpass.nn.files import check_writable, clear_away
from backpass.nn.fitting import Data, Options
from backpass.nn.run import Arrays, Run, restored_run
from backpass.reading.plural import many

RUN, OPTIONS, EPOCHS = "run", "options", "epochs wanted"  # what a file says beside its network
DATA = "data"
FULL_BATCH = "LBFGS", "NewtonCG"  # SciPy keeps what they have learnt of the loss
MOVES = ("random", "epochs", "steps", "slowed")  # of a network, while it is trained


@dataclass
class Keeper:
    """Writes a run into a file every few epochs, whole or not at all.

    `network` describes the network as its own file does, and `options` what else decides how the
    training goes; a run is taken up only by a network and options that are the same.
    """

    path: Path
    every: int
    epochs: int
    network: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    options: Mapping[str, Any]
    backend: str  # as it was asked for; "auto" is the one that the run began with
    held: Run | None = field(default=None, repr=False)  # as it stood between two epochs
    written: int | None = None  # the epoch that the file holds

    def begin(self, resume: bool) -> Run | None:
        """The run to go on with, None to start at the beginning; warns where nothing is left to do.

        Raises BackpassError for a file that is damaged or cannot be written, that another
        training would go on from, that holds more than is wanted, or that would be lost.
        """
        check_writable(self.path)
        clear_away(self.path)
        if not self.path.exists():
            return None
        arrays, about = self._read()
        if not resume:
            self._refuse_unfinished(about)
            return None
        self._compare("this network", self.network, about, MOVES)
        self._compare("this fit", self.options, about[OPTIONS], ())
        try:
            run = restored_run(arrays, about[RUN])
            _look_at(run, self.shapes)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BackpassError(
                f"{self.path} does not describe a training as fit does ({error!r})"
            ) from error
        if self.backend != "auto":
            began = {"backend": run.history.backend}
            self._compare("this fit", {"backend": self.backend}, began, ())
        self._look_at_the_end(run)
        self.written = run.epoch
        return run

    def after(self, run: Run) -> None:
        """An epoch is over: remember it, and write it down where its turn has come."""
        self.held = replace(
            run,
            arrays={name: one.copy() for name, one in run.arrays.items()},
            stopping=replace(run.stopping),
            easing=replace(run.easing),
        )
        if run.epoch % self.every == 0:
            self.write(depth=5)

    def end(self, run: Run) -> None:
        """The training is over: write it down, with the best weights where they were put back."""
        self.held = run
        self.write(over=True)

    def write(self, over: bool = False, depth: int = 4) -> None:
        """Write the last whole epoch down, or the end; warns where that cannot be.

        `depth` is how many calls lie between the warning and the line that called fit.
        """
        if self.held is None or (self.held.epoch == self.written and not over):
            return
        arrays, about = self.held.stored()
        epoch = about["epoch"]
        # the history is one and the same for all of a training, and may be an epoch ahead
        curves = {k: v[:epoch] for k, v in about["history"].items() if isinstance(v, list)}
        about["history"] |= curves
        versions = {"backpass": __version__, "numpy": np.__version__}
        described = {
            **self.network,
            **{name: about[name] for name in MOVES},
            RUN: about,
            OPTIONS: dict(self.options),
            EPOCHS: self.epochs,
            "versions": {**versions, "python": platform.python_version()},
        }
        try:
            checkpoint.write(self.path, arrays, described)
        except BackpassError as error:
            before = "" if self.written is None else f", and still holds epoch {self.written}"
            then = "" if over else "; training goes on"
            warnings.warn(f"{error}{before}{then}", RuntimeWarning, stacklevel=depth)
        else:
            self.written = epoch

    def interrupted(self, error: BaseException) -> None:
        """Write the last whole epoch down, and say behind the error how to go on."""
        self.write()
        if self.written is None:
            error.add_note(f"no epoch was finished, so {self.path} holds nothing of this training")
            return
        error.add_note(
            f"{self.path} holds the training up to epoch {self.written} of {self.epochs}; the same "
            "again with resume=True goes on from there"
        )

    def _read(self) -> tuple[Arrays, dict[str, Any]]:
        arrays, about = checkpoint.read(self.path)
        if RUN not in about or OPTIONS not in about:
            raise BackpassError(
                f"{self.path} is there, and holds a network without a training; name another file "
                "for the checkpoint"
            )
        return arrays, about

    def _refuse_unfinished(self, about: Mapping[str, Any]) -> None:
        run = about[RUN]
        history = run["history"]
        if run["epoch"] < about[EPOCHS] and not (history["ended"] or history["stopped"]):
            raise BackpassError(
                f"{self.path} holds a training up to epoch {run['epoch']} of {about[EPOCHS]}; go "
                "on with resume=True, or remove it to start again"
            )

    def _look_at_the_end(self, run: Run) -> None:
        """Refuse to go on to an end that is passed already, and warn where it is reached."""
        if run.epoch > self.epochs:
            raise BackpassError(
                f"{self.path} holds {many(run.epoch, 'epoch')}, more than the {self.epochs} that "
                "are asked for, which count from the first; ask for more, or start again without "
                "resume=True"
            )
        if run.history.ended:
            held = f"a training that ended in epoch {run.epoch} ({run.history.ended})"
        elif run.epoch == self.epochs and not run.history.stopped:
            held = f"all {many(run.epoch, 'epoch')}"
        else:
            return
        warnings.warn(
            f"{self.path} holds {held}, so nothing is left to train; epochs count from the first",
            RuntimeWarning,
            stacklevel=4,  # the line that called fit
        )

    def _compare(
        self, who: str, own: Mapping[str, Any], there: Mapping[str, Any], left: tuple[str, ...]
    ) -> None:
        """Refuse a run that another network, other data or other options began."""
        for name, value in json.loads(json.dumps(own)).items():
            if name in left or there.get(name) == value:
                continue
            if name == DATA:
                raise BackpassError(
                    f"{self.path} was begun with other samples, weights of them or validation; "
                    "give those, or name another file"
                )
            before, now = _told(name, there.get(name), value), _told(name, value, there.get(name))
            raise BackpassError(
                f"{self.path} was begun with {name}={before}, and {who} has {now}; take the same, "
                "or name another file"
            )


def _told(name: str, value: Any, beside: Any) -> str:
    """An option as people write it; of two Adams, what one has and the other has not."""
    match value, beside:
        case [str(kind), dict(settings)], [str(other), dict(others)]:
            apart = {k: one for k, one in settings.items() if kind != other or one != others.get(k)}
            given = [f"{k}={_told(k, one, None)}" for k, one in apart.items() if one is not None]
            return f"{kind}({', '.join(given)})"
        case {"schedule": kind, **settings}, _:
            return _told(name, [kind, settings], ["", {}])
        case [[*_], *_], _:
            return " → ".join(" ".join(map(str, layer)) for layer in value)
        case _:
            return str(value) if name == "early_stopping" else repr(value)


def _look_at(run: Run, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError or TypeError for a run that no training has written."""
    np.random.default_rng().bit_generator.state = run.random
    if {name: one.shape for name, one in run.arrays.items()} != shapes:
        raise ValueError("other arrays than its network has")
    if not len(run.history) == run.epoch <= run.epochs:
        raise ValueError("a history of another length")


def keeper_for(options: Options, data: Data, stored: tuple[Arrays, dict[str, Any]]) -> Keeper:
    """What keeps a training with these options, of a network that is `stored` like this."""
    arrays, network = stored
    assert options.checkpoint is not None
    if network["optimizer"][0] in FULL_BATCH:
        raise BackpassError(
            f"{network['optimizer'][0]} remembers its steps where no file reaches; train without "
            "a checkpoint, and save what came out"
        )
    samples = data.samples()
    if data.held is not None:
        samples |= dict(zip(("X held out", "y held out"), data.held, strict=True))
    asked = {
        "batch_size": int(options.batch_size),
        "shuffle": bool(options.shuffle),
        "early_stopping": str(options.stopping),
        DATA: fingerprint(samples),
    }
    shapes = {name: one.shape for name, one in arrays.items()}
    path = Path(options.checkpoint)
    every, epochs = int(options.every), int(options.epochs)
    return Keeper(path, every, epochs, network, shapes, asked, options.backend)


def fingerprint(arrays: Mapping[str, Any]) -> str:
    """A SHA-256 of samples, by which they are known again."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        one = np.asarray(arrays[name], order="C")
        found.update(f"{name} {one.dtype} {one.shape} ".encode())
        found.update(one.data.cast("B") if one.size else b"")
    return found.hexdigest()
