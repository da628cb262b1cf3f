"""`@on(...)` turns a body into a test that runs once for each driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.databases.case import Body, Case
from tests.databases.drivers import Driver
from tests.databases.servers import Server

Test = Callable[[Driver, Callable[[Driver, bool], Server]], None]


def on(
    *drivers: Driver,
    own_server: bool = False,
    observing: dict[str, Any] | None = None,
    **engine_options: Any,
) -> Callable[[Body], Test]:
    """Run the body on these drivers, with an engine of these options.

    `observing` are options of `observe()`. `own_server` gives the test's module a PostgreSQL
    that it may stop and reconfigure.
    """

    def test_of(body: Body) -> Test:
        @pytest.mark.parametrize("driver", drivers, ids=lambda driver: driver.name)
        def test(driver: Driver, server_for: Callable[[Driver, bool], Server]) -> None:
            case = Case(driver, server_for(driver, own_server), engine_options)
            case.run(body, **(observing or {}))

        test.__name__, test.__doc__ = body.__name__, body.__doc__
        return test

    return test_of
