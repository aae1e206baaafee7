from backpass.forward.syntax import Chain, Expression, Name, Negative, Number, children, walk

A, B = Name(0, 1, "a"), Name(4, 5, "b")


def test_walk_goes_from_the_whole_to_its_parts_and_from_left_to_right():
    minus = Negative(3, 5, B)
    whole = Chain(0, 5, A, (("+", minus),))
    assert list(walk(whole)) == [(whole, 1), (A, 2), (minus, 2), (B, 3)]
    assert children(A) == children(Number(0, 1, 2)) == ()


def test_walk_does_not_recurse():
    node: Expression = A
    for _ in range(5_000):
        node = Negative(0, 1, node)
    assert max(depth for _, depth in walk(node)) == 5_001
