"""What a gateway's node says whenever somebody reads the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..errors import DtledgerError
from ..ledger import Ledger


class NodeWatch(Collector):
    """The age of the head of one gateway's node, by a `clock` of unix seconds; names begin with `prefix`."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], prefix: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._prefix = prefix

    def collect(self) -> Iterator[Metric]:
        """A node that does not answer leaves it out: an old number would look like a new one."""
        try:
            age = self._clock() - self._ledger.head().at
        except DtledgerError:
            return
        yield GaugeMetricFamily(f"{self._prefix}_head_age_seconds", "Age of its node's head.", value=max(age, 0))

    def describe(self) -> Iterator[Metric]:
        return iter(())
