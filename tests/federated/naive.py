"""The bytes of arrays once more, value by value and with nothing of numpy's: slow, short and by the book."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from typing import Any

FORMS = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
QUIET = {"float16": "007e", "float32": "0000c07f", "float64": "000000000000f87f"}


def value(dtype: str, number: Any) -> bytes:
    """One number's bytes."""
    if dtype.startswith("complex"):
        part = {"complex64": "float32", "complex128": "float64"}[dtype]
        return value(part, number.real) + value(part, number.imag)
    if dtype in QUIET:
        if math.isnan(number):
            return bytes.fromhex(QUIET[dtype])
        if number == 0:
            number = 0.0
    return struct.pack("<" + FORMS[dtype], number)


def _number(major: int, size: int) -> bytes:
    """CBOR's head of a value: its kind, and its length or number."""
    if size < 24:
        return bytes([major << 5 | size])
    for code, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if size < 1 << 8 * width:
            return bytes([major << 5 | code]) + size.to_bytes(width, "big")
    raise ValueError(size)


def _text(text: str) -> bytes:
    written = text.encode()
    return _number(3, len(written)) + written


def encode(arrays: Sequence[tuple[str, str, Sequence[int], Sequence[Any]]]) -> bytes:
    """The bytes of arrays: name, dtype, shape, and the numbers in C order."""
    rows = b""
    for name, dtype, shape, _ in arrays:
        sides = b"".join(_number(0, each) for each in shape)
        rows += _number(4, 3) + _text(name) + _text(dtype) + _number(4, len(shape)) + sides
    head = _number(5, 2) + _text("arrays") + _number(4, len(arrays)) + rows
    head += _text("schema") + _text("dtledger/arrays/1")
    data = b"".join(value(dtype, each) for _, dtype, _, numbers in arrays for each in numbers)
    return struct.pack(">Q", len(head)) + head + data


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
