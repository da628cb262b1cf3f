"""A real Prometheus that has samples of a service's past."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import require
from tests.prometheus.prometheus_server import Prometheus, free_port, program

SCRAPED_EVERY = 15

ARRIVALS = 2.0
HELD = {"executing": 0.5, "in_transaction": 4.5, "idle": 0.0}
"""What is stored of each target, a second."""

TARGET = 'job="orders",instance="{}",db_client_connection_pool_name="orders"'
INFO = 'size="5",overflow="10",dialect="postgresql",driver="asyncpg"'


def samples(began: dict[str, int]) -> str:
    """OpenMetrics of targets that began at these times and do the same ever since."""
    # However long the test takes, the next scrape is there.
    until = int(time.time()) + 3600
    moments = {instance: range(first, until, SCRAPED_EVERY) for instance, first in began.items()}
    lines: list[str] = []

    def series(name: str, labels: str, at_first: float, a_second: float = 0.0) -> None:
        for instance, times in moments.items():
            own = ",".join(filter(None, (TARGET.format(instance), labels)))
            lines.extend(
                f"{name}{{{own}}} {at_first + a_second * (at - times[0])} {at}" for at in times
            )

    lines.append("# TYPE pool_observer_peak_demand gauge")
    series("pool_observer_peak_demand", "", 12)
    lines.append("# TYPE db_client_connection_max gauge")
    series("db_client_connection_max", "", 15)
    lines.append("# TYPE pool_observer_info gauge")
    series("pool_observer_info", INFO, 1)
    lines.append("# TYPE pool_observer_activity_seconds counter")
    for activity, rate in HELD.items():
        labels = f'holder="POST /chat",activity="{activity}"'
        series("pool_observer_activity_seconds_total", labels, 0, rate)
    lines.append("# TYPE pool_observer_checkouts counter")
    series("pool_observer_checkouts_total", 'holder="POST /chat"', 0, ARRIVALS)
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def prometheus_with(began: dict[str, int], folder: Path) -> Iterator[Prometheus]:
    """One that has scraped these targets since these times."""
    binary, promtool = shutil.which("prometheus"), shutil.which("promtool")
    require(binary is not None, "prometheus")
    require(promtool is not None, "promtool")
    metrics, stored = folder / "metrics.txt", folder / "series"
    metrics.write_text(samples(began))
    subprocess.run(
        [str(promtool), "tsdb", "create-blocks-from", "openmetrics", str(metrics), str(stored)],
        check=True,
        capture_output=True,
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text("global: {scrape_interval: 15s}\n")
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(binary),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={stored}",
        "--storage.tsdb.retention.time=200d",
        f"--web.listen-address={address}",
    ]
    prometheus = Prometheus(f"http://{address}")
    with program(command, folder / "prometheus.log", f"{prometheus.url}/-/ready"):
        yield prometheus
