"""What scripts get is what the documentation says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.advice.answering import answering
from tests.advice.commanding import command
from tests.advice.test_command import page

TEXT = (Path(__file__).parents[2] / "docs" / "advice.md").read_text()
TABLE = TEXT[TEXT.index("`--json` prints") : TEXT.index("## Whether it is right")]
DOCUMENTED = {word.rpartition(".")[2] for word in re.findall(r"`([a-z_.]+)`", TABLE)}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from keys(each)
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from keys(each)


def test_each_key_is_documented_and_there_is_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(answers=[page()]) as server:
        assert command(server.address, "--json") == 0
    there = set(keys(json.loads(capsys.readouterr().out)))
    assert there == DOCUMENTED - {"null"}
