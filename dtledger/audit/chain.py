"""The chain as one head proves it: each block's header, its logs, and the contracts' storage.

A header counts once a line of parents leads to it from the head, or from a block that the memory of blocks
(`contracts/BlockMemory.sol`) has in its storage at the head. A line that reaches the first block shows every block
there ever was: then no log can be left out, since each header has a filter of the addresses and topics of its block's
logs, and whatever block may hold what is looked for must show all its receipts.

A chain that is too long for that is looked at in part: the source says in which blocks the logs are, and each of these
must show its receipts. That none is missing shows what storage counts (`dtledger.audit.counted`).

An answer of the source that does not fit is an IntegrityError; one that it does not have, a CannotCheckError.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment
from ..ledger.records import Anchored
from ..types import ZERO_DIGEST, Address, Digest
from .layout import Place, mapped
from .proofs import Account, Header, Log, NodeMissingError, Nodes, bloom_bits
from .source import Source

T = TypeVar("T")

WHOLE = 20_000
"""A chain of at most so many blocks is looked at whole."""

LINE = 256
"""The blocks whose hashes the EVM knows: so far behind a block its memory can be made."""

REACH = 20_000
"""Most headers from a block that counts to one before it."""

MOST_HEADERS = 400_000
"""Most headers of a chain that is looked at in part: some 400 MB of memory."""


class Chain:
    """A chain up to one head.

    Args:
        pinned: the hash of the head, as the auditor knows it; without it the head is the one that the source gives, and
            `is_named` says whether its word counts, `is_own` whether that is the auditor's own node.
        whole: look at every block; by default of a short chain.

    Raises:
        IntegrityError: the head is not the pinned one.
        CannotCheckError: the source has no head.
    """

    def __init__(
        self, source: Source, deployment: Deployment, pinned: Digest | None = None, *, whole: bool | None = None
    ) -> None:
        self._source = source
        self.deployment = deployment
        self.nodes = Nodes(source.nodes())
        self.head = Header.read(source.head())
        self.is_pinned = pinned is not None
        self.is_own = source.names_head
        self.is_named = self.is_pinned or self.is_own
        if pinned is not None and self.head.hash != pinned:
            raise IntegrityError(
                f"the head, block {self.head.number}, is 0x{self.head.hash.hex()}, not the one that you pinned",
                block=pinned.hex(),
            )
        self._headers = {self.head.number: self.head}
        self._logs: dict[int, list[Log]] = {}
        self.is_whole = self.head.number <= WHOLE if whole is None else whole
        if self.is_whole:
            self._link(0, self.head)

    def of(self, deployment: Deployment) -> Chain:
        """This same chain, with all that is known of it, where the contracts are those of another deployment."""
        other = copy.copy(self)
        other.deployment = deployment
        return other

    @property
    def numbers(self) -> list[int]:
        """The blocks whose headers were looked at."""
        return sorted(self._headers)

    def header(self, number: int, reach: int = REACH) -> Header:
        """The header of a block at or before the head, along a line of at most `reach` others.

        Raises:
            IntegrityError: what the source gives does not lead there.
            CannotCheckError: the block is after the head, or nothing that is at hand leads there.
        """
        if number not in self._headers:
            if number > self.head.number:
                raise CannotCheckError(f"Block {number} is after the head, {self.head.number}.")
            self._link(number, self._above(number, reach))
        return self._headers[number]

    def _above(self, number: int, reach: int) -> Header:
        """The nearest header that counts above that block."""
        near = next((each for each in range(number + 1, number + LINE) if each in self._headers), None)
        if near is None:
            near = min(each for each in self._headers if each > number)
            remembered = self._source.remembered(number)
            if remembered is not None and number <= remembered < near:
                near = remembered
        if near > number + reach:
            raise CannotCheckError(f"Nothing leads from the head, {self.head.number}, to block {number}.")
        return self._headers[near] if near in self._headers else self._memory(near)

    def _memory(self, remembered: int) -> Header:
        """The header of a block that the chain remembers."""
        place = mapped("BlockMemory", "_hashes", remembered)
        expected = self.words("BlockMemory", [place], self.head.number)[0].to_bytes(32)
        found = self._source.headers(remembered, remembered)
        header = Header.read(found[0]) if len(found) == 1 else None  # a file has none that led nowhere
        if header is None or header.hash != expected:
            raise IntegrityError(f"block {remembered} is not the one that the chain remembers", block=expected.hex())
        self._headers[remembered] = header
        return header

    def _link(self, first: int, last: Header) -> None:
        """Take the headers from `first` up to one that counts."""
        if first >= last.number:
            return
        if not self.is_whole and len(self._headers) + last.number - first > MOST_HEADERS:
            raise CannotCheckError("Too many blocks lie between those that the chain remembers and what is looked for.")
        line = [*map(Header.read, self._source.headers(first, last.number - 1)), last]
        if len(line) != last.number - first + 1:
            raise IntegrityError("headers are missing in a line of parents")
        for before, after in pairwise(line):
            if after.parent != before.hash or after.number != before.number + 1:
                raise IntegrityError(f"block {after.number} does not follow the one before it", block=after.hash.hex())
        self._headers |= {each.number: each for each in line}

    # logs ----------------------------------------------------------------------------------------------------

    def logs(self, number: int) -> list[Log]:
        """Every log of a block. Raises as `header`."""
        if number not in self._logs:
            root = self.header(number).receipts_root
            self._logs[number] = self._proven(
                lambda: self.nodes.logs(root),
                lambda: self._source.receipts(number),
                f"the receipts of block {number} are not those that its header names",
            )
        return self._logs[number]

    def require_whole(self) -> None:
        """Pass if every block is looked at.

        Raises:
            CannotCheckError: it is not, so something could be left out.
        """
        if not self.is_whole:
            raise CannotCheckError("Not every block is looked at, so something could be left out.")

    def logs_with(self, contract: str, *words: bytes) -> Iterator[tuple[Header, Log]]:
        """The logs that a contract made with all those topics, in the chain's order: every one, if the chain is looked
        at whole, else those that the source tells of. Raises as `header`."""
        for number in self._blocks_with(self.deployment.contracts[contract], words):
            yield from self.logs_in(number, contract, *words)

    def logs_in(self, number: int, contract: str, *words: bytes) -> Iterator[tuple[Header, Log]]:
        """Those of one block. Raises as `header`."""
        address = _bytes(self.deployment.contracts[contract])
        for log in self.logs(number):
            if log.address == address and all(each in log.topics for each in words):
                yield self._headers[number], log

    def _blocks_with(self, who: Address, words: Sequence[bytes]) -> Iterable[int]:
        if not self.is_whole:
            told = sorted({each for each in self._source.places(who, words) if each <= self.head.number})
            for each in reversed(told):  # each leads to the one before it, if that is near
                self.header(each)
            return told
        bits = bloom_bits(_bytes(who), *words)
        return (each for each in range(self.head.number + 1) if self._headers[each].may_hold(bits))

    def batches(self, sender: Address) -> list[Anchored]:
        """Every batch that a sender ever anchored, in order, with blocks and times, as the digest over them says that
        storage has at the head.

        Raises:
            IntegrityError: the source tells of others.
            CannotCheckError: it tells of none.
        """
        told = [each for each in self._source.anchored(sender) if each.block <= self.head.number]
        digest = ZERO_DIGEST
        for each in told:
            digest = each.after(digest)
        (stored,) = self.words("SnapshotLedger", [mapped("SnapshotLedger", "_histories", sender)])
        if stored.to_bytes(32) != digest:
            raise IntegrityError(
                f"storage has another digest of the batches of {sender} than of the {len(told):,} that are told"
            )
        return told

    # storage -------------------------------------------------------------------------------------------------

    def account(self, contract: str, number: int | None = None) -> Account:
        """A contract's account at the end of a block, by default the head. Raises as `header`."""
        return self._state(contract, number, (), lambda account: account)

    def words(self, contract: str, places: Sequence[Place], number: int | None = None) -> list[int]:
        """Words of a contract's storage at the end of a block, by default the head. Raises as `header`."""

        def read(account: Account) -> list[int]:
            return [self.nodes.word(account, each) for each in places]

        return self._state(contract, number, places, read)

    def _state(self, contract: str, number: int | None, places: Sequence[Place], read: Callable[[Account], T]) -> T:
        header = self.head if number is None else self.header(number)
        address = self.deployment.contracts[contract]

        def account() -> Account:
            return self.nodes.account(header.state_root, _bytes(address))

        def proof() -> Sequence[bytes]:
            shown = self._source.proof(header.number, address, places)
            self.nodes.add(shown)
            try:
                stand = [*map(account().place, places)]
            except NodeMissingError:
                return shown  # and it will be missed again
            return shown if stand == [*places] else self._source.proof(header.number, address, stand)

        return self._proven(
            lambda: read(account()),
            proof,
            f"what is shown of {contract} is not its state at block {header.number}",
        )

    def code(self, contract: str) -> bytes:
        """A contract's code at the head, whatever it is. Raises CannotCheckError."""
        return self._source.code(self.deployment.contracts[contract])

    def _proven(self, read: Callable[[], T], fetch: Callable[[], Sequence[bytes]], wrong: str) -> T:
        """What `read` gives, after the source was asked for the nodes that it lacks."""
        try:
            return read()
        except NodeMissingError:
            self.nodes.add(fetch())
        try:
            return read()
        except NodeMissingError as error:
            raise IntegrityError(wrong, block=str(error)) from error


def _bytes(address: Address) -> bytes:
    return bytes.fromhex(address[2:])
