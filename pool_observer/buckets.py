"""Upper bounds of our histograms, in seconds. Whoever exports or alerts on them reads them here.

Where a threshold is looked at, it is a bound itself: a quantile is exact at a bound, and
guessed in between.
"""

from __future__ import annotations

Bounds = tuple[float, ...]

WAIT_BOUNDS: Bounds = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""From a pool at rest to the longest anybody should be made to wait."""

USE_BOUNDS: Bounds = (
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0,
    300.0, 600.0,
)  # fmt: skip
"""From one quick statement to the exports and streams that hold a connection for minutes."""

CREATE_BOUNDS: Bounds = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
)  # fmt: skip
"""From a socket on the same machine to a TLS handshake that is being retried."""
