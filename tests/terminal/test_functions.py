"""A file with a custom_vjp in it, as `backpass doctor` finds it, its inputs and its mistake."""

import pytest

from backpass.language.errors import BackpassError
from backpass.terminal.examining import examine_file

SWISH = """
import jax
import jax.numpy as jnp


@jax.custom_vjp
def swish(x):
    return x * jax.nn.sigmoid(x)


def forward(x):
    s = jax.nn.sigmoid(x)
    return x * s, (x, s)


def backward(kept, g):
    x, s = kept
    return (g * (s + x * (1 - s)),)


swish.defvjp(forward, backward)
"""
USED = """
if __name__ == "__main__":
    print(jax.grad(lambda x: swish(x).sum())(jnp.ones((3, 2))))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(SWISH, "utf-8")
    return path


def examined(path, call=None, data=None):
    return examine_file(path, None, call, data, None)


def test_inputs_are_given_as_shapes(file):
    found = examined(file, data="4x3")
    assert not found
    assert found.report.tensors[0].shape == (4, 3)
    (finding,) = found.report.findings
    assert finding.source == "return (g * (s + x * (1 - s)),)"
    assert finding.fix == "s * g + x * g * s * (1 - s)"
    assert finding.repaired == "return (s * g + x * g * s * (1 - s),)"


def test_or_by_name_or_by_the_files_own_call_or_by_what_it_calls_its_parameters(file):
    file.write_text(SWISH + USED, "utf-8")
    found = examined(file)
    assert found.report.tensors[0].shape == (3, 2)
    assert "called swish as the file does when it is run" in found.assumed
    file.write_text(SWISH + "data = jnp.ones((5, 2))\n", "utf-8")
    assert examined(file, "swish", "data").report.tensors[0].shape == (5, 2)
    file.write_text(SWISH + "x = jnp.ones((2, 2))\n", "utf-8")
    found = examined(file)
    assert found.assumed == ("called swish on x of the file",)


@pytest.mark.parametrize(
    ("call", "data", "words"),
    [
        (None, None, r'does not call swish\(x\); say on what it is called, as in --data "6x3"'),
        (None, "4x3 2", "has 2 of the inputs x"),
        (None, "abc", "has no abc"),
        ("swich", "4x3", "there is no swich to call; did you mean swish"),
    ],
)
def test_what_is_missing_is_one_sentence(file, call, data, words):
    with pytest.raises(BackpassError, match=words):
        examined(file, call, data)
