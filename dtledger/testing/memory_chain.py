"""A chain without a chain: one block a transaction, in one process, under a clock that moves when it is told to.

Like a development chain it makes no block while nothing happens. `MemoryLedger` is a node of it.
"""

from __future__ import annotations

import re
import secrets
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any

from .._backend.artifacts import spelled_out
from ..encoding import address, keccak
from ..ledger import CONTRACTS, Call, Deployment, Receipt, calls
from ..ledger.calls import MemberCard
from ..ledger.events import Event, Logged, Place
from ..types import ZERO_ADDRESS, Address, Digest, Head
from ..vocabulary.rights import GUARDED_KINDS
from . import memory_contracts as contracts
from .clock import Clock

CHAIN_ID = 31_337
HOUR = 3600
WEEK = 7 * 24 * HOUR


class MemoryChain:
    """Blocks, what the contracts hold, and what they said.

    Args:
        governance: a role's name (`ADMIN`, `REGISTRAR`, `STEWARD`, `SUSPENDER`, `MINTER`) → its accounts.
        delay: seconds that ADMIN and STEWARD wait.
        retire_delay: seconds from a retirement's announcement to its end.
        emergency_length, review_period: seconds until an opening ends, and until its review is overdue.
        clock: unix seconds; a block takes its time, and never an earlier one than the block before.
        deployment, first: where to begin, by default at block 0 of a chain of its own.
    """

    def __init__(
        self,
        governance: Mapping[str, Sequence[Address]],
        *,
        delay: int = WEEK,
        retire_delay: int = WEEK,
        emergency_length: int = 4 * HOUR,
        review_period: int = 72 * HOUR,
        clock: Callable[[], int] | None = None,
        deployment: Deployment | None = None,
        first: Head | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.deployment = deployment or new_deployment()
        self.logged: list[Logged] = []
        self.storage: contracts.Storage = {
            ("retire delay",): retire_delay,
            ("emergency length",): emergency_length,
            ("review period",): review_period,
        }
        for role, accounts in governance.items():
            if role not in contracts.ROLES:
                raise ValueError(f"there is no role {role!r}")
            for account in accounts:
                self.storage["role", role, account] = delay if role in contracts.DELAYED_ROLES else 0
        self._head = first or Head(0, self.deployment.genesis, self.clock())
        self._lock = RLock()

    @property
    def head(self) -> Head:
        return self._head

    def mine(self, blocks: int = 1) -> Head:
        """Make empty blocks."""
        with self._lock:
            for _ in range(blocks):
                self._append(b"")
            return self._head

    def enrol_founder(self, card: MemberCard, signature: bytes, agreement: bytes, kinds: int) -> None:
        """Enrol a member whatever its kinds, as a deployment does with its founders before it hands over."""
        self._run(calls.enrol(card, signature, agreement, kinds & ~GUARDED_KINDS), ZERO_ADDRESS, restricted=False)
        if kinds & GUARDED_KINDS:
            self._run(calls.add_guarded_kinds(card.member, kinds & GUARDED_KINDS), ZERO_ADDRESS, restricted=False)

    def transact(self, call: Call, sender: Address) -> Receipt:
        """Run a call in a block of its own.

        Raises:
            LedgerRejection: the contract refuses it; there is no block, and nothing was written.
        """
        return self._run(call, sender, restricted=True)

    def heartbeat(self) -> Receipt:
        """A block with a transaction that does nothing."""
        with self._lock:
            return self._commit(b"", [])

    def _run(self, call: Call, sender: Address, *, restricted: bool) -> Receipt:
        with self._lock:
            _, data = spelled_out(self.deployment, call)
            written: dict[tuple[Any, ...], Any] = {}
            frame = contracts.Frame(
                deployment=self.deployment,
                sender=sender,
                before=self._head,
                at=self._next_time(),
                storage=ChainMap(written, self.storage),
            )
            if restricted:
                contracts.AccessManager(frame).authorise(call)
            contract = contracts.CONTRACTS[call.contract](frame)
            getattr(contract, _snake(call.function))(*call.arguments)
            self.storage.update(written)
            return self._commit(data, frame.events)

    def _commit(self, data: bytes, events: Sequence[Event | None]) -> Receipt:
        head = self._append(data)
        told = [
            Logged(Place(head.number, place), head.at, event) for place, event in enumerate(events) if event is not None
        ]
        self.logged += told
        transaction = f"0x{keccak(b'transaction' + head.hash).hex()}"
        return Receipt(transaction, head.number, head.at, 0, tuple(each.event for each in told))

    def _append(self, data: bytes) -> Head:
        number, at = self._head.number + 1, self._next_time()
        block_hash = keccak(self._head.hash + number.to_bytes(8) + at.to_bytes(8) + data)
        self._head = Head(number, block_hash, at)
        return self._head

    def _next_time(self) -> int:
        return max(self.clock(), self._head.at)


def new_deployment() -> Deployment:
    """The contracts at places of their own, on a chain that no other has the genesis of."""
    placed = {name: address("0x" + keccak(name.encode())[12:].hex()) for name in CONTRACTS}
    return Deployment(CHAIN_ID, Digest(secrets.token_bytes(32)), placed)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), name)
