"""Around the layers: what the function is given, where gradients are put, what comes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backpass.running.identifiers import assign
from backpass.running.numpy.frame import Nest, literal
from backpass.running.numpy.rolled.shelf import Path, Shelf, access, leaves_of


@dataclass(frozen=True, slots=True)
class Names:
    """Identifiers, each given out once."""

    taken: set[str]

    def new(self, name: str) -> str:
        """The name itself, if nobody has it."""
        word = assign([name], self.taken)[name]
        self.taken.add(word)
        return word


@dataclass(frozen=True, slots=True)
class Kept:
    """A shelf, and the text of what holds it: W, or params."""

    shelf: Shelf
    base: str

    def at(self, index: str) -> str:
        """The array of a number that is an expression."""
        return self.shelf.at(self.base, index)

    def element(self, word: str) -> str:
        """One array."""
        return self.shelf.element(self.base, word)

    def all(self, variable: str) -> str:
        """Every array, as arguments of a function."""
        numbers = self.shelf.numbers.values()
        direct = self.shelf.kind != "dict" and self.shelf.path[-1] is None
        if direct and len(numbers) == self.shelf.length:
            return f"*{self.base}"
        bounds = f"{min(numbers)}, {max(numbers) + 1}" if min(numbers) else f"{max(numbers) + 1}"
        return f"*({self.at(variable)} for {variable} in range({bounds}))"


# ── what goes in ─────────────────────────────────────────────────────────────────────────────


def nested(arguments: Mapping[str, Nest], shelves: Collection[Shelf]) -> dict[str, Nest]:
    """The arguments, those that lie on a shelf of their own as a list: W for W1 and W2."""
    found: dict[str, Nest] = {}
    for name, nest in arguments.items():
        lists = (s for s in shelves if s.kind == "arguments" and nest in s.numbers)
        shelf = next(lists, None) if isinstance(nest, str) else None
        if shelf is None:
            found[name] = nest
        else:
            found[_list_name(shelf, arguments)] = list(shelf.numbers)
    return found


def on_lists(shelf: Shelf, arguments: Mapping[str, Nest]) -> Shelf:
    """The shelf as it is when the arguments are nested."""
    if shelf.kind != "arguments":
        return shelf
    return replace(shelf, path=(_list_name(shelf, arguments), None), stem="", kind="list")


def _list_name(shelf: Shelf, arguments: Mapping[str, Nest]) -> str:
    name = shelf.stem.rstrip("_") or shelf.stem
    while name in arguments and arguments[name] not in shelf.numbers:
        name += "s"
    return name


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arguments: `kept` are the shelves that layers read, and `texts` all leaves."""

    signature: tuple[str, ...]
    kept: Mapping[int, Kept]
    texts: Mapping[str, str]
    unpacked: Sequence[tuple[str, str]]


def inputs(
    arguments: Mapping[str, Nest],
    fixed: Collection[str],
    shelves: Mapping[int, Shelf],
    names: Names,
    made: Collection[str] = (),
) -> Inputs:
    """Names for the arguments, for fixed arrays behind them or made inside, and for every leaf."""
    bases: dict[Path, str] = {(name,): names.new(name) for name in arguments}
    behind = {word: names.new(word) for word in fixed}
    signature = (*bases.values(), *behind.values())
    inside = {word: names.new(word) for word in made}
    unpacked: list[tuple[str, str]] = []

    def base(path: Path, name: str) -> str:
        if path not in bases:
            bases[path] = names.new(name)
            unpacked.append((bases[path], access(bases[path[:1]], path[1:])))
        return bases[path]

    kept = {at: Kept(one, base(one.above, _plain(one.above))) for at, one in shelves.items()}
    texts: dict[str, str] = {}
    for leaf in leaves_of(arguments):
        on = next((one for one in kept.values() if leaf.word in one.shelf.numbers), None)
        texts[leaf.word] = on.element(leaf.word) if on else base(leaf.path, leaf.word)
    return Inputs(signature, kept, texts | behind | inside, unpacked)


def _plain(path: Path) -> str:
    return next((key for key in reversed(path) if isinstance(key, str) and key.isidentifier()), "d")


