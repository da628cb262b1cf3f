"""No recipe goes unrun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recipes.blocks import RECIPES, recipes

TESTS = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))
)


def test_all_code_of_the_page_is_found() -> None:
    lines = RECIPES.read_text(encoding="utf-8").splitlines()
    assert recipes()
    for heading, code in recipes().items():
        for number, line in enumerate(code.splitlines()):
            assert not line or lines[number] == line, (heading, number)
    found = sum(code.count("import ") for code in recipes().values())
    assert found == sum("import " in line for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("heading", recipes())
def test_a_test_runs_each_recipe(heading: str) -> None:
    assert f'"{heading}"' in TESTS
