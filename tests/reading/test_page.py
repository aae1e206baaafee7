"""A page opens from disk: it holds all that it needs, and says the same without scripts."""

import re
from html.parser import HTMLParser
from importlib.resources import files

from backpass.reading.html import derivation_page
from backpass.reading.page import page, stylesheet
from tests.reading.networks import BATCH, passes

VOID = {"meta", "wbr", "mspace"}


class Elements(HTMLParser):
    """The attributes of all elements, and whether each of them is closed."""

    def __init__(self, text):
        super().__init__()
        self.attributes, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_a_page_loads_nothing():
    text = derivation_page(passes(BATCH, "W1 b1 W2 b2"), "import numpy as np")
    elements = Elements(text)
    assert elements.open == []
    assert not [one for one in elements.attributes if one[1] in ("src", "href", "srcset")]
    assert set(re.findall(r"url\((.{5})", text)) == {"data:"}
    assert "://" not in text
    assert "@import" not in text


def test_a_page_says_what_it_is():
    text = page("a < b & c", "<h1>x</h1>")
    assert "<title>a &lt; b &amp; c</title>" in text
    assert ("html", "lang", "en") in Elements(text).attributes
    assert re.search(r'<meta name="viewport" content="width=device-width', text)


def test_rules_for_a_derivation_leave_the_rest_of_a_notebook_alone():
    rules = re.sub(r"/\*.*?\*/", "", stylesheet(), flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", rules)
    assert len(selectors) > 20
    outside = [one.strip() for one in selectors if not one.strip().startswith(".backpass")]
    assert all(one.startswith("@media") for one in outside)
    assert rules.count("{") == rules.count("}")


def test_the_letters_come_with_their_licence():
    folder = files("backpass.reading")
    licence = folder.joinpath("stix-two-math.LICENSE.txt").read_text(encoding="utf-8")
    assert "The STIX Fonts Project Authors" in licence
    assert "SIL OPEN FONT LICENSE" in licence
    assert folder.joinpath("stix-two-math.woff2").read_bytes()[:4] == b"wOF2"
