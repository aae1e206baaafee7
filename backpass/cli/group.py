"""`backpass` itself: the group that every verb joins."""

from __future__ import annotations

import click

from backpass._version import __version__
from backpass.terminal.help import EXAMPLES
from backpass.terminal.verbs import Verbs

FAILED = 1  # the exit status of a check that fails


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__)
def main() -> None:
    """Write the forward pass. Read the backward pass."""
