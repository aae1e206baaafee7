"""Spellings of textbooks that the grammar of formulas lacks: ∇_a C, dC/da, dσ/dz|_z2, W^l, ∇C|_y.

`plainly` writes them in the grammar, as a text; `Layers.meant` says which quantity a name that
nobody gave may be: h2 for y, a0 for x, δ2 for dz2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from backpass.doctor.formula.points import Ground
from backpass.language.program import step_reads

COSTS = ("C", "L", "E", "J", "cost", "loss", "Cost", "Loss")
ROLES = {
    "z": "z", "w": "w", "θ": "w", "theta": "w", "b": "b",
    "a": "a", "h": "a", "y": "a", "o": "a", "x": "a", "δ": "δ", "delta": "δ",
}  # fmt: skip
WORD = r"(?:(?!ᵀ)\w)+"  # a raised T is a letter to Python
_AT = rf"(?:\s*\|\s*_?\{{?\s*({WORD})\s*\}}?|\(\s*({WORD})\s*\))"  # |_z2 or (z2)
_NAMED = re.compile(r"(d?)_?([^\W\d_]+)_?(\d*)")
_LETTER = re.compile(
    r"[\^_]\s*\{\s*([Ll])\s*(?:([-+−])\s*1)?\s*\}|[\^_]\s*\(\s*([Ll])\s*(?:([-+−])\s*1)?\s*\)"
    r"|[\^_]([Ll])(?!(?!ᵀ)\w)"
)
_RAISED = str.maketrans({"ᴸ": "^{L}", "ˡ": "^{l}"})
_LOOP = re.compile(r"(?m)^\s*for\b[^=;\n]*:\s*$\n?")


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text in the grammar of formulas, and what was taken for what."""

    text: str
    notes: tuple[str, ...] = ()
    layered: bool = False  # W^l stood there


@dataclass(frozen=True, eq=False)
class Layers:
    """Which quantities of a derivation belong to a layer, told by its products z1 and z2."""

    ground: Ground

    @cached_property
    def table(self) -> Mapping[int, Mapping[str, str]]:
        """For each layer its z, what comes out as a, its weights w and its bias b."""
        forward = self.ground.passes.forward
        inputs = {one.name: one for one in forward.inputs}
        table: dict[int, dict[str, str]] = {}
        for step in forward.steps:
            found = re.fullmatch(r"[zZ]_?(\d+)", step.name)
            if found is None:
                continue
            number = int(found[1])
            read = [one.name for one in step_reads(step)]
            weights = [name for name in read if name in inputs and name[:1] in "wWθ"]
            biases = [name for name in read if name in inputs and name[:1] in "bB"]
            before = [name for name in read if name not in (*weights, *biases)]
            row = {"z": step.name, **dict(zip("wb", (weights[:1], biases[:1]), strict=True))}
            table[number] = {key: "".join(value) for key, value in row.items()}
            table.setdefault(number - 1, {}).setdefault("a", before[0] if before else "")
            out = [one.name for one in forward.steps
                   if {read.name for read in step_reads(one)} == {step.name}]  # fmt: skip
            table[number]["a"] = out[0] if out and out[0] != self.ground.loss else step.name
        return table

    @property
    def numbers(self) -> list[int]:
        """The layers that have weights."""
        return sorted(number for number, row in self.table.items() if "z" in row)

    @cached_property
    def output(self) -> str | None:
        """What the loss is of: the first quantity that the backward pass comes to."""
        made = {step.name for step in self.ground.passes.forward.steps}
        return next((one[1:] for one in self.ground.backward if one[1:] in made), None)

    def kin(self, name: str) -> list[str]:
        """What has the part of a quantity in other layers: h1 beside y."""
        roles = {role for row in self.table.values() for role, one in row.items() if one == name}
        return [row[role] for row in self.table.values() for role in roles if row.get(role)]

    def meant(self, name: str) -> str | None:
        """The quantity that an unknown name may stand for."""
        known = self.ground.points[0].arrays
        found = _NAMED.fullmatch(name)
        if found is None:
            return None
        prefix, stem, number = found.groups()
        plain = f"{prefix}{stem}{number}"
        if plain in known:
            return plain
        role = ROLES.get(stem.lower())
        if role is None:
            return None
        if not number:
            is_output = prefix == "d" and role == "a" and self.output is not None
            return f"d{self.output}" if is_output and self._outputs(role) else None
        row = self.table.get(int(number), {})
        prefix, role = ("d", "z") if role == "δ" else (prefix, role)
        meant = f"{prefix}{row[role]}" if row.get(role) else ""
        return meant if meant in known else None

    def _outputs(self, role: str) -> bool:
        """Whether what the loss is of is an activation, and no z that a fused loss takes."""
        assert self.output is not None
        return role == "a" and not re.fullmatch(r"[zZ]_?\d+", self.output)

    def gradient(self, name: str | None) -> str | None:
        """∇_a C: the gradient by a quantity, at the outputs if it is none of the derivation."""
        known = self.ground.points[0].arrays
        for one in (name, self.meant(name) if name else None):
            if one is not None and f"d{one}" in known:
                return one
        role = ROLES.get((name or "a").rstrip("0123456789_").lower())
        return self.output if role == "a" and self._outputs("a") else None


