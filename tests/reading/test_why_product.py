"""What `d.why(name)` says of a matrix product on the way back."""

import numpy as np

import backpass as bp


def test_a_part_of_an_array_is_the_derivative_and_not_the_whole():
    def recurrent(xs, U, W, y):
        h = np.tanh(W @ np.tanh(U @ xs[0]) + U @ xs[1])
        return np.sum((h - y) ** 2)

    d = bp.derive(recurrent, "xs: 2 i, U: h i, W: h h, y: h", wrt="U W")
    text = " ".join(d.why("dU").split())
    assert "So xs[1,:] is itself the derivative of Z2 with respect to U" in text
