"""One key's transactions on an EVM, of which several are under way at once: its nonces, its fees, and what came of it.

- **Nonces.** The next is the first that neither the node nor our own record knows. What the node forgot is sent again
  under its own nonce, so no gap stays; of two transactions with one nonce a chain takes one. What waits for `patience`
  behind a nonce that is nobody's is lost: another process of this key had it and is gone, or the node said a wrong one.
- **Fees.** What no block takes in time is sent again with fees an eighth higher, never above `Fees.most`.
- **Errors.** That a node knows a transaction, a later nonce or a better offer already is no error here: the next look
  tells which. What it refuses otherwise when it is sent first is in no pool, and is forgotten.

Calls go through `contracts/Relay.sol`; one alone goes directly, and so does each where there is no such contract.

Warning:
    Behind one address should be one node. Where several answer in turn and one is behind, a transaction may seem lost
    whose calls are then carried again: they land once, and whoever asked may be told that they were refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode as abi_decode
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError

from ..encoding import address
from ..errors import DtledgerError, InputError, UnreachableError
from ..ledger import RELAY, Sender, Sent
from ..ledger.lanes import MOST_GAS, Carried, Fate, Fees, Flight, Flights
from ..ledger.rejections import EARLY, rejection
from ..types import Address
from .artifacts import artifact
from .evm_reader import Mined
from .node import Translated
from .replacing import outbid
from .reverts import refusal_of, rejection_of

if TYPE_CHECKING:
    from .evm import EvmLedger

MOST_BYTES = 100_000
"""Of one transaction: geth's pool takes 131,072, and Besu's and coreth's are as geth's."""

TRANSACTION_GAS = 2**24
"""Of one transaction (EIP-7825)."""

TRIED_BYTES = 2**18
"""Of calls that are tried out at once: half a megabyte in hex, of which proxies take one, Anvil two and geth five."""

SHARE = 2
"""One transaction takes a block's gas by this at most: others' must fit beside it."""

AGAIN_SECONDS = 2
"""After so long without a block the node is asked whether it still has a transaction."""

_CALL_BYTES = 256
"""What a call takes in a transaction beside its data: six words, and what fills up its last."""

_BASE_GAS, _BYTE_GAS, _LEAST_BYTE_GAS = 21_000, 17, 40
"""A byte costs 16, and one that the relay keeps for it (`Relay.sol`); the last is what a transaction must have for each
byte, however little its calls take (EIP-7623)."""
_CALL_GAS = 10_000
"""What the relay itself may take for a call."""

_IS_THERE = ("already known", "already imported", "nonce too low", "underpriced", "alreadyknown")
"""What geth, Anvil and Besu say of a transaction that is in their pool or a block, or whose nonce is."""


_TOO_DEAR = ("gas required exceeds", "out of gas", "exceeds block gas", "exceeds allowance")
"""What they say of a call that no block has room for."""


class FeeTooHighError(UnreachableError):
    """The chain's fee of the day is above what may be offered."""


