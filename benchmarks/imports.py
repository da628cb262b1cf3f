"""What importing us adds to an application that has imported SQLAlchemy, as any of ours has."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from statistics import median

from benchmarks.report import header, table

GOAL_MS = 50.0

STEPS = (
    ("SQLAlchemy", "import sqlalchemy"),
    ("prometheus_client", "import prometheus_client"),
    ("pool_observer itself", "from pool_observer import observe"),
)
"""Each in the interpreter that has done the steps before it."""

PROGRAM = "\n".join(
    (
        "from time import process_time",
        *(f"began = process_time(); {step}; print(process_time() - began)" for _, step in STEPS),
    )
)


def main(*, quick: bool) -> None:
    """Print the table."""
    rounds = 10 if quick else 60
    with tempfile.TemporaryDirectory() as bytecode:
        _import_all(bytecode)  # which leaves the bytecode there, as installing a package does
        runs = [_import_all(bytecode) for _ in range(rounds)]
    times = [median(run[step] for run in runs) for step in range(len(STEPS))]
    ours = times[1] + times[2]
    rows = [(name, f"{time:.0f} ms") for (name, _), time in zip(STEPS, times, strict=True)]
    print(header(("prometheus-client",)))
    print(f"\nCPU time of an import, the median of {rounds} new interpreters:\n")
    print(table(("", "takes"), rows))
    print(
        f"What `import pool_observer` adds to SQLAlchemy: {ours:.0f} ms, {ours / times[0]:.2f} of "
        f"what SQLAlchemy takes. Goal: below {GOAL_MS:.0f} ms: "
        f"{'reached' if ours < GOAL_MS else 'MISSED'}."
    )


def _import_all(bytecode: str) -> list[float]:
    environment = {
        name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | {"PYTHONPYCACHEPREFIX": bytecode},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [float(line) * 1000 for line in printed.split()]
