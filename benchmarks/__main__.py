"""`python -m benchmarks` measures speed; `… training` training, `… seeds` runs the tutorial."""

from __future__ import annotations

import argparse

from benchmarks import seeds_page, speed
from benchmarks.training import measured as training

MEASURED = {"speed": speed, "training": training, "seeds": seeds_page}


def main() -> None:
    """Run one set of measurements, and write its page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=[*MEASURED, "quick"], default="speed")
    parser.add_argument("--write", action="store_true", help="put the figures into the page too")
    parser.add_argument("--only", nargs="+", metavar="BLOCK", help="these blocks of the page")
    asked = parser.parse_args()
    if asked.what == "quick":
        training.quick(write=asked.write)
        return
    measured = MEASURED[asked.what]
    if unknown := set(asked.only or ()) - set(measured.NAMES):
        parser.error(f"there is no block {min(unknown)}; there are {', '.join(measured.NAMES)}")
    measured.main(asked.only, write=asked.write)


if __name__ == "__main__":
    main()
