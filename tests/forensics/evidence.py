"""What was said of one hold, found among all that was said."""

from __future__ import annotations

from typing import Any

from tests.forensics.cases import Case
from tests.forensics.json_log import Logged, about
from tests.forensics.running import place
from tests.forensics.story import Seen


def holds_of(case: Case, seen: Seen) -> list[dict[str, Any]]:
    return [hold for hold in seen.pools[case.pool]["holds"] if hold["holder"] == case.holder]


def hold_of(case: Case, seen: Seen) -> dict[str, Any]:
    """The hold in the JSON; of several of one holder, that which stands at the right line."""
    holds = holds_of(case, seen)
    if len(holds) > 1:
        assert case.stands is not None
        holds = [hold for hold in holds if at(hold) == place(case.stands)]
    (only,) = holds
    return only


def at(hold: dict[str, Any]) -> tuple[str, int] | None:
    """The line at which its holder stands."""
    standing = hold["standing"]
    site = None if standing is None else standing["at"]
    return None if site is None else (site["file"], site["line"])


def warning_of(case: Case, seen: Seen) -> Logged:
    """The only warning there is about this hold."""
    warnings = about(seen.log, "overdue", case.holder)
    if case.stands is not None and len(warnings) > 1:
        file, line = place(case.stands)
        warnings = [each for each in warnings if f"now {file}:{line} " in each.text]
    (only,) = warnings
    return only


def taken_at(case: Case) -> str:
    file, line = place(case.taken)
    return f"{file}:{line} in {case.function}"
