"""What stands around the layers of a loop and of a recursion alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backpass.running.numpy import frame
from backpass.running.numpy.entry import shapes, written
from backpass.running.numpy.layout import Row, indented, joined, laid_out
from backpass.running.numpy.rolled.composition import Composition, Texts, references, rows
from backpass.running.numpy.rolled.layer import Given, Line, Same
from backpass.running.numpy.rolled.statement import Statement
from backpass.running.numpy.rolled.widths import plus


def outside(whole: Composition, own: Texts) -> dict[str, str]:
    """Every word outside the layers; `own` are those that the style has a name for."""
    texts = {**whole.inputs.texts, **own, **whole.outputs.texts}
    for one in whole.rest:
        if one.word not in texts:
            texts[one.word] = whole.names.new(one.word)
    return texts | {word: whole.names.new(word) for word in _sizes(whole)}


def _sizes(whole: Composition) -> list[str]:
    """The sizes that are mentioned and do not change with the layer."""
    words = [word for one in whole.rest for word in one.words]
    words += [one.word for one in references(whole.lines) if isinstance(one, Same)]
    return [word for word in dict.fromkeys(words) if word in whole.draft.sizes]


def function(whole: Composition, texts: Texts, body: Iterable[Row]) -> str:
    """The whole source: what stands above the function, its head, the body and the result."""
    arguments = ", ".join([*whole.inputs.signature, *whole.draft.functions])
    inside = [
        *_top(whole, texts),
        *body,
        Row(f"return {texts[whole.wanted.value]}, {whole.outputs.result(texts)}"),
    ]
    text = laid_out([Row(f"def {whole.wanted.name}({arguments}):"), *indented(inside)])
    return "\n\n\n".join([*frame.above(whole.draft.desk.asked.functions), text])


def _top(whole: Composition, texts: Texts) -> list[Row]:
    """The docstring, and the lines that take arguments apart."""
    draft, inputs, table = whole.draft, whole.inputs, whole.widths.table
    nests = [*whole.arguments.values(), *whole.wanted.fixed]
    lines = frame.docstring(
        f"Return {texts[whole.wanted.value]} and its gradients.",
        [
            f"{name} {shapes(nest, draft.arrays)}"
            for name, nest in zip(inputs.signature, nests, strict=True)
        ],
    )
    if table:
        sizes = ", ".join(frame.shortened([str(table[at]) for at in sorted(table)]))
        lines[-1:-1] = ["", f"In the comments, {whole.widths.name} is [{sizes}]."]
    found = [*map(Row, lines), *joined(inputs.unpacked)]
    made = {inputs.texts[word]: value for word, value in whole.wanted.made.items()}
    if draft.desk.asked.dtype or any(value.dtype.kind == "f" for value in made.values()):
        found.append(Row(frame.dtype_line(_real(whole))))
    found += [Row(written(word, value)) for word, value in made.items()]
    arrays = {word: draft.arrays[word] for word in inputs.texts}
    names = {array.name: inputs.texts[word] for word, array in arrays.items()}
    sized = {str(draft.sizes[word]): texts[word] for word in _sizes(whole)}
    return [*found, *map(Row, frame.size_lines([*arrays.values()], sized, names, sized))]


def _real(whole: Composition) -> list[str]:
    """The real inputs, those on a shelf all at once."""
    found: dict[str, None] = {}
    arrays = whole.draft.arrays
    for word, text in whole.inputs.texts.items():
        if arrays[word].kind == "real" and word not in whole.wanted.made:
            on = (one for one in whole.inputs.kept.values() if word in one.shelf.numbers)
            kept = next(on, None)
            whole_shelf = kept and all(arrays[one].kind == "real" for one in kept.shelf.numbers)
            found[kept.all(whole.variable) if kept and whole_shelf else text] = None
    return list(found)


def plain(whole: Composition, statements: Iterable[Statement], texts: Texts) -> list[Row]:
    """Statements that stand alone."""
    return [
        row
        for one in statements
        for row in rows(
            one.filled(texts.get(word, word) for word in one.words),
            frame.shape_text(whole.draft.arrays[one.word]),
        )
    ]


# ── numbers of layers ────────────────────────────────────────────────────────────────────────


def end(whole: Composition) -> str:
    """The number behind the last layer: `len(W)`, if a list can tell it."""
    shelves = (one.shelf for one in references(whole.rolled.forward) if isinstance(one, Given))
    first = next(shelves, None)
    number = whole.base + whole.rolled.count
    if first is not None:
        kept = whole.inputs.kept[first]
        more = kept.shelf.length - number
        if kept.shelf.kind != "dict" and more < 2:
            return plus(f"len({kept.base})", -more)
    return str(number)


def numbers(whole: Composition, start: int) -> str:
    """The numbers of the layers from `start` on."""
    start += whole.base
    return f"range({start}, {end(whole)})" if start else f"range({end(whole)})"


def lacking(whole: Composition, sign: str, lines: Sequence[Line]) -> Row:
    """The condition that tells the lowest layer from others, and why it lacks these lines."""
    found = {_below(whole, line) for line in lines}
    unasked = next((text for word, text in whole.inputs.texts.items() if word in found), None)
    note = f"d{unasked} is not asked for" if unasked else "nothing below is asked for"
    return Row(f"if {whole.variable} {sign} {whole.rolled.low + whole.base}:  # {note}")


def _below(whole: Composition, line: Line) -> str | None:
    """Whose gradient the lowest layer would compute in this line."""
    rolled, lowest = whole.rolled, line.layers.start
    of = whole.draft.sources.get(rolled.series[line.series][lowest])
    for number, series in enumerate(rolled.series):
        for layer, word in series.items():
            if word == of:
                at = layer - lowest + rolled.low
                return series.get(at) or rolled.edges.get((number, at))
    return None
