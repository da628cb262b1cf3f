"""What a scrape says, as figures that a test can compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

POOL = "db_client_connection_pool_name"


class Scraped:
    """The samples of a scrape, found by name and labels."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = {family.name: family for family in families}

    @classmethod
    def of(cls, registry: CollectorRegistry) -> Scraped:
        return cls(registry.collect())

    @classmethod
    def of_openmetrics(cls, text: str) -> Scraped:
        return cls(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]

    @property
    def samples(self) -> list[Sample]:
        return [sample for family in self.families.values() for sample in family.samples]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}

    def all(self, name: str, **labels: str) -> list[Sample]:
        """The samples of that name that have these labels, among others."""
        return [
            sample
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def one(self, name: str, **labels: str) -> float:
        """The value of the only such sample."""
        (sample,) = self.all(name, **labels)
        return sample.value

    def total(self, name: str, **labels: str) -> float:
        """The sum of such samples."""
        return sum(sample.value for sample in self.all(name, **labels))

    def by(self, label: str, name: str, **labels: str) -> Mapping[str, float]:
        """The values of such samples by one of their labels."""
        return {sample.labels[label]: sample.value for sample in self.all(name, **labels)}

    def of_pool(self, pool: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.labels.get(POOL) == pool]
