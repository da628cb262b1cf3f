"""The lines of a stack that tell the most: the application's own, and what it calls there."""

from __future__ import annotations

from pool_observer.call_site import OURSELVES, RawSite, is_installed, package_of, resolve
from pool_observer.explanation import Doing, Standing
from pool_observer.stacks import Stack


def standing_in(stack: Stack, doing: Doing, site: RawSite | None = None) -> Standing:
    """The lines of a stack that tell the most. `site` is where the connection was asked for."""
    package = None if site is None else package_of(site[0].co_filename)
    depth = len(stack)
    while depth and stack[depth - 1][0].co_filename.startswith(OURSELVES):
        depth -= 1  # we are in the middle of looking
    innermost = stack[depth - 1] if depth else None
    at = calling = None
    for step in reversed(stack[:depth]):
        filename = step[0].co_filename
        if not is_installed(filename) or (package and package_of(filename) == package):
            at = step
            break
        calling = step
    if at is None:
        calling = None
    return Standing(
        doing, resolve(at), resolve(calling), None if innermost is at else resolve(innermost)
    )