# ── what comes out ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where gradients are put: on shelves like those of the inputs, where layers make them.

    `holders` are the nests that such a shelf fills, by their path, and `made` what they start as.
    """

    arguments: Mapping[str, Nest]
    gradients: Mapping[str, str]  # of a leaf
    kept: list[Kept]
    texts: dict[str, str]
    made: list[tuple[str, str]]
    holders: dict[Path, str]

    def result(self, texts: Mapping[str, str]) -> str:
        """The gradients, nested like the arguments; `texts` are all words."""
        return self._text(self.arguments, (), texts) or "{}"

    def _text(self, nest: Nest, path: Path, texts: Mapping[str, str]) -> str | None:
        if path in self.holders:
            return self.holders[path]
        if isinstance(nest, str):
            gradient = self.gradients.get(nest)
            return None if gradient is None else texts[gradient]
        pairs = [
            (key, text)
            for key, part in (nest.items() if isinstance(nest, Mapping) else enumerate(nest))
            if (text := self._text(part, (*path, key), texts)) is not None
        ]
        if not pairs:
            return None
        if isinstance(nest, Mapping):
            return "{" + ", ".join(f"{literal(key)}: {text}" for key, text in pairs) + "}"
        every = self._every(nest, path, texts)
        inner = every or ", ".join(text for _, text in pairs)
        if isinstance(nest, list):
            return f"[{inner}]"
        return f"tuple({inner})" if every else f"({inner},)" if len(pairs) == 1 else f"({inner})"

    def _every(self, nest: Sequence[Nest], path: Path, texts: Mapping[str, str]) -> str | None:
        """Parts that differ by their number alone: `(dW[l], db[l]) for l in range(len(dW))`."""
        leaves = [list(leaves_of({"": part})) for part in nest]
        if len({tuple(leaf.path for leaf in part) for part in leaves}) > 1:
            return None
        changed = dict(texts)
        base = ""
        for column in zip(*leaves, strict=True):
            words = {self.gradients.get(leaf.word): at for at, leaf in enumerate(column)}
            on = next((one for one in self.kept if one.shelf.numbers == words), None)
            if on is None:
                return None
            changed[self.gradients[column[0].word]] = on.at("l")
            base = base or on.base
        text = self._text(nest[0], (*path, 0), changed)
        return f"{text} for l in range(len({base}))" if base and text else None


def outputs(
    arguments: Mapping[str, Nest],
    gradients: Mapping[str, str],
    kept: Collection[Kept],
    made: Collection[str],
    names: Names,
) -> Outputs:
    """Shelves for the gradients of what is kept, where layers have made some of them."""
    found = Outputs(arguments, gradients, [], {}, [], {})
    for one in kept:
        ours = {gradients[w]: at for w, at in one.shelf.numbers.items() if w in gradients}
        if made and not ours.keys().isdisjoint(made):
            siblings = _siblings(arguments, one.shelf)
            if siblings is not None:
                _as_dict(found, one, ours, siblings, names)
            else:
                _as_list(found, one, ours, names)
    return found


def _siblings(arguments: Mapping[str, Nest], shelf: Shelf) -> dict[Any, str] | None:
    """What lies in the same dict; None if it is no dict, or anything there is a nest."""
    if shelf.kind != "dict" or shelf.path[-1] is not None:
        return None
    nest: Any = arguments
    for key in shelf.above:
        nest = nest[key]
    return nest if all(isinstance(part, str) for part in nest.values()) else None


def _as_dict(
    found: Outputs, one: Kept, ours: Mapping[str, int], siblings: Mapping[Any, str], names: Names
) -> None:
    path = one.shelf.above
    if path not in found.holders:
        whole = all(word in found.gradients for word in siblings.values())
        base = found.holders[path] = names.new(f"d{one.base}")
        found.made.append((base, f"dict.fromkeys({one.base})" if whole else "{}"))
        wanted = {key: word for key, word in siblings.items() if word in found.gradients}
        found.texts.update((found.gradients[w], access(base, (key,))) for key, w in wanted.items())
    found.kept.append(Kept(replace(one.shelf, path=(None,), numbers=ours), found.holders[path]))


def _as_list(found: Outputs, one: Kept, ours: Mapping[str, int], names: Names) -> None:
    shelf, last = one.shelf, one.shelf.path[-1]
    direct = last is None
    own = f"{one.base}_{last}"  # of a place in a list or tuple
    base = names.new("d" + (one.base if direct else _plain((own, last))))
    counted = {word: at for at, word in enumerate(sorted(ours, key=lambda word: ours[word]))}
    whole = shelf.kind != "dict" and len(counted) == shelf.length
    found.made.append((base, f"[None] * {f'len({one.base})' if whole else len(counted)}"))
    list_ = Kept(Shelf((None,), "", "list", len(counted), counted), base)
    found.kept.append(list_)
    found.texts.update((word, list_.element(word)) for word in counted)
    if direct and len(shelf.numbers) == shelf.length and shelf.kind != "dict":
        found.holders[shelf.above] = base if shelf.kind == "list" else f"tuple({base})"
