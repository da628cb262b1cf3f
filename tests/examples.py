"""What a page of the documentation has besides prose: blocks of code, code in a line, tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_IN_A_LINE = re.compile(r"`([^`]+)`")
_PROMPT = ">>> "
_CELL = re.compile(r"\|(?:[^`|]|`[^`]*`)*")
_ENDS_A_COMMAND = set("();<>|&")


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of code, and where they are."""

    page: Path
    line: int
    language: str
    code: str

    @property
    def shows(self) -> bool:
        """Whether it is a session with Python, which `doctest` checks."""
        return self.code.startswith(_PROMPT)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, *languages: str) -> list[Block]:
    """Those in one of the languages."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["code"])
        for found in _BLOCK.finditer(text)
        if found["language"] in languages
    ]


def code_to_paste(page: Path) -> str:
    """The Python without a prompt, one block below the other."""
    return "\n".join(block.code for block in blocks(page, "python") if not block.shows)


def prose(page: Path) -> str:
    """All but the blocks, in one line."""
    return " ".join(_BLOCK.sub("", page.read_text(encoding="utf-8")).split())


def code_in_lines(page: Path) -> list[str]:
    """What stands between backticks."""
    return _IN_A_LINE.findall(prose(page))


def tables(page: Path) -> Iterator[list[list[str]]]:
    """Rows of cells, the header first, without the rule below it."""
    table: list[list[str]] = []
    for line in [*page.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell[1:].strip() for cell in _CELL.findall(line.rstrip()[:-1])])
        elif table:
            yield [table[0], *table[2:]]
            table = []


def commands(page: Path, program: str) -> list[list[str]]:
    """The arguments that a program is given, wherever it is called."""
    code = [block.code for block in blocks(page, "sh", "yaml")] + code_in_lines(page)
    return [
        list(_up_to_its_end(arguments))
        for each in code
        for line in _lines(each)
        for arguments in re.findall(rf"(?:^|[\s(]){program}(?: +|$)(.*)", line)
    ]


def _lines(code: str) -> Iterator[str]:
    """Of a shell: those that go on are one, and what is put in by `$(...)` is one of its own."""
    for line in re.sub(r"\\?\n {2,}", " ", code).splitlines():
        yield from re.findall(r"\$\(([^()]*)\)", line)
        yield re.sub(r"\$\([^()]*\)", "", line)


def _up_to_its_end(arguments: str) -> Iterator[str]:
    words = shlex.shlex(arguments, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    for word in words:
        if set(word) <= _ENDS_A_COMMAND:
            return
        yield word
