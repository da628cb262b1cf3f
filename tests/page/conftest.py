from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import require
from tests.page.browser import EXECUTABLE, Chromium, started_chromium


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    """A real browser for all tests of the page."""
    require(EXECUTABLE is not None, "chromium")
    with started_chromium() as it:
        yield it
