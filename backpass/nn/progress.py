"""A bar on the error stream while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backpass.nn.history import History

BAR = 10  # letters, where there is room


@contextmanager
def bar(epochs: int, samples: int, *, shown: bool) -> Iterator[Callable[[History], None]]:
    """Epochs, what they came to, the time that is left, and how many samples pass in a second."""
    if not shown:
        yield lambda history: None
        return
    from rich.console import Console  # training without a bar does not need it
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=len(f"{epochs}/{epochs}"))),
        BarColumn(BAR),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True, min_width=5)),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(stderr=True)
    room = console.width - len(f"epoch {epochs}/{epochs} ━ 00:00 ")  # the bar gives way
    with Progress(*columns, console=console) as shown_bar:
        task = shown_bar.add_task("", total=epochs)

        def tell(history: History) -> None:
            told = said(history, samples * len(history) / history.seconds, room)
            shown_bar.update(task, completed=len(history), description=told)

        yield tell


def said(history: History, speed: float, room: int) -> str:
    """The last epoch in a few words, the last of which are left out where there is no room."""
    found = [
        f"{name} {values[-1]:{'.1%' if name.endswith('accuracy') else '.4g'}}"
        for name, values in history.curves.items()
        if name != "accuracy" or not history.val_loss  # that of held-out samples says more
    ]
    found.append(f"{short(speed)}/s")
    while len(found) > 1 and len("  ".join(found)) > room:
        found.pop()
    return "  ".join(found)


def short(number: float) -> str:
    """A large number in three digits or so: 940, 12.3k, 4.56M."""
    for unit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{word}"
    return f"{number:.3g}"
