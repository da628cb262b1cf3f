"""The Python in a page of the documentation: what is to be pasted, and what is shown to happen."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_PROMPT = ">>> "


def code_to_paste(page: Path) -> str:
    """The blocks without a prompt, one below the other."""
    blocks = [block["code"] for block in _BLOCK.finditer(page.read_text(encoding="utf-8"))]
    return "\n".join(code for code in blocks if not code.startswith(_PROMPT))
