"""Who was taken for whom, in 80 columns, whatever classes are called."""

import numpy as np

from backpass.reading.lines import joined
from backpass.terminal.confusion import confusion_lines

TABLE = np.array([[12, 0, 1], [0, 7, 0], [2, 1, 5]])


def test_rows_are_what_samples_are():
    assert joined(confusion_lines(TABLE, ["iris", "rose", "tulip"])) == (
        "            iris   rose  tulip   right\n"
        "     iris     12      ·      1     92%\n"
        "     rose      ·      7      ·    100%\n"
        "    tulip      2      1      5     62%"
    )


def test_a_class_that_does_not_occur_has_no_share():
    table = np.array([[0, 0], [1, 3]])
    assert joined(confusion_lines(table)).splitlines()[1] == "    0  ·  ·       –"


def test_what_is_right_and_what_is_wrong_has_a_colour():
    roles = [[span.role for span in line[1:-1]] for line in confusion_lines(TABLE)[1:]]
    assert roles == [
        ["good", "shape", "bad"], ["shape", "good", "shape"], ["bad", "bad", "good"],
    ]  # fmt: skip


def test_too_many_classes_become_a_list_of_mistakes():
    table = np.diag(np.full(40, 9))
    table[3, 7], table[8, 1] = 2, 5
    assert joined(confusion_lines(table)) == "       5 × 8, taken for 1\n       2 × 3, taken for 7"
    table[0, 1:] = 1
    found = joined(confusion_lines(table)).splitlines()
    assert len(found) == 11
    assert found[-1] == "    and 31 more, of 31 kinds"
