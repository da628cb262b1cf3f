"""What the texts of pages have in common, as it is read."""

from __future__ import annotations

from tests.monitoring.promtool.series import ORDERS, POOL, Labels

RUNBOOKS = "https://github.com/pool-observer/pool_observer/blob/main/alerts/runbooks.md"
GRAFANA = "http://localhost:3000/d"

SERVICE_LABELS: Labels = {"job": "shop", POOL: "db.internal:5432/orders"}
CHAT = {"holder": "POST /chat/{id}"}
HOLDER_LABELS: Labels = {**ORDERS, **CHAT}

SERVICE_URL = "var-job=shop&var-pool=db.internal%3A5432%2Forders"
PROCESS_URL = "var-job=shop&var-instance=10.0.0.7%3A8000&var-pool=db.internal%3A5432%2Forders"
HOLDER_URL = f"{PROCESS_URL}&var-holder=POST+%2Fchat%2F%7Bid%7D"
