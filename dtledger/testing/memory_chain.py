"""A chain without a chain: one block a transaction, in one process, under a clock that moves when it is told to.

Like a development chain it makes no block while nothing happens. `MemoryLedger` is a node of it.
"""

from __future__ import annotations

import re
import secrets
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any

from .._backend.artifacts import spelled_out
from ..encoding import address, keccak
from ..ledger import CONTRACTS, KEPT, Call, Deployment, Receipt, calls
from ..ledger import events as e
from ..ledger.calls import MemberCard
from ..ledger.events import Logged, Place
from ..types import ZERO_ADDRESS, Address, Digest, Head
from ..vocabulary.rights import GUARDED_KINDS
from . import memory_contracts as contracts
from .clock import Clock

CHAIN_ID = 31_337
HOUR = 3600
WEEK = 7 * 24 * HOUR

_OF_KEPT = (
    e.Enrolled, e.CardUpdated, e.KindsSet, e.Suspended, e.Reinstated, e.Agreed, e.Dismissed, e.KeyringSet,
    e.BatchAnchored, e.ModelRegistered, e.RoundOpened, e.UpdateCommitted, e.AggregateFinalised, e.Remediated,
    e.Remembered,
)  # fmt: skip
"""What the contracts of `KEPT` say."""


class MemoryChain:
    """Blocks, what the contracts hold, and what they said.

    Args:
        governance: a role's name (`ADMIN`, `REGISTRAR`, `STEWARD`, `SUSPENDER`, `MINTER`) → its accounts.
        delay: seconds that ADMIN and STEWARD wait.
        retire_delay: seconds from a retirement's announcement to its end.
        clock: unix seconds; a block takes its time, and never an earlier one than the block before.
        deployment, first: where to begin, by default at block 0 of a chain of its own.
        predecessor: whose chain it is, if this is the deployment that comes after (`succeed`).
    """

    def __init__(
        self,
        governance: Mapping[str, Sequence[Address]],
        *,
        delay: int = WEEK,
        retire_delay: int = WEEK,
        clock: Callable[[], int] | None = None,
        deployment: Deployment | None = None,
        first: Head | None = None,
        predecessor: MemoryChain | None = None,
    ) -> None:
        self.predecessor = predecessor
        self.clock = clock or Clock()
        self.deployment = deployment or new_deployment()
        self.logged: list[Logged] = []
        self.storage: contracts.Storage = {
            ("retire delay",): retire_delay,
            ("emergency length",): 4 * HOUR,
            ("review period",): 72 * HOUR,
            ("last before",): 0,
        }
        if predecessor is not None:
            self.storage["last before",] = predecessor.storage["last before",] + contracts.NUMBERS
            self.storage = Beside(self.storage, predecessor.storage)
        for role, accounts in governance.items():
            if role not in contracts.ROLES:
                raise ValueError(f"there is no role {role!r}")
            for account in accounts:
                self.storage["role", role, account] = delay if role in contracts.DELAYED_ROLES else 0
        self._successors: list[MemoryChain] = []
        start = first or Head(0, self.deployment.genesis, self.clock())
        self._blocks: _Blocks = predecessor._blocks if predecessor else _Blocks(start)
        self._lock = self._blocks.lock

    @property
    def head(self) -> Head:
        return self._blocks.head

    def succeed(
        self, governance: Mapping[str, Sequence[Address]], *, delay: int = WEEK, retire_delay: int = WEEK
    ) -> MemoryChain:
        """The deployment that comes after this one, on the same chain: it shares the contracts of `KEPT`."""
        with self._lock:
            placed = {
                name: address("0x" + keccak(f"{name} {self.deployment.id}".encode())[12:].hex()) for name in CONTRACTS
            }
            placed |= {name: self.deployment.contracts[name] for name in KEPT}
            deployment = replace(self.deployment, contracts=placed, predecessor=self.deployment)
            after = MemoryChain(
                governance,
                delay=delay,
                retire_delay=retire_delay,
                clock=self.clock,
                deployment=deployment,
                predecessor=self,
            )
            after.logged += [each for each in self.logged if isinstance(each.event, _OF_KEPT)]
            self._successors.append(after)
            return after

    def mine(self, blocks: int = 1) -> Head:
        """Make empty blocks."""
        with self._lock:
            for _ in range(blocks):
                self._append(b"")
            return self.head

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
            return self._commit(b"")

    def try_out(self, call: Call, sender: Address) -> None:
        """Run a call for nothing. Raises as `transact`."""
        if self.predecessor is not None and call.contract in KEPT:
            return self.predecessor.try_out(call, sender)
        with self._lock:
            self._execute(call, sender, restricted=True)
        return None

    def _run(self, call: Call, sender: Address, *, restricted: bool) -> Receipt:
        if self.predecessor is not None and call.contract in KEPT:
            return self.predecessor._run(call, sender, restricted=restricted)
        with self._lock:
            _, data = spelled_out(self.deployment, call)
            return self._commit(data, self._execute(call, sender, restricted=restricted))

    def _execute(self, call: Call, sender: Address, *, restricted: bool) -> contracts.Frame:
        """The transaction after the call; nothing of it is kept yet."""
        frame = self._frame(sender)
        if restricted:
            contracts.AccessManager(frame).authorise(call)
        contract = contracts.CONTRACTS[call.contract](frame)
        getattr(contract, _snake(call.function))(*call.arguments)
        return frame

    def _frame(self, sender: Address) -> contracts.Frame:
        """A transaction that begins, here and in each deployment before."""
        return contracts.Frame(
            deployment=self.deployment,
            sender=sender,
            before=self.head,
            at=self._next_time(),
            storage=ChainMap({}, self.storage),
            former=self.predecessor._frame(sender) if self.predecessor else None,
        )

    def _commit(self, data: bytes, frame: contracts.Frame | None = None) -> Receipt:
        head = self._append(data)
        told = self._keep(frame, head)[1] if frame else []
        transaction = f"0x{keccak(b'transaction' + head.hash).hex()}"
        return Receipt(transaction, head.number, head.at, 0, tuple(each.event for each in told))

    def _keep(self, frame: contracts.Frame, head: Head) -> tuple[int, list[Logged]]:
        """Write down what was done, in the deployments before first, as its events come; how many those are, and those
        of this deployment."""
        first = self.predecessor._keep(frame.former, head)[0] if self.predecessor and frame.former else 0
        assert isinstance(frame.storage, ChainMap)
        self.storage.update(frame.storage.maps[0])
        told = [
            Logged(Place(head.number, place), head.at, event)
            for place, event in enumerate(frame.events, start=first)
            if event is not None
        ]
        self._log(told)
        return first + len(frame.events), told

    def _log(self, told: Sequence[Logged]) -> None:
        self.logged += told
        for after in self._successors:
            after._log([each for each in told if isinstance(each.event, _OF_KEPT)])

    def _append(self, data: bytes) -> Head:
        number, at = self.head.number + 1, self._next_time()
        block_hash = keccak(self.head.hash + number.to_bytes(8) + at.to_bytes(8) + data)
        self._blocks.head = Head(number, block_hash, at)
        return self.head

    def _next_time(self) -> int:
        return max(self.clock(), self.head.at)


class _Blocks:
    """What deployments on one chain have in common."""

    def __init__(self, first: Head) -> None:
        self.head = first
        self.lock = RLock()


class Beside(MutableMapping[tuple[Any, ...], Any]):
    """A deployment's own storage, and the members of the one before."""

    def __init__(self, own: contracts.Storage, before: contracts.Storage) -> None:
        self._own, self._before = own, before

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return (self._before if key[0] == "member" else self._own)[key]

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        self._own[key] = value

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def new_deployment() -> Deployment:
    """The contracts at places of their own, on a chain that no other has the genesis of."""
    placed = {name: address("0x" + keccak(name.encode())[12:].hex()) for name in CONTRACTS}
    return Deployment(CHAIN_ID, Digest(secrets.token_bytes(32)), placed)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), name)
