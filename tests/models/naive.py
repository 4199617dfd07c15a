"""A second implementation of consent leaves, their root and an update's hash, from the design's words alone; it shares
with the library only the vectors in `tests/vectors`. CBOR is another library's."""

from __future__ import annotations

import hashlib

import dag_cbor

from tests.crypto import naive


def link_key(secret: bytes, generation: int, twin: int, grantee: str) -> bytes:
    info = generation.to_bytes(4, "big") + twin.to_bytes(32, "big") + bytes.fromhex(grantee[2:])
    return naive.hkdf(secret, b"dtledger/v1/link\0" + info)


def leaf(link: bytes, deployment: str, model: int, number: int, site: str, twin: int) -> bytes:
    named = dag_cbor.encode(["dtledger/consent-leaf/1", deployment, model, number, site, twin])
    return naive.keccak256(naive.keccak256(naive.mac(link, named)))


def root(leaves: list[bytes]) -> bytes:
    return naive.merkle_root(sorted(leaves))


def block(leaves: list[bytes]) -> bytes:
    return dag_cbor.encode({"leaves": sorted(leaves)})


def commitment(salt: bytes, update: bytes) -> bytes:
    return hashlib.sha256(salt + update).digest()
