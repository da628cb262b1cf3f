"""The code of `docs/recipes.md`, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

RECIPES = Path(__file__).parents[2] / "docs" / "recipes.md"
HEADING = re.compile(r"#+ (?P<heading>.+)")
FENCE = "```"


def recipes() -> dict[str, str]:
    """The Python under each heading that has some, on the lines where the page has it."""
    code: dict[str, str] = {}
    heading = ""
    opened_with: str | None = None
    for number, line in enumerate(RECIPES.read_text(encoding="utf-8").splitlines()):
        if opened_with is not None:
            if line == FENCE:
                opened_with = None
            elif opened_with == FENCE + "python":
                above = code.get(heading, "")
                code[heading] = above + "\n" * (number - above.count("\n")) + line + "\n"
        elif line.startswith(FENCE):
            opened_with = line
        elif matched := HEADING.fullmatch(line):
            heading = matched["heading"]
    return code


def run_recipe(heading: str, **given: object) -> ModuleType:
    """A module of what the blocks under the heading define, with some names given."""
    module = ModuleType("recipe")
    vars(module).update(given)
    code = compile(recipes()[heading], str(RECIPES), "exec", dont_inherit=True)
    exec(code, vars(module))
    return module