def plainly(text: str, ground: Ground, called: Mapping[str, str]) -> Spelled:
    """The text with textbooks' spellings in the grammar; `called` are names of somebody's code."""
    for own, name in called.items():
        text = re.sub(rf"(?<![\w.]){re.escape(own)}(?![\w])", name, text)
    layers = Layers(ground)
    notes: list[str] = []
    text = re.sub(r"(?<!\w)(?:nabla|grad)(?=\s*_|\s+[A-Za-z])\s*", "∇", text)
    text = _layered(text, layers, notes)
    layered = any(note.startswith("l goes") for note in notes)
    text = _slopes(text, ground)
    return Spelled(_costs(text, layers, notes), tuple(dict.fromkeys(notes)), layered)


# ── one layer after the other ────────────────────────────────────────────────────────────────


def _layered(text: str, layers: Layers, notes: list[str]) -> str:
    """W^L is the last layer's; statements of W^l stand for every layer, going backwards."""
    text = text.translate(_RAISED)
    text = text.replace("^{l}⁺¹", "^{l+1}").replace("^{l}⁻¹", "^{l-1}")
    if not layers.numbers or not _LETTER.search(text):
        return text
    last = layers.numbers[-1]
    pieces = [piece for piece in re.split(r"[;\n]", _LOOP.sub("", text)) if piece.strip()]
    done: list[str] = []
    block: list[str] = []
    for piece in [*pieces, ""]:
        if "l" in _letters(piece):
            block.append(piece)
            continue
        for number in reversed(layers.numbers) if block else ():
            done += [made for one in block if (made := _at(one, number, layers)) is not None]
        block = []
        done += [_at(piece, last, layers) or piece] if piece else []
    if "l" in _letters(text):
        notes.append(f"l goes from {last} down to {layers.numbers[0]}.")
    if "L" in _letters(text):
        notes.append(f"L is {last}.")
    return "; ".join(done)


def _letters(text: str) -> set[str]:
    return {found[1] or found[3] or found[5] for found in _LETTER.finditer(text)}


def _at(piece: str, number: int, layers: Layers) -> str | None:
    """A statement at one layer, None where it speaks of a layer that is not there."""
    asked: list[int] = []

    def name(found: re.Match[str]) -> str:
        letter, sign = found[1] or found[3] or found[5], found[2] or found[4]
        at = layers.numbers[-1] if letter == "L" else number
        at += 0 if sign is None else 1 if sign == "+" else -1
        asked.append(at)
        return str(at)

    made = _LETTER.sub(name, piece).strip()
    return made if all(at in layers.table for at in asked) else None


# ── slopes and gradients ─────────────────────────────────────────────────────────────────────


def _slopes(text: str, ground: Ground) -> str:
    """dσ/dz|_z2 and σ′|_z2 are σ′(z2)."""
    functions = sorted((*ground.functions.slopes.values(), "σ"), key=len, reverse=True)
    one = "|".join(map(re.escape, functions))
    text = re.sub(rf"(?:∂|(?<!\w)d)\s*({one})\s*/\s*(?:∂|d)\s*{WORD}{_AT}", r"\1′(\2\3)", text)
    text = re.sub(rf"(?<!\w)({one})\s*['′]\s*\|\s*_?\{{?\s*({WORD})\s*\}}?", r"\1′(\2)", text)
    known = "|".join(map(re.escape, ground.passes.forward.arrays))
    return re.sub(rf"(?:∂|(?<!\w)d)\s*({one})\s*/\s*(?:∂|d)\s*({known})(?!\w)", r"\1′(\2)", text)


def _costs(text: str, layers: Layers, notes: list[str]) -> str:
    """∇_a C, ∇C, ∇C|_y and dC/da by the names of the derivation."""
    ground = layers.ground
    arrays = ground.points[0].arrays
    names = dict.fromkeys((*ground.functions.costs, ground.loss, *COSTS))
    names = [name for name in names if name == ground.loss or name not in arrays]
    one = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    text = re.sub(rf"(?:∂|(?<!\w)d)\s*(?:{one})\s*/\s*(?:∂|d)\s*(?=\w)", "∂L/∂", text)
    index = rf"(?:_\s*\{{\s*({WORD})\s*\}}\s*|_\s*([^\W_]+\d*)\s+|([ₐ])\s*)?"

    def gradient(found: re.Match[str]) -> str:
        braced, plain, low, cost, bar, inside = found.groups()
        said = braced or plain or ("a" if low else None) or bar or inside
        meant = layers.gradient(said)
        if meant is None or text[found.end() : found.end() + 1] == "(":
            return found[0]
        written = " ".join(found[0].split())
        if cost in ground.functions.costs and meant == layers.output:
            new = f"∇{cost}({meant})"
        else:
            new = f"∂L/∂{meant}"
        if new != written:
            notes.append(f"{written} is read as {new}.")
        return new

    return re.sub(rf"∇\s*{index}({one})(?!\w){_AT}?", gradient, text)
