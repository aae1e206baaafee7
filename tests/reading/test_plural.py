"""Numbers in sentences."""

import pytest

from backpass.reading.plural import many


@pytest.mark.parametrize(
    ("number", "thing", "said"),
    [
        (1, "update", "1 update"),
        (2, "update", "2 updates"),
        (0, "file", "0 files"),
        (1797, "held-out sample", "1,797 held-out samples"),
        (1, "entry", "1 entry"),
        (3, "entry", "3 entries"),
    ],
)
def test_one_thing_is_not_many(number, thing, said):
    assert many(number, thing) == said
