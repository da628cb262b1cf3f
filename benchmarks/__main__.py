"""`python -m benchmarks WHAT`: one of the benchmarks, which prints its tables."""

from __future__ import annotations

import argparse

WHAT = ("advice", "cycles", "imports", "memory", "requests", "scrape", "snapshot", "spans")


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=WHAT,
        default="cycles",
        help="advice: whether the pool size that is recommended is the right one; "
        "cycles: time per checkout, beside other tools (the default); "
        "imports: what importing us adds to SQLAlchemy; "
        "memory: flat over many holds, and bytes per open hold; "
        "requests: what a middleware adds to a request, beside other tools; "
        "scrape: what being scraped costs, beside prometheus_client's own ways; "
        "snapshot: time of a snapshot, of an explanation and of a watchdog tick; "
        "spans: what telling OpenTelemetry costs, beside its own instrumentation",
    )
    parser.add_argument("--quick", action="store_true", help="a rough answer within 30 seconds")
    parser.add_argument("--no-postgres", action="store_true", help="cycles, spans: start no server")
    parser.add_argument("--holds", type=int, help="memory: how many (default: a million)")
    arguments = parser.parse_args()
    # Each is imported only when it runs: processes that measure start from this module too.
    if arguments.what == "advice":
        from benchmarks import advice

        advice.main(quick=arguments.quick)
    elif arguments.what == "imports":
        from benchmarks import imports

        imports.main(quick=arguments.quick)
    elif arguments.what == "memory":
        from benchmarks import memory

        memory.main(holds=arguments.holds or (100_000 if arguments.quick else 1_000_000))
    elif arguments.what == "requests":
        from benchmarks import requests

        requests.main(quick=arguments.quick)
    elif arguments.what == "scrape":
        from benchmarks import scrape

        scrape.main(quick=arguments.quick)
    elif arguments.what == "snapshot":
        from benchmarks import snapshot

        snapshot.main(quick=arguments.quick)
    elif arguments.what == "spans":
        from benchmarks import spans

        spans.main(quick=arguments.quick, postgres=not arguments.no_postgres)
    else:
        from benchmarks import cycles

        cycles.main(quick=arguments.quick, postgres=not arguments.no_postgres)


if __name__ == "__main__":
    main()
