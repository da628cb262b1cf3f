"""Which pools a live page shows, for as long as they are observed."""

from __future__ import annotations

import weakref
from typing import Any

from pool_observer.observer import PoolObserver
from pool_observer.page.access import Auth
from pool_observer.page.app import LivePage
from pool_observer.page.document import document
from pool_observer.page.history import History


class PoolsPage(LivePage):
    """The live page of some pools. Two that are shown to the same people may be one."""

    instead = "Give the live page a path of its own: observe(..., debug_path=...)."
    """What to do where the application answers on this path itself."""

    def __init__(self, auth: Auth | None = None) -> None:
        super().__init__(self._document, auth)
        self.auth = auth
        # An engine that is dropped takes its observer along, and with it what we know of it.
        self._histories: weakref.WeakKeyDictionary[PoolObserver, History] = (
            weakref.WeakKeyDictionary()
        )

    def show(self, observer: PoolObserver) -> None:
        """Show this pool from now on, until its observer is closed."""
        history = self._histories[observer] = History()
        history.look(observer.settled())
        observer.when_ticking(lambda: history.look(observer.settled()))
        observer.when_forking(lambda in_child: history.begin_anew() if in_child else None)
        observer.when_closing(lambda: self._hide(observer))

    def _hide(self, observer: PoolObserver) -> None:
        self._histories.pop(observer, None)

    def _document(self) -> dict[str, Any]:
        shown = list(self._histories.items())
        return document(sorted(shown, key=lambda each: each[0].name))


def debug_app(*observers: PoolObserver, auth: Auth | None = None) -> PoolsPage:
    """An ASGI application that shows these pools live, for any server or framework.

    `observe(engine, app, debug_path="/debug/pools")` mounts it; those who compose by hand do it
    themselves: `app.mount("/debug/pools", debug_app(observer))`.

    :param auth: says who may see it; without, only this machine.
    """
    if not observers:
        raise TypeError("debug_app() shows pools: debug_app(observer), with what observe() returns")
    for observer in observers:
        if not isinstance(observer, PoolObserver):
            raise TypeError(
                f"debug_app() takes what observe() returned, not {type(observer).__name__}"
            )
    page = PoolsPage(checked_auth(auth, "auth"))
    for observer in observers:
        page.show(observer)
    return page


def checked_auth(auth: object, option: str) -> Auth | None:
    """What says who may see a page, or an error that says what it must be like."""
    if auth is None or callable(auth):
        return auth
    raise TypeError(
        f"{option} must be a function that takes a Visitor and says whether it may see the page, "
        f"not {type(auth).__name__}"
    )
