"""`python -m benchmarks` measures speed; `python -m benchmarks seeds` runs the tutorial."""

from __future__ import annotations

import argparse

from benchmarks import page, seeds_page, speed


def main() -> None:
    """Run one set of measurements, and write its page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("speed", "seeds"), default="speed")
    parser.add_argument("--write", action="store_true", help="put the figures into the page too")
    parser.add_argument("--only", nargs="+", metavar="BLOCK", help="these blocks of the page")
    asked = parser.parse_args()
    measured = speed if asked.what == "speed" else seeds_page
    known = page.blocks((page.DOCS / measured.PAGE).read_text("utf-8"))
    if unknown := set(asked.only or ()) - set(known):
        parser.error(f"there is no block {min(unknown)}; there are {', '.join(known)}")
    measured.main(asked.only, write=asked.write)


if __name__ == "__main__":
    main()
