"""The ledger on any Cancun EVM, through one JSON-RPC node: what `evm_reader` reads, and how it is written.

One transaction is signed, sent and waited for at a time, by one key after another. `lane` sends many.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web3.exceptions import ContractLogicError, Web3RPCError

from ..encoding import keccak
from ..errors import DtledgerError, LedgerRejection, UnreachableError
from ..ledger import Call, Deployment, Outbox, Receipt, Sender, Sent
from ..ledger.lanes import SAFE, Fees, Flights
from ..ledger.rejections import EARLY, rejection
from .artifacts import spelled_out
from .event_codec import decode_event
from .evm_reader import EvmReader, Mined
from .node import Translated
from .postgresql import Server
from .replacing import NotTakenError, outbid, send_replacing
from .reverts import rejection_of

if TYPE_CHECKING:
    from .evm_lane import EvmLane

HEARTBEAT_SECONDS = 30.0
"""How long a heartbeat may wait for its block: a chain that makes none in that time is frozen."""

IDLE_SECONDS = 60
"""A chain whose newest block is older may be asked for one: at most so often, whatever comes."""

GAS_MARGIN = 1.2
"""Part of the estimate that a transaction's limit is: state may change between estimate and block."""


class EvmLedger(EvmReader):
    """`Ledger` over JSON-RPC.

    Args:
        rpc_url, deployment, cache, instant, unfinished: as an `EvmReader`'s.
        receipt_timeout: seconds to wait for a transaction's block.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        rpc_url: str,
        deployment: Deployment,
        cache: Path | Server | None = None,
        receipt_timeout: float = 120.0,
        *,
        instant: bool = True,
        unfinished: bool = False,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        super().__init__(rpc_url, deployment, cache, instant=instant, unfinished=unfinished)
        self._receipt_timeout = receipt_timeout
        self._clock = clock
        self.sending = threading.Lock()
        """Held from the choice of a nonce until that is sent: threads that send with one key must not take the same."""

    def send(self, call: Call, sender: Sender, outbox: Outbox | None = None) -> Receipt:
        self._identify()
        to, data = spelled_out(self._deployment, call)
        transaction = {"to": to, "data": data}
        try:
            return self._send(transaction, sender, outbox)
        except EARLY:
            if not self.renew(sender):
                raise
            return self._send(transaction, sender, outbox)

    def _send(self, transaction: dict[str, Any], sender: Sender, outbox: Outbox | None) -> Receipt:
        if outbox is None:
            return self.send_raw(transaction, sender)
        return send_replacing(self, transaction, sender, outbox, self._receipt_timeout)

    def lane(self, sender: Sender, flights: Flights, fees: Fees = SAFE) -> EvmLane:
        """That key's transactions, of which several are under way at once."""
        from .evm_lane import EvmLane

        return EvmLane(self, sender, flights, fees)

    def heartbeat(self, sender: Sender) -> Receipt:
        timeout = min(self._receipt_timeout, HEARTBEAT_SECONDS)
        return self.send_raw({"to": sender.address, "data": b""}, sender, timeout=timeout)

    def renew(self, sender: Sender) -> bool:
        """Have an idle chain make a block, if `sender` can pay; whether it did. A node that tries calls as of its
        newest block (Avalanche's do, whatever is asked) refuses by the time of an old one what is due now.

        Raises:
            UnreachableError: the node does not answer, or no block came.
        """
        if self._clock() - self.head().at <= IDLE_SECONDS:
            return False
        try:
            self.heartbeat(sender)
        except LedgerRejection:
            return False
        return True

    def send_raw(
        self,
        transaction: dict[str, Any],
        sender: Sender,
        before_sending: Callable[[Sent], None] = lambda sent: None,
        *,
        timeout: float | None = None,
        replaces: Sent | None = None,
    ) -> Receipt:
        """Sign, send and wait. `transaction` has `to` and `data`, or `data` alone to create a contract.

        `before_sending` is told what is sent; `timeout` is instead of the ledger's; the transaction `replaces` is the
        same one in an earlier form.

        Raises:
            ChainMismatchError: the node serves another chain by now.
            LedgerRejection: the contract reverted, before sending or in the block.
            UnreachableError: the node does not answer, or no block took it in time.
        """
        eth = self._web3.eth
        self.require_same_chain()
        try:
            # one at a time, so that threads that send with one key do not take the same nonce
            with self.sending, Translated(ContractLogicError, Web3RPCError):
                full: dict[str, Any] = {**transaction, "from": sender.address, "value": 0}
                fee, tip = self.price()
                # as of the next block: of an idle chain the newest may be so old that its time refuses what is due now
                if replaces:  # the pending state holds what it does already, so gas cannot be estimated again
                    sent = outbid(replaces, fee, tip)
                else:
                    gas = int(eth.estimate_gas(full, "pending") * GAS_MARGIN)  # type: ignore[arg-type]
                    sent = Sent(self.next_nonce(sender), gas, fee, tip, ())
                signed, sent = self.sign(transaction, sender, sent)
                before_sending(sent)
                eth.send_raw_transaction(signed)
        except (ContractLogicError, Web3RPCError) as error:
            if replaces is None or self.taken(sent, sender) is None:
                raise rejection_of(error) from error
        return self.receipt(sent.hashes, self._receipt_timeout if timeout is None else timeout)

    def price(self) -> tuple[int, int]:
        """What a transaction should offer now: fee, which is enough while the base fee doubles, and tip (wei a gas)."""
        tip = self._web3.eth.max_priority_fee
        return 2 * self._web3.eth.get_block("latest").get("baseFeePerGas", 0) + tip, tip

    def next_nonce(self, sender: Sender) -> int:
        """The first that none of the account's transactions has, as far as the node knows of them."""
        return self._web3.eth.get_transaction_count(sender.address, "pending")  # type: ignore[arg-type]

    def sign(self, transaction: dict[str, Any], sender: Sender, sent: Sent) -> tuple[bytes, Sent]:
        """The transaction in that form, as a node takes it, and the form with its hash."""
        full = {**transaction, "value": 0, "chainId": self._deployment.chain_id, "nonce": sent.nonce, "type": 2}
        full |= {"gas": sent.gas, "maxPriorityFeePerGas": sent.tip, "maxFeePerGas": sent.fee}
        signed = sender.sign_transaction(full)
        mark = keccak(signed)
        return signed, sent if mark in sent.hashes else replace(sent, hashes=(*sent.hashes, mark))

    def taken(self, sent: Sent, sender: Sender) -> bool | None:
        """Whether a block took the transaction, in any form; None if another has its nonce, so that none will."""
        with Translated():
            used = self._web3.eth.get_transaction_count(sender.address) > sent.nonce  # type: ignore[arg-type]
            mine = any(self.found(each) for each in sent.hashes)
        return True if mine else None if used else False

    def require_same_chain(self) -> None:
        """A chain made anew takes any transaction of the old one's, does nothing, and calls it a success."""
        if self._block(0).hash != self._deployment.genesis:
            self._identified = False
            self._identify()

    def receipt(self, hashes: Sequence[bytes], timeout: float) -> Receipt:
        """Wait until a block took the transaction, in one of its forms."""
        deadline = time.monotonic() + timeout
        pause = 0.005
        while True:
            try:
                with Translated():
                    found = next(filter(None, map(self.found, reversed(hashes))), None)
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
                found = None
            if found is not None:
                break
            if time.monotonic() > deadline:
                raise NotTakenError(
                    f"No block took the transaction 0x{hashes[-1].hex()} within {timeout:g} s.",
                    hint="It may still be taken; look before you send it again.",
                )
            time.sleep(pause)
            pause = min(pause * 2, 0.5)
        if not found.succeeded:
            raise self.why_reverted(found)
        with Translated():
            logs = [self._raw(log) for log in found.logs]
        decoded = (
            decode_event([log.topics[place : place + 32] for place in range(0, len(log.topics), 32)], log.data)
            for log in logs
        )
        return replace(self.told(found), events=tuple(event for event in decoded if event is not None))

    def told(self, found: Mined) -> Receipt:
        """The node's receipt as ours, but for its events: a relay's transaction has a hundred."""
        return Receipt(found.transaction, found.block, self._block(found.block).at, found.gas, ())

    def why_reverted(self, found: Mined) -> DtledgerError:
        """The contract's reason, from the same call on the state after the block that refused the transaction; without
        one where the node has that state no more."""
        with Translated():
            transaction = self._web3.eth.get_transaction(found.transaction)  # type: ignore[arg-type]
            again = {"from": transaction["from"], "to": transaction.get("to"), "data": transaction["input"]}
        try:
            with Translated(ContractLogicError, Web3RPCError):
                self._web3.eth.call(again, found.block)  # type: ignore[arg-type]
        except ContractLogicError as error:
            return rejection_of(error)
        except Web3RPCError:  # a node keeps the state of a while
            pass
        return rejection("reverted", {}, transaction=found.transaction)
