"""Every example in the documentation runs, and says what it is said to say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine

import pool_observer
from tests.examples import PAGES, README, blocks, code_to_paste

MODULES = [
    module.name
    for module in pkgutil.walk_packages(pool_observer.__path__, "pool_observer.")
    if not module.name.endswith("__main__")
]
# The README's session goes on from what it has you paste.
PAGES_WITH_SESSIONS = [
    page
    for page in PAGES
    if page != README and any(block.shows for block in blocks(page, "python"))
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


# The oldest Starlette we support asks the newest anyio for names that it has replaced.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette.testclient")
@pytest.mark.parametrize("page", PAGES_WITH_SESSIONS, ids=lambda page: page.name)
def test_the_examples_in_the_documentation_run(page: Path) -> None:
    results = doctest.testfile(str(page), module_relative=False)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette.testclient")
def test_what_the_readme_has_you_paste_does_what_it_shows() -> None:
    given = {"app": FastAPI(), "engine": create_engine("sqlite://")}
    exec(code_to_paste(README), given)
    results = doctest.testfile(str(README), module_relative=False, globs=given)
    assert results.attempted > 0
    assert results.failed == 0


def test_every_public_name_is_documented() -> None:
    for name in pool_observer.__all__:
        assert getattr(pool_observer, name).__doc__, name
