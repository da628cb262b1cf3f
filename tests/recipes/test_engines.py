from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from sqlmodel import SQLModel

from tests.recipes.blocks import run_recipe


def test_an_application_of_sqlmodel_is_observed_like_any_other(tmp_path: Path) -> None:
    recipe = run_recipe("SQLModel", url=f"sqlite:///{tmp_path / 'garden'}")
    SQLModel.metadata.create_all(recipe.engine)
    client = TestClient(recipe.app)

    assert client.post("/plants", json={"name": "fern"}).json() == {"id": 1, "name": "fern"}
    assert client.get("/plants").json() == [{"id": 1, "name": "fern"}]
    checkouts = [
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("pool_observer_checkouts_total") and "/plants" in line
    ]
    recipe.observer.close()
    recipe.engine.dispose()

    series = 'pool_observer_checkouts_total{db_client_connection_pool_name="garden",holder='
    assert sorted(checkouts) == [f'{series}"GET /plants"}} 1.0', f'{series}"POST /plants"}} 2.0']


def test_several_engines_share_an_application() -> None:
    recipe = run_recipe("Several engines", url="sqlite://")
    metrics = TestClient(recipe.app).get("/metrics").text
    for observer, engine in zip(recipe.observers, (recipe.writing, recipe.reading), strict=True):
        observer.close()
        engine.dispose()

    for name in ("orders-write", "orders-read"):
        assert (
            f'pool_observer_oldest_hold_seconds{{db_client_connection_pool_name="{name}"}}'
            in metrics
        )
