"""What several verbs take: paths, a forward pass, shapes, layers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from backpass.language.errors import BackpassError

PATH = click.Path(path_type=Path)


def forward_pass(text: str) -> Any:
    """A formula as it is, and `model.py::loss` as the function."""
    if re.fullmatch(r".+(::\w*|\.py)", text.strip(), re.DOTALL):
        from backpass.terminal.model_file import load_function

        return load_function(text.strip())
    return text


def shapes_of(text: str) -> Any:
    """Shapes as a text, or as JSON where arguments are nests: `{"params": {"W": ["k j"]}}`."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"these shapes are no JSON: {error.msg} at character {error.pos + 1}"
        raise BackpassError(message, line=text) from None


def hidden_layers(text: str) -> list[int]:
    """Units of hidden layers, from `64,32`; `none` where there are no hidden layers."""
    if text.strip() == "none":
        return []
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        message = f"--layers {text!r} is no list of units; write 64,32, or none"
        raise BackpassError(message) from None
