"""`backprop_check`, a fixture: a test that fails with the doctor's report.

    def test_gradients(backprop_check):
        backprop_check(net.fit_partial, X, Y)

pytest finds it where backpass is installed. Nothing but pytest is imported before a test asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from backpass.doctor.report import Report

CLEARED = (
    "correct", "correct up to a scale", "correct for another loss", "correct in the other layout",
)  # fmt: skip


@pytest.fixture(scope="session")
def backprop_check() -> Callable[..., Report]:
    """Ask the doctor about code that trains, as `bp.doctor` does; what it does not clear fails.

    `allow` are the verdicts that pass: all that begin with "correct", unless told otherwise. The
    report is returned, for tests that want to know more.
    """
    return _check


def _check(
    subject: Callable[..., Any], *given: Any, allow: Collection[str] = CLEARED, **more: Any
) -> Report:
    from backpass.doctor.doctor import doctor
    from backpass.language.errors import BackpassError

    __tracebackhide__ = True  # the line that counts is the test's own
    unknown = set([allow] if isinstance(allow, str) else allow) - {*CLEARED, "bug", "unknown"}
    if unknown:
        raise ValueError(f"no verdict is called {min(unknown)!r}; there are {CLEARED}")
    report, refused = None, ""
    try:
        report = doctor(subject, *given, **more)
    except BackpassError as error:
        refused = f"the doctor has no answer: {error}"
    if report is None:  # said here, where no other error is being handled
        pytest.fail(refused, pytrace=False)
    if report.verdict not in allow:
        pytest.fail(str(report), pytrace=False)
    return report
