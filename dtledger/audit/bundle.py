"""A bundle: one file with all that an audit rests on, so that it can be done again with no network.

It holds what was asked, what was given, and every header, trie node, code and block that a claim needs, and nothing
that none needs. Whoever verifies it needs the hash of the head from somewhere they trust, and this package. The file is
canonical CBOR of one map, and its SHA-256 after it, so that damage is told from a lie. Whoever changes a byte and the
SHA-256 with it changes what a claim finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import encoding
from ..encoding import CID, block_cid, keccak, sha256
from ..errors import CannotCheckError, IntegrityError
from ..ledger import CONTRACTS, Deployment
from ..store import MAX_BLOCK_BYTES
from ..types import Address, Digest
from .given import Given, Question
from .source import headers_name, proof_name, receipts_name

SCHEMA = "dtledger/bundle/1"

MOST_VALUES = 2**22
"""Most values in a file: a hundred times a long chain's headers, and some hundred MB of memory."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """`headers` by block, the highest the head; `nodes` of tries; `blocks` by CID, without bytes where the store had
    wrong ones; `absent` is what the node had no answer to, `memories` which remembered block was named for which."""

    question: Question
    given: Given
    deployment: Deployment
    headers: Mapping[int, bytes]
    nodes: Sequence[bytes]
    codes: Mapping[Address, bytes]
    blocks: Mapping[CID, bytes]
    sources: Mapping[str, Digest]
    memories: Mapping[int, int | None] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    def encode(self) -> bytes:
        deployment = self.deployment
        body = {
            "schema": SCHEMA,
            "question": self.question.encode(),
            "given": self.given.encode(),
            "deployment": [
                deployment.chain_id,
                deployment.genesis,
                {name: deployment.contracts[name] for name in CONTRACTS},
                {name: code for name, code in deployment.code.items() if name in CONTRACTS},
                deployment.block,
            ],
            "headers": [[number, self.headers[number]] for number in sorted(self.headers)],
            "nodes": sorted(self.nodes, key=keccak),
            "codes": {who: self.codes[who] for who in sorted(self.codes)},
            "raw": [data for cid, data in sorted(self.blocks.items()) if data and cid.codec == "raw"],
            "dag": [data for cid, data in sorted(self.blocks.items()) if data and cid.codec == "dag-cbor"],
            "wrong": [bytes(cid) for cid, data in sorted(self.blocks.items()) if not data],
            "sources": dict(self.sources),
            "memories": [[number, self.memories[number]] for number in sorted(self.memories)],
            "absent": sorted(self.absent),
        }
        data = encoding.encode(body)
        return data + sha256(data)

    @classmethod
    def decode(cls, data: bytes) -> Bundle:
        """The bundle of a file.

        Raises:
            IntegrityError: it is none, or not as it was written.
        """
        body, digest = data[:-32], data[-32:]
        if sha256(body) != digest:
            raise IntegrityError("the bundle is not as it was written: a byte of it was changed, or it is cut off")
        encoding.require_few(body, MOST_VALUES)
        try:
            return cls._of(encoding.decode(body))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IntegrityError("the bundle is malformed") from error

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Bundle:
        if body["schema"] != SCHEMA or len(body) != 13:
            raise IntegrityError(f"a bundle of the form {SCHEMA} is expected")
        chain_id, genesis, contracts, code, block = body["deployment"]
        placed = {name: encoding.address(contracts[name]) for name in CONTRACTS}
        hashes = {name: _digest(hashed) for name, hashed in code.items()}
        blocks = {block_cid(each, "raw"): each for each in _all_bytes(body["raw"])}
        blocks |= {block_cid(each): each for each in _all_bytes(body["dag"])}
        if any(len(each) > MAX_BLOCK_BYTES for each in blocks.values()):
            raise IntegrityError("a block is longer than any store takes")
        blocks |= {CID.decode(each): b"" for each in _all_bytes(body["wrong"])}
        headers = {_number(number): header for number, header in body["headers"]}
        if not _all_bytes(headers.values()) or len(contracts) != len(placed):
            raise IntegrityError("a bundle has a head, and each contract once")
        _all_bytes(body["codes"].values())
        return cls(
            Question.decode(body["question"]),
            Given.decode(body["given"]),
            Deployment(_number(chain_id), _digest(genesis), placed, hashes, _number(block)),
            headers,
            _all_bytes(body["nodes"]),
            {encoding.address(who): code for who, code in body["codes"].items()},
            blocks,
            {name: _digest(digest) for name, digest in body["sources"].items()},
            {_number(number): None if found is None else _number(found) for number, found in body["memories"]},
            frozenset(body["absent"]),
        )


class BundleSource:
    """The `audit.Source` that a bundle is. What was used of it is counted, for nothing in it is to be idle."""

    names_head = False

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.absences: set[str] = set()
        self.codes: set[Address] = set()
        self.memories: set[int] = set()

    def nodes(self) -> Sequence[bytes]:
        return self._bundle.nodes

    def head(self) -> bytes:
        if not self._bundle.headers:
            raise CannotCheckError("The bundle has no header.")
        return self._bundle.headers[max(self._bundle.headers)]

    def headers(self, first: int, last: int) -> Sequence[bytes]:
        held, count = self._bundle.headers, last - first + 1
        found = [held[each] for each in range(first, last + 1) if each in held] if count <= len(held) else []
        if len(found) != count:
            self._miss(headers_name(first, last))
        return found

    def receipts(self, number: int) -> Sequence[bytes]:
        self._miss(receipts_name(number))
        return ()

    def proof(self, number: int, contract: Address, slots: Sequence[int]) -> Sequence[bytes]:
        self._miss(proof_name(number, contract))
        return ()

    def code(self, contract: Address) -> bytes:
        if contract not in self._bundle.codes:
            raise IntegrityError(f"the bundle lacks the code at {contract}")
        self.codes.add(contract)
        return self._bundle.codes[contract]

    def remembered(self, number: int) -> int | None:
        self.memories.add(number)
        return self._bundle.memories.get(number)

    def _miss(self, name: str) -> None:
        """Say that it was absent when the bundle was made, which no claim passes on; else something was taken out, or
        never fitted."""
        if name in self._bundle.absent:
            self.absences.add(name)
            raise CannotCheckError("The node had no answer when the bundle was made.")


def _all_bytes(values: Iterable[Any]) -> list[bytes]:
    found = list(values)
    if not all(isinstance(each, bytes) for each in found):
        raise IntegrityError("the bundle is malformed")
    return found


def _digest(value: Any) -> Digest:
    if not isinstance(value, bytes) or len(value) != 32:
        raise IntegrityError("the bundle is malformed")
    return Digest(value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise IntegrityError("the bundle is malformed")
    return value
