"""The observers that one exporter shows."""

from __future__ import annotations

import gc

from pool_observer.observers import Observers
from tests.support import FakeDatabase, observer_of


def test_they_are_there_until_they_are_removed_or_closed(database: FakeDatabase) -> None:
    engines = [database.engine() for _ in range(3)]
    first, second, third = (observer_of(engine) for engine in engines)
    observers = Observers()
    for observer in (first, second, third, first):
        observers.add(observer)
    assert list(observers) == [first, second, third]
    observers.remove(second)
    observers.remove(second)
    assert list(observers) == [first, third]
    first.close()
    assert list(observers) == [third]
    third.close()


def test_they_go_with_their_engines(database: FakeDatabase) -> None:
    observers = Observers()
    engine = database.engine()
    observers.add(observer_of(engine))
    observers.add(observer_of(database.engine()))
    gc.collect()
    assert len(observers) == 1
    del engine
    gc.collect()
    assert len(observers) == 0


def test_who_iterates_keeps_what_it_began_with(database: FakeDatabase) -> None:
    engines = [database.engine() for _ in range(2)]
    observers = Observers()
    for engine in engines:
        observers.add(observer_of(engine))
    for observer in observers:
        observers.remove(observer)
        observer.close()
    assert len(observers) == 0
