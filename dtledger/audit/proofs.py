"""What one block hash proves: headers, a block's logs, and any word of any contract's storage, there or not there.

An auditor who knows the hash of one block needs nobody's word for what lies under it. A header is what its hash is of.
It names the root of the state and the root of the block's receipts; both are Merkle Patricia tries, whose nodes are
named by their hashes, down to a contract's code and each word of its storage. So proofs here are heaps of nodes: a node
that does not belong is under no root, and one that is missing is missed. A key that a trie does not have is as well
proved as one that it has.

Nothing here knows of dtledger, and nothing reads a file or asks a network.

>>> trie = Nodes()
>>> trie.look_up(EMPTY_ROOT, b"whatever")
b''

Sources: Ethereum Yellow Paper, 4.3 (blocks) and appendix D (tries); EIP-2718 (typed receipts); EIP-1559, 4895, 4844 and
4788 for the fields that later headers have after the fifteenth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import rlp

from ..encoding import keccak
from ..errors import IntegrityError
from ..types import Digest

EMPTY_ROOT = Digest(keccak(rlp.encode(b"")))
"""The root of a trie that has nothing in it."""

EMPTY_CODE = keccak(b"")
_BLOOM_BITS = 2048
_ODD = 1 << 248
"""The last bit of a slot's first byte."""


class NodeMissingError(LookupError):
    """A trie's node is not in the heap."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a block's header says of what concerns an audit; `at` in unix seconds."""

    hash: Digest
    parent: Digest
    state_root: Digest
    receipts_root: Digest
    bloom: int
    number: int
    at: int

    @classmethod
    @lru_cache(maxsize=2**15)  # files of one chain have the same headers
    def read(cls, data: bytes) -> Header:
        """The header of its RLP. What stands where is the same in every Ethereum header since the first.

        Raises:
            IntegrityError: it is no header.
        """
        fields = _list(data, "a header")
        if len(fields) < 15 or not all(isinstance(each, bytes) for each in fields[:15]):
            raise IntegrityError("a header has too few fields")
        roots = fields[0], fields[3], fields[5]
        if any(len(each) != 32 for each in roots) or len(fields[6]) != 256 or len(fields[8]) > 8 or len(fields[11]) > 5:
            raise IntegrityError("a header is malformed")
        parent, state, receipts = map(Digest, roots)
        bloom, number, at = (int.from_bytes(fields[place]) for place in (6, 8, 11))
        return cls(keccak(data), parent, state, receipts, bloom, number, at)

    def may_hold(self, bits: int) -> bool:
        """Whether a log in the block may have all words among its address and topics that `bloom_bits` was given; if
        not, none has."""
        return self.bloom & bits == bits


def bloom_bits(*words: bytes) -> int:
    """The three bits that each address and topic sets in a header's bloom filter (Yellow Paper, 4.3.1)."""
    bits = 0
    for hashed in map(keccak, words):
        for place in (0, 2, 4):
            bits |= 1 << int.from_bytes(hashed[place : place + 2]) % _BLOOM_BITS
    return bits


@dataclass(frozen=True, slots=True)
class Log:
    """A log of a block; `place` is its number among all logs of the block."""

    place: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """A contract in the state. On Avalanche's C-Chain (coreth) an account has a fifth field, and its words stand at the
    places whose first byte is `even`: the others were for balances of other coins."""

    storage_root: Digest
    code_hash: Digest
    even: bool = False

    def place(self, slot: int) -> int:
        """Where its storage has that slot."""
        return slot & ~_ODD if self.even else slot


