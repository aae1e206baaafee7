"""The garbage collector while modules are imported."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from backpass._collector import importing


@pytest.fixture
def by_hand() -> Generator[None]:
    """Nothing is collected but what a test asks for."""
    enabled = gc.isenabled()
    gc.disable()
    yield
    gc.unfreeze()
    (gc.enable if enabled else gc.disable)()


@pytest.mark.usefixtures("by_hand")
def test_what_is_imported_is_old_at_once():
    with importing():
        kept: list[object] = []
    assert not any(one is kept for one in gc.get_objects(generation=0))
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("by_hand")
def test_what_was_frozen_before_an_import_stays_frozen():
    gc.freeze()
    with importing():
        pass
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("enabled", [True, False])
def test_it_works_afterwards_if_it_did_before(by_hand: None, enabled: bool):
    (gc.enable if enabled else gc.disable)()
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
