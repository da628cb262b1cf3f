from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forensics.running import Running, running
from tests.forensics.story import Story, told
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def service(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service, for tests that use it in ways of their own."""
    with running(postgres, tmp_path_factory.mktemp("service")) as run:
        yield run


@pytest.fixture(scope="package")
def story(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What there was to see when everything went wrong."""
    with running(postgres, tmp_path_factory.mktemp("story")) as run:
        return told(run, postgres)
