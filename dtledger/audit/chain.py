"""The chain as one head proves it: each block's header, its logs, and the contracts' storage.

A header counts once a line of parents leads to it from the head, or from a block that the memory of blocks
(`contracts/BlockMemory.sol`) has in its storage at the head. A line that reaches the first block shows every block
there ever was: then no log can be left out, since each header has a filter of the addresses and topics of its block's
logs, and whatever block may hold what is looked for must show all its receipts.

An answer of the source that does not fit is an IntegrityError; one that it does not have, a CannotCheckError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest
from .layout import Place, mapped
from .proofs import Account, Header, Log, NodeMissingError, Nodes, bloom_bits
from .source import Source

T = TypeVar("T")

WHOLE = 20_000
"""A chain of at most so many blocks is looked at whole."""

LINE = 256
"""Most headers from a remembered block to one before it."""


class Chain:
    """A chain up to one head.

    Args:
        pinned: the hash of the head, as the auditor knows it; without it the head is the one that the source gives, and
            `is_named` says whether its word counts.
        whole: look at every block; by default of a short chain.

    Raises:
        IntegrityError: the head is not the pinned one.
        CannotCheckError: the source has no head.
    """

    def __init__(
        self, source: Source, deployment: Deployment, pinned: Digest | None = None, *, whole: bool | None = None
    ) -> None:
        self._source = source
        self._deployment = deployment
        self.nodes = Nodes(source.nodes())
        self.head = Header.read(source.head())
        self.is_pinned = pinned is not None
        self.is_named = self.is_pinned or source.names_head
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

    @property
    def numbers(self) -> list[int]:
        """The blocks whose headers were looked at."""
        return sorted(self._headers)

    def header(self, number: int) -> Header:
        """The header of a block at or before the head.

        Raises:
            IntegrityError: what the source gives does not lead there.
            CannotCheckError: the block is after the head, or nothing that is at hand leads there.
        """
        if number not in self._headers:
            if number > self.head.number:
                raise CannotCheckError(f"Block {number} is after the head, {self.head.number}.")
            self._link(number, self._above(number))
        return self._headers[number]

    def _above(self, number: int) -> Header:
        """A header that counts, a short line of parents above that block."""
        near = [each for each in self._headers if number < each <= number + LINE]
        if near:
            return self._headers[min(near)]
        remembered = self._source.remembered(number)
        if remembered is None or remembered > number + LINE or remembered >= self.head.number:
            raise CannotCheckError(f"Nothing leads from the head, {self.head.number}, to block {number}.")
        place = mapped("BlockMemory", "_hashes", remembered)
        expected = self.words("BlockMemory", [place], self.head.number)[0].to_bytes(32)
        (data,) = self._source.headers(remembered, remembered)
        header = Header.read(data)
        if header.hash != expected:
            raise IntegrityError(f"block {remembered} is not the one that the chain remembers", block=expected.hex())
        self._headers[remembered] = header
        return header

    def _link(self, first: int, last: Header) -> None:
        """Take the headers from `first` up to one that counts."""
        if first >= last.number:
            return
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

    def logs_with(self, contract: str, word: bytes, of: Deployment | None = None) -> Iterator[tuple[Header, Log]]:
        """Every log that a contract, by default of the chain's deployment, ever made with that topic, in the chain's
        order. Raises as `header`.

        Raises:
            CannotCheckError: the chain is not looked at whole, so one could be missing.
        """
        self.require_whole()
        address = _bytes((of or self._deployment).contracts[contract])
        bits = bloom_bits(address, word)
        for number in range(self.head.number + 1):
            header = self._headers[number]
            if header.may_hold(bits):
                yield from ((header, log) for log in self.logs(number) if log.address == address and word in log.topics)

    # storage -------------------------------------------------------------------------------------------------

    def account(self, contract: str, number: int | None = None) -> Account:
        """A contract's account at the end of a block, by default the head. Raises as `header`."""
        return self._state(contract, number, (), lambda account: account)

    def words(self, contract: str, places: Sequence[Place], number: int | None = None) -> list[int]:
        """Words of a contract's storage at the end of a block, by default the head. Raises as `header`."""

        def read(account: Account) -> list[int]:
            return [self.nodes.word(account.storage_root, each) for each in places]

        return self._state(contract, number, places, read)

    def _state(self, contract: str, number: int | None, places: Sequence[Place], read: Callable[[Account], T]) -> T:
        header = self.head if number is None else self.header(number)
        address = self._deployment.contracts[contract]
        return self._proven(
            lambda: read(self.nodes.account(header.state_root, _bytes(address))),
            lambda: self._source.proof(header.number, address, places),
            f"what is shown of {contract} is not its state at block {header.number}",
        )

    def code(self, contract: str) -> bytes:
        """A contract's code at the head, whatever it is. Raises CannotCheckError."""
        return self._source.code(self._deployment.contracts[contract])

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
