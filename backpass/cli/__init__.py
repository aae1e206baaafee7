"""The verbs: what `backpass` does when it is called by name.

Nothing but click is imported before a verb is chosen. Answers go to standard output, and one
sentence about what went wrong to standard error.
"""

from backpass.cli import deriving, examining, grading, sweeping, tables
from backpass.cli.group import main

__all__ = ["deriving", "examining", "grading", "main", "sweeping", "tables"]
