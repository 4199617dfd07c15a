"""A hospital whose update of one round is turned round and blown up, as by whoever broke into its machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...client import Plan
from ...federated.arrays import Arrays
from ...federated.site import Answer, Site, Turn

TIMES = -20


class PoisonedSite(Site):
    """Honest but in the round `poisons`. It commits to what it sends, so that no record is at fault."""

    poisons = 0

    def commit(self, turn: Turn, plan: Plan, arrays: Arrays, metrics: Mapping[str, Any]) -> Answer:
        if turn.round.number == self.poisons:
            arrays = {name: (TIMES * each).astype(each.dtype) for name, each in arrays.items()}
        return super().commit(turn, plan, arrays, metrics)
