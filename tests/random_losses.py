"""Every loss of backpass, as a random program uses it."""

import numpy as np

from tests.random_operations import OPERATIONS, operation
from tests.random_programs import GAP, Draft

__all__ = ["OPERATIONS"]  # with the losses entered


@operation("cross_entropy of labels")
def labels(draft: Draft) -> None:
    z = draft.array(2)
    y = draft.whole(z.dims[:-1], z.dims[-1])
    text = draft.pick([
        f"nn.cross_entropy({z}, {y})",
        f"nn.cross_entropy_from_probabilities(nn.softmax({z}), {y})",
        f"-xp.mean(xp.log(nn.softmax({z})[xp.arange(len({y})), {y}]))",
        f"-xp.mean(nn.log_softmax({z})[xp.arange(len({y})), {y}])",
    ])  # fmt: skip
    draft.add(text, (), "cross_entropy of labels")


@operation("cross_entropy of probabilities")
def probabilities(draft: Draft) -> None:
    z = draft.array(1, 2, 3)
    t = draft.like(z.dims)
    text = draft.pick([
        f"nn.cross_entropy({z}, nn.softmax({t}))",
        f"nn.cross_entropy_from_probabilities(nn.softmax({z}), {t})",
        f"-xp.mean(xp.sum({t} * xp.log(nn.softmax({z})), axis=-1))",
        f"-xp.sum(nn.softmax({t}) * nn.log_softmax({z})) / len({z})",
    ])  # fmt: skip
    draft.add(text, (), "cross_entropy of probabilities")


@operation("binary_cross_entropy")
def binary_cross_entropy(draft: Draft) -> None:
    z = draft.array(1, 2)
    t = draft.like(z.dims)
    text = draft.pick([
        f"nn.binary_cross_entropy({z}, nn.sigmoid({t}))",
        f"nn.binary_cross_entropy_from_probabilities(nn.sigmoid({z}), nn.sigmoid({t}))",
    ])  # fmt: skip
    draft.add(text, (), "binary_cross_entropy")


@operation("entrywise losses")
def losses(draft: Draft) -> None:
    a = draft.array(1, 2)
    b = draft.like(a.dims)
    away = np.abs(a.numbers - b.numbers)
    name = draft.pick(["mse", "mae", "huber", "sum_of_squares", "half_sum_of_squares"])
    if min(away.min(), np.abs(away - 1).min()) > GAP or "squares" in name or name == "mse":
        draft.add(f"nn.{name}({a}, {b})", (), "entrywise losses")
