from __future__ import annotations

import functools
import sys
from types import FrameType
from typing import Any

import numpy as np

from backpass.forward.names import caller, source_line
from tests.forward.noting import annotated, bindings

# Each text is the user's code; the comments say what became of the values of the line, in order.


def test_what_a_function_returns_takes_the_name_of_the_caller():
    code = """
    def double(z):
        return -(z + z)                            # → A1, A1, → A[1], A[1], → ⏎, ⏎
    def f():
        A1 = double(x @ w)                         # → A1
        A = [x]
        A.append(double(A1))
        return double(x)
    """
    assert annotated(code) == code
    outer, inner, *_ = bindings(code)
    assert (outer.function, outer.depth, outer.scope) == ("f", 0, 0)
    assert (inner.function, inner.depth, inner.scope) == ("double", 1, 0)


def test_a_variable_is_followed_to_the_return():
    code = """
    def sigmoid(z):
        e = tanh(-z)                               # → e, e, → e, e
        s = 1 / (1 + e)                            # → A1, A1, → s, s
        return s
    def f():
        A1 = sigmoid(x)
        A2 = -sigmoid(x)                           # A2
        L = x @ w                                  # L ⏎
        return L
    """
    assert annotated(code) == code
    assert [each.scope for each in bindings(code)] == [1, 1, 0, 0, 1, 1, 1, 1, 0, 0]


def test_a_variable_that_is_not_returned_on_every_way_keeps_its_name():
    code = """
    def either(flag):
        s = x @ w                                  # s
        if flag:
            return s
        return -s                                  # A
    def again():
        for W in Ws:
            s = x @ W                              # s, s
        return s
    def chosen(name):
        if name == "tanh":
            a = tanh(x)                            # C
        elif name == "linear":
            a = x @ w                              # D
        return a
    def f():
        A = either(False)
        B = again()
        C = chosen("tanh")
        D = chosen("linear")
    """
    assert annotated(code) == code


def test_results_of_several_parts():
    code = """
    def layer(a, W):
        Z = a @ W                                  # Z1, Z, Z
        return tanh(Z), Z                          # A1, both[0], [0] ⏎
    def cached(a, W):
        Z = a @ W                                  # Z
        A = tanh(Z)                                # A2
        cache = (a, Z)
        return A, cache
    def keyed(a, W):
        return 0, {"H": a @ W}                     # H
    def f():
        A1, Z1 = layer(x, w)
        both = layer(x, w)
        A2, cache = cached(x, w)
        more = keyed(x, w)
        return layer(x, w)
    """
    assert annotated(code) == code


def test_methods_closures_lambdas_and_decorators():
    code = """
    def passing(function):
        @wraps(function)
        def wrapper(*args):
            return function(*args)
        return wrapper

    class Layer:
        def __init__(self, W):
            self.W = W
        def __call__(self, a):
            return self.activation(a @ self.W)     # → A1
        def activation(self, z):
            self.z = -z                            # z
            return tanh(z)                         # A1
        def __matmul__(self, a):
            return tanh(a)                         # p
        @property
        def norm(self):
            return np.sum(self.W)                  # n
        @staticmethod
        def scaled(a):
            return a * 2                           # q
        @passing
        def decorated(self, a):
            return a * 2                           # r

    def f():
        layer, act = Layer(w), lambda z: 1 / z     # A2, A3, → s
        A1 = layer(x)
        A2 = act(x)
        A3 = [tanh, act][1](x)
        p = layer @ x
        n = layer.norm
        q = layer.scaled(x)
        r = layer.decorated(x)
        def inner(z):
            return z + act(z)                      # s
        s = inner(x)
    """
    assert annotated(code, wraps=functools.wraps) == code
    depths = [each.depth for each in bindings(code, wraps=functools.wraps)]
    assert depths == [1, 2, 2, 1, 1, 1, 1, 1, 2, 2, 1]


def test_a_recursive_function_is_outermost_once():
    code = """
    def f(a=x, Ws=Ws):
        if not Ws:
            return tanh(a)                         # ⏎
        Z = a @ Ws[0]                              # Z, Z
        return f(Z, Ws[1:])
    """
    assert annotated(code) == code
    assert [each.depth for each in bindings(code)] == [0, 1, 2]


def test_a_deep_recursion_has_an_end():
    code = """
    def g(l):
        return tanh(g(l - 1)) if l else x @ w
    def f():
        A = g(200)
    """
    made = bindings(code)
    assert [(each.name, each.into) for each in made[-2:]] == [(None, "A"), ("A", None)]
    assert (made[0].name, made[0].into, made[0].depth) == (None, None, 201)


def test_generators():
    code = """
    def layers():
        for W in Ws:
            yield x @ W                            # z, z, first, → whole, → whole, a, a, →, →
    def f():
        for z in layers():
            pass
        first = next(layers())
        whole = list(layers())
        every = layers()
        for a in every:
            pass
        for l, c in enumerate(layers()):
            pass
    """
    assert annotated(code) == code


def test_numpy_between_the_frames_of_the_user():
    code = """
    def g(z):
        return 1 / z                               # → A, → A, → B
    def steps(z):
        s = 1 / z                                  # s
        return s
    def f():
        A = numpy.apply_along_axis(lambda row: number(g(x)), 0, numpy.ones((1, 2)))
        B = apply(g, x)
        C = apply(steps, x)
    """
    library: dict[str, Any] = {"__name__": "numpy.lib"}
    exec("def apply(function, array): return function(array)", library)
    more = {"numpy": np, "number": lambda array: 0.0, "apply": library["apply"]}
    assert annotated(code, **more) == code
    assert [each.depth for each in bindings(code, **more)] == [2, 2, 1, 1]


def test_caller_skips_numpy_and_the_tracing():
    here: FrameType | None = sys._getframe()
    scope = {"__name__": "numpy.lib", "caller": caller, "sys": sys}
    exec("def g(): return caller(sys._getframe())", scope)
    assert scope["g"]() is here
    assert caller(here) is here
    assert caller(None) is None


def test_the_place_of_an_operation():
    place = bindings("\ndef f():\n\n    A = [x @ W for W in Ws]")[0]
    assert (place.file, place.line, place.function, place.depth) == ("<nowhere>", 4, "f", 0)
    assert source_line("<nowhere>", 4) is None
    assert source_line(__file__, 1) == "from __future__ import annotations"
