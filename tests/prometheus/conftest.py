from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import values

from pool_observer.prometheus import exporting
from pool_observer.prometheus.presence import Presence


@pytest.fixture
def multiprocess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This process as one worker of several; gives the directory that they share."""
    directory = tmp_path / "multiprocess"
    directory.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(directory))
    value_class: Any = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(values, "ValueClass", value_class)
    presence = Presence()
    monkeypatch.setattr(exporting, "process_presence", presence)
    yield directory
    presence.leave()
    value_class.close_all_files()
