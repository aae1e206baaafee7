"""README and docs are true: what they show is what comes out, and what they name is there."""

import re
from pathlib import Path

import pytest

from docs.refresh import BLOCK, PAGES, PICTURE, ROOT, refreshed

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def steady(text: str) -> str:
    """A text without its rounding errors, seconds and speeds, which differ between machines."""
    text = re.sub(r"━+ \d\d:\d\d |\S+( samples)?/s\b", "", text)  # of a bar that makes room
    return re.sub(r"(exactly|to 0|to \de-\d\d|in \d+\.\d\d s)\b", "to ε", text)


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, what else the fence says, and text of every fenced block."""
    return BLOCK.findall(page.read_text("utf-8"))


@each_page
def test_every_output_shown_is_what_comes_out(page: Path):
    text = page.read_text("utf-8")
    assert steady(text) == steady(refreshed(text)), "run `python docs/refresh.py`"


def test_a_false_output_would_be_noticed():
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert refreshed(page) == page.replace("3", "2")
    with pytest.raises(AssertionError, match="nothing prints this"):
        refreshed("```text\n3\n```\n")


@each_page
def test_every_block_is_of_a_kind_that_is_tested(page: Path):
    assert {language for language, _, _ in blocks(page)} <= {"python", "text", "console", "sh"}
    assert len(blocks(page)) == page.read_text("utf-8").count("```") / 2


@each_page
def test_all_examples_of_a_page_run_as_one(page: Path):
    kinds = [more.strip() for language, more, _ in blocks(page) if language == "python"]
    assert kinds == [""][: len(kinds)] + ["continuation"] * (len(kinds) - 1)


def test_the_commands_for_make_are_there():
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shell = "\n".join(
        text for page in PAGES for language, _, text in blocks(page) if language == "sh"
    )
    named = re.findall(r"^make ([a-z]+)", shell, re.MULTILINE)
    assert {"demo", "test"} <= set(named) <= rules
    assert all(line.startswith("make ") for line in shell.splitlines())


@each_page
def test_every_link_and_every_path_leads_somewhere(page: Path):
    text = BLOCK.sub("", page.read_text("utf-8"))
    links = [one or other for one, other in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", text)]
    paths = re.findall(r"`([\w.]+/[\w/.]*)`", text)
    there = [page.parent / link for link in links]
    there += [ROOT / path if (ROOT / path).exists() else ROOT / "backpass" / path for path in paths]
    assert there or "](" not in text
    assert [str(path) for path in there if not path.exists()] == []


def prose(page: Path) -> str:
    """A page without its blocks."""
    return BLOCK.sub("", page.read_text("utf-8"))


def anchor(heading: str) -> str:
    """What a heading is called in a link, as GitHub does it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)


def test_every_link_to_a_heading_finds_it():
    links = [
        (page.parent / file if file else page, name)
        for page in PAGES
        for file, name in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", prose(page))
    ]
    assert links
    assert [(page.name, one) for page, one in links if one not in map(anchor, headings(page))] == []


def test_the_contents_lead_to_every_question():
    contents = ROOT / "docs/questions.md"
    pages = [page for page in PAGES if page.stem.startswith(contents.stem)]
    asked = {
        (page.name, int(number), anchor(heading))
        for page in pages
        for heading in headings(page)
        for number in re.findall(r"^(\d+)\. ", heading)
    }
    rows = re.findall(r"^\| (\d+) \| \[.*\]\((.*)#(.*)\) \| .+ \|$", prose(contents), re.MULTILINE)
    assert asked == {(file or contents.name, int(number), name) for number, file, name in rows}
    assert {number for _, number, _ in asked} == {
        *range(1, 9),
        *range(10, 19),
        *range(20, 24),
    }


def test_the_first_screen_holds_what_a_visitor_looks_for():
    text = (ROOT / "README.md").read_text("utf-8")
    first = text.split("\n## ")[0]
    for part in ("```text\nforward\n", PICTURE.name, "make demo", "make test", "pip install"):
        assert part in first
    assert (
        "Read [`backpass/calculus/`](backpass/calculus) first: it is the whole calculus." in first
    )
