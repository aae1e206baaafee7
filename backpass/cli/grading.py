"""`grade`: submissions beside a teacher's forward pass."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from backpass.cli.asked import PATH
from backpass.cli.group import FAILED, main
from backpass.terminal.help import GRADE_EXAMPLES

LEVELS = "verdict", "where", "what", "fix"
ACCEPTED = "scale", "loss", "layout"


@main.command(epilog=GRADE_EXAMPLES)
@click.argument("submissions", metavar="SUBMISSIONS", type=PATH)
@click.option(
    "--reference", type=PATH, required=True, metavar="FILE", help="A Python file: the forward pass."
)
@click.option(
    "--hint",
    type=click.Choice(LEVELS),
    default="what",
    show_default=True,
    metavar="LEVEL",
    help="verdict, where, what or fix: how much is told.",
)
@click.option(
    "--accept",
    type=click.Choice(ACCEPTED),
    multiple=True,
    metavar="WHAT",
    help="Count as right, too: scale, loss or layout.",
)
@click.option(
    "--output", type=PATH, default="grades", show_default=True, metavar="DIR",
    help="Folder of the JSON files.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True, metavar="S",
    help="Processor time that each may take; of the clock, three times that.",
)  # fmt: skip
@click.option(
    "--memory", type=click.IntRange(16), default=1024, show_default=True, metavar="MB",
    help="Memory that each may take.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1), metavar="COUNT", help="Processes at once.  [default: CPUs]"
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="NUMBER",
    help="Of the random numbers, which else are new each time.",
)
@click.option(
    "--gradescope", type=PATH, metavar="FILE", help="Of one submission: Gradescope's results.json."
)
@click.option("--otter", type=PATH, metavar="FILE", help="Of one submission: results for otter.")
@click.option(
    "--points", type=click.FloatRange(0), default=100.0, show_default=True, metavar="COUNT",
    help="What all is worth in these two files.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The results as JSON, not as a table.")
def grade(
    submissions: Path,
    reference: Path,
    hint: Any,
    output: Path,
    points: float,
    as_json: bool,
    gradescope: Path | None,
    otter: Path | None,
    **given: Any,
) -> None:
    """Grade every Python file, and every folder with some, in SUBMISSIONS.

    The reference has a function loss(params, X, y), and an example of each argument. Its gradient
    is derived, and is the key. A submission has grads(params, X, y), or what CALL in the reference
    names: a function or a method that returns gradients, or that trains. The score is the share of
    gradients that are right. Each runs in a process of its own: docs/teaching.md says what
    that protects from, and what not.
    """
    from backpass.grading.grade import Way
    from backpass.grading.limits import Limits
    from backpass.terminal.grading import check_folder, grade_folder, grade_one
    from backpass.terminal.streams import show, show_json

    limits = Limits(given["seconds"], given["memory"])
    way = Way(limits, given["jobs"] or 0, hint != "verdict", given["accept"], given["seed"])
    with redirect_stdout(sys.stderr):  # what a reference prints is no answer
        if gradescope or otter:
            files = {"gradescope": gradescope, "otter": otter}
            grades = grade_one(submissions, reference, hint, way, points, **files)
        else:
            check_folder(output)
            grades = grade_folder(submissions, reference, hint, way, output)
    if as_json:
        show_json(grades.to_json())
    else:
        show(grades.lines(), sys.stdout)
    if not grades:
        sys.exit(FAILED)