class EvmLane:
    """`Lane` on an EVM. `clock` gives unix seconds."""

    def __init__(
        self,
        ledger: EvmLedger,
        sender: Sender,
        flights: Flights,
        fees: Fees,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._flights = flights
        self._fees = fees
        self._clock = clock
        self._relay = ledger.deployment.contracts.get(RELAY)
        self.bumps = 0

    @property
    def address(self) -> Address:
        return self._sender.address

    # looking ahead -------------------------------------------------------------------------------------------

    def try_out(self, calls: Sequence[Carried]) -> list[int | DtledgerError]:
        tried = self._try_out(calls)
        early = any(isinstance(each, EARLY) for each in tried)
        return self._try_out(calls) if early and self._ledger.renew(self._sender) else tried

    def _try_out(self, calls: Sequence[Carried]) -> list[int | DtledgerError]:
        if self._relay is None or len(calls) < 2:
            return [self._try_one(each) for each in calls]
        gas = [MOST_GAS] * len(calls)
        data = self._spelled(calls, gas)
        if len(data) > TRIED_BYTES:
            return self._try_out(calls[: len(calls) // 2])
        asked = {"from": self.address, "to": self._relay, "data": data, "gas": self._block_gas}
        try:
            with Translated(ContractLogicError, Web3RPCError):
                answer = bytes(self._ledger.web3.eth.call(asked, "pending"))  # type: ignore[arg-type]
                outcomes = abi_decode(["(bool,uint256,bytes)[]"], answer)[0]
        except (ContractLogicError, Web3RPCError) as error:  # together they take more gas than there is
            if isinstance(error, Web3RPCError) and not _says(error, "gas", "revert"):
                raise rejection_of(error) from error
            return self._try_out(calls[: len(calls) // 2])
        return [_tried(*each) for each in outcomes]

    def _try_one(self, call: Carried) -> int | DtledgerError:
        to = self._ledger.deployment.contracts[call.contract]
        try:
            with Translated(ContractLogicError, Web3RPCError):
                asked: Any = {"from": self.address, "to": to, "data": call.data}
                return self._ledger.web3.eth.estimate_gas(asked, "pending")
        except (ContractLogicError, Web3RPCError) as error:
            refused = rejection_of(error)
            if not isinstance(refused, UnreachableError):
                return refused
            if _says(error, *_TOO_DEAR):  # an answer, and for ever the same: whoever waits behind it must not
                return InputError("A call that takes more gas than a block has is not carried.")
            raise refused from error

    @cached_property
    def _block_gas(self) -> int:
        with Translated():
            return self._ledger.web3.eth.get_block("latest")["gasLimit"]

    def fit(self, calls: Sequence[Carried], gas: Sequence[int]) -> int:
        if self._relay is None:
            return 1
        most, size, total = min(self._block_gas // SHARE, TRANSACTION_GAS), 0, _BASE_GAS
        for place, (each, took) in enumerate(zip(calls, gas, strict=True)):
            taken = len(each.data) + _CALL_BYTES
            size, total = size + taken, total + _limit(took) + _CALL_GAS + taken * _BYTE_GAS
            if place and (size > MOST_BYTES or total > most):
                return place
        return len(calls)

    # sending -------------------------------------------------------------------------------------------------

    def send(self, calls: Sequence[Carried], gas: Sequence[int], note: Callable[[Flight], None]) -> None:
        to, data, limit = self._transaction(calls, gas)
        with self._ledger.sending:
            with Translated():
                fee, tip = self._price()
                mine = (each.sent.nonce + 1 for each in self._flights.of(self.address))
                nonce = max(self._ledger.next_nonce(self._sender), *mine, 0)
            self._put(Flight(Sent(nonce, limit, fee, tip, ()), to, data, self._clock()), note, first=True)

    def _transaction(self, calls: Sequence[Carried], gas: Sequence[int]) -> tuple[Address, bytes, int]:
        """Where it goes, its data, and its limit of gas."""
        if self._relay is None or len(calls) == 1:
            (call,), (took,) = calls, gas
            # tried among others it took neither a transaction's own gas nor that of its bytes
            alone = _limit(took) + len(call.data) * _BYTE_GAS, len(call.data) * _LEAST_BYTE_GAS
            return self._ledger.deployment.contracts[call.contract], call.data, _BASE_GAS + max(alone)
        limits = [_limit(each) for each in gas]
        data = self._spelled(calls, limits)
        # and what the last call must leave to have its own (EIP-150)
        beside = _BASE_GAS + len(data) * _BYTE_GAS + len(calls) * _CALL_GAS + max(limits) // 32
        return self._relay, data, max(sum(limits) + beside, _BASE_GAS + len(data) * _LEAST_BYTE_GAS)

    def _spelled(self, calls: Sequence[Carried], gas: Sequence[int]) -> bytes:
        places = self._ledger.deployment.contracts
        rows = [(places[each.contract], most, each.data) for each, most in zip(calls, gas, strict=True)]
        return artifact(RELAY).functions["carry"].encode((rows,))

    def _price(self) -> tuple[int, int]:
        """What to offer: room for the base fee to double, as far as `Fees.most` lets it."""
        fee, tip = self._ledger.price()
        if (fee + tip) // 2 > self._fees.most:  # of the block now: base fee and tip
            raise FeeTooHighError(
                "The ledger asks for more a gas than this relay may offer.", hint="Its operator can let it offer more."
            )
        return min(fee, self._fees.most), min(tip, self._fees.most)

    def _put(self, flight: Flight, note: Callable[[Flight], None], *, first: bool = False) -> None:
        """Sign it, have it noted, and send it."""
        self._ledger.require_same_chain()
        signed, sent = self._ledger.sign({"to": flight.to, "data": flight.data}, self._sender, flight.sent)
        note(replace(flight, sent=sent))
        try:
            with Translated(Web3RPCError):
                self._ledger.web3.eth.send_raw_transaction(signed)
        except Web3RPCError as error:
            if first and not _says(error, *_IS_THERE):
                refused = rejection_of(error)
                told = rejection("not taken", {}) if isinstance(refused, UnreachableError) else refused
                raise told from error

    # what became of it ---------------------------------------------------------------------------------------

    def look(self) -> list[Fate]:
        flights = self._flights.of(self.address)
        if not flights:
            return []
        fates = []
        with Translated():
            used = self._ledger.web3.eth.get_transaction_count(self.address)  # type: ignore[arg-type]
            final = None if self._ledger.instant else self._ledger.final()
            for flight in flights:
                found = next(filter(None, map(self._ledger.found, reversed(flight.sent.hashes))), None)
                if found is not None:
                    fates.append(self._fate(flight, found, final))
                elif flight.sent.nonce < used or self._is_cut_off(flight, flights):
                    fates.append(Fate(flight.sent.nonce, None, {}, final=True))
                else:
                    self._keep_up(flight)
        return fates

    def _fate(self, flight: Flight, found: Mined, final: int | None) -> Fate:
        nonce, is_final = flight.sent.nonce, final is None or found.block <= final
        alone = flight.to != self._relay
        if not found.succeeded and not alone:
            return Fate(nonce, None, {}, is_final)
        if not found.succeeded:
            refused = {0: self._ledger.why_reverted(found)}
        else:
            refused = {} if alone else self._refused(found.logs)
        return Fate(nonce, self._ledger.told(found), refused, is_final)

    def _refused(self, logs: Sequence[Mapping[str, Any]]) -> dict[int, DtledgerError]:
        (event,) = artifact(RELAY).events
        mine = (log for log in logs if address(log["address"]) == self._relay)
        return {
            int(log["topics"][1], 16): refusal_of(abi_decode(["bytes"], bytes.fromhex(log["data"][2:]))[0])
            for log in mine
            if log["topics"][0] == f"0x{event.hex()}"
        }

    def _is_cut_off(self, flight: Flight, flights: Sequence[Flight]) -> bool:
        """Whether it has waited for long behind a nonce that is nobody's."""
        if abs(self._clock() - flight.at) < self._fees.patience:
            return False
        mine = {each.sent.nonce for each in flights}
        return any(each not in mine for each in range(self._ledger.next_nonce(self._sender), flight.sent.nonce))

    def _keep_up(self, flight: Flight) -> None:
        """No block took it yet: send it again if the node lacks it, and offer more if it waits for long."""
        waited = abs(self._clock() - flight.at)
        if waited < min(AGAIN_SECONDS, self._fees.patience):
            return
        if waited >= self._fees.patience and (higher := self._higher(flight.sent)) is not None:
            self.bumps += 1
            self._put(replace(flight, sent=higher, at=self._clock()), self._note)
        elif not self._knows(flight.sent.hashes[-1]):
            self._put(flight, self._note)

    def _note(self, flight: Flight) -> None:
        self._flights.note(self.address, flight)

    def _higher(self, sent: Sent) -> Sent | None:
        """The next form of it; None if that would offer more than it may."""
        try:
            higher = outbid(sent, *self._price())
        except UnreachableError:
            return None
        return higher if higher.fee <= self._fees.most else None

    def _knows(self, sent: bytes) -> bool:
        try:
            return self._ledger.web3.eth.get_transaction(sent) is not None  # type: ignore[arg-type]
        except TransactionNotFound:
            return False


def _limit(took: int) -> int:
    """What a call may take that took so much when it was tried: state may change until its block comes."""
    return took * 5 // 4 + 20_000


def _tried(landed: bool, gas: int, reason: bytes) -> int | DtledgerError:
    if landed:
        return gas
    if not reason and gas > MOST_GAS * 31 // 32:
        return InputError(f"A call that takes over {MOST_GAS:,} gas is not carried.")
    return refusal_of(reason)


def _says(error: Exception, *words: str) -> bool:
    said = str(error).lower()
    return any(word in said for word in words)
