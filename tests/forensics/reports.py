"""Routes of the service that run in threads, with sessions from sync dependencies."""

# Without `annotations` from the future: FastAPI would not find the dependencies in here.

from collections.abc import Iterator
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from tests.forensics import llm, repository

NAME = "reports"

SELECT = text("SELECT 1")
UPDATE = text("UPDATE account SET balance = 0 WHERE id = :account")


def add_routes(app: FastAPI, engine: Engine) -> None:
    kept: list[Connection] = []

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    def get_used_session() -> Iterator[Session]:
        with Session(engine) as session:
            session.execute(SELECT)  # taken: tenants
            yield session

    async def get_permission(tenant: str) -> None:
        await llm.ask(f"may-{tenant}")

    @app.post("/reports/keep")
    def keep_report() -> None:
        connection = engine.connect()  # taken: keep_report
        connection.execute(SELECT)
        kept.append(connection)

    @app.post("/reports/give_back")
    def give_back() -> None:
        while kept:
            kept.pop().close()

    @app.post("/book/{account}")
    def book(account: int, session: Annotated[Session, Depends(get_session)]) -> None:
        session.execute(UPDATE, {"account": account})  # taken: book

    @app.get("/reports/{kind}")
    def report(kind: str, session: Annotated[Session, Depends(get_session)]) -> None:
        repository.total(session)
        if kind == "daily":
            httpx.get(llm.address_of("daily"), timeout=None, trust_env=False)  # stands: daily
        else:
            httpx.get(llm.address_of("yearly"), timeout=None, trust_env=False)  # stands: yearly

    @app.get("/invoices/{number}")
    def invoice(number: str, session: Annotated[Session, Depends(get_session)]) -> None:
        repository.total(session)
        httpx.get(llm.address_of("invoice"), timeout=None, trust_env=False)  # stands: invoice

    @app.get("/tenants/{tenant}")
    def tenants(
        tenant: str,
        session: Annotated[Session, Depends(get_used_session)],
        permission: Annotated[None, Depends(get_permission)],
    ) -> None:
        if tenant == "first":
            httpx.get(llm.address_of("first"), timeout=None, trust_env=False)  # stands: first
        elif tenant == "second":
            httpx.get(llm.address_of("second"), timeout=None, trust_env=False)  # stands: second
        else:
            httpx.get(llm.address_of("third"), timeout=None, trust_env=False)  # stands: third
