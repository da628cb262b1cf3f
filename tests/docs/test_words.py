"""Every word of code that the documentation uses is one that our code, or somebody else's, has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from pool_observer.model import Phase
from tests.docs.test_metrics import LABELS, SERIES
from tests.docs.words_of_others import WORDS_OF_OTHERS
from tests.examples import PAGES, ROOT, blocks, code_in_lines

_WORD = re.compile(r"[A-Za-z_]\w*")
_SOURCES = [
    ROOT / "pyproject.toml",
    *ROOT.glob("pool_observer/**/*.py"),
    *ROOT.glob("pool_observer/**/*.js"),
    *ROOT.glob("benchmarks/**/*.py"),
    *(each for each in ROOT.glob("examples/**/*") if each.suffix in {".py", ".yml", ".yaml"}),
]
SOURCES = "\n".join(each.read_text(encoding="utf-8") for each in _SOURCES)
OF_PHASES = {f"{phase}_seconds" for phase in Phase}
"""Attributes of spans whose names are put together."""
OUR_WORDS = set(_WORD.findall(SOURCES)) | SERIES | LABELS | OF_PHASES | {"pool_observer_server_"}


def code(page: Path) -> list[str]:
    """What is not run, and not printed by anything."""
    return [block.code for block in blocks(page, "sh", "yaml", "sql")] + code_in_lines(page)


def words(page: Path) -> set[str]:
    return {word for each in code(page) for word in _WORD.findall(each)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_word_of_code_is_known(page: Path) -> None:
    assert words(page) - OUR_WORDS - WORDS_OF_OTHERS == set()


def test_words_of_others_are_used() -> None:
    assert set().union(*map(words, PAGES)) >= WORDS_OF_OTHERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dotted_name_of_ours_is_written_in_the_code(page: Path) -> None:
    """A metric, an attribute of a span, a field in the log, a logger, a module."""
    named = {
        name
        for each in code_in_lines(page)
        for name in re.findall(r"\bpool_observer\.[\w.]+", each)
    }
    for name in named:
        is_written = f'"{name}"' in SOURCES or name.removeprefix("pool_observer.") in OF_PHASES
        assert is_written or _is_importable(name), name


def _is_importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return hasattr(importlib.import_module(module), attribute)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_extra_that_is_named_exists(page: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"pool-observer\[([\w,]+)\]|--extra (\w+)|--group (\w+)|`\[([a-z]\w*)\]`", text
    )
    for extra in {name for found in named for each in found if each for name in each.split(",")}:
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    ours = (
        "alerts/",
        "benchmarks/",
        "dashboards/",
        "docs/",
        "examples/",
        "pool_observer/",
        "tests/",
    )
    for each in code(page):
        for name in re.findall(r"(?<![\w./$-])[\w./-]+/[\w./-]*[\w-]", each):
            if name.startswith(ours):
                assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_function_of_the_examples_exists(page: Path) -> None:
    """As uvicorn is given them; `app` is the reader's own."""
    for each in code(page):
        for module, function in re.findall(r"\b((?:llm_service|pool_observer)[\w.]*):(\w+)", each):
            path = ROOT / "examples" / f"{module.replace('.', '/')}.py"
            assert f"def {function}(" in path.read_text(), f"{module}:{function}"
