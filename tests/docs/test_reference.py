"""`docs/reference.md` has every public name, and nothing that there is not."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum

import pytest

import pool_observer
from pool_observer import Listener, PoolObserver
from tests.examples import DOCS, tables

PAGE = DOCS / "reference.md"


def listed(header: str) -> list[str]:
    """What the first cells of such tables name."""
    return [
        name
        for table in tables(PAGE)
        if table[0][0] == header
        for row in table[1:]
        for name in re.findall(r"`(\w+)(?:\([\w, ]*\))?`", row[0])
    ]


def test_every_public_name_is_explained_once() -> None:
    told = [*listed("name"), "PoolObserver", "Listener"]  # which have sections of their own
    assert sorted(told) == sorted(pool_observer.__all__)


def test_what_may_be_relied_on_is_what_users_ask() -> None:
    """All that stands before what the rest of the package needs, in the class."""
    source = inspect.getsource(PoolObserver)
    begins = source.index("# -- what users ask")
    for_users = source[begins : source.index("# -- what the rest of the package needs")]
    defined = re.findall(r"^    def ([a-z]\w+)\(", for_users, re.MULTILINE)
    told = listed("attribute of `PoolObserver`")
    assert sorted(told) == sorted(defined)


def test_every_event_is_listed_with_what_it_is_given() -> None:
    events = {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in vars(Listener).items()
        if not name.startswith("_")
    }
    (table,) = [each for each in tables(PAGE) if each[0][0] == "event of `Listener`"]
    told = [row[0].strip("`") for row in table[1:]]
    assert sorted(told) == sorted(f"{name}({', '.join(given)})" for name, given in events.items())


@pytest.mark.parametrize("name", [name for name in pool_observer.__all__ if name != "Trouble"])
def test_the_values_of_a_kind_are_all_listed(name: str) -> None:
    kind = getattr(pool_observer, name)
    if not (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return
    (meaning,) = [
        row[1] for table in tables(PAGE) for row in table if re.search(rf"`{name}`", row[0])
    ]
    assert set(re.findall(r"`([a-z_]+)`", meaning)) == {each.value for each in kind}
