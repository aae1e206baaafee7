"""Every loss of backpass, as a random program uses it."""

import numpy as np

from tests.random_operations import OPERATIONS, operation
from tests.random_programs import GAP, Draft, Operation

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


ENTRYWISE = {
    "mse": "nn.mse({a}, {b})",
    "mae": "nn.mae({a}, {b})",
    "huber": "nn.huber({a}, {b})",
    "sum_of_squares": "nn.sum_of_squares({a}, {b})",
    "half_sum_of_squares": "nn.half_sum_of_squares({a}, {b})",
    "binary_cross_entropy": "nn.binary_cross_entropy({a}, nn.sigmoid({b}))",
    "binary_cross_entropy_from_probabilities": (
        "nn.binary_cross_entropy_from_probabilities(nn.sigmoid({a}), nn.sigmoid({b}))"
    ),
}
KINKS = {"mae": 0.0, "huber": 1.0}  # how far apart a and b are there
SHIFTS = 0.0, 0.7, -1.9  # of b, until it is far from the kink


def entrywise(name: str) -> Operation:
    def draw(draft: Draft) -> None:
        a = draft.array(1, 2)
        b = draft.like(a.dims)
        for shift in SHIFTS:
            apart = np.abs(a.numbers - b.numbers - shift)
            if name not in KINKS or np.abs(apart - KINKS[name]).min() > GAP:
                shifted = f"{b} + {shift}" if shift else b
                draft.add(ENTRYWISE[name].format(a=a, b=shifted), (), name)
                return

    return draw


OPERATIONS |= {name: entrywise(name) for name in ENTRYWISE}
