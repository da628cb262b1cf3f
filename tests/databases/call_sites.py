"""How a test knows the line on which it takes a connection."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.databases.case import Case


def next_line() -> int:
    """The number of the line after the one that calls this."""
    return sys._getframe(1).f_lineno + 1


def assert_held_from(case: Case, line: int, function: str) -> None:
    """The open hold, and the wait for it, came from this line of the test's own module."""
    site = case.hold.call_site
    assert site is not None
    caller = sys._getframe(1).f_code.co_filename
    assert (Path(site.file).name, site.line, site.function) == (Path(caller).name, line, function)
    wait = case.waits[-1]
    assert wait.call_site == site
