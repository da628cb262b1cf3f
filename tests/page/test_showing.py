"""The live page on an application: which pools it shows, to whom, and until when."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text
from starlette.applications import Starlette

from pool_observer import Visitor, debug_app, holding, observe
from tests.conftest import Observe
from tests.support import wait_until

PATH = "/debug/pools"
JSON = {"accept": "application/json"}


def get(
    app: Any,
    path: str = PATH,
    *,
    address: str = "127.0.0.1",
    root_path: str = "",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """What the application answers to a visitor from this address."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 50000), root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def pools(app: Any, path: str = PATH) -> list[dict[str, Any]]:
    response = get(app, path, headers=JSON)
    assert response.status_code == 200
    document = response.json()
    assert document["schema"] == 1
    found: list[dict[str, Any]] = document["pools"]
    return found


def test_it_is_off_unless_asked_for(observed: Observe) -> None:
    app = FastAPI()
    observed(create_engine("sqlite://"), app=app)
    assert get(app).status_code == 404


def test_one_page_shows_all_pools_of_an_application(observed: Observe) -> None:
    app = FastAPI()
    orders = observed(create_engine("sqlite://"), app=app, name="orders", debug_path=PATH)
    observed(create_engine("sqlite://"), app=app, name="billing", debug_path=PATH)
    observed(create_engine("sqlite://"), app=app, name="hidden")
    observed(create_engine("sqlite://"), app=FastAPI(), name="elsewhere", debug_path=PATH)
    assert [pool["name"] for pool in pools(app)] == ["billing", "orders"]
    page = get(app)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    orders.close()
    # A document is shared for a moment among all who look.
    wait_until(lambda: [pool["name"] for pool in pools(app)] == ["billing"])


def test_when_the_last_observer_is_closed_the_page_is_gone(observed: Observe) -> None:
    app = FastAPI()
    observer = observed(create_engine("sqlite://"), app=app, debug_path=PATH)
    assert get(app).status_code == 200
    observer.close()
    assert get(app).status_code == 404


def test_a_pool_whose_engine_is_dropped_is_not_kept() -> None:
    app = FastAPI()
    engine = create_engine("sqlite://")
    other = create_engine("sqlite://")
    observe(engine, app, name="dropped", debug_path=PATH, registry=None)
    observer = observe(other, app, name="kept", debug_path=PATH, registry=None)
    del engine
    gc.collect()
    try:
        assert [pool["name"] for pool in pools(app)] == ["kept"]
    finally:
        observer.close()


def test_the_page_of_a_pool_that_is_gone_takes_no_path() -> None:
    app = FastAPI()
    engine, other = create_engine("sqlite://"), create_engine("sqlite://")
    observe(engine, app, name="dropped", debug_path=PATH, registry=None)
    del engine
    gc.collect()
    observe(other, app, name="new", debug_path=PATH, debug_auth=bool, registry=None).close()


def test_who_holds_what_and_where(observed: Observe) -> None:
    app = FastAPI()
    engine = create_engine("sqlite://")
    observed(engine, app=app, name="orders", debug_path=PATH, leak_after=1000)
    with holding("job:nightly"), engine.connect() as connection:
        connection.execute(text("SELECT 'secret'"))
        (pool,) = pools(app)
    (hold,) = pool["holds"]
    assert (hold["holder"], hold["activity"]) == ("job:nightly", "in_transaction")
    assert hold["call_site"]["function"] == "test_who_holds_what_and_where"
    assert hold["standing"]["doing"] == "running"
    parts = [hold[f"{part}_seconds"] for part in ("executing", "in_transaction", "idle")]
    assert sum(parts) == pytest.approx(hold["seconds"])
    assert pool["used"] == 1
    assert [row["holder"] for row in pool["holders"]["rows"]] == ["job:nightly"]
    assert "secret" not in json.dumps(pool)
    assert "SELECT" not in json.dumps(pool)


def test_a_limit_of_for_ever_is_no_limit(observed: Observe) -> None:
    app = FastAPI()
    engine = create_engine("sqlite://")
    observed(engine, app=app, name="orders", debug_path=PATH, leak_after=float("inf"))
    with engine.connect():
        (pool,) = pools(app)
    assert pool["holds"][0]["limit_seconds"] is None


def test_incidents_are_shown(observed: Observe) -> None:
    app = FastAPI()
    engine = create_engine("sqlite://")
    observed(engine, app=app, name="orders", debug_path=PATH, leak_after=0)
    with engine.connect():
        pools(app)
    (pool,) = pools(app)
    kinds = {incident["kind"] for incident in pool["incidents"]}
    assert "overdue" in kinds
    assert pool["totals"]["overdue"] == 1


