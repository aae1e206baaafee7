"""Where a sequence repeats itself, and in which phase."""

from backpass.running.numpy.rolled.repeats import Run, repeats


def first(keys, numbers=None):
    return next(iter(repeats(keys, numbers or [None] * len(keys))), None)


def test_the_run_that_covers_most_comes_first():
    assert first("xababababy") == Run(1, 2, 4)
    assert first("aabababab") == Run(1, 2, 4)
    assert first("abcabcxx") == Run(0, 3, 2)
    assert first("abcde") is None
    assert first("") is None


def test_a_turn_is_as_short_as_can_be():
    assert first("abababab") == Run(0, 2, 4)
    assert {run.period for run in repeats("abababab", [None] * 8)} == {2}


def test_of_equal_runs_the_one_in_phase_comes_first():
    # Z1 a1 Z2 a2 Z3, and the same without Z1
    assert first("zazaz", [1, 1, 2, 2, 3]) == Run(0, 2, 2)
    assert first("zazaz", [0, 1, 1, 2, 2]) == Run(1, 2, 2)


def test_shorter_runs_follow():
    found = repeats("ababab", [None] * 6)
    assert found[0] == Run(0, 2, 3)
    assert {Run(0, 2, 2), Run(2, 2, 2), Run(1, 2, 2)} <= set(found)


def test_a_run_knows_its_turns():
    run = Run(1, 2, 3)
    assert [list(turn) for turn in run.turns()] == [[1, 2], [3, 4], [5, 6]]
    assert run.end == 7
    assert run.without(1) == Run(3, 2, 2)


def test_long_sequences_take_no_time():
    keys = ["z", "a"] * 5000
    assert first(keys) == Run(0, 2, 5000)
