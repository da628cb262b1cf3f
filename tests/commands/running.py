"""Runs `pool-observer` as somebody would."""

from __future__ import annotations

import os
import subprocess
import sys

COMMAND = [sys.executable, "-m", "pool_observer"]
PATHS = {"PYTHONPATH": os.pathsep.join(sys.path)}


def program(
    *arguments: str, shell: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it as somebody would, perhaps with a redirection."""
    command = [*COMMAND, *arguments]
    if shell:
        command = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | PATHS | (environment or {}),
        check=False,
    )
