"""What each route of the service does wrong, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass

import fastapi

ASKS = "asks the model"
"""Marks the line that nearly all of them wait at."""

AFTERWARDS = "after the response, open a session around the statements alone"


@dataclass(frozen=True)
class Case:
    kind: str
    """The diagnosis."""
    request: str
    holder: str
    taken: str
    """Marks the line that took the connection."""
    stands: str | None
    """Marks the line where the holder stands; None where no line of the application waits."""
    function: str
    """The function that took it."""
    doing: str
    says: str
    """What the diagnosis says."""
    mend: str
    question: str | None = None
    """What it asks the slow server."""
    pool: str = "orders"
    phase: str = "handler"
    inside: str | None = None
    """What the line calls, or awaits."""
    state: str | None = None
    """What PostgreSQL says of the connection."""

    def __str__(self) -> str:
        return f"{self.kind}, {self.request}"


def _asking(name: str, request: str, kind: str, **changes: str) -> Case:
    in_transaction = kind == "idle_in_transaction"
    fitting = {
        "holder": request,
        "taken": f"taken: {name}",
        "stands": ASKS,
        "function": name,
        "doing": "awaiting",
        "says": "idle in transaction for" if in_transaction else "idle for",
        "mend": f"{'commit or ' if in_transaction else ''}close the session before this await",
        "question": name,
        "inside": "httpx/_client.py",
        "state": "idle in transaction" if in_transaction else "idle",
    }
    return Case(kind=kind, request=request, **(fitting | changes))


def _streaming(name: str) -> Case:
    return Case(
        kind="streaming",
        request=f"GET /{name}",
        holder=f"GET /{name}",
        taken=f"taken: {name}",
        stands=None,
        function="rows" if name == "export" else name,
        doing="awaiting",
        says="the response is being sent",
        mend="read what the response needs, and return the connection before sending it",
        phase="response",
        state="idle in transaction",
    )


def _in_a_thread(request: str, holder: str, question: str) -> Case:
    return Case(
        kind="idle_in_transaction",
        request=request,
        holder=holder,
        taken="taken: reports",
        stands=f"stands: {question}",
        function="_number",
        doing="running",
        says="idle in transaction for",
        mend="commit or close the session before this call",
        question=question,
        pool="reports",
        inside="httpx/_api.py",
        state="idle in transaction",
    )


def _forgotten(request: str, name: str, pool: str) -> Case:
    return Case(
        kind="finished",
        request=request,
        holder=request,
        taken=f"taken: {name}",
        stands=None,
        function=name,
        doing="finished",
        says="its request is over, and the connection is still out",
        mend="return it where it was taken",
        pool=pool,
        phase="detached",
        state="idle in transaction",
    )


def _locked_out(name: str, account: int, pool: str, **changes: str) -> Case:
    fitting = {
        "taken": f"taken: {name}",
        "stands": f"taken: {name}",
        "function": name,
        "says": "one statement for",
        "mend": "ask the server what it does (process ",
        "state": "active",
    }
    return Case(
        kind="long_query",
        request=f"POST /{name}/{account}",
        holder=f"POST /{name}/{{account}}",
        pool=pool,
        **(fitting | changes),
    )


PAYING = _locked_out(
    "pay", 1, "orders", doing="awaiting", inside="sqlalchemy/ext/asyncio/session.py"
)
BOOKING = _locked_out("book", 2, "reports", doing="running", inside="sqlalchemy/orm/session.py")

NESTED = Case(
    kind="second_connection",
    request="GET /nested",
    holder="GET /nested",
    taken="taken: nested",
    stands="second: nested",
    function="nested",
    doing="awaiting",
    says="waiting for a second connection, at tests/forensics/ledger.py:",
    mend="pass on the session that is there instead of opening another",
    pool="ledger",
    inside="sqlalchemy/ext/asyncio/base.py",
    state="idle in transaction",
)

DAILY = _in_a_thread("GET /reports/daily", "GET /reports/{kind}", "daily")
YEARLY = _in_a_thread("GET /reports/yearly", "GET /reports/{kind}", "yearly")
INVOICE = _in_a_thread("GET /invoices/1", "GET /invoices/{number}", "invoice")

ENDS_AFTER_THE_RESPONSE = tuple(map(int, fastapi.__version__.split(".")[:2])) >= (0, 118)
"""Whether this FastAPI ends dependencies after the response."""

STREAMING = [_streaming("export"), *([_streaming("download")] if ENDS_AFTER_THE_RESPONSE else [])]

CASES = [
    _asking("chat", "POST /chat/7", "idle_in_transaction", holder="POST /chat/{user}"),
    _asking("unused", "GET /unused", "idle"),
    _asking("committed", "GET /committed", "idle"),
    _asking("aside", "GET /aside", "idle_in_transaction"),
    _asking("mail", "POST /mail", "idle_in_transaction", phase="background", mend=AFTERWARDS),
    _asking("hog", "GET /hog", "idle", pool="ledger"),
    PAYING,
    BOOKING,
    *STREAMING,
    NESTED,
    _forgotten("POST /keep", "keep", "orders"),
    _forgotten("POST /reports/keep", "keep_report", "reports"),
    DAILY,
    YEARLY,
    INVOICE,
]
