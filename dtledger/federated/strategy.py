"""The coordinator's part, round any Flower strategy.

    strategy = Provenance(FedAvg(), Coordinator(client, model, journal))
    strategy.start(grid, strategy.resume(initial), num_rounds=15)

It opens the round on the ledger, gives the inner strategy the replies that pass every check, and commits what that made
of them before anybody gets it. A reply that fails is refused by name and its update left out of the aggregate; a round
of which nothing is left stays open, and is asked for again. Replies are handed on in the order of what they hold, so
that rounding does not hang on who answered first.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy

from ..errors import DtledgerError
from ..ledger import Round
from ..models.update import digest_of
from ..types import Address
from . import checking
from .arrays import Arrays, canonical, encode_arrays
from .checking import Checked
from .coordinator import Coordinator, RoundReport
from .messages import MODEL, PROVENANCE, ROUND, arrays_in, attached_to, record_of, the_arrays
from .privacy import clipped_to, norm

log = logging.getLogger(__name__)

FAR = 5.0
"""An update is far if its distance from the median of all is over so many times the median of those distances."""


class InOrder(Strategy):
    """A strategy that aggregates replies in the order of their arrays' digests: the same replies make the same sum,
    whoever answered first."""

    def __init__(self, inner: Strategy) -> None:
        self.inner = inner

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        return self.inner.configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        return self.inner.aggregate_train(server_round, sorted(replies, key=_order))

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        return self.inner.configure_evaluate(server_round, arrays, config, grid)

    def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> MetricRecord | None:
        return self.inner.aggregate_evaluate(server_round, replies)

    def summary(self) -> None:
        self.inner.summary()


def _order(reply: Message) -> bytes:
    if reply.has_error():
        return b""
    return digest_of(encode_arrays(arrays_in(the_arrays(reply.content)[1])))


@dataclass
class _Taken:
    """The replies of a round that passed, and what is told of the others."""

    replies: list[tuple[Message, str, Checked]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    errors: list[Message] = field(default_factory=list)


class Provenance(InOrder):
    """A strategy whose updates name their consents. `reports` tells of each round what became of its replies.

    Args:
        weight: the metric that the inner strategy weighs by. It is set to the cohort that the site committed to, so
            that nobody weighs more than it says on the ledger; None leaves it to the sites.
        norm_bound: how far an update may lie from what the round starts from (L2); farther ones are scaled down, and
            their sites named.
        opened: refuse a site that does not open the round to this key, which must be an AUDITOR's.
        masked: the arrays are masked: they are not what was committed to, and only the inner strategy knows what they
            sum to. An auditor to whom the rounds are opened checks each.
    """

    def __init__(
        self,
        inner: Strategy,
        coordinator: Coordinator,
        *,
        weight: str | None = "num-examples",
        norm_bound: float = math.inf,
        opened: bool = False,
        masked: bool = False,
    ) -> None:
        super().__init__(inner)
        self.reports: list[RoundReport] = []
        self._coordinator = coordinator
        self._weight = weight
        self._norm_bound = norm_bound
        self._opened = opened
        self._masked = masked
        self._round: Round | None = None
        self._start: Arrays = {}
        self._key = "arrays"

    def resume(self, initial: ArrayRecord) -> ArrayRecord:
        """What the next round starts from: the newest aggregate, or `initial`. Raises as `Coordinator.start`."""
        return record_of(self._coordinator.start(canonical(arrays_in(initial))))

    def done(self) -> int:
        """How many rounds have their aggregate on the ledger."""
        return self._coordinator.done()

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        self._start = canonical(arrays_in(arrays))
        self._round = self._coordinator.open(self._start)
        config[MODEL], config[ROUND] = self._round.model, self._round.number
        messages = list(super().configure_train(server_round, record_of(self._start), config, grid))
        self._key = next((the_arrays(each.content)[0] for each in messages), self._key)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        number = self._round
        assert number is not None, "a round is aggregated after it was configured"
        taken = _Taken()
        for reply in replies:
            self._take(number, reply, taken)
        bounded = [checked.site for _, _, checked in taken.replies if checked.distance > self._norm_bound]
        far = () if self._masked else far_from_the_others([checked for _, _, checked in taken.replies])
        sites = tuple(checked.site for _, _, checked in taken.replies)
        report = RoundReport(number.number, sites, tuple(taken.refused), tuple(bounded), far)
        leave_in_common([reply.content for reply, _, _ in taken.replies])
        prepared = [self._prepared(*each) for each in taken.replies]
        made, metrics = super().aggregate_train(server_round, [*taken.errors, *prepared])
        self.reports.append(report)
        if made is None or not sites:
            log.warning("round %d stays open: none of its updates is left", number.number)
            return None, metrics
        aggregate = canonical(arrays_in(made))
        self._coordinator.finalise(number, aggregate, report)
        return record_of(aggregate), metrics

    # a reply -------------------------------------------------------------------------------------------------

    def _take(self, number: Round, reply: Message, taken: _Taken) -> None:
        node = f"node {reply.metadata.src_node_id}"
        if reply.has_error():
            taken.errors.append(reply)
            taken.refused.append((node, reply.error.reason or f"error {reply.error.code}"))
            return
        try:
            key, record = the_arrays(reply.content)
            checked = self._checked(number, reply, record, [each.site for _, _, each in taken.replies])
        except DtledgerError as error:
            who = getattr(error, "party", "") or node
            log.warning("the update of %s is refused: %s", who, error)
            taken.refused.append((who, error.message))
        else:
            taken.replies.append((reply, key, checked))

    def _checked(self, number: Round, reply: Message, record: ArrayRecord, taken: Sequence[Address]) -> Checked:
        """Raises:
        DtledgerError: the update is not to be aggregated; the message says why.
        """
        client, model = self._coordinator.client, self._coordinator.model
        attached, arrays = attached_to(reply.content), canonical(arrays_in(record))
        update = checking.committed(client, number, attached.block)
        checking.require_once(update, taken)
        leaves = checking.require_leaves(client, model, update)
        if self._opened:
            checking.require_consents(client, model, number, update, leaves, attached.opening)
        if self._masked:
            return Checked(update, arrays, 0.0)
        checking.require_equal(update, attached.salt, arrays)
        return Checked(update, arrays, checking.distance_from(self._start, update, arrays))

    def _prepared(self, reply: Message, key: str, checked: Checked) -> Message:
        """The reply as the inner strategy gets it."""
        arrays = checked.arrays
        if checked.distance > self._norm_bound:
            arrays, _ = clipped_to(arrays, self._start, self._norm_bound)
        del reply.content[key]
        reply.content[self._key] = record_of(arrays)
        reply.content.pop(PROVENANCE, None)
        if self._weight is not None:
            if not reply.content.metric_records:
                reply.content[PROVENANCE] = MetricRecord()
            for metrics in reply.content.metric_records.values():
                metrics[self._weight] = checked.update.cohort
        return reply


def leave_in_common(replies: Sequence[RecordDict]) -> None:
    """Leave of what sites measured what every one of them did, in one form: a strategy that takes a mean of it gives up
    the round of all, if one measured something else."""
    measured = [
        {(name, key, len(value) if isinstance(value, list) else None)
         for name, record in each.metric_records.items() for key, value in record.items()}
        for each in replies
    ]  # fmt: skip
    common = {(name, key) for name, key, _ in set[Any].intersection(*measured)} if measured else set()
    for each in replies:
        for name, record in list(each.metric_records.items()):
            kept = {key: value for key, value in record.items() if (name, key) in common}
            if kept:
                each[name] = MetricRecord(kept)
            else:
                del each[name]


def far_from_the_others(every: Sequence[Checked]) -> tuple[Address, ...]:
    """The sites whose updates lie far from the median of all, number by number; of fewer than three nobody can say."""
    if len(every) < 3:
        return ()
    middle = {
        name: np.median(np.stack([each.arrays[name].astype(np.float64) for each in every]), axis=0)
        for name in every[0].arrays
    }
    distances = [norm({name: np.asarray(each.arrays[name] - middle[name]) for name in middle}) for each in every]
    usual = median(distances)
    return tuple(each.site for each, distance in zip(every, distances, strict=True) if distance > FAR * usual)
