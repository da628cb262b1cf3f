"""What is wrong with a hold, in words, and what mends it."""

from __future__ import annotations

import sys

from pool_observer.explanation import (
    BlockedLoop,
    Diagnosis,
    Doing,
    ServerSide,
    Standing,
    Trouble,
)
from pool_observer.model import Activity, CallSite, Ending, Hold, Phase, Wait
from pool_observer.server import SessionState
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words

Version = tuple[int, ...]

FUNCTION_SCOPE: Version = (0, 121)
"""FastAPI that can end a dependency before the response is sent."""

EXITS_AFTER_RESPONSE: Version = (0, 118)
"""FastAPI whose dependencies end after the response has been sent."""

_TROUBLE_NS = Thresholds().trouble_after * 1_000_000_000


def diagnose(
    hold: Hold,
    standing: Standing | None,
    *,
    second: Wait | None = None,
    server: ServerSide | None = None,
    blocked_loop: BlockedLoop | None = None,
    fastapi: Version | None = None,
) -> Diagnosis | None:
    """The one thing to look at first; None while the hold is young and nothing stands out.

    :param second: what its holder waits for meanwhile, of the same pool.
    :param server: its session, as the server saw it.
    :param blocked_loop: its event loop, if that is blocked.
    :param fastapi: the version that is in use.
    """
    if hold.ending is Ending.LOST:
        return _lost()
    if second is not None:
        return _second_connection(second.call_site)
    if hold.duration_ns < _TROUBLE_NS and not hold.overdue:
        return None
    # A statement that runs is run by somebody, to whom the connection was handed on.
    executing = hold.activity is Activity.EXECUTING
    if standing is not None and standing.doing is Doing.FINISHED and not executing:
        return _finished(hold)
    # One that was long under way before its loop was blocked has another trouble as well.
    if blocked_loop is not None and 2 * blocked_loop.seconds > hold.activity_for_seconds:
        return _loop_blocked(blocked_loop, standing)
    activity = _lasting(hold)
    if activity is Activity.EXECUTING:
        return _locked(hold, server) or _long_query(hold)
    if hold.phase is Phase.RESPONSE:
        return _streaming(hold, fastapi)
    return _idle(hold, standing, activity, fastapi)


def _lasting(hold: Hold) -> Activity:
    """What the hold is doing, or if it has only just begun to: what it has done most."""
    if hold.activity_for_ns >= _TROUBLE_NS:
        return hold.activity
    spent = (hold.executing_ns, hold.in_transaction_ns, hold.idle_ns)
    return tuple(Activity)[spent.index(max(spent))]


def _lost() -> Diagnosis:
    return Diagnosis(
        Trouble.LOST,
        "dropped without being returned; the garbage collector took it",
        "return it where it was taken: `with` or `async with` does so on every path",
    )


def _second_connection(site: CallSite | None) -> Diagnosis:
    at = "" if site is None else f", at {site},"
    return Diagnosis(
        Trouble.SECOND_CONNECTION,
        f"waiting for a second connection{at} with the first in its hands",
        "pass on the session that is there instead of opening another: where all who hold one "
        "wait for a second, none of them gets on",
    )


def _finished(hold: Hold) -> Diagnosis:
    return Diagnosis(
        Trouble.FINISHED,
        "the task or thread that took it has finished, and the connection is still out"
        if hold.phase is not Phase.DETACHED
        else "its request is over, and the connection is still out",
        "return it where it was taken: `with` or `async with` does so on every path",
    )


def _loop_blocked(loop: BlockedLoop, standing: Standing | None) -> Diagnosis:
    itself = standing is not None and standing.doing is Doing.RUNNING
    by = "" if loop.standing is None else f" by {loop.standing}"
    return Diagnosis(
        Trouble.LOOP_BLOCKED,
        f"{'blocking its event loop' if itself else 'its event loop is blocked'} "
        f"for {in_words(loop.seconds)}{by}",
        "move what blocks into a thread: `await asyncio.to_thread(...)`",
    )


