"""Arrays as bytes: the one form in which a model's weights are hashed, kept and handed on.

    length of the head (8 bytes, big-endian) ‖ head ‖ the data of each array, one after another

The head is canonical CBOR, `{"schema": "dtledger/arrays/1", "arrays": [[name, dtype, shape], …]}`, in the order that
the model has them, which is part of what is hashed. Data are little-endian, in C order. Every NaN is the quiet one
without sign or payload, and −0 is 0: arrays that are equal, one NaN with another, have the same bytes, whatever machine
made them. Names, dtypes, shapes and their order differ if the bytes do.

A file of weights holds these bytes, so its SHA-256 is what an aggregate names on the ledger.

>>> import numpy as np
>>> from dtledger.models.update import digest_of
>>> weights = {"coef": np.array([[0.5, -0.0]], dtype=">f4"), "epoch": np.array(3)}
>>> data = b"".join(encode_arrays(weights))
>>> {name: (each.dtype.name, each.tolist()) for name, each in decode_arrays(data).items()}
{'coef': ('float32', [[0.5, 0.0]]), 'epoch': ('int64', 3)}
>>> digest_of(encode_arrays(weights)) == digest_of([data])
True

Warning: what divides by a zero or looks at its sign can tell −0 from 0. Whoever goes on with weights takes them from
their bytes (`canonical`), as everybody here does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import encoding
from ..errors import InputError, IntegrityError

Arrays = Mapping[str, NDArray[Any]]
"""A model's arrays by name, in its order."""

SCHEMA = "dtledger/arrays/1"

DTYPES = frozenset(
    ["bool", "float16", "float32", "float64", "complex64", "complex128"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)
"""What arrays may hold, as numpy names it."""

PIECE = 1 << 18
"""Bytes that are looked at in one go: they stay in a core's cache between one pass and the next."""

LONGEST_HEAD = 1 << 24


def encode_arrays(arrays: Arrays) -> Iterator[bytes]:
    """The bytes of arrays, in pieces: no array is copied as a whole.

    Raises:
        InputError: an array holds something else than numbers of a fixed size.
    """
    head = encoding.encode({"schema": SCHEMA, "arrays": _rows_of(arrays)})
    if len(head) > LONGEST_HEAD:
        raise InputError(f"The names and shapes of the arrays are over {LONGEST_HEAD >> 20} MiB.")
    return _stream(head, arrays)


def _rows_of(arrays: Arrays) -> list[list[Any]]:
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise InputError(f"The array {name!r} holds {array.dtype}, which is no number of a fixed size.")
    return [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]


def _stream(head: bytes, arrays: Arrays) -> Iterator[bytes]:
    yield len(head).to_bytes(8, "big") + head
    for array in arrays.values():
        yield from _data(array)


def _data(array: NDArray[Any]) -> Iterator[bytes]:
    little = array.dtype.newbyteorder("<")
    pieces = np.nditer(  # type: ignore[call-overload]  # numpy's stubs misspell `contig`
        [array],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly", "contig"]],
        op_dtypes=[little],
        casting="equiv",
        order="C",
        buffersize=max(PIECE // array.dtype.itemsize, 1),
    )
    for piece in pieces:
        yield _plain(np.asarray(piece)).tobytes()


def _plain(piece: NDArray[Any]) -> NDArray[Any]:
    """A copy of a one-dimensional piece without the sign of a zero, what a NaN holds besides, and a truth over 1."""
    if piece.dtype.kind == "b":
        truths: NDArray[Any] = piece.view(np.uint8) != 0
        return truths
    if piece.dtype.kind not in "fc":
        return piece
    parts = piece.view(piece.real.dtype)
    with np.errstate(invalid="ignore"):  # a signalling NaN, which is quiet afterwards
        made: NDArray[Any] = np.add(parts, parts.dtype.type(0), out=np.empty_like(parts))
    unknown = np.isnan(made)
    if unknown.any():
        made[unknown] = np.nan
    return made


def decode_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of their bytes.

    Raises:
        IntegrityError: the bytes are not what `encode_arrays` makes of any arrays.
    """
    size = int.from_bytes(data[:8], "big")
    if len(data) < 8 or size > min(LONGEST_HEAD, len(data) - 8):
        raise IntegrityError(_MALFORMED)
    place, arrays = 8 + size, {}
    for name, dtype, shape in _rows(data[8:place]):
        length = math.prod(shape) * dtype.itemsize
        if name in arrays or length > len(data) - place:
            raise IntegrityError(_MALFORMED)
        try:
            array = np.frombuffer(data, dtype, math.prod(shape), place).reshape(shape)
        except (ValueError, OverflowError) as error:  # of no number, and too long besides
            raise IntegrityError(_MALFORMED) from error
        arrays[name] = array.astype(dtype.newbyteorder("="))
        place += length
    if place != len(data) or not _is_written_so(arrays, data):
        raise IntegrityError(_MALFORMED)
    return arrays


def _is_written_so(arrays: Arrays, data: bytes) -> bool:
    rest = memoryview(data)
    for piece in encode_arrays(arrays):
        if rest[: len(piece)] != piece:
            return False
        rest = rest[len(piece) :]
    return not rest


def canonical(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays as whoever decodes their bytes has them, copied. Raises as `encode_arrays`."""
    _rows_of(arrays)
    made = {}
    for name, array in arrays.items():
        copied = np.array(array, array.dtype.newbyteorder("="), order="C")
        made[name] = _plain(copied.reshape(-1)).view(copied.dtype).reshape(copied.shape)
    return made


_MALFORMED = "a file of arrays is malformed"


def _rows(head: bytes) -> Iterator[tuple[str, np.dtype[Any], tuple[int, ...]]]:
    match encoding.decode(head):
        case {"schema": "dtledger/arrays/1", "arrays": [*rows], **rest} if not rest:
            for row in rows:
                match row:
                    case [str(name), str(dtype), [*shape]] if (
                        dtype in DTYPES and len(shape) <= 64 and all(type(each) is int and each >= 0 for each in shape)
                    ):
                        yield name, np.dtype(dtype).newbyteorder("<"), tuple(shape)
                    case _:
                        raise IntegrityError(_MALFORMED)
        case _:
            raise IntegrityError(_MALFORMED)
