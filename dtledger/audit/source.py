"""Where evidence comes from: what is asked of a node, and what a recorder keeps of its answers.

Nothing that a source gives is believed: `dtledger.audit.chain` checks all of it against the hash of the head. A source
that has no answer says so (`CannotCheckError`), which is another thing than an answer that is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ..encoding import keccak
from ..errors import CannotCheckError
from ..ledger.records import Anchored
from ..types import Address, Digest
from .proofs import Header

T = TypeVar("T")


class Source(Protocol):
    """A node, or what was kept of one. Every method may raise CannotCheckError: it has no answer."""

    @property
    def names_head(self) -> bool:
        """Whether its word is taken for which block is the head, where nobody pins one: a node's is, which the auditor
        chose, and a file's is not, which anybody can make."""
        ...

    def nodes(self) -> Sequence[bytes]:
        """Nodes of tries that are at hand, whatever of."""
        ...

    def head(self) -> bytes:
        """The header, in RLP, of the block that the audit is as of."""
        ...

    def headers(self, first: int, last: int) -> Sequence[bytes]:
        """The headers of those blocks, in order."""
        ...

    def receipts(self, number: int) -> Sequence[bytes]:
        """The nodes of a block's trie of receipts."""
        ...

    def proof(self, number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        """The nodes that prove a contract's account and those words of its storage at the end of a block."""
        ...

    def code(self, contract: Address) -> bytes:
        """A contract's code at the head."""
        ...

    def remembered(self, number: int) -> int | None:
        """The oldest block from that number on that the memory of blocks has; None if it has none."""
        ...

    def places(self, contract: Address, words: Sequence[bytes]) -> Sequence[int]:
        """The blocks in which that contract made a log with all these topics. Whether they are all, what counts such
        logs shows."""
        ...

    def anchored(self, sender: Address) -> Sequence[Anchored]:
        """Every batch of a sender, in order."""
        ...


class Recorder:
    """A source that keeps what another one answers.

    `kept_headers`, `kept_nodes`, `codes`, `memories`, `told` and `batches` are what it gave, `absent` what it had no
    answer to.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.kept_headers: dict[int, bytes] = {}
        self.kept_nodes: dict[Digest, bytes] = {}
        self.codes: dict[Address, bytes] = {}
        self.memories: dict[int, int | None] = {}
        self.told: dict[str, Sequence[int]] = {}
        self.batches: dict[Address, Sequence[Anchored]] = {}
        self.absent: set[str] = set()

    @property
    def names_head(self) -> bool:
        return self._source.names_head

    def nodes(self) -> Sequence[bytes]:
        return self._kept(self._source.nodes())

    def head(self) -> bytes:
        found = self._source.head()
        self.kept_headers[Header.read(found).number] = found
        return found

    def headers(self, first: int, last: int) -> Sequence[bytes]:
        try:
            found = self._source.headers(first, last)
        except CannotCheckError:
            self.absent.add(headers_name(first, last))
            raise
        if len(found) == last - first + 1:
            self.kept_headers.update(enumerate(found, start=first))
        return found

    def receipts(self, number: int) -> Sequence[bytes]:
        try:
            return self._kept(self._source.receipts(number))
        except CannotCheckError:
            self.absent.add(receipts_name(number))
            raise

    def proof(self, number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        try:
            return self._kept(self._source.proof(number, contract, slots))
        except CannotCheckError:
            self.absent.add(proof_name(number, contract))
            raise

    def code(self, contract: Address) -> bytes:
        self.codes[contract] = self._source.code(contract)
        return self.codes[contract]

    def remembered(self, number: int) -> int | None:
        self.memories[number] = self._source.remembered(number)
        return self.memories[number]

    def places(self, contract: Address, words: Sequence[bytes]) -> Sequence[int]:
        name = places_name(contract, words)
        try:
            self.told[name] = self._source.places(contract, words)
        except CannotCheckError:
            self.absent.add(name)
            raise
        return self.told[name]

    def anchored(self, sender: Address) -> Sequence[Anchored]:
        try:
            self.batches[sender] = self._source.anchored(sender)
        except CannotCheckError:
            self.absent.add(anchored_name(sender))
            raise
        return self.batches[sender]

    def _kept(self, nodes: Sequence[bytes]) -> Sequence[bytes]:
        self.kept_nodes.update((keccak(each), each) for each in nodes)
        return nodes


def headers_name(first: int, last: int) -> str:
    """How an absence is written: of these headers."""
    return f"headers {first} {last}"


def receipts_name(number: int) -> str:
    """Of the receipts of a block."""
    return f"receipts {number}"


def proof_name(number: int, contract: Address) -> str:
    """Of the state of a contract at a block."""
    return f"proof {number} {contract}"


def places_name(contract: Address, words: Sequence[bytes]) -> str:
    """Of the blocks with certain logs; how they are kept, too."""
    return f"places {contract} {' '.join(each.hex() for each in words)}"


def anchored_name(sender: Address) -> str:
    """Of the batches of a sender."""
    return f"batches {sender}"
