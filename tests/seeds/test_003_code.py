"""Q20: the batch network as straight lines, as a loop and as a recursion, with the same numbers."""

from typing import Any

import numpy as np


def arrays(shapes, seed=3):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


def ran(d, style, *args):
    """What the emitted source gives, imported on its own."""
    space: dict[str, Any] = {}
    exec(d.code("numpy", style=style), space)
    return space["forward_backward"](*args)


def without_sigmoid(source):
    """The source from the function on; sigmoid stands above it in every style."""
    return source[source.index("def forward_backward") :]
