"""What a program reads must be there, at the sizes that it is given."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import ShapeError
from backpass.language.extent import check_extent
from backpass.language.notation import parse_program


@pytest.mark.parametrize(
    ("program", "n", "sentence"),
    [
        ("x: n; L = x[i] for i<3", 2, "L needs entry 2 of x, and there are 2 here, counted from 0"),
        ("x: n; L = x[n-3]", 2, "L needs entry -1 of x, and there are 2 here, counted from 0"),
        ("x: n; L = x[i+2] for i<n-2", 1, "L runs over n-2, and n is 1 here"),
        (
            "X: 2 n; L = X[1,n-i-4] for i<3",
            5,
            "L needs entry -1 of X along axis 1, and there are 5",
        ),
        ("x: n; y: n+2; y[2*i] = x[i] for i<n", 4, "y needs entry 6 of y"),
    ],
)
def test_an_entry_that_does_not_exist_is_named(program, n, sentence):
    parsed = parse_program(program)
    check_extent(parsed, {"n": 6 if "2*i" not in program else 2})
    with pytest.raises(ShapeError) as caught:
        check_extent(parsed, {"n": n})
    assert caught.value.message.startswith(sentence)


def test_of_no_samples_nothing_is_read():
    check_extent(parse_program("X: n k; L = X[i,0]**2 for i<n"), {"n": 0, "k": 0})


@pytest.mark.parametrize(
    ("forward", "short"),
    [
        (lambda x: np.mean(x[:3]), 2),  # NumPy takes the mean of the two
        (lambda x: np.mean(x[2:]), 1),
        (lambda x: np.mean(x[-3:]), 2),
        (lambda x: np.sum(np.concatenate([x[:2], x]) ** 2), 1),
    ],
)
def test_a_slice_that_numpy_would_cut_short_is_refused(forward, short):
    d = bp.derive(forward, "x: n")
    assert d(np.ones(4))[0] == forward(np.ones(4))
    with pytest.raises(ShapeError):
        d(np.ones(short))
