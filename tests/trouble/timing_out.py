"""A checkout that gets no connection."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def time_out(engine: Engine) -> PoolTimeoutError:
    with pytest.raises(PoolTimeoutError) as raised:
        engine.connect()
    return raised.value
