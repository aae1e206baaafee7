"""Numbers as pictures that stand in a page, on paper of any colour.

Everything is transparent: ink is as dense as the number is large, and lines take the colour of
the text around them.
"""

from __future__ import annotations

import io
import re
from base64 import b64encode
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

POSITIVE, NEGATIVE = (37, 116, 222), (222, 96, 22)  # as far apart for eyes that see no red
POINTS = 1000  # of a scatter plot
LARGEST = 96  # pixels of a side; larger matrices are drawn smaller


def signed(values: Array, limit: float) -> str:
    """Numbers as a PNG in a data URI: blue above zero, orange below, opaque from `limit` on."""
    values = reduced(np.atleast_2d(values))
    colours = np.where(values[..., None] > 0, POSITIVE, NEGATIVE)
    return _png(colours, np.abs(values) / (limit or 1.0))


def ink(values: Array) -> str:
    """Ink between 0 and 1 as a PNG in a data URI, black where there is ink."""
    return _png(np.zeros((*values.shape, 3)), values)


def strength(values: Array) -> float:
    """Where colours are opaque: almost all entries are smaller."""
    return float(np.quantile(np.abs(values), 0.99)) if values.size else 0.0


def reduced(values: Array) -> Array:
    """A matrix of at most `LARGEST` rows and columns, of each block the largest magnitude."""
    for axis in (0, 1):
        step = -(-values.shape[axis] // LARGEST)
        if step > 1:
            starts = np.arange(0, values.shape[axis], step)
            high = np.maximum.reduceat(values, starts, axis)
            low = np.minimum.reduceat(values, starts, axis)
            values = np.where(high >= -low, high, low)
    return values


def drawing(figure: Any, label: str) -> str:
    """A matplotlib figure as an SVG element: the page's letters, and its colours where black.

    `label` is read to those who do not see it.
    """
    from matplotlib import rc_context

    to = io.StringIO()
    about = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": label}):
        figure.savefig(to, format="svg", transparent=True, metadata=about)
    text = to.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"#000000|(?<=fill: )black", "currentColor", text)
    text = text.replace("#1f77b4", "var(--accent, #1f77b4)")  # the first of matplotlib's colours
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r"; font-family: [^;\"]*", "", text)
    text = text.replace("xlink:href", "href")
    named = set(re.findall(r"#(\w+)", text))
    text = re.sub(r' id="([^"]*)"', lambda one: one[0] if one[1] in named else "", text)
    width, height = re.findall(r'(?:width|height)="([\d.]+)pt"', text)[:2]
    start = (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" '
        'fill="currentColor" stroke-linejoin="round" class="drawing">'
    )
    return re.sub(r"<svg[^>]*>", start, text, count=1).rstrip()


def scatter(targets: Array, outputs: Array, name: str = "target") -> Any:
    """A matplotlib figure with a point for each output, right where it lies on the line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    for target, output in zip(targets.T, outputs.T, strict=True):
        axes.plot(target[:POINTS], output[:POINTS], ".", alpha=0.6)
    low = float(targets.min())
    axes.axline((low, low), slope=1, color="black", linewidth=0.8)
    axes.set_xlabel(name)
    axes.set_ylabel("output")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _png(colours: Array, density: Array) -> str:
    from matplotlib.image import imsave

    pixels = np.empty((*density.shape, 4), np.uint8)
    pixels[..., :3] = colours
    pixels[..., 3] = np.rint(255 * np.clip(density, 0, 1))
    to = io.BytesIO()
    imsave(to, pixels, format="png")
    return f"data:image/png;base64,{b64encode(to.getvalue()).decode()}"
