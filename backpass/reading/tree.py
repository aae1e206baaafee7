"""The nodes of matrix notation: whole arrays, and what happens to them.

Every node knows its `axes`: the labels of the array that it stands for, in order. They are what
an explanation speaks about (`X.T @ dZ` sums over n) and what a writer needs to print shapes.

In an entry-by-entry node (`Add`, `Times`, `Quotient`, `Powered`, `Applied`, `Compared`) every
operand is a scalar (no axes), or carries exactly the node's axes, or is a `Spread`, which says
along which axes it is copied. Nothing is left to NumPy's broadcasting by luck.
"""

from __future__ import annotations

from dataclasses import dataclass

from backpass.language.expr import Comparison, Function, Label, Number, SizeTerm
from backpass.language.program import ArrayFunction
from backpass.language.shapes import Size, size

ONE = size(1)
Axes = tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """An array as it stands, all of it."""

    name: str
    axes: Axes


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, or a size used as one: the ½ and the n of `½ Σ … / n`; never negative."""

    value: Number | SizeTerm
    axes: Axes = ()


@dataclass(frozen=True, slots=True)
class Ramp:
    """A label as its own value: 0, 1, 2 … along the one axis."""

    axes: Axes


@dataclass(frozen=True, slots=True)
class Transpose:
    """The last two axes exchanged: `.T` of a matrix, `.mT` of a stack of matrices."""

    value: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Matmul:
    """A matrix product; the left's last label meets the right's first (or the only one it has).

    `summed` is the label that disappears. A factor had to be transposed exactly when it is a
    `Transpose`; `factor.value.axes` then tells where the summed label stood. With two vectors
    it is the inner product. Axes before the last two are the batch, the same in all three; or else
    only the left has them, and the right is one matrix or vector for all.
    """

    left: Node
    right: Node
    summed: Label
    axes: Axes


@dataclass(frozen=True, slots=True)
class Outer:
    """Every entry of one vector times every entry of another; the axes are left's, then right's."""

    left: Node
    right: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Add:
    """Two or more terms added; one that is subtracted is a `Negative` (the first may be, too)."""

    terms: tuple[Node, ...]
    axes: Axes


@dataclass(frozen=True, slots=True)
class Negative:
    """The other sign: `-X`, and inside `Add` a minus."""

    value: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Times:
    """Two or more factors multiplied entry by entry (⊙); those without axes, scaling, lead."""

    factors: tuple[Node, ...]
    axes: Axes


@dataclass(frozen=True, slots=True)
class Quotient:
    """One divided by the other, entry by entry."""

    above: Node
    below: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Powered:
    """A power, entry by entry."""

    base: Node
    exponent: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of numbers, applied entry by entry."""

    function: Function
    args: tuple[Node, ...]
    axes: Axes


@dataclass(frozen=True, slots=True)
class Compared:
    """1 where the comparison holds and 0 elsewhere, entry by entry."""

    relation: Comparison
    left: Node
    right: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Total:
    """Σ over some of the value's axes; the others stay in their order."""

    value: Node
    over: Axes
    axes: Axes


@dataclass(frozen=True, slots=True)
class Spread:
    """Copied along the axes that the value does not have, such as b added to every row.

    The value's axes stand among `axes` in the same order. Where they are the last ones, NumPy
    copies by itself; elsewhere an axis must be inserted, `s[:, None]`: see `trailing`.
    """

    value: Node
    axes: Axes

    @property
    def trailing(self) -> bool:
        """Whether NumPy copies it by itself, as in `X + b`: its axes are the last ones.

        A `Thin` value is then meant with its axes of length 1: `X - M` for an M of shape (n, 1).
        """
        kept = self.value.axes
        slots = self.value.value.axes if isinstance(self.value, Thin) else kept
        start = len(self.axes) - len(slots)
        return start >= 0 and all(
            slot == axis or slot not in kept
            for slot, axis in zip(slots, self.axes[start:], strict=True)
        )

    @property
    def keeps(self) -> bool:
        """Whether this is a Σ whose axes stay, at length 1: `keepdims=True`."""
        if not isinstance(self.value, Total):
            return False
        own, gone = self.value.value.axes, self.value.over
        return len(own) == len(self.axes) and all(
            new.size == ONE if old in gone else new == old
            for old, new in zip(own, self.axes, strict=True)
        )

    @property
    def along(self) -> Axes:
        """The axes that it is copied along."""
        return tuple(label for label in self.axes if label not in self.value.axes)


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries start, start + step … of one axis, `count` of them; the step may be negative.

    As an index of `Picked` it keeps one axis. The whole axis is `whole`: printed `:`.
    """

    start: Size
    count: Size
    step: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Picked:
    """Parts of an array, one index for each of its axes, as in NumPy.

    A `Slice` keeps its axis; a node without axes (`Scalar`, a scalar `Name`) takes one entry
    and the axis is gone; a node with axes holds integers, `E[ids]`, `P[Ramp(n), y]`, and its
    axes stand in the place of those that it indexes.
    """

    value: Name
    index: tuple[Slice | Node, ...]
    axes: Axes


@dataclass(frozen=True, slots=True)
class Thin:
    """An array without its axes of length 1: `b[0, :]`; inside a trailing `Spread` just `b`.

    The axes of `value` are all of the array's, those of length 1 under labels of their own.
    """

    value: Name
    axes: Axes


@dataclass(frozen=True, slots=True)
class OneHot:
    """1 where the label `hot` equals the integer, 0 elsewhere: row n has its 1 at y[n].

    `hot` may stand anywhere among the axes; the others are the value's, in their order.
    """

    value: Node
    hot: Label
    axes: Axes


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The entries A[i,i] of a square matrix; `Total` of it over i is the trace."""

    value: Name
    axes: Axes


@dataclass(frozen=True, slots=True)
class DiagonalMatrix:
    """A matrix that is zero off the diagonal, which holds the vector `value`."""

    value: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Stacked:
    """Arrays laid end to end along the axis at position `axis`, such as `[X | 1]`.

    Each part has all the axes (a constant is a `Spread`); only the one at `axis` differs in size.
    """

    parts: tuple[Node, ...]
    axis: int
    axes: Axes


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The same entries in the same order, under other axes (flattening, splitting into heads)."""

    value: Node
    axes: Axes


@dataclass(frozen=True, slots=True)
class Called:
    """A function of whole arrays, such as softmax; `over` are the axes that it sees as one."""

    function: ArrayFunction
    args: tuple[Name | Transpose, ...]
    over: Axes
    axes: Axes


Node = (
    Name
    | Scalar
    | Ramp
    | Transpose
    | Matmul
    | Outer
    | Add
    | Negative
    | Times
    | Quotient
    | Powered
    | Applied
    | Compared
    | Total
    | Spread
    | Picked
    | Thin
    | OneHot
    | Diagonal
    | DiagonalMatrix
    | Stacked
    | Reshaped
    | Called
)
