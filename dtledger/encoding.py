"""The one place where values become bytes: canonical CBOR, CIDs, hashes, addresses.

Blocks are canonical DAG-CBOR or raw bytes, addressed by CIDv1 with SHA-256, as kubo addresses them.
A digest in a contract is the SHA-256 that stands in the block's CID.

>>> cid = block_cid(b"hello", codec="raw")
>>> str(cid)
'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'
>>> decode(encode({"twin": 7, "content": cid}))["content"] == cid
True
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import dag_cbor
from dag_cbor.decoding.err import CBORDecodingError
from eth_hash.auto import keccak as _keccak
from eth_utils import to_checksum_address
from multiformats import CID, multihash

from .errors import IntegrityError
from .types import Address, Digest

__all__ = [
    "CID",
    "address",
    "block_cid",
    "cid_digest",
    "decode",
    "digest_cid",
    "encode",
    "keccak",
    "sha256",
    "verify_block",
]

Codec = Literal["raw", "dag-cbor"]


def encode(value: Any) -> bytes:
    """`value` as canonical DAG-CBOR: the same value always gives the same bytes."""
    return dag_cbor.encode(value)


def decode(data: bytes) -> Any:
    """The value of canonical DAG-CBOR bytes; anything not canonical is refused.

    Raises:
        IntegrityError: the bytes are not canonical DAG-CBOR.
    """
    try:
        return dag_cbor.decode(data)
    except (CBORDecodingError, ValueError, TypeError, RecursionError) as error:
        raise IntegrityError("a block is not canonical DAG-CBOR") from error


def sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).digest())


def keccak(data: bytes) -> Digest:
    return Digest(_keccak(data))


def digest_cid(digest: bytes, codec: Codec = "dag-cbor") -> CID:
    """The CIDv1 of a block whose SHA-256 is `digest`."""
    return CID("base32", 1, codec, ("sha2-256", digest))


def block_cid(data: bytes, codec: Codec = "dag-cbor") -> CID:
    """The CIDv1 of these bytes, equal to kubo's for the same bytes and codec."""
    return digest_cid(sha256(data), codec)


def cid_digest(cid: CID) -> Digest:
    """The SHA-256 inside a CID.

    Raises:
        IntegrityError: the CID is not a CIDv1 of ours (SHA-256, raw or dag-cbor).
    """
    if cid.version != 1 or cid.hashfun.name != "sha2-256" or cid.codec.name not in ("raw", "dag-cbor"):
        raise IntegrityError("a CID is not a CIDv1 of raw or dag-cbor bytes by SHA-256", block=str(cid))
    return Digest(bytes(multihash.unwrap(cid.digest)))


def verify_block(cid: CID, data: bytes) -> bytes:
    """`data`, if it is what `cid` names.

    Raises:
        IntegrityError: it is not; `.block` is the CID.
    """
    if sha256(data) != cid_digest(cid):
        raise IntegrityError("a block's bytes are not what its CID names", block=str(cid))
    return data


def address(text: str) -> Address:
    """The EIP-55 form of an address written in any case.

    Raises:
        ValueError: it is not twenty bytes of hex, or its mixed case is not its EIP-55 checksum.
    """
    if not text.startswith("0x") or len(text) != 42:
        raise ValueError(f"not an address: {text!r}")
    checksummed = to_checksum_address(text)
    body = text[2:]
    if body not in (body.lower(), body.upper()) and text != checksummed:
        raise ValueError(f"the address {text!r} has a wrong checksum: is a letter or digit mistyped?")
    return Address(checksummed)