def _locked(hold: Hold, server: ServerSide | None) -> Diagnosis | None:
    """Its statement waits for a lock, if it is still the one that the server was asked about."""
    if server is None or not server.joined.blocked_by:
        return None
    if hold.activity is not Activity.EXECUTING or hold.activity_for_seconds < server.seconds_ago:
        return None
    blocker = server.joined.blocked_by[0].session
    idle = blocker is not None and blocker.state is SessionState.IDLE_IN_TRANSACTION
    return Diagnosis(
        Trouble.LOCKED,
        f"one statement for {in_words(hold.activity_for_seconds)}, waiting for a lock of "
        f"{server.blockers()}, as of {in_words(server.seconds_ago)} ago",
        "commit there before whatever it waits for: a lock lasts as long as its transaction"
        if idle
        else "shorten the transaction that has the lock; a `lock_timeout` bounds the wait",
    )


def _long_query(hold: Hold) -> Diagnosis:
    if hold.activity is Activity.EXECUTING and hold.activity_for_ns >= _TROUBLE_NS:
        text = f"one statement for {in_words(hold.activity_for_seconds)}"
    else:
        text = f"statements for {in_words(hold.executing_seconds)} of {in_words(hold.seconds)}"
    process = "" if hold.backend_pid is None else f" (process {hold.backend_pid})"
    return Diagnosis(
        Trouble.LONG_QUERY,
        text,
        f"ask the server what it does{process}: a lock, a plan without an index, too many rows; "
        "a statement time-out bounds it",
    )


def _streaming(hold: Hold, fastapi: Version | None) -> Diagnosis:
    mend = "read what the response needs, and return the connection before sending it"
    if hold.handler_ns:  # otherwise it was taken by what is sent, not by a dependency
        mend += _hint(fastapi)
    return Diagnosis(
        Trouble.STREAMING,
        f"the response is being sent, and for {_unused(hold)} of its time this hold was not used",
        mend,
    )


def _hint(fastapi: Version | None) -> str:
    """How a dependency ends before the response is sent."""
    if fastapi is not None and fastapi >= FUNCTION_SCOPE:
        return '; a session from `Depends(get_session, scope="function")` ends in time'
    if fastapi is not None and fastapi >= EXITS_AFTER_RESPONSE:
        return '; from FastAPI 0.121 on `Depends(get_session, scope="function")` ends before that'
    return ""


def _idle(
    hold: Hold, standing: Standing | None, activity: Activity, fastapi: Version | None
) -> Diagnosis:
    in_transaction = activity is Activity.IN_TRANSACTION
    kind = Trouble.IDLE_IN_TRANSACTION if in_transaction else Trouble.IDLE
    text = "idle in transaction" if in_transaction else "idle"
    lasting = hold.activity is activity and hold.activity_for_ns >= _TROUBLE_NS
    if lasting:
        text += f" for {in_words(hold.activity_for_seconds)}"
    else:
        spent = hold.in_transaction_seconds if in_transaction else hold.idle_seconds
        text += f" for {in_words(spent)} of {in_words(hold.seconds)}, not at a stretch"
    step = "what takes the time"
    if not lasting:
        pass  # where it stands at this instant may be a statement
    elif standing is not None and standing.at is not None:
        step = "this call" if standing.doing is Doing.RUNNING else "this await"
    if hold.phase in (Phase.BACKGROUND, Phase.DETACHED):
        mend = "after the response, open a session around the statements alone"
        if hold.phase is Phase.BACKGROUND and hold.handler_ns:
            mend += _hint(fastapi)
    elif in_transaction:
        mend = f"commit or close the session before {step}"
    else:
        mend = f"close the session before {step}"
    return Diagnosis(kind, text, f"{mend}, which frees {_unused(hold)} of this hold")


def _unused(hold: Hold) -> str:
    unused = hold.in_transaction_ns + hold.idle_ns
    # Rounded down: 100 % would say that it was not needed at all.
    return f"{100 * unused // max(hold.duration_ns, 1)} %"


def version_of(module: str) -> Version | None:
    """Which one there is, if it is in use. What to do may depend on it."""
    version = getattr(sys.modules.get(module), "__version__", None)
    if not isinstance(version, str):
        return None
    major, minor = (*version.split("."), "0")[:2]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None
