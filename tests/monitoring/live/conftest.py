from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.monitoring.live.stage import built_stage
from tests.monitoring.live.story import Story, told_story


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The story, told once; Prometheus still runs, and answers questions about it."""
    with built_stage(tmp_path_factory.mktemp("live")) as stage:
        yield told_story(stage)
