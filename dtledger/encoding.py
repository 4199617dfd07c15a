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

import base64
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

import cbor2
from eth_hash.main import Keccak256
from eth_utils import to_checksum_address

from .errors import IntegrityError
from .types import Address, Digest

try:  # the one in C, where it is installed: ten times faster, and a row of an index costs twenty hashes
    _keccak = Keccak256(import_module("eth_hash.backends.pysha3").backend)
except ImportError:
    _keccak = Keccak256(import_module("eth_hash.backends.pycryptodome").backend)

__all__ = [
    "CID",
    "STORE",
    "Codec",
    "address",
    "block_cid",
    "decode",
    "encode",
    "keccak",
    "require_few",
    "sha256",
    "verify_block",
]

Codec = Literal["raw", "dag-cbor"]

_PREFIXES: dict[Codec, bytes] = {"raw": b"\x01\x55\x12\x20", "dag-cbor": b"\x01\x71\x12\x20"}
_CODECS: dict[bytes, Codec] = {prefix: codec for codec, prefix in _PREFIXES.items()}
_FOREIGN = "a CID is not a CIDv1 of raw or dag-cbor bytes by SHA-256"

STORE = "the block store"
"""The party when bytes are not what their CID names, whoever wrote them."""

MAX_DEPTH = 100
"""How deep lists and maps may lie in each other."""


@dataclass(frozen=True, slots=True, order=True)
class CID:
    """A CIDv1 of raw or dag-cbor bytes by SHA-256: the only kind that dtledger makes or reads.

    Its text is base32 in lower case, its bytes are four of prefix and the digest
    (https://github.com/multiformats/cid).
    """

    digest: Digest
    codec: Codec = "dag-cbor"

    def __str__(self) -> str:
        return "b" + base64.b32encode(bytes(self)).decode().rstrip("=").lower()

    def __bytes__(self) -> bytes:
        return _PREFIXES[self.codec] + self.digest

    @classmethod
    def decode(cls, text: str | bytes) -> CID:
        """The CID of its text or of its 36 bytes.

        Raises:
            IntegrityError: it is none, or of another kind.
        """
        try:
            data = base64.b32decode(text[1:].upper() + "======") if isinstance(text, str) else text
        except ValueError:
            data = b""
        codec = _CODECS.get(data[:4])
        if codec is None or len(data) != 36 or (isinstance(text, str) and str(cls(Digest(data[4:]), codec)) != text):
            raise IntegrityError(_FOREIGN, block=text if isinstance(text, str) else text.hex())
        return cls(Digest(data[4:]), codec)


_LINK = 42
"""The tag of a link (https://ipld.io/specs/codecs/dag-cbor/spec/)."""


def encode(value: Any) -> bytes:
    """`value` as canonical DAG-CBOR: the same value always gives the same bytes.

    Raises:
        TypeError, ValueError: it holds something that DAG-CBOR does not have.
    """
    return cbor2.dumps(_canonical(value, MAX_DEPTH))


_AS_THEY_ARE: frozenset[type] = frozenset({bytes, str, bool, type(None)})
_BUT_TRUTH: frozenset[type] = _AS_THEY_ARE - {bool}


@lru_cache(maxsize=64)  # the same few maps stand in every block; a stranger's keys may be long
def _in_order(keys: tuple[Any, ...]) -> list[str]:
    """A map's keys in DAG-CBOR's order: the shorter first."""
    if not all(type(key) is str for key in keys):
        raise TypeError("a map's keys are text")
    return sorted(keys, key=lambda key: (len(written := key.encode()), written))


