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


class Allowance:
    """Kept in the record of quotas: a restart gives nobody more. `clock` gives unix seconds."""

    def __init__(self, quota: QuotaFile, limits: RelayLimits, clock: Callable[[], int]) -> None:
        self._quota = quota
        self._limits = limits
        self._clock = clock

    def look(self, signers: Sequence[Address]) -> list[LimitPassedError | None]:
        """What `take` would say of a call of each that counts as one."""
        return self._quota.look_each([self._uses(each, 1) for each in signers], self._clock())

    def take(self, calls: Sequence[tuple[Address, int]]) -> list[LimitPassedError | None]:
        """Count these, by signer and gas, which are about to be sent; of each that is too much, the error that says
        so."""
        return self._quota.take_each([self._uses(signer, _count(gas)) for signer, gas in calls], self._clock())

    def give_back(self, calls: Sequence[tuple[Address, int]]) -> None:
        """None of these was sent after all. What a block refused is paid for, and counts."""
        self._quota.take_each([self._uses(signer, -_count(gas)) for signer, gas in calls], self._clock())

    def _uses(self, signer: Address, count: int) -> list[Use]:
        return [Use(CALLS, signer, count, self._limits.each), Use(ALL_CALLS, "", count, self._limits.all)]


def _count(gas: int) -> int:
    return max(-(-gas // GAS), 1)
