"""The published experiment, first on routes with the fault, then on routes without it."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.engine import URL

from pool_observer.demo import pooler
from pool_observer.demo.act import Act, act, wrapped
from pool_observer.demo.alerts import Alerts, alerts
from pool_observer.demo.database import Postgres, admit
from pool_observer.demo.ending import Ending, ended_by
from pool_observer.demo.keeping import kept_folder
from pool_observer.demo.load import USER, Mix
from pool_observer.demo.service import Address, address, service
from pool_observer.demo.table import agreement, table
from pool_observer.demo.terminal import Screen
from pool_observer.monitoring.files import dashboard_files
from pool_observer.monitoring.settings import Settings

TIMEOUT = 5.0
"""`pool_timeout` of the naive act: with SQLAlchemy's 30 s nobody would see an error so soon."""

NAIVE = {"pool_size": 5, "max_overflow": 10, "pool_recycle": -1, "pool_pre_ping": False}
"""The others are SQLAlchemy's defaults."""

FIXED = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 5,
    "pool_recycle": 1350,
    "pool_pre_ping": True,
}
"""What the audit has nothing to say against."""

QUERY_SECONDS = 0.05

USER_OF_DATABASE = "llm_service"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the demo is to be run."""

    seconds: int = 25
    mix: Mix = field(default_factory=Mix)
    model_seconds: float = 3.0
    through_pgbouncer: bool = False
    with_prometheus: bool = False
    keep: bool = False


def demo(wanted: Wanted, screen: Screen) -> tuple[Act, Act]:
    """Both acts, and what they came to.

    Raises SystemExit on SIGTERM and SIGHUP, once all is cleaned up, and KeyboardInterrupt.
    """
    with ended_by(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as ending, ExitStack() as stack:
        return _Play(wanted, screen, stack, ending).run()


class _Play:
    def __init__(self, wanted: Wanted, screen: Screen, stack: ExitStack, ending: Ending) -> None:
        self._wanted = wanted
        self._screen = screen
        self._stack = stack
        self._ending = ending

    def run(self) -> tuple[Act, Act]:
        wanted, screen, enter = self._wanted, self._screen, self._stack.enter_context
        screen.say("Starting a PostgreSQL of its own, and a service ...")
        if wanted.through_pgbouncer:
            pooler.program()  # or it would be missed only after the rest was started
        folder = enter(kept_folder())
        at = self._at = enter(address())
        self._alerts: Alerts | None = None
        if wanted.with_prometheus:
            self._alerts = enter(alerts(at, folder))
        server = Postgres(folder)
        enter(server.running())
        self._database = server.url()
        self._ending.run(admit(USER_OF_DATABASE, self._database))
        direct = through = server.url(USER_OF_DATABASE)
        if wanted.through_pgbouncer:
            through = enter(pooler.pgbouncer(direct, folder))

        timeout = min(TIMEOUT, wanted.seconds / 4)
        mix = wanted.mix
        screen.say()
        screen.say(screen.styled(f"Live page: {at.page}", "bold"))
        self._introduce(
            "1. The naive route holds its connection while the model answers",
            f"SQLAlchemy's defaults, pool_size=5, max_overflow=10, but pool_timeout={timeout:g}\n"
            "rather than 30, so that a demo is long enough to see who waits in vain.",
        )
        naive = self._settings(direct) | NAIVE | {"pool_timeout": timeout}
        with service(at, folder, naive):
            before = self._act("naive", replace(mix, chat_path=f"/naive/chat/{USER}"))

        self._introduce(
            "2. The fixed route gives it back first, and takes another to write",
            "pool_size=10, max_overflow=10, pool_timeout=5, pool_pre_ping, pool_recycle=1350"
            + (",\nbehind PgBouncer in transaction mode." if wanted.through_pgbouncer else "."),
        )
        fixed = self._settings(through) | FIXED | {"through_pgbouncer": wanted.through_pgbouncer}
        enter(service(at, folder, fixed))
        after = self._act("fixed", mix)
        self._conclude(before, after)
        if wanted.keep:
            self._keep(at, folder)
        return before, after

    def _settings(self, database: URL) -> dict[str, object]:
        url = database.set(drivername="postgresql+asyncpg")
        return {
            "database_url": url.render_as_string(hide_password=False),
            "model_seconds": self._wanted.model_seconds,
            "model_refusals": 0.02,
            "query_seconds": QUERY_SECONDS,
        }

    def _act(self, name: str, mix: Mix) -> Act:
        if self._alerts is not None:
            self._alerts.begin(name)
        playing = act(self._at, self._database, mix, self._wanted.seconds, self._screen)
        told = self._ending.run(playing)
        if self._alerts is not None:
            self._alerts.end(name)
        return told

    def _introduce(self, title: str, text: str) -> None:
        mix, screen = self._wanted.mix, self._screen
        screen.say()
        screen.say(screen.styled(title, "bold"))
        screen.say(text)
        screen.say(
            f"{mix.users} users for {self._wanted.seconds:g} s: {mix.chat_share:.0%} of their "
            f"requests ask the model ({self._wanted.model_seconds:g} s),\nthe others read items "
            f"({QUERY_SECONDS * 1000:.0f} ms)."
        )

    def _conclude(self, before: Act, after: Act) -> None:
        screen = self._screen
        screen.say()
        for line in table(before, after, screen):
            screen.say(line)
        screen.say()
        for line in agreement(before, after):
            screen.say(line)
        if self._alerts is not None:
            screen.say()
            for name in ("naive", "fixed"):
                fired = ", ".join(self._alerts.fired(name)) or "none"
                screen.say(wrapped(f"Alerts that fired, {name}: {fired}", indent=""))
        screen.say()
        screen.say('Next: in your service, observe(engine, app, debug_path="/debug/pools"), and')
        screen.say("`pool-observer advise URL` says which routes to mend and what size it needs.")

    def _keep(self, at: Address, folder: Path) -> None:
        dashboards = folder / "dashboards"
        dashboards.mkdir()
        for name, text in dashboard_files(Settings()).items():
            (dashboards / name).write_text(text, encoding="utf-8")
        kept = [
            ("live page", at.page),
            ("metrics", f"{at.url}/metrics"),
            ("dashboards", f"{dashboards}, to import into Grafana"),
            ("the outage", f"pool-observer load {at.url} \\"),
            ("", f"  --chat-path '/naive/chat/{USER}'"),
        ]
        if self._alerts is not None:
            kept.insert(2, ("Prometheus", self._alerts.url))
        with suppress(KeyboardInterrupt):
            self._screen.say("\nIt goes on until Ctrl-C:")
            for name, where in kept:
                self._screen.say(f"  {name:<12} {where}")
            while True:
                time.sleep(3600)
