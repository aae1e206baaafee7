from __future__ import annotations

import functools
import operator
from collections import deque
from contextlib import nullcontext

from tests.forward.noting import annotated, bindings

# Each text is the user's code; the comments say what became of the values of the line, in order.


def test_assignment():
    code = """
    def f():
        A1 = tanh(x @ w + b)                       # → A1, → A1, A1
        Z, A = x @ w, x * b                        # Z, A
        p, q, r = x @ w, x + b, x - b              # p, q, r
        (k, l), m, n, o = (x, -x), x @ b, w, -x    # l, m, o
        s, *t = x @ w, x + b, x - b                # s, –, –
        a = c = x @ w                              # a
        a += x @ b                                 # → a, a
        if (z := x @ w) is not None:               # z
            tanh(v := z @ b)                       # v, –
        return 0.5 * np.sum((A1 - y) ** 2)         # → ⏎, → ⏎, → ⏎, ⏎
    """
    assert annotated(code) == code


def test_every_kind_of_variable():
    code = """
    def f():
        global G
        D = x @ w                                  # D
        def inner():
            nonlocal D
            D = x * b                              # D
            return D
        G = x @ b                                  # G
        inner()
        class Net:
            K = x @ b                              # K
    """
    assert annotated(code) == code


def test_attributes_and_subscripts():
    code = """
    def f():
        net, cache, A, params = names(layers=[names()]), {}, [0, 0], {"W": [0]}
        key, l = "b2", 1
        net.z1 = x @ w                             # z1
        net.z1 += b                                # z1
        net.layers[0].z = x @ w                    # z[0]
        cache["Z1"] = x @ w                        # Z1
        cache["Z1"] += b                           # Z1
        cache[key] = x @ w                         # b2
        cache["Z" + str(l + 1)] = x @ w            # Z2
        cache[f"A{l}"] = x @ w                     # A1
        cache["d%d" % l] = x @ w                   # d1
        A[0] = x @ w                               # A[0]
        A[l] = x @ w                               # A[1]
        A[l - 1] += x @ w                          # → A[0], A[0]
        A[-1] = x @ w                              # A[1]
        params["W"][0] = x @ w                     # W[0]
        net.cache = [{}, {}]
        net.cache[l]["Z"] = x @ w                  # Z[1]
        globals()["H"] = x @ w                     # H
    """
    assert annotated(code) == code


def test_a_subscript_that_cannot_be_told_gives_no_name():
    code = """
    def f():
        cache, A, l = {}, [[0], 0], 1
        cache[reduce(add, "ab")] = x @ w           # → cache
        cache[1.5] = x @ w                         # → cache
        A[0][0] = x @ w                            # → A
        out[1:] = x @ w                            # → out
        out[:, 0] = x @ w                          # → out
    """

    class Grid:
        def __setitem__(self, *_: object) -> None: ...

    assert annotated(code, reduce=functools.reduce, add=operator.add, out=Grid()) == code


def test_append_counts():
    code = """
    def f():
        A, net = [x], names(A=[], zs=deque())
        for W in Ws:
            A.append(tanh(A[-1] @ W + b))          # → A[1], → A[1], A[1], → A[2], → A[2], A[2]
        net.A.append(x @ w)                        # A[0]
        net.A.append(x @ w)                        # A[1]
        net.zs.append(x @ w)                       # zs[0]
    """
    assert annotated(code, deque=deque) == code


def test_append_of_something_else_than_a_list_is_a_call():
    class Tape:
        __slots__ = ("later", "values")

        def append(self, value: object) -> None:
            self.values = [value]

    code = """
    def f():
        tape.append(x @ w)                         # →
        tape.values.append(x @ w)                  # values[1]
        np.append(x @ w)                           # →
    """
    numpy = type("numpy", (), {"append": staticmethod(lambda array: array)})
    assert annotated(code, tape=Tape(), np=numpy) == code


def test_displays():
    code = """
    def f():
        A = [x @ w, x @ b]                         # A[0], A[1]
        t = x, (x @ w, x)                          # → t
        cache = {"Z1": x @ w, 3: x @ b}            # Z1, cache[3]
        more = {"Z": x, "A": x @ w}                # A
        star = [*A, x @ w]                         # star
        return {"L": x @ w, "out": A}, t           # L
    """
    assert annotated(code) == code


