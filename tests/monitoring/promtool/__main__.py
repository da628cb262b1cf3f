"""Writes `alerts/tests`, anew."""

from __future__ import annotations

from tests.monitoring.promtool.cases import files
from tests.monitoring.promtool.running import TESTS

TESTS.mkdir(parents=True, exist_ok=True)
for old in TESTS.glob("*.yaml"):
    old.unlink()
for name, text in files().items():
    (TESTS / name).write_text(text, encoding="utf-8", newline="\n")
