"""A copy of a file with the readings as comments is the same program."""

import ast
import runpy

import numpy as np
import pytest
from click.testing import CliRunner

import backpass as bp
from backpass.cli import main
from backpass.doctor.listing import Note, Noted
from backpass.doctor.listing_copy import commented
from tests.doctor.mutants import PROGRAMS, load
from tests.doctor.test_verdict import X, Y

ODD = '''\
#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""A file."""

text = """
    x = 1
"""
a = b = \\
    2
c = [
    a,
    b,  # two
]
if a: c = 1; d = 2
else:
\td = (a
    + b)
'''


def noted(number):
    note = Note(number, 0, "x", ("Z1",), ((3, 2),), True)
    part = Note(number, 0, "y + 1", ("A1", "A2"), ((3, 2),), False)
    return Noted("odd.py", number, "", (note, part), ("dZ1: why",), ("z",))


def test_comments_stand_above_statements_and_never_inside_a_text():
    lines = range(1, len(ODD.splitlines()) + 1)
    copy = commented(ODD, ["A network."], [noted(number) for number in lines])
    assert ast.dump(ast.parse(copy)) == ast.dump(ast.parse(ODD))
    assert copy.splitlines()[:3] == [*ODD.splitlines()[:2], "# A network."]
    assert copy.index("A file") > copy.index("# → Z1")
    assert "# → Z1   3×2\n# y + 1: A1, A2 (3×2)\n# dZ1: why\n# not read: z\na = b =" in copy
    assert [line for line in copy.splitlines() if not line.lstrip().startswith("#") and line] == [
        line for line in ODD.splitlines() if not line.lstrip().startswith("#") and line
    ]


@pytest.mark.parametrize("name", ["three", "chooser"])
def test_the_copy_of_a_program_is_the_same_program(name, tmp_path):
    path, copy = PROGRAMS / f"{name}.py", tmp_path / "copy.py"
    done = CliRunner().invoke(main, ["annotate", str(path), *DATA[name], "--output", str(copy)])
    assert done.exit_code == 0, done.output
    source, made = path.read_text("utf-8"), copy.read_text("utf-8")
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(source))
    assert made.count("\n") > 1.3 * source.count("\n")
    assert max(map(len, made.splitlines())) <= 100
    assert "# → " in made
    runpy.run_path(str(copy))


DATA = {
    "three": [],
    "chooser": ["--make", "start(4, 5, 3)", "--call", "train", "--data", "6x4 6x3"],
}


def test_it_trains_as_the_file_does(tmp_path):
    module, _ = load("three", tmp_path)
    text = bp.annotate(module.Three().fit_partial, X, Y).commented()
    copy = tmp_path / "copy.py"
    copy.write_text(text, "utf-8")
    first, second = module.Three(), runpy.run_path(str(copy))["Three"]()
    for net in (first, second):
        net.fit_partial(X, Y)
    assert np.array_equal(first.W1, second.W1)
    assert "        # → dZ1" in text


def test_a_copy_does_not_take_the_place_of_the_file(tmp_path):
    file = tmp_path / "three.py"
    file.write_text((PROGRAMS / "three.py").read_text("utf-8"), "utf-8")
    done = CliRunner().invoke(main, ["annotate", str(file), "--output", str(file)])
    assert done.exit_code == 2
    assert "is the file itself; name another one" in done.output


def test_only_a_file_that_ran_is_copied(tmp_path):
    module, _ = load("three", tmp_path)
    found = bp.annotate(module.Three().fit_partial, X, Y)
    with pytest.raises(bp.BackpassError, match=r"nothing of other\.py ran"):
        found.commented("other.py")
