from __future__ import annotations

from pathlib import Path

import pytest

from pool_observer.__main__ import main


def test_the_reference_of_metrics_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """If not: `pool-observer metrics > docs/metrics.md`."""
    assert main(["metrics"]) == 0
    assert (
        capsys.readouterr().out == (Path(__file__).parents[1] / "docs" / "metrics.md").read_text()
    )