class Nodes:
    """A heap of trie nodes, by their hashes. `used` are those of the nodes that something was found by."""

    def __init__(self, nodes: Iterable[bytes] = ()) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._decoded: dict[bytes, list[Any]] = {}
        self.add(nodes)

    def add(self, nodes: Iterable[bytes]) -> None:
        self._nodes.update((keccak(each), each) for each in nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def used(self) -> list[bytes]:
        return [self._nodes[each] for each in self._decoded]

    def account(self, state_root: Digest, address: bytes) -> Account:
        """The account at an address of 20 bytes; one that was never used has neither storage nor code.

        Raises: as `look_up`.
        """
        value = self.look_up(state_root, keccak(address))
        if not value:
            return Account(EMPTY_ROOT, Digest(EMPTY_CODE))
        fields = _list(value, "an account")
        if len(fields) not in (4, 5) or not all(isinstance(each, bytes) and len(each) == 32 for each in fields[2:4]):
            raise IntegrityError("an account is malformed")
        return Account(Digest(fields[2]), Digest(fields[3]), even=len(fields) == 5)

    def word(self, account: Account, slot: int) -> int:
        """A word of its storage; zero if it was never written. Raises as `look_up`."""
        value = self.look_up(account.storage_root, keccak(account.place(slot).to_bytes(32)))
        return int.from_bytes(_bytes(value, "a word of storage")) if value else 0

    def logs(self, receipts_root: Digest) -> list[Log]:
        """Every log of a block, in order: its receipts are numbered from 0, and the first number that is not there is
        how many there are. Raises as `look_up`."""
        found: list[Log] = []
        for number in range(2**32):
            receipt = self.look_up(receipts_root, rlp.encode(number))
            if not receipt:
                break
            for address, topics, data in _logs_of(receipt):
                found.append(Log(len(found), address, tuple(topics), data))
        return found

    def look_up(self, root: Digest, key: bytes) -> bytes:
        """What the trie of that root has under a key; b"" if it has nothing there.

        Raises:
            NodeMissingError: the heap lacks a node on the way.
            IntegrityError: a node on the way is none.
        """
        if root == EMPTY_ROOT:
            return b""
        way, place, node = key.hex(), 0, self._node(root)
        while True:
            if len(node) == 17:
                if place == len(way):
                    return _value(node[16])
                below = node[int(way[place], 16)]
                place += 1
            elif len(node) == 2:
                path, ends = _path(node[0])
                if ends:
                    return _value(node[1]) if way[place:] == path else b""
                if not way.startswith(path, place):
                    return b""
                below = node[1]
                place += len(path)
            else:
                raise IntegrityError("a trie's node is malformed")
            if not below:
                return b""
            node = below if isinstance(below, list) else self._node(below)

    def _node(self, name: bytes) -> list[Any]:
        node = self._decoded.get(name)
        if node is None:
            try:
                data = self._nodes[name]
            except KeyError:
                raise NodeMissingError(name.hex()) from None
            node = self._decoded[name] = _list(data, "a trie's node")
        return node


def _path(packed: Any) -> tuple[str, bool]:
    """A node's part of the way in hex digits, and whether the way ends there (hex prefix encoding)."""
    digits = _value(packed).hex()
    if not digits or digits[0] not in "0123":
        raise IntegrityError("a trie's node is malformed")
    flag = int(digits[0])
    return digits[1 if flag & 1 else 2 :], bool(flag & 2)


def _logs_of(receipt: bytes) -> list[Any]:
    """Address, topics and data of each log of a receipt, whose type stands before it unless it has none."""
    fields = _list(receipt[1:] if receipt[0] < 0x80 else receipt, "a receipt")
    if len(fields) != 4 or not isinstance(fields[3], list) or not all(map(_is_log, fields[3])):
        raise IntegrityError("a receipt is malformed")
    return fields[3]


def _is_log(item: Any) -> bool:
    match item:
        case [bytes(address), [*topics], bytes()] if len(address) == 20:
            return all(isinstance(each, bytes) and len(each) == 32 for each in topics)
    return False


def _value(item: Any) -> bytes:
    if not isinstance(item, bytes):
        raise IntegrityError("a trie's node is malformed")
    return item


def _list(data: bytes, what: str) -> list[Any]:
    item = _decode(data, what)
    if not isinstance(item, list):
        raise IntegrityError(f"{what} is malformed")
    return item


def _bytes(data: bytes, what: str) -> bytes:
    item = _decode(data, what)
    if not isinstance(item, bytes):
        raise IntegrityError(f"{what} is malformed")
    return item


def _decode(data: bytes, what: str) -> Any:
    try:
        return rlp.decode(data)
    except rlp.exceptions.DecodingError as error:
        raise IntegrityError(f"{what} is not RLP") from error
