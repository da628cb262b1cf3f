"""The document as JSON that every browser can read."""

from __future__ import annotations

import json
import math
from typing import Any


def encoded(document: dict[str, Any]) -> bytes:
    """The document as JSON, with null for the numbers that JSON does not have."""
    try:
        return _dumped(document)
    except ValueError:  # NaN or infinity; looking for them takes longer than encoding
        return _dumped(_finite(document))


def _dumped(document: object) -> bytes:
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
