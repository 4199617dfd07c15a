"""CARv1: many blocks as one stream of bytes (https://ipld.io/specs/transport/car/carv1/).

A CAR is a header, the DAG-CBOR of ``{"version": 1, "roots": [CID]}``, and then blocks, each its CID and its bytes.
Everything is preceded by its length as a varint. A stream is read as it comes, with never more than one block in hand,
and nothing in it is believed: lengths are bounded before a byte is kept, every block is checked against its CID.

>>> from dtledger.encoding import block_cid
>>> cid = block_cid(b"hello", "raw")
>>> car = b"".join(write_car(cid, [(cid, b"hello")]))
>>> list(read_car(cid, iter([car[:20], car[20:]]))) == [(cid, b"hello")]
True
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..encoding import CID, encode, verify_block
from ..errors import IntegrityError, UnreachableError
from ..store import MAX_BLOCK_BYTES

_CID_BYTES: Final = 36


def write_car(root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Iterator[bytes]:
    """The CAR of `blocks`, in pieces."""
    header = _header(root)
    yield _varint(len(header)) + header
    for cid, data in blocks:
        yield _varint(_CID_BYTES + len(data)) + bytes(cid)
        yield data


def read_car(root: CID, chunks: Iterator[bytes]) -> Iterator[tuple[CID, bytes]]:
    """The blocks of a CAR whose one root is `root`, each verified, as the chunks of the stream come in.

    Says nothing of whether they are all that should come: see `dtledger.store.whole`.

    Raises:
        IntegrityError: not such a CAR, or a block is not what its CID names; `.block` is that CID.
        UnreachableError: the stream ends within a block.
    """
    source = _Source(chunks)
    expected = _header(root)
    length = source.length(limit=len(expected))
    if length != len(expected) or source.take(length) != expected:
        raise IntegrityError(f"the answer is not a CAR of the root {root}", block=str(root))
    while (length := source.length(limit=_CID_BYTES + MAX_BLOCK_BYTES)) is not None:
        if length < _CID_BYTES:
            raise IntegrityError("a CAR holds a block without a CID")
        section = source.take(length)
        cid = CID.decode(section[:_CID_BYTES])
        yield cid, verify_block(cid, section[_CID_BYTES:])


def _varint(number: int) -> bytes:
    """An unsigned LEB128 number, as CAR writes lengths."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*groups, number))


def _header(root: CID) -> bytes:
    return encode({"roots": [root], "version": 1})


class _Source:
    """Bytes by the number asked for, out of chunks of any size."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes."""
        if not self._fill(count):
            raise UnreachableError("The stream of blocks broke off within a block.", hint="Try again.")
        self._at += count
        return self._buffer[self._at - count : self._at]

    def length(self, *, limit: int) -> int | None:
        """The varint that comes next, at most `limit`, or None where the stream ends."""
        if not self._fill(1):
            return None
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if value > limit:
                break
            if byte < 0x80:
                return value
        raise IntegrityError(f"a CAR announces a part of over {limit:,} bytes")

    def _fill(self, count: int) -> bool:
        """Have `count` bytes in the buffer, if the stream still has them."""
        have = len(self._buffer) - self._at
        if have >= count:
            return True
        parts = [self._buffer[self._at :]]
        for chunk in self._chunks:
            parts.append(chunk)
            have += len(chunk)
            if have >= count:
                break
        self._buffer, self._at = b"".join(parts), 0
        return have >= count
