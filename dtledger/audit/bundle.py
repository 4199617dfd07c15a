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
from ..ledger.records import Anchored
from ..store import MAX_BLOCK_BYTES
from ..types import Address, Digest
from .given import Given, Question
from .source import anchored_name, headers_name, places_name, proof_name, receipts_name

SCHEMA = "dtledger/bundle/1"

MOST_VALUES = 2**22
"""Most values in a file: a hundred times a long chain's headers, and some hundred MB of memory."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """`headers` by block, the highest the head; `nodes` of tries; `blocks` by CID, without bytes where the store had
    wrong ones; `absent` is what the node had no answer to, `memories` which remembered block was named for which.
    `told` and `batches` are where logs were said to be and what senders were said to have anchored, on a chain that was
    looked at in part; they stand in the file where there are any."""

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
    told: Mapping[str, Sequence[int]] = field(default_factory=dict)
    batches: Mapping[Address, Sequence[Anchored]] = field(default_factory=dict)

    def encode(self) -> bytes:
        body = {
            "schema": SCHEMA,
            "question": self.question.encode(),
            "given": self.given.encode(),
            "deployment": _cells(self.deployment),
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
        if self.told:
            body["told"] = {name: list(self.told[name]) for name in sorted(self.told)}
        if self.batches:
            body["batches"] = {who: [list(each.cells) for each in self.batches[who]] for who in sorted(self.batches)}
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
            raise IntegrityError(
                "this is no bundle, or not as it was written: a byte of it was changed, or it is cut off"
            )
        encoding.require_few(body, MOST_VALUES)
        try:
            return cls._of(encoding.decode(body))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IntegrityError("the bundle is malformed") from error

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Bundle:
        told, batches = body.get("told"), body.get("batches")
        if body["schema"] != SCHEMA or len(body) != 13 + (told is not None) + (batches is not None):
            raise IntegrityError(f"a bundle of the form {SCHEMA} is expected")
        blocks = {block_cid(each, "raw"): each for each in _all_bytes(body["raw"])}
        blocks |= {block_cid(each): each for each in _all_bytes(body["dag"])}
        if any(len(each) > MAX_BLOCK_BYTES for each in blocks.values()):
            raise IntegrityError("a block is longer than any store takes")
        blocks |= {CID.decode(each): b"" for each in _all_bytes(body["wrong"])}
        headers = {_number(number): header for number, header in body["headers"]}
        if not _all_bytes(headers.values()):
            raise IntegrityError("a bundle has a head")
        if {} in (told, batches):
            raise IntegrityError("a bundle does not say that it has nothing")
        _all_bytes(body["codes"].values())
        return cls(
            Question.decode(body["question"]),
            Given.decode(body["given"]),
            _deployment(body["deployment"]),
            headers,
            _all_bytes(body["nodes"]),
            {encoding.address(who): code for who, code in body["codes"].items()},
            blocks,
            {name: _digest(digest) for name, digest in body["sources"].items()},
            {_number(number): None if found is None else _number(found) for number, found in body["memories"]},
            frozenset(body["absent"]),
            {name: list(map(_number, numbers)) for name, numbers in (told or {}).items()},
            {encoding.address(who): list(map(_anchored, rows)) for who, rows in (batches or {}).items()},
        )


class BundleSource:
    """The `audit.Source` that a bundle is. What was used of it is counted, for nothing in it is to be idle."""

    names_head = False

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.absences: set[str] = set()
        self.codes: set[Address] = set()
        self.memories: set[int] = set()
        self.told: set[str] = set()
        self.batches: set[Address] = set()

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

    def places(self, contract: Address, words: Sequence[bytes]) -> Sequence[int]:
        name = places_name(contract, words)
        if name not in self._bundle.told:
            self._miss(name)
            return ()
        self.told.add(name)
        return self._bundle.told[name]

    def anchored(self, sender: Address) -> Sequence[Anchored]:
        if sender not in self._bundle.batches:
            self._miss(anchored_name(sender))
            return ()
        self.batches.add(sender)
        return self._bundle.batches[sender]

    def _miss(self, name: str) -> None:
        """Say that it was absent when the bundle was made, which no claim passes on; else something was taken out, or
        never fitted."""
        if name in self._bundle.absent:
            self.absences.add(name)
            raise CannotCheckError("The node had no answer when the bundle was made.")


def _cells(deployment: Deployment) -> list[Any]:
    """What an audit needs of a deployment, which claims hold against something."""
    code = {name: deployment.code[name] for name in CONTRACTS if name in deployment.code}
    line, before = [_placed(deployment)], deployment.predecessor
    while before is not None:
        line.append(_placed(before))
        before = before.predecessor
    return [deployment.chain_id, deployment.genesis, code, *line]


def _placed(deployment: Deployment) -> dict[str, Address]:
    return {name: deployment.contracts[name] for name in _asked(after=deployment.predecessor is not None)}


def _deployment(cells: Sequence[Any]) -> Deployment:
    chain_id, genesis, code, *line = cells
    hashes = {name: _digest(code[name]) for name in code}
    if not line or not hashes.keys() <= set(CONTRACTS):
        raise IntegrityError("a deployment has contracts, and code of no other")
    found: Deployment | None = None
    for said in reversed(line):
        placed = {name: encoding.address(said[name]) for name in _asked(after=found is not None)}
        if said.keys() != placed.keys():
            raise IntegrityError("a deployment has each contract once")
        of = hashes if said is line[0] else {}
        found = Deployment(_number(chain_id), _digest(genesis), placed, of, predecessor=found)
    assert found is not None, "a line has a deployment"
    return found


def _asked(*, after: bool) -> tuple[str, ...]:
    """The contracts that an audit asks, or looks for in another's code."""
    return (*CONTRACTS, "CarriedConsents") if after else CONTRACTS


def _all_bytes(values: Iterable[Any]) -> list[bytes]:
    found = list(values)
    if not all(isinstance(each, bytes) for each in found):
        raise IntegrityError("the bundle is malformed")
    return found


def _anchored(cells: Any) -> Anchored:
    root, count, index, block, at = cells
    return Anchored(_digest(root), _number(count), _digest(index), _number(block), _number(at))


def _digest(value: Any) -> Digest:
    if not isinstance(value, bytes) or len(value) != 32:
        raise IntegrityError("the bundle is malformed")
    return Digest(value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise IntegrityError("the bundle is malformed")
    return value
