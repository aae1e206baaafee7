"""Formula text -> tokens, in which every character is translated on purpose or refused by name.

Python's own tokenizer normalises what it reads: `W2ᵀ` becomes the variable `W2T` without a word.
This one knows the signs of textbooks, and takes no character for another unless it says so here.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from backpass.language.errors import BackpassError, NotationError

MAX_CHARACTERS = 20_000
MAX_TOKENS = 2_000
MAX_DEPTH = 50
MAX_LENGTH = 100  # of one name or number

Kind = Literal["name", "number", "power", "transpose", "operator", "separator"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text under its one spelling, and where it stands.

    A ``power`` is a superscript (`²`), a ``transpose`` a raised T; both follow their operand.
    """

    kind: Kind
    text: str
    start: int
    end: int


_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_CLOSING = {"(": ")", "[": "]"}

_OPERATOR = re.compile(r"\*\*|<=|>=|==|!=|<-|[-+*/@=<>()\[\],.^−–÷×·⋅∗⊙∘⊗√Σ∑≤≥≠←]")
_PLAIN = ["**", "-", "-", "/", "·", "*", "⊙", "Σ", "<=", ">=", "!=", "<-"]
_SPELLINGS = dict(zip("^−–÷⋅∗∘∑≤≥≠←", _PLAIN, strict=True))
_BLANK = re.compile(r"[^\S\n]+|#[^\n]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+|\.(?!\w))?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_POWER = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+|ⁿ")
_TRANSPOSE = re.compile(r"\^?[ᵀ⊤]|\^T(?!\w)")
_SUBSCRIPT = re.compile(r"([₀-₉]+)|₍([₀-₉]+)₎")
_LAYER = re.compile(r"⁽([⁰¹²³⁴-⁹]+)⁾|\^\(\s*([0-9]+)\s*\)")
# An apostrophe is a prime only before the bracket of a call, so that no text in quotes is.
_PRIMES = re.compile(r"[′″‴]+|['’]+(?=\s*\()")
_GRADIENT = re.compile(r"∂\s*L\s*/\s*∂\s*")

_LATEX = "LaTeX is not read here; write a2, W2ᵀ, ⊙ and Σ"
_NORM = "bars are not read here; write abs(x), and Σ x² for a squared norm"
_QUOTES = "a formula holds no quoted text; a transpose is W.T, and a slope σ′(z)"
_TOO_LONG = f"a name or a number has at most {MAX_LENGTH} characters"
_REFUSALS = {
    **dict.fromkeys("\\{}$", _LATEX),
    **dict.fromkeys("|‖∥", _NORM),
    **dict.fromkeys("'\"’‘“”`", _QUOTES),
    **dict.fromkeys("⁽⁾₍₎", "a layer is a number in brackets after a name, as in a⁽²⁾"),
    **dict.fromkeys("′″‴", "a prime stands directly after a name, as in σ′(z)"),
    ":": "a formula has no colon; a name is given its value with =",
    "∇": "∇ stands directly before the name of a function, as in ∇C(y)",
    "∂": "the gradient of the loss is written ∂L/∂W2, or dW2",
}


def quote(source: str, start: int, end: int) -> str:
    """The statement around a place of the text, printable, at most 76 wide, the place marked."""
    first = max(source.rfind("\n", 0, start), source.rfind(";", 0, start)) + 1
    ends = (source.find("\n", start), source.find(";", start), len(source))
    last = min(place for place in ends if place >= 0)
    first += len(source[first:start]) - len(source[first:start].lstrip())
    clipped = "…" if start - first > 40 else ""
    first = start - 30 if clipped else first
    shown = "".join(map(_harmless, source[first : min(last, first + 75)]))
    width = max(1, min(end - start, len(shown) - (start - first)))
    return f"{clipped}{shown.rstrip()}\n    {' ' * (len(clipped) + start - first)}{'^' * width}"


def _harmless(sign: str) -> str:
    """A sign as it may be shown: nothing that would move a terminal's cursor or stay unseen."""
    return sign if sign.isprintable() else " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}"


def refusal(
    message: str, source: str, start: int, end: int, kind: type[BackpassError] = NotationError
) -> BackpassError:
    """An error about one place of the text, to be raised."""
    return kind(message, line=quote(source, start, end))


def tokenize(source: str) -> list[Token]:
    """Read a whole text within its limits; brackets match, and inside them a line may go on."""
    if len(source) > MAX_CHARACTERS:
        message = f"a formula has at most {MAX_CHARACTERS:,} characters, not {len(source):,}"
        raise refusal(message, source, 0, 0)
    tokens: list[Token] = []
    brackets: list[Token] = []
    position = 0
    while position < len(source):
        if blank := _BLANK.match(source, position):
            position = blank.end()
            continue
        token = _token_at(source, position, names_target=_is_lone_name(tokens))
        position = token.end
        if token.text == "\n" and brackets:
            continue
        if token.text in _CLOSING:
            brackets.append(token)
        elif token.text in (")", "]") or (token.kind == "separator" and brackets):
            _close(source, brackets, token)
        if token.kind == "separator" and (not tokens or tokens[-1].kind == "separator"):
            continue
        tokens.append(token)
        if too_much := _beyond_limits(token, len(tokens), len(brackets)):
            raise refusal(too_much, source, token.start, token.end)
    if brackets:
        raise refusal("this bracket is never closed", source, brackets[-1].start, brackets[-1].end)
    return tokens


