from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.opentelemetry.told import Told


@pytest.fixture
def told() -> Iterator[Told]:
    """Providers that remember what they are told."""
    providers = Told()
    yield providers
    providers.shutdown()
