"""Writes YAML that people read: the few kinds of values that rules are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*\Z")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"}
_LONG = 60


def yaml(document: Mapping[str, Any]) -> str:
    """The document; what is long is written as a block."""
    return "\n".join(_mapping(document)) + "\n"


def _mapping(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        yield from _entry(f"{_scalar(key)}:", value)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield key
        yield from (f"  {line}" for line in _mapping(value))
    elif isinstance(value, str) and ("\n" in value or len(value) > _LONG) and _fits_block(value):
        yield f"{key} |-"
        yield from (f"  {line}" for line in value.split("\n"))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield key
        for each in value:
            yield from (f"  {line}" for line in _item(each))
    else:
        yield f"{key} {_scalar(value)}"


def _item(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        first, *rest = _mapping(value)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)
    else:
        yield f"- {_scalar(value)}"


def _fits_block(text: str) -> bool:
    """Whether a block would give back exactly this text."""
    return all(line and line == line.strip() and line.isprintable() for line in text.split("\n"))


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, str) and '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\n":
        return "\\n"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
