"""Statements, cut at their names: what two equal layers share is the text between."""

import numpy as np

from backpass.derive import derive
from backpass.running.numpy.rolled.statement import drafted, temporaries
from tests.running.numpy.rolled.networks import batch


def draft(d):
    return drafted(d.passes, d.program, {d.loss, *d.gradients.values()}, "forward_backward")


def of(text, shapes, **options):
    return draft(derive(text, shapes, **options))


def test_a_statement_is_what_the_unrolled_source_says():
    d = batch()
    found = draft(d)
    lines = [line for one in (*found.forward, *found.backward) for line in one.filled(one.words)]
    apart = ["W1, W2, W3, W4, W5 = W", "b1, b2, b3, b4, b5 = b"]
    body = d.code("numpy").split('"""\n')[1].splitlines()
    assert [line.split("  #")[0].strip() for line in body[:-1]] == apart + lines


def test_words_are_arrays_sizes_and_whole_numbers():
    found = of("L = sum(mean(X ** 2, axis=1) / 3)", "X: n k")
    words = [one.words for one in found.forward]
    assert {"X", "2", "k", "3"} <= {word for one in words for word in one}
    assert all(len(one.texts) == len(one.words) + 1 for one in found.forward)


def scaled(letters, shapes):
    """The statement of an einsum with three factors."""

    def loss(X, s, D):
        S = np.einsum(letters, X, s, D)
        return np.sum(S**2)

    return draft(derive(loss, shapes)).forward[0]


NK = "nk,n,nj->kj", "X: n k, s: n, D: n j"


def test_keywords_attributes_and_strings_are_no_words():
    found = scaled(*NK)
    assert "".join(found.words) == "SXsD"
    assert 'np.einsum("nk,n,nj->kj", ' in found.texts[1]
    transposed = of("L = sum(axis.T @ axis)", "axis: n k").forward
    assert all("T" not in one.words for one in transposed)


def test_equal_steps_have_equal_keys_whatever_their_letters_and_names():
    keys = [one.key for one in draft(batch()).forward]
    assert keys[0] == keys[2] == keys[4] != keys[1] == keys[3]
    same = scaled("xb,x,xa->ba", "X: x b, s: x, D: x a")
    assert "xb,x,xa->ba" in same.texts[1]
    assert same.key == scaled(*NK).key
    # NumPy sums in the order of the letters, and a comes before b and c
    assert scaled("ab,a,ac->bc", "X: a b, s: a, D: a c").key != same.key


def test_a_power_stands_close_to_names_alone():
    (one,) = (s for s in of("A = X**2; L = sum(A)", "X: n").forward if s.word == "A")
    words = {"A": "A[l]", "X": "X[l]", "2": "2"}
    assert one.filled(words[word] for word in one.words) == ["A[l] = X[l] ** 2"]


def test_names_between_the_words_stay_what_they_are():
    def loss(X):
        return np.sum(np.tanh(X[1:]) ** 2)

    found = draft(derive(loss, "X: 5"))
    known = set(temporaries((*found.forward, *found.backward)))
    assert {"np", "dtype"} <= known
    assert not {"X", "tanh", "zeros"} & known


def test_gradients_know_where_they_come_from():
    found = draft(batch())
    assert found.origins["dW2"] == {"Z2"}
    assert found.sources["dW2"] == "W2"
    assert found.sources["dA1"] == "A1"
