"""sqlalchemy-collectd's listeners, without the thread that sends what they collect."""

from __future__ import annotations

import warnings

from sqlalchemy import Engine

from benchmarks.attached import Attached, peer_module


def attach(engine: Engine) -> Attached:
    """What its plugin does when `create_engine()` has loaded it, less the network."""
    collector = peer_module("sqlalchemy_collectd.client.collector")
    collector.worker._check_threads_started = lambda: None
    target = collector.CollectionTarget("benchmark")
    with warnings.catch_warnings():
        # Its `reset` listener has the signature of SQLAlchemy 1.4.
        warnings.simplefilter("ignore")
        listeners = collector.EngineCollector(target, engine)

    def keep() -> None:
        assert listeners is not None  # the target refers to it weakly

    return Attached(afterwards=keep, remark="its sending thread is left out")
