"""Proofs that are taken when something happens, so that no audit later needs a node that keeps old states.

A node that is no archive proves the state of its newest hundred blocks or so, and then no more. Whoever runs a taker
beside a node has, of each block in which a consent was written, the proofs of what the one it was about, and each of
its members, was permitted at its end. And the chain is made to remember a block near each event but a batch's, which
storage keeps (`contracts/BlockMemory.sol`), so that a head pinned years later leads there without every header between.
Several takers share that: whoever is first sends it for all.

Nothing that is taken is believed by whoever is given it: it is nodes of tries, which are named by their hashes.

Warning: what a taker missed, because it or its node was away for longer than the node keeps states, it does not make
up; a claim that needs it cannot be checked. Who joins an organisation later has proofs from its next consent on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import CannotCheckError
from ..ledger import Deployment, History, Ledger, Sender, View, calls
from ..ledger import events as e
from ..types import Address, Digest
from .chain import LINE, Chain
from .facts import StoredFacts
from .source import Source

KEPT_STATES = 128
"""As many old states as a node keeps that is no archive (geth's figure)."""

PATIENCE = 96
"""Blocks that one waits at least before one has a block remembered: one memory does for all that happened meanwhile."""

_OF_ONE = (e.Granted, e.Revoked, e.Blocked, e.Unblocked)
_OF_ALL = (e.AllRevoked, e.RetirementAnnounced, e.RetirementCancelled, e.Frozen, e.Unfrozen, e.Transfer)


class Kept(Protocol):
    """Where proofs lie: `_backend.proof_file.ProofFile`."""

    def blocks(self) -> Mapping[int, Digest]: ...

    def keep(self, number: int, block_hash: Digest, nodes: Iterable[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step did: the blocks whose proofs it took, those of which the node had none, and whether it had a block
    remembered."""

    blocks: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()
    remembered: bool = False


class ProofTaker:
    """Takes proofs from one node; each `step` looks at what happened since.

    Args:
        source: gives the node, as an audit asks it.
        sender: pays for remembering, 48k gas at most once in `PATIENCE` blocks; None leaves it to others.
        draw: a number from 0 to 1, drawn once: how long after others this one has blocks remembered.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Callable[[], Source],
        kept: Kept,
        sender: Sender | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._source = source
        self._kept = kept
        self._sender = sender
        self._patience = PATIENCE + int(draw() * (LINE - 2 * PATIENCE))
        self._seen: Digest | None = None
        """The head of the last step that missed nothing."""

    @property
    def _deployment(self) -> Deployment:
        return self._ledger.deployment

    def step(self) -> Taken:
        """Take what is to be taken, and have a block remembered if that is due.

        Raises:
            UnreachableError: the node does not answer.
            IntegrityError: what it shows is not its chain's state.
            LedgerRejection: it cannot be paid for.
        """
        head, history = self._ledger.head(), self._ledger.history()
        if head.hash == self._seen:
            return Taken()
        recent = _Recent(history, head.number)
        wanted = recent.concerned
        taken, missed = self._take({each: wanted[each] for each in wanted if each > head.number - KEPT_STATES})
        self._seen = None if missed else head.hash
        return Taken(tuple(taken), tuple(missed), self._remember(recent, head.number))

    def _take(self, wanted: Mapping[int, Mapping[int, set[Address]]]) -> tuple[list[int], list[int]]:
        taken: list[int] = []
        missed: list[int] = []
        if not wanted:
            return taken, missed
        kept, chain = self._kept.blocks(), Chain(self._source(), self._deployment, whole=False)
        for block in sorted(wanted, reverse=True):  # from the head on down the line of parents
            try:
                header = chain.header(block)
                if kept.get(block) == header.hash:
                    continue
                for twin, who in sorted(wanted[block].items()):
                    StoredFacts(chain, block).gather(twin, *sorted(who))
            except CannotCheckError:
                missed.append(block)
                continue
            self._kept.keep(block, header.hash, chain.nodes.used)
            taken.append(block)
        return taken, missed

    def _remember(self, recent: _Recent, head: int) -> bool:
        """Whether a block was remembered: an event of `_patience` blocks ago has no memory after it."""
        newest = max(recent.memories, default=-1)
        waiting = [each for each in recent.blocks if newest < each <= head - self._patience]
        if self._sender is None or not waiting:
            return False
        self._ledger.send(calls.remember(), self._sender)
        return True


class _Recent:
    """What happened in the blocks that the head's line reaches: `concerned` says in which block whose permits changed,
    by twin, `blocks` in which ones there is an event, `memories` which ones are remembered."""

    def __init__(self, history: History, head: int) -> None:
        self.concerned: dict[int, dict[int, set[Address]]] = defaultdict(lambda: defaultdict(set))
        self.blocks: set[int] = set()
        self.memories: list[int] = []
        for each in reversed(history.logged):
            if each.place.block <= head - LINE:
                break
            self._add(history, each.place.block, each.event)

    def _add(self, history: History, block: int, event: e.Event) -> None:
        if isinstance(event, e.Remembered):
            self.memories.append(event.number)
        elif not isinstance(event, e.BatchAnchored):
            self.blocks.add(block)
        view = history.at(block)
        if isinstance(event, e.Moved):  # which clears what its former owner set
            self.concerned[block - 1][event.twin].add(event.sender)
        for twin, who in _concerned(view, event):
            self.concerned[block][twin] |= {who, *_members_of(view, who)}


def _concerned(view: View, event: e.Event) -> set[tuple[int, Address]]:
    """The twin and the account that an event is about; of a whole twin everybody whom its owners ever granted."""
    if isinstance(event, _OF_ONE):
        return {(event.twin, event.grantee)}
    if isinstance(event, e.EmergencyOpened):
        return {(event.twin, event.opener)}
    if isinstance(event, _OF_ALL):
        records = (each for owner in view.owners(event.twin) for each in view.records(owner, event.twin))
        return {(event.twin, each.slot.grantee) for each in records}
    return set()


def _members_of(view: View, organisation: Address) -> Iterator[Address]:
    """Who belongs to it."""
    for who in view.members():
        member = view.member(who)
        if member is not None and member.organisation == organisation:
            yield who