def test_only_this_machine_may_see_it(observed: Observe) -> None:
    app = FastAPI()
    observed(create_engine("sqlite://"), app=app, debug_path=PATH)
    assert get(app, address="127.0.0.1").status_code == 200
    assert get(app, address="10.0.0.7").status_code == 403
    assert get(app, address="10.0.0.7", headers=JSON).status_code == 403


def test_others_may_see_it_who_are_let_in(observed: Observe) -> None:
    def allowed(visitor: Visitor) -> bool:
        return visitor.headers.get("x-token") == "good"

    app = FastAPI()
    observed(create_engine("sqlite://"), app=app, name="a", debug_path=PATH, debug_auth=allowed)
    observed(create_engine("sqlite://"), app=app, name="b", debug_path=PATH, debug_auth=allowed)
    assert get(app, address="10.0.0.7").status_code == 403
    assert get(app, address="10.0.0.7", headers={"x-token": "good"}).status_code == 200


def test_an_exception_that_is_a_response_is_the_applications_to_answer(observed: Observe) -> None:
    def allowed(visitor: Visitor) -> bool:
        raise HTTPException(401, headers={"www-authenticate": "Basic"})

    app = FastAPI()
    observed(create_engine("sqlite://"), app=app, debug_path=PATH, debug_auth=allowed)
    response = get(app)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Basic")


def test_a_path_that_the_application_answers_on_stays_its_own(
    observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer")
    app = FastAPI()

    @app.get(PATH)
    def mine() -> str:
        return "mine"

    observed(create_engine("sqlite://"), app=app, debug_path=PATH)
    assert get(app).json() == "mine"
    assert "debug_path=..." in caplog.text


def test_under_a_root_path(observed: Observe) -> None:
    app = FastAPI()
    observed(create_engine("sqlite://"), app=app, name="orders", debug_path=f"{PATH}/")
    response = get(app, f"/api{PATH}", root_path="/api", headers=JSON)
    assert [pool["name"] for pool in response.json()["pools"]] == ["orders"]


def test_by_hand_on_any_application(observed: Observe) -> None:
    observer = observed(create_engine("sqlite://"), name="orders")
    app = Starlette()
    app.mount("/pools", debug_app(observer))
    assert [pool["name"] for pool in pools(app, "/pools/")] == ["orders"]
    refusing = debug_app(observer, auth=lambda visitor: False)
    assert get(refusing, "/").status_code == 403
    assert "auth of debug_app(..., auth=...), says no" in get(refusing, "/").text
    assert "debug_app(..., auth=...)" in get(app, "/pools/", address="10.0.0.7").text


@pytest.mark.parametrize(
    ("options", "error", "mend"),
    [
        ({"debug_auth": bool, "debug_path": None}, ValueError, "debug_path="),
        ({"debug_path": "debug"}, ValueError, "debug_path must be a plain path"),
        ({"debug_path": "/metrics"}, ValueError, "another path than metrics_path"),
        ({"debug_path": 1}, TypeError, "debug_path must be a path"),
        ({"debug_path": PATH, "debug_auth": "secret"}, TypeError, "takes a Visitor"),
    ],
)
def test_misuse_is_refused(options: dict[str, Any], error: type[Exception], mend: str) -> None:
    app = FastAPI()
    with pytest.raises(error, match=mend):
        observe(create_engine("sqlite://"), app, **options)
    assert get(app, "/metrics").status_code == 404  # nothing was done


def test_a_page_needs_an_application_or_pools() -> None:
    with pytest.raises(ValueError, match="debug_path needs the application"):
        observe(create_engine("sqlite://"), debug_path=PATH)
    with pytest.raises(TypeError, match="debug_app\\(observer\\)"):
        debug_app()
    with pytest.raises(TypeError, match="not Engine"):
        debug_app(create_engine("sqlite://"))  # type: ignore[arg-type]


def test_a_page_for_others_is_another_page(observed: Observe) -> None:
    app = FastAPI()
    observed(create_engine("sqlite://"), app=app, name="a", debug_path=PATH)
    with pytest.raises(ValueError, match="the same debug_auth"):
        observe(create_engine("sqlite://"), app, name="b", debug_path=PATH, debug_auth=bool)
    with pytest.raises(ValueError, match="a path of its own"):
        observe(create_engine("sqlite://"), app, name="b", debug_path="/metrics", metrics_path=None)
