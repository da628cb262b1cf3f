"""What is found out of open holds: of nested ones, on blocked loops, with other FastAPIs."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import pytest

from pool_observer import Doing, ExplainedHold, Trouble
from pool_observer.explaining import Explainer
from pool_observer.ledger import Ledger
from pool_observer.loops import LoopLag
from tests.support import FakeClock, named


def explained(ledger: Ledger, loops: LoopLag | None = None) -> dict[str, ExplainedHold]:
    settled = ledger.settle()
    loops = loops or LoopLag(FakeClock())
    with Explainer(ledger, loops, settled.waiting, settled.now) as explainer:
        held = [explainer.explain(claim) for claim in settled.holding]
    return {each.hold.holder: each for each in held}


def test_whoever_waits_for_one_more_is_told_of_all_that_it_holds() -> None:
    ledger = Ledger("orders", clock=FakeClock())
    for name in ("first", "second", "third"):
        claim = ledger.wait_begins(name, named(name), None, "unit")
        if name != "third":
            ledger.hold_begins(claim, name, lambda: ledger)
    claim = ledger.wait_begins("other", named("other"), None, "other unit")
    ledger.hold_begins(claim, "other", lambda: ledger)
    kinds = {
        name: held.diagnosis and held.diagnosis.kind for name, held in explained(ledger).items()
    }
    assert kinds == {
        "first": Trouble.SECOND_CONNECTION,
        "second": Trouble.SECOND_CONNECTION,
        "other": None,
    }


def test_a_loop_that_is_blocked_is_told_with_what_blocks_it() -> None:
    """As its holder is: the loop's thread is held up by this very test."""
    clock = FakeClock()
    ledger, loops = Ledger("orders", clock=clock), LoopLag(clock)

    async def hold() -> None:
        task = weakref.ref(asyncio.current_task())
        claim = ledger.wait_begins("chat", named("chat"), None, task, task)
        ledger.hold_begins(claim, "connection", lambda: ledger)
        loops.follow_running()
        loops.probe()
        clock.advance(2)
        held = explained(ledger, loops)["chat"]
        assert held.diagnosis is not None
        assert held.diagnosis.kind is Trouble.LOOP_BLOCKED
        assert held.diagnosis.text.startswith("blocking its event loop for 2.0 s by ")
        with Explainer(ledger, loops, [], clock.now) as explainer:
            (blocked,) = explainer.blocked_loops()
        assert blocked.seconds == 2
        assert blocked.standing is not None
        assert blocked.standing.doing is Doing.RUNNING

    asyncio.run(hold())


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.115.12", (0, 115)),
        ("1", (1, 0)),
        ("1.0rc1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_version_of_fastapi_is_known(
    version: str | None, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fastapi

    monkeypatch.setattr(fastapi, "__version__", version)
    seen: list[Any] = []
    monkeypatch.setattr(
        "pool_observer.explaining.diagnose", lambda *_, **known: seen.append(known["fastapi"])
    )
    ledger = Ledger("orders", clock=FakeClock())
    ledger.hold_begins(ledger.wait_begins("a"), "a", lambda: ledger)
    explained(ledger)
    assert seen == [expected]
