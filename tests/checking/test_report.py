"""What a check shows: a table of 80 columns, sentences, and plain values."""

import json
from math import nan

from backpass.checking.gradients import Agreement, Entry, Kink
from backpass.checking.report import Check, both, entry_name, power
from backpass.checking.transposes import Law

RIGHT = Agreement("dW1", "4×5", error=3.2e-11, directions=3)
WRONG = Agreement("db1", "5", ok=False, error=0.05, directions=3, entries=5,
                  worst=Entry((2,), 0.1312, 0.1298))  # fmt: skip


def test_all_is_well():
    check = Check((RIGHT, Agreement("db1", "5", error=0.0, directions=3)))
    assert check
    assert check.failures == check.advice == ()
    assert (
        str(check)
        == """\
2 gradients agree with central differences

  dW1  4×5  3 directions  agrees to 3e-11
  db1  5    3 directions  agrees exactly"""
    )


def test_an_entry_is_wrong():
    check = Check((RIGHT, WRONG))
    assert not check
    assert (
        str(check)
        == """\
1 of 2 gradients differs from central differences

  dW1  4×5  3 directions             agrees to 3e-11
  db1  5    3 directions, 5 entries  differs by 5e-2
      db1[2]: 0.1312 here, 0.1298 by differences"""
    )
    assert check.failures == (
        "db1 differs from central differences by 5e-2 of its size: "
        "db1[2]: 0.1312 here, 0.1298 by differences",
    )


def test_everything_at_once():
    check = Check(
        (
            Agreement("dW", "k×j", ok=False, error=2.0, directions=3, factor=-1.0),
            Agreement("dx", "n", error=1e-9, directions=6, entries=3, kinked=2, aside=True,
                      worst=Entry((1,), 1.0, 1.0), kinks=(Kink((0,), 0.0, 0.0, 1.0),)),
            Agreement("dv", "n", directions=3, unclear=3),
            Agreement("dE", "0×3"),
            Agreement("du", "n", error=1e-4, directions=3, resolution=2e-3),
        ),
        faults=("g returned (3,4) for V, which is (4,3): transposed?",),
        remarks=("g: declared without a body, so a smooth function stood in",),
        laws=(Law("Z", True, 1e-12), Law("A", False, 0.1)),
        value=1e-16,
        points=("n=3 k=4", "n=1 k=2"),
        says="backpass uses {}",
    )  # fmt: skip
    assert (
        str(check)
        == """\
1 of 4 gradients differs from central differences

  g returned (3,4) for V, which is (4,3): transposed?

  dW  k×j  3 directions             differs by 2
      its sign is flipped in every direction
  dx  n    6 directions, 3 entries  agrees to 1e-9, least in [1]
  dv  n    3 directions             cannot be told
  dE  0×3  empty                    nothing to check
  du  n    3 directions             agrees to 1e-4

  value: the program returns what the function returns, to 1e-16
  transpose law ⟨v, J u⟩ = ⟨Jᵀ v, u⟩: holds in 1 step, to 1e-12
  transpose law: A breaks it, by 0.1
  tried at n=3 k=4; n=1 k=2

advice
  dx[0]: not differentiable here: the slope is 0 to the left and 1 to the right,
  backpass uses 0
  dx: a small step aside, where there is one slope, it agrees
  dv: differences settle nothing in 3 of 3 places; there the function jumps, or
  its rounding drowns the slope
  du: differences show no error below 2e-3 in places; the function is noisy
  beside its slope there, or has a kink nearby
  g: declared without a body, so a smooth function stood in"""
    )
    assert len(check.failures) == 3


def test_long_names_stay_within_80_columns():
    name = "gradient_of_the_weights_of_the_last_layer"
    check = Check((Agreement(f"d{name}", "number_of_inputs×number_of_outputs", directions=3),))
    assert max(map(len, str(check).splitlines())) <= 80


def test_many_kinks_are_counted():
    kinks = tuple(Kink((place,), 0.0, 0.0, 1.0) for place in range(9))
    check = Check((Agreement("dx", "9", directions=3, kinked=9, kinks=kinks),))
    assert len(check.advice) == 4
    assert check.advice[-1] == "dx: not differentiable in 6 more entries"


def test_errors_are_shown_by_their_order():
    errors = (0.0, 3.4e-11, 0.05, 0.52, 2.4, 321.0, nan)
    assert [power(e) for e in errors] == ["0", "3e-11", "5e-2", "0.5", "2", "3e2", "nan"]


def test_two_numbers_have_the_digits_that_tell_them_apart():
    assert both(0.1312, 0.1298) == ("0.1312", "0.1298")
    assert both(0.13120001, 0.13120002) == ("0.13120001", "0.13120002")
    assert both(1.0, 1.0) == ("1", "1")


def test_a_single_number_has_no_brackets():
    assert entry_name("dw", ()) == "dw"
    assert entry_name("dW", (2, 0)) == "dW[2,0]"


def test_json_holds_everything_and_nothing_that_is_no_number():
    check = Check((RIGHT, WRONG, Agreement("dx", "3", ok=False, error=nan)), value=None)
    found = json.loads(json.dumps(check.to_json(), allow_nan=False))
    assert found["ok"] is False
    assert found["gradients"][1]["worst"] == {"index": [2], "here": 0.1312, "differences": 0.1298}
    assert found["gradients"][2]["error"] is None
    assert found["failures"] == list(check.failures)


def test_one_place_tried_again_and_again_is_said_once():
    check = Check((RIGHT,), points=("the declared sizes",) * 3)
    assert "tried 3 times at the declared sizes\n" in f"{check}\n"
    assert "tried at n=3; n=1\n" in f"{Check((RIGHT,), points=('n=3', 'n=1'))}\n"
    assert "tried at n=3\n" in f"{Check((RIGHT,), points=('n=3',))}\n"
