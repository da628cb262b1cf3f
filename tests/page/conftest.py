from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import require
from tests.page.browser import EXECUTABLE, Chromium, started_chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    """A real browser for all tests of the page."""
    require(EXECUTABLE is not None, "chromium")
    with started_chromium() as it:
        yield it
