"""The choice between the back ends: sizes decide, and short trainings are left to NumPy."""

import pytest

import backpass as bp
from backpass.nn.optim import updated, with_updates
from backpass.running.compiled.choice import pays
from backpass.running.epoch import Stepping


def stepping(*widths: int) -> Stepping:
    inputs, *units, last = widths
    net = bp.Network([*(bp.Dense(unit, "relu") for unit in units), bp.Dense(last)], inputs)
    derivation = net.derivation()
    program = with_updates(
        derivation.program, derivation.gradients, net.optimizer, (derivation.loss, "Z1")
    )
    changed = tuple(updated(net.optimizer, derivation.gradients))
    return Stepping(program, changed, {"X": 0, "y": 0}, ("lr",))


@pytest.mark.parametrize(
    ("widths", "rows", "batch", "epochs", "compiled"),
    [
        ((4, 16, 3), 150, 32, 200, False),  # iris, as people first try it
        ((64, 64, 10), 1797, 32, 20, False),  # the digits, in a tenth of a second
        ((784, 128, 10), 60_000, 64, 1, False),
        ((784, 128, 10), 60_000, 64, 50, True),
        ((64, 64, 10), 1797, 32, 3000, True),
        ((784, 512, 512, 10), 60_000, 128, 20, True),
    ],
)
def test_a_long_training_is_compiled(
    widths: tuple[int, ...], rows: int, batch: int, epochs: int, compiled: bool
) -> None:
    steps = epochs * -(-rows // batch)
    assert pays(stepping(*widths), batch, steps) is compiled
