"""A page that opens from disk, with one stylesheet: light and dark, wide and narrow, on paper."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path


def page(title: str, body: str) -> str:
    """A whole document around a body; it loads nothing, so that it can be kept and sent."""
    return (
        '<!doctype html>\n<html lang="en" class="backpass-page">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}</style>\n</head>\n"
        f'<body class="backpass">\n<main>\n{body}</main>\n'
        f"<script>\n{SAME}</script>\n</body>\n</html>\n"
    )


# Without scripts the page says the same; with them, a quantity shows where else it stands.
SAME = """\
let shown;
document.addEventListener("pointerover", ({ target }) => {
  const name = target.closest?.("[data-name]")?.dataset.name;
  if (name === shown) return;
  for (const one of document.querySelectorAll("[data-name]"))
    one.classList.toggle("same", one.dataset.name === name);
  shown = name;
});
"""


def stylesheet() -> str:
    """The rules for a derivation, wherever it stands."""
    return _read("derivation.css").decode()


@cache
def _style() -> str:
    """All rules, and the letters of formulas: few machines have any that can set mathematics."""
    letters = b64encode(_read("stix-two-math.woff2")).decode()
    source = f'url(data:font/woff2;base64,{letters}) format("woff2")'
    font = f'@font-face {{ font-family: "backpass math"; src: {source}; }}\n'
    return font + stylesheet() + _read("page.css").decode()


@cache
def _read(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()
