"""A runbook in parts: its fenced blocks, what stands between backticks, and its prose."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from importlib.resources import files

from pool_observer.monitoring.runbooks import alert_names, section
from pool_observer.monitoring.settings import Settings

HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mend", "Threshold")
FOLDER = files("pool_observer.monitoring") / "sections"
NAMES = alert_names()
SECTIONS = {name: section(name, Settings()) for name in NAMES}

_FENCED = re.compile(r"^ *```(?P<language>\w+)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")


def raw(name: str) -> str:
    """A section as it was written, with its placeholders."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Block:
    """What is between two fences."""

    alert: str
    language: str
    code: str


def blocks(language: str) -> list[Block]:
    """All blocks in a language, of all sections."""
    return [
        Block(name, language, textwrap.dedent(found["code"]))
        for name, text in SECTIONS.items()
        for found in _FENCED.finditer(text)
        if found["language"] == language
    ]


def python(alert: str, variant: str) -> list[str]:
    """The code of an alert's section that is called `before` or `after`."""
    return [
        block.code
        for block in blocks("python")
        if block.alert == alert and re.match(rf"# {variant}\b", block.code)
    ]


def unfenced(text: str) -> str:
    return _FENCED.sub("", text)


def inline(text: str) -> list[str]:
    """What stands between backticks, on one line."""
    return [" ".join(found.split()) for found in _INLINE.findall(unfenced(text))]


def prose(text: str) -> str:
    """What is read, without any code."""
    return _INLINE.sub("", unfenced(text))
