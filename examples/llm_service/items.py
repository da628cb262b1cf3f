"""What most routes of a service do: a query or two, and an answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from llm_service.dependencies import LARGEST_ID, Id, Sessions, Settings, Text
from llm_service.models import Item

router = APIRouter(prefix="/items")


class ItemIn(BaseModel):
    """An item as it is sent."""

    name: Text = Field(min_length=1, max_length=200)


class ItemOut(ItemIn):
    """An item as it is shown."""

    model_config = ConfigDict(from_attributes=True)
    id: int


@router.get("")
async def read_items(
    sessions: Sessions,
    settings: Settings,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[ItemOut]:
    """A page of items, those after an id."""
    async with sessions() as session:
        await _as_if_it_were_large(session, settings)
        items = await session.scalars(
            select(Item).where(Item.id > after).order_by(Item.id).limit(limit)
        )
        return [ItemOut.model_validate(item) for item in items]


@router.post("", status_code=201)
async def create_item(given: ItemIn, sessions: Sessions) -> ItemOut:
    """A new item."""
    async with sessions.begin() as session:
        item = Item(name=given.name)
        session.add(item)
    return ItemOut.model_validate(item)


@router.get("/{item_id}")
async def read_item(item_id: Id, sessions: Sessions, settings: Settings) -> ItemOut:
    """One item."""
    async with sessions() as session:
        await _as_if_it_were_large(session, settings)
        return ItemOut.model_validate(await _existing(session, item_id))


@router.put("/{item_id}")
async def update_item(item_id: Id, given: ItemIn, sessions: Sessions) -> ItemOut:
    """The item, by another name."""
    async with sessions.begin() as session:
        item = await _existing(session, item_id)
        item.name = given.name
    return ItemOut.model_validate(item)


@router.delete("/{item_id}", status_code=204, response_model=None)
async def delete_item(item_id: Id, sessions: Sessions) -> None:
    """No item."""
    async with sessions.begin() as session:
        await session.delete(await _existing(session, item_id))


async def _existing(session: AsyncSession, item_id: int) -> Item:
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404, f"there is no item {item_id}")
    return item


async def _as_if_it_were_large(session: AsyncSession, settings: Settings) -> None:
    """The table has a few rows; the query takes as long as one on millions of them."""
    await session.execute(select(func.pg_sleep(settings.query_seconds)))
