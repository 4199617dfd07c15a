"""Padding, so that a size says little: plaintext ‖ zeros ‖ length of the plaintext in 8 bytes.

The length stands at the end, so that long plaintexts can be encrypted where they lie, without a copy.

>>> unpad(pad(b"short", 256)), len(pad(b"short", 256))
(b'short', 256)
>>> padme(1_000_000)
1015808
"""

from __future__ import annotations

from ..errors import IntegrityError

__all__ = ["LENGTH_BYTES", "pad", "padding", "padme", "unpad"]

LENGTH_BYTES = 8
"""Bytes that say how long the plaintext is."""


def padme(length: int) -> int:
    """The Padmé size for `length` bytes: at most 12 % more, and it tells only O(log log length) bits.

    Source: Nikitin et al., "Reducing metadata leakage from encrypted files and communication with PURBs"
    (PoPETs 2019), algorithm 1.
    """
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    mask = (1 << zeros) - 1
    return (length + mask) & ~mask


def padding(length: int, size: int) -> bytes:
    """What follows `length` bytes of plaintext to make `size` bytes of it (`size >= length + LENGTH_BYTES`)."""
    return bytes(size - length - LENGTH_BYTES) + length.to_bytes(LENGTH_BYTES, "big")


def pad(plaintext: bytes, block: int) -> bytes:
    """`plaintext` padded to the next multiple of `block` bytes. Raises ValueError: a block of none."""
    if block < 1:
        raise ValueError(f"a block has at least one byte, not {block}")
    length = len(plaintext)
    return plaintext + padding(length, -(-(length + LENGTH_BYTES) // block) * block)


def unpad(padded: bytes | bytearray) -> bytes:
    """The plaintext inside padded bytes.

    Raises:
        IntegrityError: the length does not fit, or the padding is not zeros.
    """
    view = memoryview(padded)
    end = len(view) - LENGTH_BYTES
    length = int.from_bytes(view[max(end, 0) :], "big")
    if end < 0 or length > end or bytes(view[length:end]).strip(b"\0"):
        raise IntegrityError("the padding of a plaintext is malformed")
    return bytes(view[:length])
