"""`pool-observer load`: the demo's users against any service."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import urlsplit

from pool_observer.demo.database import MissingExtraError, check_installed

ANSWERED, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: every request was answered; some were not; nobody is there; Ctrl-C."""

_EXAMPLES = """\
examples:
  pool-observer load http://localhost:8000
  pool-observer load http://localhost:8000 --chat-path '/naive/chat/{user}'
  pool-observer load https://staging.example.com --users 20 --seconds 60 \\
      --chat-path /api/ask --chat-body '{"question": "Hello"}' --item-path /api/orders

It asks for what you name, as often as it can: point it at nothing that others depend on.

exit status: 0 all requests were answered, 1 some were not, 2 the service cannot
be reached or the figures not written, 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "load",
        help="ask a service as the demo's users do, and say how it answered",
        description="Users who ask a language model, and users who read items, each again after\n"
        "half a second to one and a half. The defaults are those of the demo.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", type=_url, help="of the service, such as http://localhost:8000")
    parser.add_argument(
        "--users",
        type=_users,
        default=100,
        metavar="NUMBER",
        help="how many users ask at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=30,
        metavar="NUMBER",
        help="how long they go on asking (default: %(default)s)",
    )
    parser.add_argument(
        "--chat-share",
        type=_share,
        default=0.7,
        metavar="RATIO",
        help="the share of requests that ask the model (default: %(default)s)",
    )
    parser.add_argument(
        "--chat-path",
        type=_path,
        default="/chat/{user}",
        metavar="PATH",
        help="where they POST; {user} is the user's number (default: %(default)s)",
    )
    parser.add_argument(
        "--chat-body",
        type=_body,
        default='{"message": "Who is holding our connections?"}',
        metavar="JSON",
        help="what they send there (default: a message, as the example service takes it)",
    )
    parser.add_argument(
        "--item-path",
        type=_path,
        default="/items",
        metavar="PATH",
        help="what the others GET (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Ask, and print what it was like; returns the exit status."""
    try:
        check_installed("httpx")
    except MissingExtraError:
        return _complain('it needs httpx: pip install "pool-observer[demo]"')
    from pool_observer.demo.load import Mix
    from pool_observer.demo.loading import load
    from pool_observer.demo.terminal import Screen

    mix = Mix(
        users=options.users,
        chat_share=options.chat_share,
        chat_path=options.chat_path,
        chat_body=options.chat_body,
        item_path=options.item_path,
    )
    try:
        figures = load(options.url, mix, options.seconds, Screen())
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody reads any further
        return ANSWERED
    except OSError as error:
        # Without a number it is a sentence of ours; with one, the system could not write.
        return _complain(error if error.errno is None else f"cannot be written: {error.strerror}")
    return ANSWERED if figures.answered == len(figures.requests) else REFUSED


def _complain(said: object) -> int:
    print(f"pool-observer load: {said}", file=sys.stderr)
    return FAILED


def _url(given: str) -> str:
    if not _is_plain(given) or " " in given or not _is_address(given):
        raise argparse.ArgumentTypeError("must be like http://localhost:8000")
    return given.rstrip("/")


def _is_address(given: str) -> bool:
    try:
        address = urlsplit(given)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # brackets that are not closed, a port that is none
        return False


def _is_plain(given: str) -> bool:
    """Without control characters, and what else nobody can see, or has typed in no encoding."""
    return given.isprintable()


def _path(given: str) -> str:
    if not given.startswith("/"):
        raise argparse.ArgumentTypeError("must begin with /")
    if not _is_plain(given):
        raise argparse.ArgumentTypeError("must have no control characters")
    return given


def _body(given: str) -> str:
    try:
        json.loads(given)
        given.encode()  # what was typed in another encoding is no text
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError("must be JSON") from error
    return given


def _share(given: str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be a number between 0 and 1")
    return share


def _users(given: str) -> int:
    return _number(given, 10_000)


def _seconds(given: str) -> int:
    return _number(given, 86_400)


def _number(given: str, most: int) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, and {most} at most")
    return int(given)
