"""Networks from files: what `net.save`, a checkpoint of `fit` or `backpass train` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backpass.language.errors import BackpassError
from backpass.nn import checkpoint
from backpass.nn.layers import restored_layer
from backpass.nn.network import FORMAT, Network
from backpass.nn.optimizers import restored_optimizer
from backpass.running.epoch import Arrays

FORMATS = 1, FORMAT  # that are read; the first has no checksum


def load(path: str | Path) -> Network:
    """The network that `net.save` wrote, ready to predict and to be trained on.

    A checkpoint of `fit` is such a file, too, and so is a model of `backpass train`. The network
    of the latter takes inputs that are scaled already; `backpass.nn.model.load_model` gives the
    whole model, which takes tables.

    Raises BackpassError for a file that is missing, damaged or of another kind.
    """
    return restored(path, *checkpoint.read(path))


def restored(path: str | Path, arrays: Arrays, about: dict[str, Any]) -> Network:
    """The network of a file that has been read."""
    try:
        if about["format"] not in FORMATS:
            raise BackpassError(
                f"{path} has format {about['format']}, and this backpass reads up to "
                f"{FORMATS[-1]}; load it with the version that wrote it"
            )
        name, numbers = about["optimizer"]
        net = Network(
            [restored_layer(layer) for layer in about["layers"]],
            about["inputs"], about["loss"], restored_optimizer(name, numbers), about["bias"],
            about["init"], about["convention"], about["dtype"], about["seed"],
            l1=about.get("l1", 0.0), l2=about.get("l2", 0.0),
        )  # fmt: skip
        net.random.bit_generator.state = about["random"]
        net.epochs, net.steps = int(about.get("epochs", 0)), int(about.get("steps", 0))
        net.slowed = float(about.get("slowed", 1))
        net.exclusive = bool(about.get("exclusive", False))
    except (ArithmeticError, KeyError, MemoryError, TypeError, ValueError) as error:
        raise BackpassError(
            f"{path} does not describe a network as net.save does ({error!r})"
        ) from error
    for store in (net.weights, net.state):
        for one, values in store.items():
            found = arrays.get(one)
            if found is None or found.shape != values.shape or found.dtype != values.dtype:
                raise BackpassError(
                    f"{path} does not hold {one} as its layers need it; save the network again"
                )
            store[one] = found
    return net
