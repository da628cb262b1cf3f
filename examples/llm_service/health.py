"""Whether the process is alive."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()


@router.get("/health")
async def health() -> str:
    """Takes no connection: a full pool is no reason to be restarted, or to get no requests."""
    return "ok"
