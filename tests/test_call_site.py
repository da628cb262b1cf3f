from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from pool_observer.call_site import DEEPEST_WALK, RawSite, SiteFinder, resolve


def find(finder: SiteFinder) -> RawSite | None:
    return finder.find(sys._getframe(1))


def module(folder: Path, name: str, source: str) -> dict[str, object]:
    """A module of that name in a file of its own."""
    path = folder / f"{name.replace('.', '_')}.py"
    path.write_text(source)
    namespace: dict[str, object] = {"__name__": name}
    exec(compile(source, str(path), "exec"), namespace)
    return namespace


def test_the_innermost_frame_that_is_no_library_is_found() -> None:
    site = resolve(find(SiteFinder()))
    assert site is not None
    assert site.file == "tests/test_call_site.py"
    assert site.function == "test_the_innermost_frame_that_is_no_library_is_found"
    source = Path(__file__).read_text().splitlines()
    assert "find(SiteFinder())" in source[site.line - 1]


def test_a_call_that_spans_lines_is_found_at_the_call() -> None:
    site = resolve(
        find(
            SiteFinder()
        )
    )  # fmt: skip
    assert site is not None
    source = Path(__file__).read_text().splitlines()
    assert source[site.line - 1].strip() == "find("


def test_modules_to_skip_are_skipped_with_all_below_them(tmp_path: Path) -> None:
    source = "def session(find):\n    return find()\n"
    finder = SiteFinder(skip=["team.db"])
    for name in ("team.db", "team.db.sessions"):
        session = module(tmp_path, name, source)["session"]
        assert callable(session)
        site = resolve(session(lambda: finder.find(sys._getframe(1))))
        assert site is not None
        assert site.function == "test_modules_to_skip_are_skipped_with_all_below_them"


def test_a_module_that_only_begins_like_one_to_skip_is_not_skipped(tmp_path: Path) -> None:
    session = module(tmp_path, "team.dbase", "def session(find):\n    return find()\n")["session"]
    assert callable(session)
    finder = SiteFinder(skip=["team.db"])
    site = resolve(session(lambda: finder.find(sys._getframe(1))))
    assert site is not None
    assert site.function == "session"


def test_the_standard_library_is_skipped() -> None:
    finder = SiteFinder()
    found: list[RawSite | None] = []

    @contextlib.contextmanager
    def helper() -> Iterator[None]:
        found.append(finder.find(sys._getframe(1)))  # from contextlib's frame outward
        yield

    with helper():
        pass
    site = resolve(found[0])
    assert site is not None
    assert site.function == "test_the_standard_library_is_skipped"


def test_an_own_module_with_a_standard_name_is_not_skipped(tmp_path: Path) -> None:
    session = module(tmp_path, "queue", "def session(find):\n    return find()\n")["session"]
    assert callable(session)
    finder = SiteFinder()
    site = resolve(session(lambda: finder.find(sys._getframe(1))))
    assert site is not None
    assert site.function == "session"


def test_generated_code_is_skipped() -> None:
    finder = SiteFinder()
    namespace = {"find": lambda: finder.find(sys._getframe(1))}
    exec(compile("site = find()", "<sqlalchemy generated something>", "exec"), namespace)
    site = resolve(namespace["site"])
    assert site is not None
    assert site.function == "test_generated_code_is_skipped"


def test_the_walk_goes_on_in_the_stacks_beyond() -> None:
    here = sys._getframe()

    def beyond() -> Iterator[FrameType]:
        yield here

    site = resolve(SiteFinder(stacks_beyond=beyond).find(None))
    assert site is not None
    assert site.function == "test_the_walk_goes_on_in_the_stacks_beyond"


def test_without_any_frame_there_is_no_site() -> None:
    assert SiteFinder().find(None) is None
    assert resolve(None) is None


def test_the_walk_is_bounded(tmp_path: Path) -> None:
    source = "def down(n, find):\n    return down(n - 1, find) if n else find()\n"
    down = module(tmp_path, "team.db", source)["down"]
    assert callable(down)
    finder = SiteFinder(skip=["team.db"])
    assert down(DEEPEST_WALK, lambda: finder.find(sys._getframe(1))) is None
    assert down(DEEPEST_WALK // 2, lambda: finder.find(sys._getframe(1))) is not None


def test_before_its_first_instruction_a_function_stands_at_its_beginning() -> None:
    code = test_the_walk_is_bounded.__code__
    site = resolve((code, -1))
    assert site is not None
    assert site.line == code.co_firstlineno


def test_a_method_of_a_local_class_is_named_without_its_surroundings() -> None:
    class Repository:
        def load(self) -> RawSite | None:
            return find(SiteFinder())

    site = resolve(Repository().load())
    assert site is not None
    assert site.function == "Repository.load"
    assert str(site).startswith("tests/test_call_site.py:")
    assert str(site).endswith(" in Repository.load")


def test_a_file_outside_every_path_keeps_its_whole_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = module(tmp_path, "elsewhere", "def ask(find):\n    return find()\n")["ask"]
    assert callable(ask)
    finder = SiteFinder()
    monkeypatch.setattr(sys, "path", [])
    site = resolve(ask(lambda: finder.find(sys._getframe(1))))
    assert site is not None
    assert site.file == str(tmp_path / "elsewhere.py")
