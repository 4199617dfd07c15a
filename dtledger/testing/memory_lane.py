"""A `Lane` without a chain: each call has a block of its own, at once, and gas is what a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._backend.call_codec import decode_call
from ..errors import DtledgerError, LedgerRejection
from ..ledger import Receipt, Sent
from ..ledger.lanes import Carried, Fate, Flight, Flights
from ..types import Address

if TYPE_CHECKING:
    from .memory_ledger import MemoryLedger

GAS = 50_000
"""What each call takes."""


class MemoryLane:
    """One account's, on the node `ledger`."""

    def __init__(self, ledger: MemoryLedger, address: Address, flights: Flights) -> None:
        self._ledger = ledger
        self._address = address
        self._flights = flights
        self._fates: dict[int, Fate] = {}
        self._nonce = 0
        self.bumps = 0

    @property
    def address(self) -> Address:
        return self._address

    def try_out(self, calls: Sequence[Carried]) -> list[int | DtledgerError]:
        self._ledger.require_answer()
        return [self._try_one(each) for each in calls]

    def _try_one(self, call: Carried) -> int | DtledgerError:
        try:
            self._ledger.chain.try_out(decode_call(call.contract, call.data), self._address)
        except LedgerRejection as error:
            return error
        return GAS

    def fit(self, calls: Sequence[Carried], gas: Sequence[int]) -> int:
        return len(calls)

    def send(self, calls: Sequence[Carried], gas: Sequence[int], note: Callable[[Flight], None]) -> None:
        self._ledger.require_answer()
        self._ledger.refuse_frozen()
        sent = Sent(self._nonce, sum(gas), 0, 0, (calls[0].id,))
        note(Flight(sent, self._address, b"", self._ledger.chain.clock()))
        self._nonce += 1
        receipt: Receipt | None = None
        refused: dict[int, DtledgerError] = {}
        for place, each in enumerate(calls):
            try:
                receipt = self._ledger.chain.transact(decode_call(each.contract, each.data), self._address)
            except LedgerRejection as error:
                refused[place] = error
        self._fates[sent.nonce] = Fate(sent.nonce, receipt or self._ledger.chain.heartbeat(), refused, final=True)

    def look(self) -> list[Fate]:
        self._ledger.require_answer()
        nonces = [each.sent.nonce for each in self._flights.of(self._address)]
        return [self._fates.get(nonce) or Fate(nonce, None, {}, final=True) for nonce in nonces]
