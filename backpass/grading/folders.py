"""The folder that a submission may write in: how much it has written, and the end of it.

A stranger has filled it: it may be deep, wide, closed, or full of links.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

MOST = 64 << 20  # bytes in all
FILES = 1000


def overfull(folder: str) -> bool:
    """Whether there is more in it than a submission may write. Looks at so many files at most."""
    size, seen, left = 0, 0, [folder]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > MOST or seen > FILES:
                        return True
        except OSError:  # it goes while one looks, or it is closed, and looked at another time
            continue
    return False


def remove(folder: str) -> None:
    """Remove it, with what its process has left there: that does not run any more.

    What is deep is made flat first, since every step down would hold a file open.
    """
    names = count()
    with suppress(OSError):
        while inner := [Path(one.path) for one in os.scandir(folder)]:
            for path in inner:
                if path.is_symlink() or not path.is_dir():
                    path.unlink()
                    continue
                path.chmod(0o700)
                for deeper in list(path.iterdir()):
                    if deeper.is_dir() and not deeper.is_symlink():
                        deeper.chmod(0o700)  # to be moved, it has to be writable
                    deeper.rename(Path(folder, f".{next(names)}"))
                path.rmdir()
        Path(folder).rmdir()
