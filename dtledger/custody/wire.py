"""What is asked of a custodian and what it answers as bytes: canonical CBOR, one list each, of exactly these kinds.

Whether any of it is signed, or makes sense, is for whoever gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import encoding
from ..ledger import Slot
from ..types import Digest, Head
from ..vocabulary import Action, Purpose, Reason
from .cells import cells_of, readable, require_kinds
from .identity import CustodianIdentity
from .port import LettersRequest, OwnerRequest, ReadRequest, Release, TwinKey
from .probe import Probe
from .receipts import AccessReceipt
from .retiring import RetireOrder
from .shares import SealedShare

T = TypeVar("T")

RECEIPTS = 128
"""Most receipts in one answer: each may name 10,000 snapshots that were refused."""


def encode_owner_request(request: OwnerRequest) -> bytes:
    return encoding.encode([request.twin, request.owner, request.at, request.signature])


def decode_owner_request(data: bytes) -> OwnerRequest:
    with readable("a request of an owner"):
        twin, owner, at, signature = cells_of(data, int, str, int, bytes)
        return OwnerRequest(twin, encoding.address(owner), at, signature)


def encode_letters_request(request: LettersRequest) -> bytes:
    return encoding.encode([request.reader, request.at, request.signature])


def decode_letters_request(data: bytes) -> LettersRequest:
    with readable("a request for letters"):
        reader, at, signature = cells_of(data, str, int, bytes)
        return LettersRequest(encoding.address(reader), at, signature)


def encode_probe(probe: Probe) -> bytes:
    slot = probe.slot
    return encoding.encode([slot.owner, slot.twin, slot.grantee, slot.number, probe.at, probe.signature])


def decode_probe(data: bytes) -> Probe:
    with readable("a probe"):
        owner, twin, grantee, number, at, signature = cells_of(data, str, int, str, int, int, bytes)
        return Probe(Slot(encoding.address(owner), twin, encoding.address(grantee), number), at, signature)


def encode_retire_order(order: RetireOrder) -> bytes:
    cells = [order.twin, order.owner, order.custodian, list(order.keys), order.roster, order.at, order.signature]
    return encoding.encode(cells)


def decode_retire_order(data: bytes) -> RetireOrder:
    with readable("an order to retire keys"):
        twin, owner, custodian, keys, roster, at, signature = cells_of(data, int, str, str, list, bytes, int, bytes)
        named = tuple(Digest(_bytes(each)) for each in keys)
        parties = encoding.address(owner), encoding.address(custodian)
        return RetireOrder(twin, *parties, named, roster, at, signature)


def encode_read(request: ReadRequest, shares: Sequence[SealedShare]) -> bytes:
    """A request with its shares; the digests stand in both, and need not be the same for all this knows."""
    return encoding.encode(
        [
            request.twin,
            request.grantee,
            request.number,
            int(request.action),
            int(request.purpose),
            list(request.digests),
            request.key,
            request.nonce,
            request.at,
            request.signature,
            [[each.digest, each.sealed, each.hash] for each in shares],
        ]
    )


def decode_read(data: bytes) -> tuple[ReadRequest, list[SealedShare]]:
    with readable("a request to read"):
        twin, grantee, number, action, purpose, digests, key, nonce, at, signature, shares = cells_of(
            data, int, str, int, int, int, list, bytes, bytes, int, bytes, list
        )
        request = ReadRequest(
            twin=twin,
            grantee=encoding.address(grantee),
            number=number,
            action=Action(action),
            purpose=Purpose(purpose),
            digests=tuple(Digest(_bytes(each)) for each in digests),
            key=key,
            nonce=nonce,
            at=at,
            signature=signature,
        )
        return request, [_share(each) for each in shares]


def encode_release(release: Release) -> bytes:
    refused = [[digest, int(reason)] for digest, reason in release.refused]
    return encoding.encode([release.receipt.encode(), release.sealed, refused])


def decode_release(data: bytes) -> Release:
    with readable("an answer to a request to read"):
        receipt, sealed, refused = cells_of(data, bytes, bytes, list)
        reasons = []
        for each in refused:
            require_kinds(each, (bytes, int))
            reasons.append((_digest(each[0]), Reason(each[1])))
        return Release(AccessReceipt.decode(receipt), sealed, tuple(reasons))


def encode_twin_key(key: TwinKey) -> bytes:
    return encoding.encode([key.custodian, key.key, key.signature])


def decode_twin_key(data: bytes) -> TwinKey:
    with readable("a custodian's key for a twin"):
        custodian, key, signature = cells_of(data, str, bytes, bytes)
        return TwinKey(encoding.address(custodian), key, signature)


def encode_identity(identity: CustodianIdentity) -> bytes:
    head = identity.head
    return encoding.encode(
        [identity.custodian, identity.deployment, head.number, head.hash, head.at, identity.signature]
    )


def decode_identity(data: bytes) -> CustodianIdentity:
    with readable("a custodian's identity"):
        custodian, deployment, number, block_hash, at, signature = cells_of(data, str, str, int, bytes, int, bytes)
        return CustodianIdentity(
            encoding.address(custodian), deployment, Head(number, _digest(block_hash), at), signature
        )


def encode_list(each: Sequence[Any]) -> bytes:
    """A list of what can `encode` itself."""
    return encoding.encode([one.encode() for one in each])


def decode_list(data: bytes, decode: Callable[[bytes], T]) -> list[T]:
    with readable("a list"):
        match encoding.decode(data):
            case [*rows] if all(isinstance(row, bytes) for row in rows):
                return [decode(row) for row in rows]
        raise ValueError("a list of other cells")


def encode_digests(lists: Sequence[Sequence[Digest]]) -> bytes:
    return encoding.encode([list(each) for each in lists])


def decode_digests(data: bytes) -> list[tuple[Digest, ...]]:
    with readable("lists of digests"):
        match encoding.decode(data):
            case [*lists] if all(isinstance(each, list) for each in lists):
                return [tuple(map(_digest, each)) for each in lists]
        raise ValueError("no lists")


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("not bytes")
    return value


def _digest(value: Any) -> Digest:
    if len(_bytes(value)) != 32:
        raise ValueError("not a digest")
    return Digest(value)


def _share(value: Any) -> SealedShare:
    match value:
        case [bytes(digest), bytes(sealed), None]:
            return SealedShare(Digest(digest), sealed)
        case [bytes(digest), bytes(sealed), bytes(said)]:
            return SealedShare(Digest(digest), sealed, Digest(said))
    raise ValueError("not a share")
