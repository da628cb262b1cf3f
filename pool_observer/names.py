"""Names that users give: what one must be like, said once."""

from __future__ import annotations

LONGEST_NAME = 200


def checked_name(name: object, what: str, example: str) -> str:
    """The name a user gave, or an error that says what a name must be."""
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a string, not {type(name).__name__}: {example}")
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(
            f"{name[:LONGEST_NAME]!r} cannot be {what}: use 1 to {LONGEST_NAME} printable "
            f"characters on one line, for example {example}"
        )
    return name.strip()