def _beyond_limits(token: Token, tokens: int, depth: int) -> str:
    """Limits that no formula of a person meets, and that keep a hostile one from costing much."""
    if token.end - token.start > MAX_LENGTH:
        return _TOO_LONG
    if tokens > MAX_TOKENS:
        return f"a formula has at most {MAX_TOKENS:,} signs"
    return f"brackets are at most {MAX_DEPTH} deep" if depth > MAX_DEPTH else ""


def _close(source: str, brackets: list[Token], token: Token) -> None:
    opened = brackets.pop() if brackets else None
    if opened is None or _CLOSING[opened.text] != token.text:
        message = f"{token.text} meets {opened.text if opened else 'no opening bracket'} here"
        raise refusal(message, source, token.start, token.end)


def _is_lone_name(tokens: list[Token]) -> bool:
    """Whether a statement so far is a name and nothing else, so that `<-` would update it."""
    before = tokens[-2].kind if len(tokens) > 1 else "separator"
    return bool(tokens) and tokens[-1].kind == "name" and before == "separator"


def _token_at(source: str, start: int, *, names_target: bool) -> Token:
    sign = source[start]
    if sign in "\n;":
        return Token("separator", sign, start, start + 1)
    if sign in _FRACTIONS:
        return Token("number", str(unicodedata.numeric(sign)), start, start + 1)
    if number := _NUMBER.match(source, start):
        return _number(source, number)
    if raised := _TRANSPOSE.match(source, start):
        return Token("transpose", "ᵀ", start, raised.end())
    if power := _POWER.match(source, start):
        text = unicodedata.normalize("NFKC", power[0]).replace("−", "-")
        return Token("power", text, start, power.end())
    if sign in "∇∂" or _in_name(sign):
        return _name(source, start)
    if operator := _OPERATOR.match(source, start):
        # `W <- …` updates W; inside an expression `z <-1` compares z with minus one.
        written = "<" if operator[0] == "<-" and not names_target else operator[0]
        token = Token("operator", _SPELLINGS.get(written, written), start, start + len(written))
        if token.text == "Σ":
            _no_index_below(source, token)
        return token
    raise _stranger(source, start)


def _number(source: str, found: re.Match[str]) -> Token:
    start, end = found.span()
    if found[0] == "0" and _in_name(source[end : end + 1]):
        raise refusal("numbers are decimal here", source, start, end + 1)
    if float(found[0]) == float("inf"):
        raise refusal("this number is larger than any float", source, start, end)
    return Token("number", found[0], start, end)


def _no_index_below(source: str, total: Token) -> None:
    follower = source[total.end : total.end + 1]
    index = follower and unicodedata.decomposition(follower).startswith(("<sub>", "<super>"))
    if index or follower in ("_", "^"):
        message = "Σ adds up everything that follows; a sum over one axis is sum(x, axis=0)"
        raise refusal(message, source, total.start, total.end + 1)


def _in_name(sign: str) -> bool:
    """Whether a sign may stand in a name; to Python Σ and · may, and ᵀ after it has become T."""
    if sign.isascii():
        return sign.isalnum() or sign == "_"
    if sign in "Σ·":
        return False
    return f"_{sign}".isidentifier() and unicodedata.normalize("NFKC", sign) == sign


def _name(source: str, start: int) -> Token:
    """A name under its plain spelling: W₂ is `W2`, a⁽²⁾ and a^(2) are `a2`, ∂L/∂W2 is `dW2`."""
    prefix, begin = "", start
    if source[start] == "∇":
        prefix, begin = "∇", start + 1
    elif gradient := _GRADIENT.match(source, start):
        prefix, begin = "d", gradient.end()
    end = begin
    while end < len(source) and _in_name(source[end]):
        end += 1
    if end - begin > MAX_LENGTH:
        raise refusal(_TOO_LONG, source, begin, end)
    # One letter may be two characters (y and a circumflex); NFC gives both spellings one name.
    text = unicodedata.normalize("NFC", source[begin:end])
    if not text.isidentifier() or (prefix == "∇" and text.startswith("_")):
        raise _stranger(source, start)
    if keyword.iskeyword(text) and text not in ("True", "False", "None"):
        raise refusal(f"{text} is a word of Python, and no name in a formula", source, start, end)
    if subscript := _SUBSCRIPT.match(source, end):
        text += unicodedata.normalize("NFKC", subscript[1] or subscript[2])
        end = subscript.end()
    if layer := _LAYER.match(source, end):
        digits = unicodedata.normalize("NFKC", layer[1] or layer[2])
        end = layer.end()
        if text[-1].isdigit():
            message = f"{source[start:end]} may be a layer or a power; write {text}**{digits}"
            raise refusal(f"{message} for the power", source, start, end)
        text += digits
    if primes := _PRIMES.match(source, end):
        text += re.sub("['’]", "′", unicodedata.normalize("NFKC", primes[0]))
        end = primes.end()
    return Token("name", prefix + text, start, end)


def _stranger(source: str, start: int) -> BackpassError:
    """The sentence about a sign that means nothing here, or would silently mean another."""
    sign = source[start]
    plain = unicodedata.normalize("NFKC", sign)
    if sign in _REFUSALS:
        message = _REFUSALS[sign]
    elif plain != sign:
        message = f"Python reads {sign} as {plain}; write {plain} if that is what is meant"
    elif sign.isprintable():
        message = f"{sign} means nothing in a formula"
    else:
        name = unicodedata.name(sign, "a control character").lower()
        message = f"an invisible sign stands here, U+{ord(sign):04X} ({name}); take it out"
    return refusal(message, source, start, start + 1)
