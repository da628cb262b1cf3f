"""The demo's experiment for Locust: 70 % of the requests ask the model, the others read items.

    pip install locust
    locust -f examples/load_test/locustfile.py --host http://localhost:8000 --headless
           --users 100 --spawn-rate 70 --run-time 60s

CHAT_PATH=/naive/chat/{user} asks the route that holds its connection while the model answers.
"""

from __future__ import annotations

import itertools
import os

from locust import HttpUser, between, task

CHAT_PATH = os.environ.get("CHAT_PATH", "/chat/{user}")
ITEM_PATH = os.environ.get("ITEM_PATH", "/items")

_numbers = itertools.count(1)


class User(HttpUser):
    """Asks again after half a second to one and a half, as people do who wait for an answer."""

    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Each has a conversation of its own."""
        self.number = next(_numbers)

    @task(7)
    def chat(self) -> None:
        """Ask the model."""
        self.client.post(
            CHAT_PATH.replace("{user}", str(self.number)),
            json={"message": "Who is holding our connections?"},
            name=f"POST {CHAT_PATH}",
        )

    @task(3)
    def read_items(self) -> None:
        """What has nothing to do with the model."""
        self.client.get(ITEM_PATH.replace("{user}", str(self.number)), name=f"GET {ITEM_PATH}")
