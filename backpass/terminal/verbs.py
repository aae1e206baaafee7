"""A group of verbs that answers every failure of ours in one sentence."""

from __future__ import annotations

import sys
from typing import Any

import click

from backpass.language.errors import BackpassError

REFUSED = 2


class Verbs(click.Group):
    """Verbs whose errors, when they are ours, are said in one sentence."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run a verb; where standard output is full, that is said and not traced."""
        try:
            return super().main(*args, **more)
        except OSError as error:
            if error.filename is not None:  # a file, and no stream
                raise
            from backpass.terminal.streams import show_unwritten

            show_unwritten(error)
            sys.exit(REFUSED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; what it refuses is said, and standard output is complete afterwards."""
        try:
            return super().invoke(ctx)
        except BackpassError as error:
            from backpass.terminal.streams import show_error

            show_error(error)
            ctx.exit(REFUSED)
        finally:
            sys.stdout.flush()  # a full disk is noticed here, and not when Python ends
