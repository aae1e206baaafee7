"""Which layers are found to be equal, and what stands around them."""

import backpass as bp
from backpass.running.numpy.rolled.rolling import rollings
from backpass.running.numpy.rolled.shelf import shelves
from tests.running.numpy.rolled.networks import batch, classifier, columns, recurrent
from tests.running.numpy.rolled.test_statement import draft


def best(d):
    apart = []
    arguments = {leaf.name: leaf.name for leaf in d.arguments.leaves}
    return next(rollings(draft(d), shelves(arguments), apart), None), apart


def words(statements):
    return [one.word for one in statements]


def test_a_backward_layer_is_that_of_the_line_that_it_comes_from():
    found, _ = best(batch())
    assert (found.count, found.low) == (5, 0)
    made = [series[found.count - 1] for series in found.series]
    assert made == ["Z5", "A5", "dZ5", "dW5", "db5", "dA4"]
    assert 0 not in found.series[-1]  # nobody asks for the gradient of X
    assert found.edges == {(1, -1): "X", (5, 5): "dA5"}
    assert (words(found.before), words(found.between), words(found.after)) == ([], ["L", "dA5"], [])


def test_the_last_result_may_have_any_name():
    d = bp.derive(
        "z1 = W1 x; h1 = σ(z1); z2 = W2 h1; y = σ(z2); cost = C(y)",
        "x: p, W1: m p, W2: u m",
        wrt="W1 W2",
        functions="σ: elementwise, C: scalar",
    )
    found, _ = best(d)
    assert found.series[1] == {0: "h1", 1: "y"}
    assert words(found.between) == ["cost", "dy"]


def test_unlike_layers_stand_around_like_ones():
    found, _ = best(classifier(4))
    assert found.count == 3
    assert words(found.between) == ["Z4", "L", "P", "dZ4", "dW4", "db4", "dA3"]


def test_what_all_layers_add_to_comes_after_them():
    found, _ = best(recurrent())
    assert words(found.after) == ["dU", "dV"]


def test_the_order_of_lines_within_a_layer_does_not_matter():
    text = "a1 = tanh(W1 a0); a2 = tanh(W2 a1); a3 = tanh(W3 a2); L = sum((a3 - y)²)"
    d = bp.derive(text, "a0: k, y: k, W1: k k, W2: k k, W3: k k")  # da0 comes before dW1
    found, _ = best(d)
    assert found.count == 3
    assert all(len(series) == 3 for series in found.series)


def test_inputs_without_a_number_keep_layers_apart():
    d = bp.derive(
        "h = tanh(U x); o = tanh(V h); L = sum((o - y)²)", "x: k, y: k, U: k k, V: k k", wrt="U V"
    )
    found, apart = best(d)
    assert found is None
    assert apart == [("U", "V")]


def test_layers_that_do_not_learn_may_stay_outside():
    d = columns(4)
    found = list(rollings(draft(d), shelves({n.name: n.name for n in d.arguments.leaves}), []))
    assert {one.count for one in found} >= {4, 3}
