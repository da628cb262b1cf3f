"""A log in JSON as a service writes it: all that a record has, one object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OF_EVERY_RECORD = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime"))


class JsonFormatter(logging.Formatter):
    """Text, level and logger, and the fields that were given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        extra = {
            name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD
        }
        return json.dumps(
            {
                "created": record.created,
                "level": record.levelname,
                "logger": record.name,
                "text": record.getMessage(),
                "extra": extra,
            },
            allow_nan=False,
        )


@dataclass(frozen=True)
class Logged:
    created: float
    level: str
    logger: str
    text: str
    extra: dict[str, Any]

    @property
    def incident(self) -> str | None:
        kind = self.extra.get("pool_observer.incident")
        return None if kind is None else str(kind)

    @property
    def holder(self) -> str | None:
        holder = self.extra.get("pool_observer.holder")
        return None if holder is None else str(holder)


def read(path: Path) -> list[Logged]:
    """What has been logged until now. A line that is being written is not there yet."""
    *lines, _ = path.read_text().split("\n") if path.exists() else [""]
    return [Logged(**json.loads(line)) for line in lines]


def about(log: Iterable[Logged], incident: str, holder: str) -> list[Logged]:
    """The records of such an incident of this holder."""
    return [each for each in log if each.incident == incident and each.holder == holder]


def write_to(path: Path) -> None:
    """Have this process log there."""
    handler = logging.FileHandler(path)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    logging.getLogger("pool_observer").setLevel(logging.INFO)