# ── loops and comprehensions ─────────────────────────────────────────────────────────────────


def test_every_pass_of_a_loop():
    code = """
    def f():
        A, Z = x, []
        for W, c in zip(Ws, [b, b]):
            Z.append(A @ W + c)                    # → Z[0], Z[0], → Z[1], Z[1]
            A = tanh(Z[-1])                        # A, A
        while len(Z) < 4:
            Z.append(A @ W)                        # Z[2], Z[3]
    """
    assert annotated(code) == code


def test_comprehensions_name_the_container():
    code = """
    def f():
        Z = [x @ W for W in Ws]                                  # Z, Z
        A = [tanh(z + b) for z in Z if z is not None]            # → A, A, → A, A
        D = {"d" + str(l): x @ W for l, W in enumerate(Ws)}      # d0, d1
        E = {l: x @ W for l, W in enumerate(Ws)}                 # E[0], E[1]
        pairs = [(x @ W, 0) for W in Ws]                         # → pairs, → pairs
        net = names()
        net.H = [x @ W for W in Ws]                              # H, H
        return [x @ W for W in Ws]                               # ⏎, ⏎
    """
    assert annotated(code) == code


def test_a_comprehension_stands_in_its_function():
    code = """
    def f():
        Z = [x @ W for W in Ws]
        return Z, sum(x @ W for W in Ws)
    """
    inside, _, generated, *_ = bindings(code)
    assert (inside.function, inside.depth, inside.scope) == ("f", 0, 0)
    assert (generated.function, generated.depth) == ("f", 0)


# ── what stands around ───────────────────────────────────────────────────────────────────────


def test_branches():
    code = """
    def f():
        A = x @ w if b else tanh(x)                # A
        B = tanh(x @ w if b else x)                # → B, B
        C = (x @ w) + (x if b else w)              # → C, C
        D = b and x @ w                            # D
        E = x @ w or b                             # E
        if (x < w) is None:                        # –
            return A, B
        assert x < w                               # –
        return x @ w if A else -C                  # ⏎
    """
    assert annotated(code) == code


def test_try_with_and_finally():
    code = """
    def f():
        with quiet() as q:
            A = x @ w                              # A
        try:
            B = [x @ w]                            # B[0]
            raise KeyError
        except KeyError as error:
            B.append(x @ w)                        # B[1]
            C = f"{error}", x @ w                  # C[1]
        finally:
            D = x @ w                              # D
        with quiet(), quiet():
            try:
                return x @ w                       # ⏎
            finally:
                str(f"{x @ w}")                    # –
    """
    assert annotated(code, quiet=nullcontext) == code


def test_calls_with_keywords_and_stars():
    code = """
    def f():
        A = tanh(x @ w, axis=0, keepdims=True)     # → A, A
        B = np.tanh(*[x @ w], **{"axis": 0})       # → B, B
        C = partial(x.dot)(x @ w)                  # → C, C
        D = x.dot(w).sum(axis=0)                   # → D, D
        E = x[0]                                   # E
        F = (-x).T                                 # → F, F
        tanh(x)                                    # –
    """
    assert annotated(code, partial=functools.partial) == code


def test_builtins_that_call_back_make_only_parts():
    code = """
    def f():
        total = sum([x, x, x])                     # → total, → total, → total
        A = list(map(lambda W: x @ W, Ws))         # → A, → A
        out = reduce(lambda a, W: a @ W, Ws, x)    # → out, → out
        best = max(x, x)                           # → best
        for z in map(np.tanh, Ws):                 # → z, → z
            pass
        for pair in zip(map(np.tanh, Ws), Ws):     # → pair, → pair
            pass
    """
    assert annotated(code, reduce=functools.reduce) == code


def test_builtins_that_only_pass_on():
    code = """
    def f():
        a = abs(x)                                 # a
        p = operator.matmul(x, w)                  # p
        q = pow(x, 2)                              # q
        t = x.T                                    # t
    """
    assert annotated(code, operator=operator) == code
