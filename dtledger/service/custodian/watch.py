"""What an operator sees of a custodian: whether it is ready, and what it counts. No name, no address, no twin."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..._backend.evm import EvmLedger
from ..._backend.inquiries import heartbeats_left
from ..._backend.postgresql import Server
from ...custodian import Custodian
from ...errors import DtledgerError
from ...vocabulary import Kind
from ..app import Check, Verdict
from ..metrics import Metrics
from .state import State

__all__ = ["Watch"]


class Watch(Collector):
    """The checks of one custodian, and its metrics: asked for whenever somebody looks.

    `low` is how many heartbeats its account must be able to pay for; `clock` gives unix seconds.
    """

    def __init__(self, state: State, metrics: Metrics, clock: Callable[[], int], low: int) -> None:
        self._state = state
        self._custodian: Custodian = state.custodian
        self._ledger: EvmLedger = state.ledger
        self._clock = clock
        self._low = low
        self._prefix = metrics.prefix
        metrics.registry.register(self)

    def checks(self) -> list[tuple[str, Check]]:
        index = [("index", self._index)] if isinstance(self._state.index, Server) else []
        return [
            ("node", self._node),
            *index,
            ("member", self._member),
            ("account", self._account),
            ("receipts", self._receipts),
            ("twin_keys", self._twin_keys),
        ]

    def _node(self) -> Verdict:
        """It answers, of the deployment's chain. An old head is no fault: a heartbeat renews it when that is needed."""
        head = self._ledger.head()
        return Verdict(True, f"block {head.number}, {self._clock() - head.at} s old")

    def _index(self) -> Verdict:
        self._ledger.catch_up()
        return Verdict(True, "PostgreSQL has it, up to the head")

    def _member(self) -> Verdict:
        member = self._ledger.view().member(self._custodian.address)
        if member is None or member.suspended or not member.is_a(Kind.CUSTODIAN):
            return Verdict(False, "not enrolled as CUSTODIAN, or suspended")
        return Verdict(True, "enrolled as CUSTODIAN")

    def _account(self) -> Verdict:
        left = heartbeats_left(self._ledger, self._custodian.address)
        if left is None:
            return Verdict(True, "heartbeats are free")
        if left < 1:
            return Verdict(False, "it cannot pay for a heartbeat")
        return Verdict(True, f"money for {left} heartbeats{': running low' if left < self._low else ''}")

    def _receipts(self) -> Verdict:
        self._custodian.require_log()
        return Verdict(True, "the log is whole")

    def _twin_keys(self) -> Verdict:
        usable = os.access(self._state.twin_keys, os.R_OK | os.W_OK | os.X_OK)
        return Verdict(usable, "the folder of key pairs can be used" if usable else "the folder cannot be used")

    # https://prometheus.io/docs/instrumenting/writing_clientlibs/
    def collect(self) -> Iterator[Metric]:
        custodian = self._custodian
        reasons = {reason.name: count for reason, count in dict(custodian.decided).items()}
        yield self._counter("decisions", "Snapshots decided on, by the reason.", "reason", reasons)
        yield self._counter(
            "turned_away", "Requests that ended before their shares were opened.", "cause", dict(custodian.turned_away)
        )
        yield self._counter(
            "limits_passed", "Requests refused for passing a limit.", "limit", dict(custodian.limits_passed)
        )
        yield CounterMetricFamily(
            f"{self._prefix}_disagreements",
            "Times that the contract refused what the index permits.",
            value=custodian.disagreements,
        )
        yield GaugeMetricFamily(f"{self._prefix}_receipts", "Receipts in the log.", value=self._state.receipts.count)
        free = shutil.disk_usage(self._state.twin_keys.parent).free
        yield GaugeMetricFamily(f"{self._prefix}_disk_free_bytes", "Bytes free on the disk of its data.", value=free)
        yield from self._of_the_node()

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def _of_the_node(self) -> Iterator[Metric]:
        """A node that does not answer leaves its metrics out: an old number would look like a new one."""
        try:
            age = self._clock() - self._ledger.head().at
            left = heartbeats_left(self._ledger, self._custodian.address)
        except DtledgerError:
            return
        yield GaugeMetricFamily(f"{self._prefix}_head_age_seconds", "Age of its node's head.", value=age)
        if left is not None:
            yield GaugeMetricFamily(
                f"{self._prefix}_heartbeats_left", "Heartbeats that its account can pay for.", value=left
            )

    def _counter(self, name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
        family = CounterMetricFamily(f"{self._prefix}_{name}", text, labels=[label])
        for value, count in sorted(counts.items()):
            family.add_metric([value], count)
        return family
