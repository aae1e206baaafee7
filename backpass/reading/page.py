"""A page that opens from disk, with one stylesheet: light and dark, wide and narrow, on paper."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files


def page(title: str, body: str) -> str:
    """A whole document around a body; it loads nothing, so that it can be kept and sent."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{stylesheet()}</style>\n</head>\n"
        f'<body class="backpass-page">\n<main class="backpass">\n{body}</main>\n</body>\n</html>\n'
    )


@cache
def stylesheet() -> str:
    """The rules; those for a fragment all begin with `.backpass`."""
    return files("backpass.reading").joinpath("page.css").read_text(encoding="utf-8")
