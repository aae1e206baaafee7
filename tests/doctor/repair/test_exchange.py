"""Another source for a file, and the user's own afterwards."""

import linecache

import pytest

from backpass.doctor.repair.exchange import exchanged
from tests.doctor.mutants import load


def test_functions_run_the_other_source_and_then_their_own(tmp_path):
    module, lines = load("three", tmp_path)
    slope, file = module.dtanh, module.__file__
    source = "\n".join(lines)
    with exchanged([slope], file, source.replace("1 - a**2", "7 - a")):
        assert slope(2) == 5
        assert "7 - a" in "".join(linecache.getlines(file))
    assert slope(2) == -3
    assert "7 - a" not in "".join(linecache.getlines(file))


def test_functions_are_put_back_when_something_is_raised(tmp_path):
    module, lines = load("three", tmp_path)
    source = "\n".join(lines).replace("1 - a**2", "nobody")
    with pytest.raises(NameError), exchanged([module.dtanh], module.__file__, source):
        module.dtanh(2)
    assert module.dtanh(2) == -3


def test_a_source_with_other_functions_is_refused(tmp_path):
    module, lines = load("three", tmp_path)
    source = "\n".join(lines) + "\n\n\ndef more():\n    pass\n"
    with (
        pytest.raises(ValueError, match="add or take away functions"),
        exchanged([module.dtanh], module.__file__, source),
    ):
        pass
