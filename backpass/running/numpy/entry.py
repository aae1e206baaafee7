"""What an emitted function takes: the arguments of the forward pass, as that takes them.

    def forward_backward(X, params):
        W1, W2 = params["W"]
        K = np.array([[1.0, 0.0], [0.5, -1.0]], dtype)

Nests are taken apart in the first lines, and short arrays that the forward pass made itself are
written there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from backpass.language.program import Array, Program
from backpass.running.numpy.frame import (
    KINDS,
    WIDEST,
    Nest,
    dtype_line,
    leaves,
    literal,
    shape_text,
    shortened,
)
from backpass.running.numpy.layout import joined

LONGEST = 1000  # entries of an array that are written out


def worded(nest: Nest, words: Mapping[str, str]) -> Nest:
    """The same nest of what the arrays are called in the source."""
    if isinstance(nest, str):
        return words[nest]
    if isinstance(nest, Mapping):
        return {key: worded(part, words) for key, part in nest.items()}
    return type(nest)(worded(part, words) for part in nest)


def shapes(nest: Nest, arrays: Mapping[str, Array]) -> str:
    """The shapes of a nest, nested alike: `[(n, k), (k, m)]`."""
    if isinstance(nest, str):
        array = arrays[nest]
        return (shape_text(array) or "a number") + KINDS[array.kind]
    if isinstance(nest, Mapping):
        parts = [f"{literal(key)}: {shapes(part, arrays)}" for key, part in nest.items()]
        opened, closed = "{}"
    else:
        parts = [shapes(part, arrays) for part in nest]
        opened, closed = "[]" if isinstance(nest, list) else "()"
    return opened + ", ".join(shortened(parts)) + closed


def opening(
    given: Mapping[str, Nest], made: Mapping[str, Any], arrays: Mapping[str, Array], *, typed: bool
) -> list[str]:
    """The first lines: nests taken apart, the dtype where it is needed, arrays written out.

    `given` are the arguments, nests of words; `arrays` are known by their words too.
    """
    lines = [one for head, nest in given.items() for one in _taken_apart(head, nest)]
    if typed or any(value.dtype.kind == "f" for value in made.values()):
        words = [word for nest in given.values() for word in leaves(nest)]
        lines.append(dtype_line([word for word in words if arrays[word].kind == "real"]))
    return [*lines, *(written(word, value) for word, value in made.items())]


def _taken_apart(text: str, nest: Nest) -> list[str]:
    """The lines that give the arrays of a nest their names: `W1, W2 = params["W"]`."""
    if isinstance(nest, str):
        return []
    pairs = list(_parts(text, nest))
    alone = [pair for pair in pairs if pair[0].isidentifier()]
    lists = [f"{names} = {whole}" for names, whole in pairs if not names.isidentifier()]
    return [*(row.text for row in joined(alone)), *lists]


def _parts(text: str, nest: Nest) -> Iterator[tuple[str, str]]:
    if isinstance(nest, str):
        yield nest, text
    elif not isinstance(nest, Mapping) and nest and all(isinstance(part, str) for part in nest):
        names = ", ".join(str(part) for part in nest)
        bare = len(nest) > 1 and len(names) <= WIDEST  # only brackets can be broken
        yield names if bare else f"({names},)", text
    else:
        for key, part in nest.items() if isinstance(nest, Mapping) else enumerate(nest):
            yield from _parts(f"{text}[{literal(key)}]", part)


def written_out(program: Program) -> dict[str, Any]:
    """The arrays, by name, that the forward pass made itself and that are short enough."""
    fixed = {array.name: value for array, value in program.constants}
    return {name: value for name, value in fixed.items() if value.size <= LONGEST}


def written(word: str, value: Any) -> str:
    """The line that makes an array; a real one has the dtype of the others."""
    kind = ", dtype" if value.dtype.kind == "f" else ""
    if not value.size:
        return f"{word} = np.zeros({value.shape}{kind or f', {value.dtype}'})"
    return f"{word} = np.array({_entries(value.tolist())}{kind})"


def _entries(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_entries, cast('list[Any]', values)))}]"
    text = repr(values)
    return f"np.{text}" if text in ("nan", "inf") else text.replace("-inf", "-np.inf")
