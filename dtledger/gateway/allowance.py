"""What a relay pays a day: for one signer, and for everybody.

What counts is what is sent: a call that the ledger would refuse, forged ones among them, uses up nothing of whom it
names. One that is dear counts for several, since a signer may be a contract whose answer costs what it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._backend.quota_file import QuotaFile, Use
from ..errors import LimitPassedError
from ..types import Address

GAS = 200_000
"""What a call may take that counts as one: a grant takes a third of it, 50 grants at once count as seven."""

CALLS, ALL_CALLS = "relayed calls", "relayed calls of everybody"


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Calls a day: of one signer, and of everybody."""

    each: int = 50
    all: int = 5_000


@dataclass(frozen=True, slots=True)
class Cost:
    """A call of that signer's which takes so much gas."""

    signer: Address
    gas: int = GAS


class Allowance:
    """Kept in the record of quotas: a restart gives nobody more. `clock` gives unix seconds."""

    def __init__(self, quota: QuotaFile, limits: RelayLimits, clock: Callable[[], int]) -> None:
        self._quota = quota
        self._limits = limits
        self._clock = clock

    def look(self, costs: Sequence[Cost]) -> list[LimitPassedError | None]:
        """What `take` would say."""
        return self._quota.look_each(self._uses(costs, 1), self._clock())

    def take(self, costs: Sequence[Cost]) -> list[LimitPassedError | None]:
        """Count these, which are about to be sent; of each that is too much, the error that says so."""
        return self._quota.take_each(self._uses(costs, 1), self._clock())

    def give_back(self, costs: Sequence[Cost]) -> None:
        """None of these was sent after all. What a block refused is paid for, and counts."""
        self._quota.take_each(self._uses(costs, -1), self._clock())

    def _uses(self, costs: Sequence[Cost], sign: int) -> list[list[Use]]:
        counts = [(each.signer, sign * max(-(-each.gas // GAS), 1)) for each in costs]
        return [
            [Use(CALLS, signer, count, self._limits.each), Use(ALL_CALLS, "", count, self._limits.all)]
            for signer, count in counts
        ]
