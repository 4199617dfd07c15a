"""The Flower apps of both sides of the example. They run in one process or as SuperLink and SuperNodes start them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, cast

import numpy as np
from flwr.app import ConfigRecord, Context, Message, MessageType, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.typing import Mod
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from ..messages import ROUND, arrays_in, arrays_of, record_of
from ..mod import current_cohort
from ..site import Cohort
from ..strategy import InOrder, Provenance
from . import learning
from .patients import Row, row_of

Rows = Sequence[Row]


def client_app(
    train_rows: Callable[[Context], Rows], known: Callable[[Context], tuple[Rows, Rows]], mods: Iterable[Mod] = ()
) -> ClientApp:
    """A hospital's app. `train_rows` gives the patients of the round that a node is asked for, `known` those whom its
    hospital trains on and those whom it measures the model on; `mods` go round the training."""
    app = ClientApp()

    @app.train(mods=list(mods))
    def train(message: Message, context: Context) -> Message:
        rows = train_rows(context)
        seed = int(context.run_config["seed"]), int(context.node_config["partition-id"]), _round(message)
        weights = learning.train(arrays_of(message.content), rows, seed)
        metrics = MetricRecord({"num-examples": len(rows)})
        return Message(RecordDict({"arrays": record_of(weights), "metrics": metrics}), reply_to=message)

    @app.evaluate()
    def evaluate(message: Message, context: Context) -> Message:
        _, rows = known(context)
        scale = learning.Scale(**arrays_in(message.content.array_records["scale"]))
        right = learning.correct(arrays_in(message.content.array_records["arrays"]), scale, rows)
        metrics = MetricRecord({"num-examples": len(rows), "correct": right})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    @app.query()
    def moments(message: Message, context: Context) -> Message:
        own, _ = known(context)
        told = learning.Moments.of(own)
        metrics = MetricRecord({"count": told.count, "sums": told.sums.tolist(), "squares": told.squares.tolist()})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    return app


def rows_of(cohort: Cohort) -> list[Row]:
    """The patients of a cohort in the order of what they hold: training does not hang on the numbers of twins."""
    return sorted(row_of(readings) for readings in cohort.values())


def cohort_rows(_: Context) -> list[Row]:
    """The patients that the mod read for the message that is being answered."""
    return rows_of(current_cohort())


def _round(message: Message) -> int:
    """The ledger's number of the round, which a resumed run goes on with, else Flower's."""
    for record in message.content.config_records.values():
        if number := record.get(ROUND, record.get("server-round")):
            return int(number)  # type: ignore[arg-type]
    return 0


def averaging(hospitals: int) -> FedAvg:
    """FedAvg over all of them, which measures nothing meanwhile."""
    return FedAvg(min_train_nodes=hospitals, min_available_nodes=hospitals, fraction_evaluate=0.0)


def lead(strategy: InOrder, grid: Grid, columns: int, seed: int, rounds: int) -> dict[str, Any]:
    """Rounds up to the number `rounds`, from where the model stands; the weights afterwards."""
    start, done = record_of(learning.first_weights(columns, seed)), 0
    if isinstance(strategy, Provenance):
        start, done = strategy.resume(start), strategy.done()
    if done >= rounds:
        return arrays_in(start)
    result = strategy.start(grid, start, num_rounds=rounds - done)
    return arrays_in(result.arrays)


def measured(grid: Grid, weights: Any) -> tuple[int, int]:
    """How many test patients of all hospitals the model gets right, and how many there are: each hospital counts its
    own."""
    told = _asked(grid, RecordDict({"config": ConfigRecord()}), MessageType.QUERY)
    scale = learning.Scale.from_moments(reduce(operator.add, map(_moments, told)))
    scaled = {"mean": scale.mean, "deviation": scale.deviation}
    content = RecordDict({"arrays": record_of(weights), "scale": record_of(scaled), "config": ConfigRecord()})
    counted = _asked(grid, content, MessageType.EVALUATE)
    right = sum(cast(int, each["correct"]) for each in counted)
    count = sum(cast(int, each["num-examples"]) for each in counted)
    return right, count


def _asked(grid: Grid, content: RecordDict, kind: str) -> list[MetricRecord]:
    """What every hospital answers to the same question."""
    messages = [Message(content, each, kind) for each in grid.get_node_ids()]
    replies = grid.send_and_receive(messages, timeout=600)
    return [each.content.metric_records["metrics"] for each in replies if each.has_content()]


def _moments(told: Any) -> learning.Moments:
    return learning.Moments(int(told["count"]), np.array(told["sums"]), np.array(told["squares"]))
