"""Write what comes out below every example of README and docs, and draw the picture anew.

Run it from the root after a change that readers see: `python docs/refresh.py`.

A ```python block is executed, all blocks of a page in one session, and the ```text block below it
holds what it prints. In a ```console block a line after `$` is a command, and what it prints
stands below it: a command is `backpass …`, or `python examples/…` for a program that is here.
"""

import io
import re
import runpy
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from click.testing import CliRunner
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from backpass.cli import main
from backpass.terminal.demo import run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE, PHOTOGRAPH = ROOT / "docs/demo.svg", ROOT / "docs/report.png"

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)


def refreshed(page: str) -> str:
    """The page with the real output in every block that shows one."""
    session: dict[str, object] = {"__name__": "page"}
    output: str | None = None
    folder = TemporaryDirectory()  # what commands write goes there, and is there for the next
    (Path(folder.name) / "examples").symlink_to(ROOT / "examples")

    def block(found: re.Match[str]) -> str:
        nonlocal output
        language, more, text = found.groups()
        before, output = output, None
        match language:
            case "python":
                output = printed(text, session)
            case "text":
                assert before is not None, f"nothing prints this:\n{text}"
                text = before.rstrip("\n") + "\n"
            case "console":
                commands = [one[1] for one in COMMAND.finditer(text)]
                with chdir(folder.name):
                    text = "".join(f"$ {one}\n{answer(one)}" for one in commands)
            case _:
                pass
        return f"```{language}{more}\n{text}```"

    with folder:
        return BLOCK.sub(block, page)


def printed(source: str, session: dict[str, object]) -> str:
    """What a piece of Python prints."""
    to = io.StringIO()
    with redirect_stdout(to):
        exec(compile(source, "example.py", "exec"), session)
    return to.getvalue()


def answer(command: str) -> str:
    """What a command of ours prints, on either stream, or one of the examples."""
    verb, *arguments = shlex.split(command.replace("\\\n", ""))
    match verb:
        case "backpass":
            return CliRunner().invoke(main, arguments, prog_name="backpass").output
        case "python":
            to = io.StringIO()
            with redirect_stdout(to):
                runpy.run_path(str(ROOT / arguments[0]), run_name="__main__")
            return to.getvalue()
        case _:
            raise AssertionError(f"{verb} is no command of ours")


# ── the picture ──────────────────────────────────────────────────────────────────────────────

INK, PAPER = (217, 221, 227), (22, 25, 31)
GREEN, RED, CYAN = (126, 192, 120), (232, 110, 110), (102, 185, 207)

# The fonts that are there: a picture on a page may fetch none. Every text has its length written
# beside it, so columns hold with any of them.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
  <style>
    .{unique_id}-matrix {{
      font-size: {char_height}px;
      font-family: "Fira Code", ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }}
    .{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect width="{terminal_width}" height="{terminal_height}"/>
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">{matrix}</g>
  </g>
</svg>
"""


def draw(terminal: Path, report: Path) -> None:
    """Run the demo on a console that remembers, and save what it showed and what it left."""
    console = Console(
        file=io.StringIO(), record=True, width=80, color_system="truecolor", highlight=False
    )
    with TemporaryDirectory() as folder, chdir(folder):
        for name in ("backpass", "examples"):  # what `make demo` can point at
            Path(name).symlink_to(ROOT / name)
        found = run(console, progress=False)
        photograph(Path(found.report), report)
    theme = TerminalTheme(PAPER, INK, [PAPER, RED, GREEN, INK, INK, INK, CYAN, INK])
    options = {"theme": theme, "code_format": FRAME, "unique_id": "demo"}
    console.save_svg(str(terminal), title="make demo", **options)


def photograph(page: Path, to: Path) -> None:
    """The first screen of a page as Chromium shows it by day; without Chromium, nothing."""
    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    if browser is None:
        sys.stderr.write(f"{to.name} stays as it is: there is no Chromium to take it with\n")
        return
    options = "--headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=900,1200"
    command = [browser, *options.split(), f"--screenshot={to}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(refreshed(page.read_text("utf-8")), "utf-8")
    draw(PICTURE, PHOTOGRAPH)
