"""The live page: who holds the connections now, for whoever may see it."""

from pool_observer.page.access import Auth, Visitor
from pool_observer.page.app import LivePage

__all__ = ["Auth", "LivePage", "Visitor"]
