"""A bar on the error stream while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backpass.nn.history import History


@contextmanager
def bar(epochs: int, *, shown: bool) -> Iterator[Callable[[History], None]]:
    """A progress bar on the error stream, with the loss and accuracy of the last epoch."""
    if not shown:
        yield lambda history: None
        return
    from rich.console import Console  # training without a bar does not need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(30),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown_bar:
        task = shown_bar.add_task("", total=epochs)

        def tell(history: History) -> None:
            text = f"loss {history.loss[-1]:.4g}"
            if history.accuracy:
                text += f"  accuracy {history.accuracy[-1]:.1%}"
            shown_bar.update(task, completed=len(history), description=text)

        yield tell
