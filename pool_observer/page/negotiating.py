"""Whether a visitor wants the page or its figures."""

from __future__ import annotations


def prefers_json(accept: str) -> bool:
    """Whether an Accept header prefers JSON to HTML.

    The higher quality wins. Where both have the same, it is JSON only if that is named more
    precisely: `application/json, */*` is what scripts send, `*/*` says nothing.
    """
    ranges = [_parsed(part) for part in accept.lower().split(",")]
    return _preference(ranges, "application", "json") > _preference(ranges, "text", "html")


def _parsed(media_range: str) -> tuple[str, float]:
    """The media type and its quality. What cannot be understood is not wanted."""
    media_type, *parameters = (part.strip() for part in media_range.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return media_type, quality if 0 <= quality <= 1 else 0.0


def _preference(ranges: list[tuple[str, float]], kind: str, subtype: str) -> tuple[float, int]:
    """The quality of the range that names a type most precisely, and how precisely."""
    for precision, name in ((2, f"{kind}/{subtype}"), (1, f"{kind}/*"), (0, "*/*")):
        qualities = [quality for media_type, quality in ranges if media_type == name]
        if qualities:
            quality = max(qualities)
            return quality, precision if quality else 0
    return 0.0, 0
