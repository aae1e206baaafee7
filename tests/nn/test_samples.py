"""Data that cannot be used: one sentence each, and no weight has changed."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import backpass as bp
from backpass.language.errors import BackpassError, ShapeError, UnknownName

X = np.arange(12.0).reshape(4, 3)
Y = np.arange(4) % 2
NAN, INF, HUGE = X.copy(), X.copy(), X.copy()
NAN[2, 1], INF[3, 0], HUGE[1, 2] = np.nan, -np.inf, 1e300


def network(loss="cross_entropy", outputs=2, **options):
    return bp.Network([bp.Dense(outputs)], inputs=3, loss=loss, **options)


class Frame:
    """What a table of pandas is to NumPy: objects, and names of columns."""

    columns = ("age", "city", "size")

    def __array__(self, dtype=None, copy=None):
        return np.array([[31, "Oslo", 1.7]], dtype=object)


CASES = {
    "NaN": (network(), NAN, Y, r"X\[2, 1\] is nan \(row 2, column 1, from 0\)"),
    "infinity": (network(), INF, Y, r"X\[3, 0\] is -inf"),
    "too large": (network(), HUGE, Y, r"X\[1, 2\] is 1e\+300, which float32 cannot hold"),
    "NaN in targets": (network("mse"), X, NAN[:, :2], r"y\[2, 1\] is nan"),
    "width": (network(), X[:, :2], Y, r"X is 4×2 and the network takes 3 inputs; give n×3"),
    "turned": (network(), X.T, Y, r"samples are rows here, n×3: give X\.T"),
    "turned columns": (network(convention="columns"), X, Y, r"samples are columns here, 3×n"),
    "rank": (network(), X[None], Y, r"X is 1×4×3 and the network takes 3 inputs"),
    "text": (network(), [["a", "b", "c"]], [0], r"X holds text; give numbers"),
    "None": (network(), [[None, 1, 2]], [0], r"X\[0, 0\] is None, and no number; replace it"),
    "mixed": (network(), np.array([[1, "a", 2]], dtype=object), [0], r"X\[0, 1\] is 'a', and no"),
    "frame": (network(), Frame(), [0], r"is 'Oslo', in column 'city', and no number; give an inp"),
    "nothing at all": (network(), None, [0], r"X is of type NoneType; give an array"),
    "masked": (network(), np.ma.masked_greater(X, 7), Y, r"X\[2, 2\] is masked; replace it"),
    "masked targets": (network("mse"), X, np.ma.masked_equal(X[:, :2], 3), r"y\[1, 0\] is masked"),
    "sparse": (network(), csr_array(X), Y, r"X is sparse; give X\.toarray\(\)"),
    "no list": (network(), [], [], r"X holds no samples"),
    "ragged": (network(), [[1, 2, 3], [1, 2]], [0, 1], r"rows of X are of different lengths"),
    "text labels": (network(), X, ["a", "b", "a", "b"], r"y holds text; number its classes"),
    "nothing": (network(), X[:0], Y[:0], r"there are no samples"),
    "count": (network(), X, Y[:3], r"y has 3 labels and X 4 samples"),
    "one class": (network(), X, Y * 0, r"all 4 labels are 0: there is nothing to tell apart"),
    "one share": (network(), X, [[0, 1]] * 4, r"all 4 targets are the same class"),
    "one answer": (network("binary_cross_entropy", 1), X, [[1]] * 4, r"are the same class"),
    "range": (network(), X, [0, 1, 2, 1], r"y\[2\] is 2; with 2 outputs labels run from 0 to 1"),
    "below": (network(), X, [0, 1, 1, -1], r"y\[3\] is -1"),
    "float labels": (network(), X, Y * 1.0, r"y holds float64 and cross_entropy takes labels"),
    "no shares": (network(), X, [[1, 1]] * 4, r"the targets of sample 0 sum to 2"),
    "negative": (network("binary_cross_entropy", 1), X, [[0], [1], [-1], [1]],
                 r"y\[2, 0\] is -1; targets of binary_cross_entropy lie between 0 and 1"),
    "spread": (network("mse", 1), X, Y, r"y is \(4,\) and the outputs are 4×1, which NumPy would "
               r"spread to 4×4; give y\.reshape\(-1, 1\)"),
    "spread columns": (network("mse", 1, convention="columns"), X.T, Y, r"y\.reshape\(1, -1\)"),
    "labels": (network("mse", 2), X, Y, r'take loss="cross_entropy", or give mse one column'),
    "turned targets": (network("mse", 2), X, X[:, :2].T, r"give y\.T"),
    "other targets": (network("mse", 2), X, X, r"y is 4×3 and the outputs are 4×2"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_data_that_do_not_fit(case):
    net, inputs, targets, message = CASES[case]
    before = {name: values.copy() for name, values in net.weights.items()}
    with pytest.raises(BackpassError, match=message) as caught:
        net.fit(inputs, targets, progress=False)
    assert "\n" not in str(caught.value)
    assert all((values == before[name]).all() for name, values in net.weights.items())


def test_python_numbers_in_objects_are_numbers():
    objects = network().fit(X.astype(object), Y.astype(object), epochs=1, progress=False)
    assert objects.loss == network().fit(X, Y, epochs=1, progress=False).loss


def test_predicting_looks_at_its_inputs_too():
    net = network()
    with pytest.raises(ShapeError, match="X is 4×2 and the network takes 3 inputs"):
        net.predict(X[:, :2])
    with pytest.raises(ShapeError, match=r"X is \(2,\) and the network takes 3 inputs"):
        net.predict_class(X[0, :2])
    with pytest.raises(BackpassError, match=r"X\[2, 1\] is nan"):
        net.predict(NAN)
    with pytest.raises(ShapeError, match=r"give X\.reshape\(-1, 1\)"):
        bp.Network([bp.Dense(1)], inputs=1, loss="mse").predict([1.0, 2.0])
    assert net.predict(X[:0]).shape == (0, 2)


WRONG = {
    "no layers": (lambda: bp.Network([], 3), BackpassError, "a network needs a layer"),
    "no layer": (lambda: bp.Network([5], 3), BackpassError, "5 is no layer; write bp.Dense"),
    "no units": (lambda: bp.Dense(0), BackpassError, r"Dense\(0\) has no units"),
    "more than fits": (
        lambda: bp.Network([bp.Dense(10**6), bp.Dense(10**6)], 2), BackpassError,
        "2 → 1000000 → 1000000 has 1,000,004,000,000 weights, more than fit into the memory",
    ),
    "half a unit": (lambda: bp.Dense(2.5), BackpassError, r"Dense\(2.5\) has no units"),
    "activation": (lambda: bp.Dense(3, "rellu"), UnknownName, "did you mean relu"),
    "inputs": (lambda: bp.Network([bp.Dense(1)], 0), BackpassError, "inputs=0 is no width"),
    "loss": (lambda: network("cross_entrpy"), UnknownName, "did you mean cross_entropy"),
    "formula": (lambda: network("Σ (output − y)²"), UnknownName, "the loss speaks of y"),
    "half a formula": (lambda: network("Σ output²"), UnknownName, "says nothing of target"),
    "init": (lambda: network(init="glorrot"), UnknownName, "did you mean glorot"),
    "bias": (lambda: network(bias="augmentd"), UnknownName, "did you mean augmented"),
    "convention": (lambda: network(convention="row"), UnknownName, "did you mean rows"),
    "dtype": (lambda: network(dtype="float16"), UnknownName, "did you mean float"),
    "seed": (lambda: network(seed=-1), BackpassError, "seed=-1 is not valid; give a whole number"),
    "text for a seed": (lambda: network(seed="0"), BackpassError, "seed='0' is not valid"),
    "rate": (lambda: bp.SGD(-1), BackpassError, "lr=-1 is no learning rate"),
    "optimizer": (lambda: network(optimizer=0.1), BackpassError, "0.1 is no optimizer"),
    "softmax twice": (
        lambda: bp.Network([bp.Dense(3, "softmax")], 3), BackpassError, "softmax would act twice",
    ),
    "epochs": (lambda: network().fit(X, Y, epochs=0), BackpassError, "epochs=0 is not valid"),
    "batch": (lambda: network().fit(X, Y, batch_size=-1), BackpassError, "batch_size=-1 is not"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_networks_that_cannot_be(case):
    make, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        make()
