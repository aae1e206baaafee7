"""What is said of a submission: its tensors, its score, and hints as far as they are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from backpass.doctor.report import Verdict

Level = Literal["verdict", "where", "what", "fix"]
LEVELS: tuple[Level, ...] = get_args(Level)
Accept = Literal["scale", "loss", "layout"]
ACCEPTED: Mapping[Accept, Verdict] = {
    "scale": "correct up to a scale",
    "loss": "correct for another loss",
    "layout": "correct in the other layout",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A gradient that was handed in; `scale` is what it is times the right one, if it is that."""

    name: str
    shape: tuple[int, ...]
    verdict: Verdict
    scale: float | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """A mistake: where it is, what it is, how it is mended; `bug` is its catalogue number."""

    tensors: tuple[str, ...]
    name: str
    explanation: str
    fix: str = ""
    bug: int | None = None
    accuses: bool = True
    line: int | None = None
    file: str = ""
    source: str = ""
    repaired: str = ""  # the line as it would be right, in the submission's own names


@dataclass(frozen=True, slots=True)
class Graded:
    """A submission with its verdict, or with the reason why there is none."""

    name: str
    tensors: tuple[Tensor, ...] = ()
    hints: tuple[Hint, ...] = ()
    verdict: Verdict | None = None  # None where it could not be graded
    notes: tuple[str, ...] = ()
    reason: str = ""
    line: int | None = None  # of the reason
    fix: str = ""  # what would have worked there
    seconds: float = field(default=0.0, compare=False)  # of the processor
    accepted: tuple[Verdict, ...] = ("correct",)

    @property
    def right(self) -> int:
        """How many tensors have an accepted verdict."""
        return sum(one.verdict in self.accepted for one in self.tensors)

    @property
    def score(self) -> float:
        """The share of the tensors that are right; 0 where nothing could be graded."""
        return self.right / len(self.tensors) if self.verdict and self.tensors else 0.0

    def to_json(self, level: Level = "fix") -> dict[str, Any]:
        """The same as plain data, with hints up to a level."""
        found: dict[str, Any] = {
            "submission": self.name,
            "graded": self.verdict is not None,
            "verdict": self.verdict,
            "score": round(self.score, 6),
            "right": self.right,
            "of": len(self.tensors),
            "seconds": round(self.seconds, 3),
        }
        if self.verdict is None:
            found |= {"reason": self.reason, "line": self.line}
            return found | {"fix": self.fix} if shows(level, "fix") else found
        if shows(level, "where"):
            found["tensors"] = [
                {**asdict(one), "shape": list(one.shape), "right": one.verdict in self.accepted}
                for one in self.tensors
            ]
            found |= {"hints": [_hint(one, level) for one in self.hints], "notes": list(self.notes)}
        return found


def _hint(one: Hint, level: Level) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tensors": list(one.tensors), "line": one.line, "file": one.file, "source": one.source
    }  # fmt: skip
    if shows(level, "what"):
        found |= {"bug": one.bug, "name": one.name, "explanation": one.explanation,
                  "accuses": one.accuses}  # fmt: skip
    if shows(level, "fix"):
        found |= {"fix": one.fix, "repaired": one.repaired}
    return found


def shows(level: Level, wanted: Level) -> bool:
    """Whether a level of hints includes another: each tells more than the one before."""
    return LEVELS.index(level) >= LEVELS.index(wanted)


def accepted(more: Collection[Accept]) -> tuple[Verdict, ...]:
    """The verdicts that count as right: `correct`, and those that a teacher lets pass."""
    return ("correct", *(ACCEPTED[one] for one in ACCEPTED if one in more))


def mean(all_graded: Sequence[Graded]) -> float:
    """The mean score; what could not be graded counts as 0."""
    return sum(one.score for one in all_graded) / len(all_graded) if all_graded else 0.0
