"""The lines of a stack that tell the most."""

from __future__ import annotations

from types import CodeType

from pool_observer.call_site import resolve
from pool_observer.explanation import Doing, Standing
from pool_observer.landmarks import standing_in
from tests.holders import other_work


def code_in(filename: str, name: str) -> CodeType:
    return compile(f"def {name}(): ...", filename, "exec").co_consts[0]  # type: ignore[no-any-return]


SITE_PACKAGES = "/opt/venv/lib/python3.11/site-packages"


def told(*files: str, site: str | None = None) -> list[str | None]:
    stack = [(code_in(file, f"f{number}"), 0) for number, file in enumerate(files)]
    raw = None if site is None else (code_in(site, "site"), 0)
    standing = standing_in(stack, Doing.AWAITING, raw)
    places = (standing.at, standing.calling, standing.innermost)
    return [None if place is None else place.function for place in places]


def test_the_innermost_line_of_the_application_and_what_it_calls() -> None:
    library = f"{SITE_PACKAGES}/httpx/_client.py"
    assert told(library, "/srv/app/a.py", "/srv/app/b.py", library, library) == ["f2", "f3", "f4"]
    assert told("/srv/app/a.py", "/srv/app/b.py") == ["f1", None, None]
    assert told("/srv/app/a.py", "<string>", "asyncpg/protocol/protocol.pyx") == ["f0", "f1", "f2"]
    assert told(library, library) == [None, None, "f1"]
    assert told() == [None, None, None]


def test_an_application_that_is_installed_is_not_a_library() -> None:
    ours, other = f"{SITE_PACKAGES}/shop/api.py", f"{SITE_PACKAGES}/httpx/_client.py"
    assert told(other, ours, other) == [None, None, "f2"]
    assert told(other, ours, other, site=f"{SITE_PACKAGES}/shop/db.py") == ["f1", "f2", "f2"]
    assert told(other, ours, other, site="/srv/app/db.py") == [None, None, "f2"]


def test_our_own_frames_are_not_told() -> None:
    import pool_observer

    directory = pool_observer.__file__.rpartition("/")[0]
    assert told("/srv/app/a.py", f"{directory}/observer.py") == ["f0", None, None]


def test_a_standing_in_words() -> None:
    site = resolve((other_work.__code__, 0))
    assert str(Standing(Doing.FINISHED)) == "finished"
    assert str(Standing(Doing.RUNNING)) == "running"
    assert str(Standing(Doing.RUNNING, site, site)) == f"{site}, in {site}"
    assert str(Standing(Doing.AWAITING, site)) == str(site)
