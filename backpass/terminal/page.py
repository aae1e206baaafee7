"""A page on a terminal: headings, sentences, code, derivations, small pictures and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from backpass.derive import Derivation
from backpass.reading.lines import EMPTY, WIDTH, Line, Role, Span, wrapped
from backpass.reading.text import derivation_lines
from backpass.terminal.streams import STYLES, ascii_only, styled

# One character for two pixels, the upper and the lower one.
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
SIGNS = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): ":"}
INK = 0.4  # what is darker is drawn where there are no greys


@dataclass(frozen=True)
class Page:
    """Each part goes to the console at once, below an empty line."""

    console: Console

    @property
    def ascii(self) -> bool:
        """Whether the console lacks the letters of formulas."""
        return ascii_only(self.console.encoding)

    def write(self, lines: Iterable[Line]) -> None:
        """Lines with their accents, as wide as they are."""
        self.console.print(styled([EMPTY, *lines], ascii=self.ascii), soft_wrap=True)

    def heading(self, text: str) -> None:
        """What the following parts speak of."""
        rule = ("-" if self.ascii else "─") * (WIDTH - len(text) - 1)
        self.write([(Span(f"{text} ", "heading"), Span(rule, "shape"))])

    def words(self, text: str, role: Role = "words") -> None:
        """Sentences, wrapped."""
        self.write(wrapped(text, 0, role))

    def code(self, *sources: str) -> None:
        """Source as it stands in a file."""
        text = indent("\n\n".join(source.strip() for source in sources), "    ")
        self.write([(Span(line, _role(line)),) for line in text.split("\n")])

    def derivation(self, d: Derivation) -> None:
        """A derivation, as it prints itself."""
        self.write(derivation_lines(d.passes, ascii=self.ascii))

    def pictures(self, images: Iterable[Any], captions: Sequence[str] = ()) -> None:
        """Square pictures side by side, white on black, with what stands below each."""
        text = Text("\n")
        drawn = [self.picture(image) for image in images]
        for row in zip(*drawn, strict=True):
            text.append("    ").append(Text("  ").join(row)).append("\n")
        width = len(drawn[0][0])
        text.append("    " + "  ".join(f"{one:^{width}}" for one in captions), STYLES["reason"])
        text.rstrip()
        self.console.print(text)

    def picture(self, image: Any) -> list[Text]:
        """Ink between 0 and 1 as lines of text, in greys where the console has them."""
        side = round(len(image) ** 0.5)
        pixels = image.reshape(side, side).tolist()
        rows = [
            list(zip(*pair, strict=True)) for pair in zip(pixels[::2], pixels[1::2], strict=True)
        ]
        if self.console.color_system in ("256", "truecolor") and not self.console.no_color:
            return [
                Text.assemble(*(("▀", f"{_grey(up)} on {_grey(low)}") for up, low in row))
                for row in rows
            ]
        signs = SIGNS if self.ascii else BLOCKS
        return [Text("".join(signs[up > INK, low > INK] for up, low in row)) for row in rows]

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """A bar that takes a step whenever it is told what to say behind it."""
        columns = BarColumn(40), TextColumn("{task.description}", markup=False)
        self.console.print()
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task("", total=total)
            yield lambda text: bar.update(task, advance=1, description=text)


def _role(line: str) -> Role:
    """Docstrings stand back, as reasons do."""
    return "reason" if line.lstrip().startswith('"""') else "formula"


def _grey(ink: float) -> str:
    level = f"{round(255 * ink):02x}"
    return f"#{level}{level}{level}"
