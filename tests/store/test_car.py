"""A CAR is read as it comes, and one flaw in it ends the reading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger._backend.car import read_car, write_car
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import DtledgerError, IntegrityError, UnreachableError
from dtledger.store import MAX_BLOCK_BYTES

BLOCKS = [(block_cid(data, "raw"), data) for data in (b"first", b"", b"third" * 100)]
ROOT = BLOCKS[0][0]
CAR = b"".join(write_car(ROOT, BLOCKS))
HEADER = len(b"".join(write_car(ROOT, [])))
SECTION = 1 + 36


def read(car: bytes, root: CID = ROOT) -> list[tuple[CID, bytes]]:
    return list(read_car(root, iter([car])))


@given(st.lists(st.binary()), st.integers(1, 100))
def test_what_is_written_is_read_however_the_stream_is_cut(contents: list[bytes], piece: int) -> None:
    blocks = [(block_cid(data, "raw"), data) for data in contents]
    car = b"".join(write_car(ROOT, blocks))
    assert list(read_car(ROOT, (car[at : at + piece] for at in range(0, len(car), piece)))) == blocks


def test_a_car_has_the_bytes_of_the_specification() -> None:
    assert CAR.startswith(b"\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + bytes(ROOT) + b"\x67version\x01")
    assert CAR[HEADER : HEADER + SECTION + 5] == b"\x29" + bytes(ROOT) + b"first"


def test_a_car_that_breaks_off_gives_the_blocks_before_and_then_an_error() -> None:
    ends = {HEADER, HEADER + SECTION + 5, HEADER + 2 * SECTION + 5, len(CAR)}
    for cut in range(1, len(CAR) + 1):
        got: list[tuple[CID, bytes]] = []
        if cut in ends:
            got = read(CAR[:cut])
        else:
            with pytest.raises(UnreachableError, match="broke off"):
                got.extend(read_car(ROOT, iter([CAR[:cut]])))
        assert got == BLOCKS[: len(got)]
    assert read(CAR) == BLOCKS


@given(st.integers(0, len(CAR) * 8 - 1))
def test_a_flipped_bit_anywhere_is_an_error(bit: int) -> None:
    broken = bytearray(CAR)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DtledgerError):
        read(bytes(broken))


def test_a_wrong_block_is_named() -> None:
    with pytest.raises(IntegrityError) as caught:
        read(CAR.replace(b"first", b"worst"))
    assert caught.value.block == str(ROOT)


def test_a_car_of_another_root_or_none_is_refused() -> None:
    for root in (BLOCKS[1][0], block_cid(encode([]))):
        with pytest.raises(IntegrityError, match="not a CAR of the root"):
            read(CAR, root)
    for answer in (b"", b"\x0a" + bytes(10)):
        with pytest.raises(IntegrityError, match="not a CAR of the root"):
            read(answer)


@pytest.mark.parametrize("length", [b"\xff\xff\x7f", b"\x80\x80\x80\x80\x00", b"\xff" * 10])
def test_a_length_over_the_limit_is_refused_before_anything_is_kept(length: bytes) -> None:
    def endless() -> Iterator[bytes]:
        yield CAR[:HEADER] + length
        pytest.fail("more was asked for")

    with pytest.raises(IntegrityError, match="announces"):
        list(read_car(ROOT, endless()))


def test_a_section_is_as_large_as_the_largest_block_and_no_smaller_than_a_cid() -> None:
    largest = bytes(MAX_BLOCK_BYTES)
    cid = block_cid(largest, "raw")
    assert read(b"".join(write_car(ROOT, [(cid, largest)]))) == [(cid, largest)]
    with pytest.raises(IntegrityError, match="announces"):
        read(b"".join(write_car(ROOT, [(cid, largest + b"\0")])))
    with pytest.raises(IntegrityError, match="without a CID"):
        read(CAR[:HEADER] + b"\x23" + bytes(35))
    with pytest.raises(IntegrityError, match="CIDv1"):
        read(CAR[:HEADER] + b"\x24" + bytes(36))