def _canonical(value: Any, depth: int, plain: frozenset[type] = _AS_THEY_ARE) -> Any:
    """What CBOR's plain encoder writes canonically: sorted keys, tagged links, nothing that DAG-CBOR lacks. Kinds that
    are `plain` stay as they are; true and false become numbers if they are none."""
    kind = type(value)
    if kind in plain or (kind is int and -(2**64) <= value < 2**64):
        return value
    if kind is CID:
        return cbor2.CBORTag(_LINK, b"\0" + bytes(value))
    if depth == 0:
        raise ValueError(f"lists and maps lie over {MAX_DEPTH} deep in each other")
    if kind is list or kind is tuple:
        return [each if type(each) in plain else _canonical(each, depth - 1, plain) for each in value]
    if kind is dict:
        return {key: _canonical(value[key], depth - 1, plain) for key in _in_order(tuple(value))}
    if isinstance(value, int):
        if not -(2**64) <= value < 2**64:
            raise ValueError("a whole number has at most 64 bits")
        return int(value)
    if kind is float:
        if not math.isfinite(value):
            raise ValueError("a number is finite")
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"DAG-CBOR has no {kind.__name__}")


def decode(data: bytes, *, truth: bool = True) -> Any:
    """The value of canonical DAG-CBOR bytes; anything not canonical is refused.

    Without `truth` nothing in it may be true or false, which Python takes for 1 and 0 and others do not.

    Raises:
        IntegrityError: the bytes are not canonical DAG-CBOR.
    """
    try:
        value = cbor2.loads(data, semantic_decoders=_TAGS, max_depth=MAX_DEPTH, allow_indefinite=False)
        if cbor2.dumps(_canonical(value, MAX_DEPTH, _AS_THEY_ARE if truth else _BUT_TRUTH)) == data:
            return value
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error.__cause__, IntegrityError):  # a link that is not ours
            raise error.__cause__ from None
        raise IntegrityError("a block is not canonical DAG-CBOR") from error
    raise IntegrityError("a block is not canonical DAG-CBOR")


def require_few(data: bytes, most: int) -> None:
    """Pass if CBOR bytes hold at most `most` values, counted without making any: one byte can be a value, and in memory
    that takes a hundred, so whoever decodes megabytes of a stranger's counts first.

    Raises:
        IntegrityError: they hold more.
    """
    place = count = 0
    while place < len(data):
        count += 1
        if count > most:
            raise IntegrityError(f"over {most:,} values are in it")
        kind, said = data[place] >> 5, data[place] & 31
        place += 1
        if said >= 28:  # no length, or none that is known: `decode` refuses it right there
            return
        width = 0 if said < 24 else 1 << said - 24
        if kind in (2, 3):  # bytes and text, whose length this is
            place += int.from_bytes(data[place : place + width]) if width else said
        place += width


def _link(value: Any, immutable: bool = False) -> CID:
    if not isinstance(value, bytes) or value[:1] != b"\0":
        raise IntegrityError("a block holds a tag that is not a link")
    return CID.decode(value[1:])


class _Tags(dict[int, Callable[..., Any]]):
    """Every tag is a link or refused. CBOR's own tags cost whoever decodes them: a few bytes of shared values stand for
    more than any memory holds, and half a megabyte of a fraction takes a minute."""

    def __missing__(self, tag: int) -> Callable[..., Any]:
        return _refuse_tag


def _refuse_tag(value: Any, immutable: bool = False) -> Any:
    raise IntegrityError("a block holds a tag that is not a link")


_TAGS = _Tags({_LINK: _link})


def sha256(data: bytes) -> Digest:
    """SHA-256: of blocks, and of what is signed as a statement."""
    return Digest(hashlib.sha256(data).digest())


def keccak(data: bytes) -> Digest:
    """Keccak-256, as contracts compute it."""
    return Digest(_keccak(data))


def block_cid(data: bytes, codec: Codec = "dag-cbor") -> CID:
    """The CIDv1 of these bytes, equal to kubo's for the same bytes and codec."""
    return CID(sha256(data), codec)


def verify_block(cid: CID, data: bytes) -> bytes:
    """`data`, if it is what `cid` names.

    Raises:
        IntegrityError: it is not; `.block` is the CID, `.party` the store, whoever wrote the block.
    """
    if sha256(data) != cid.digest:
        raise IntegrityError("a block's bytes are not what its CID names", block=str(cid), party=STORE)
    return data


@lru_cache(maxsize=4096)  # checksums are costly, and the same few addresses stand in every block
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
