from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from pool_observer.prometheus import exporting
from pool_observer.prometheus.presence import Presence


@pytest.fixture
def multiprocess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This process as one worker of several; gives the directory that they share."""
    directory = tmp_path / "multiprocess"
    directory.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(directory))
    files: list[MmapedDict] = []

    def opened(filename: str) -> MmapedDict:
        files.append(MmapedDict(filename))  # type: ignore[no-untyped-call]
        return files[-1]

    monkeypatch.setattr(values, "MmapedDict", opened)
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())  # type: ignore[no-untyped-call]
    presence = Presence()
    monkeypatch.setattr(exporting, "process_presence", presence)
    yield directory
    presence.leave()
    for file in files:
        file.close()  # type: ignore[no-untyped-call]
