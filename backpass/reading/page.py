"""A page that opens from disk, with one stylesheet: light and dark, wide and narrow, on paper."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files


def page(title: str, body: str) -> str:
    """A whole document around a body; it loads nothing, so that it can be kept and sent."""
    return (
        '<!doctype html>\n<html lang="en" class="backpass-page">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_font()}{stylesheet()}</style>\n</head>\n"
        f'<body class="backpass">\n<main>\n{body}</main>\n</body>\n</html>\n'
    )


@cache
def stylesheet() -> str:
    """The rules; those for a fragment all begin with `.backpass`."""
    return files("backpass.reading").joinpath("page.css").read_text(encoding="utf-8")


@cache
def _font() -> str:
    """The letters of formulas: most machines have none that knows how to set mathematics."""
    font = files("backpass.reading").joinpath("stix-two-math.woff2").read_bytes()
    source = f"url(data:font/woff2;base64,{b64encode(font).decode()})"
    return f'@font-face {{ font-family: "backpass math"; src: {source} format("woff2"); }}\n'
