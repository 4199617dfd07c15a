"""Bytes are canonical DAG-CBOR and CIDs are IPFS's: compared with two other implementations of both."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import dag_cbor
import multiformats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.encoding import CID, address, block_cid, decode, encode, require_few, verify_block
from dtledger.errors import IntegrityError

cids = st.builds(CID, st.binary(min_size=32, max_size=32), st.sampled_from(["raw", "dag-cbor"]))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | cids
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
)


def theirs(value: Any) -> Any:
    """The value with links as the other implementation has them."""
    if isinstance(value, CID):
        return multiformats.CID.decode(str(value))
    if isinstance(value, list):
        return [theirs(each) for each in value]
    return {key: theirs(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.slow
@given(values)
def test_a_value_has_the_bytes_that_dag_cbor_gives_it_and_comes_back(value: Any) -> None:
    data = encode(value)
    assert data == dag_cbor.encode(theirs(value))
    assert decode(data) == value


@given(values, st.integers(0), st.integers(0, 7))
def test_bytes_with_one_bit_changed_are_other_canonical_bytes_or_refused(value: Any, place: int, bit: int) -> None:
    data = bytearray(encode(value))
    data[place % len(data)] ^= 1 << bit
    with suppress(IntegrityError):
        assert encode(decode(bytes(data))) == data


@pytest.mark.parametrize(
    ("broken", "canonical"),
    [
        (b"\x18\x01", b"\x01"),  # a number longer than it need be
        (b"\xf9\x3c\x00", b"\xfb\x3f\xf0\0\0\0\0\0\0"),  # a half float
        (b"\xfb\x7f\xf0\0\0\0\0\0\0", b"\xfb\x3f\xf0\0\0\0\0\0\0"),  # infinity
        (b"\xa2\x61b\x01\x61a\x01", b"\xa2\x61a\x01\x61b\x01"),  # keys out of order
        (b"\xa2\x61a\x01\x61a\x01", b"\xa2\x61a\x01\x61b\x01"),  # a key twice
        (b"\xa1\x01\x01", b"\xa1\x61a\x01"),  # a key that is no text
        (b"\x9f\x01\xff", b"\x81\x01"),  # an indefinite list
        (b"\xc0\x74" + b"2026-01-01T00:00:00Z", b"\x74" + b"2026-01-01T00:00:00Z"),  # a date
        (b"\xc2\x49\x01" + bytes(8), b"\x49\x01" + bytes(8)),  # a big number
        (b"\x01\x01", b"\x01"),  # something after the end
        (b"\xf7", b"\xf6"),  # undefined
        (b"", b"\x80"),
    ],
)
def test_what_is_not_canonical_is_refused_and_its_canonical_sibling_read(broken: bytes, canonical: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode(broken)
    decode(canonical)


@pytest.mark.parametrize("value", [{1: 2}, 2**64, float("nan"), float("inf"), object(), {"a": {1, 2}}])
def test_what_dag_cbor_does_not_have_is_not_encoded(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


@given(cids)
def test_a_cid_is_written_as_ipfs_writes_it_and_read_back(cid: CID) -> None:
    other = multiformats.CID("base32", 1, cid.codec, ("sha2-256", cid.digest))
    assert (str(cid), bytes(cid)) == (str(other), bytes(other))
    assert CID.decode(str(cid)) == CID.decode(bytes(cid)) == cid


@pytest.mark.parametrize("damage", [lambda text: text.upper(), lambda text: text[:-1], lambda text: "z" + text[1:]])
def test_a_cid_written_in_another_way_is_refused(damage: Any) -> None:
    text = str(block_cid(b"hello"))
    with pytest.raises(IntegrityError):
        CID.decode(damage(text))
    assert str(CID.decode(text)) == text


def test_a_block_with_a_byte_changed_is_not_what_its_cid_names() -> None:
    cid = block_cid(b"hello", "raw")
    with pytest.raises(IntegrityError) as caught:
        verify_block(cid, b"hellp")
    assert caught.value.block == str(cid)
    assert verify_block(cid, b"hello") == b"hello"


def test_an_address_with_a_mistyped_letter_is_refused() -> None:
    right = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
    assert address(right.lower()) == address(right) == right
    for wrong in (right.replace("F7", "f7"), right[:-1], "90F7"):
        with pytest.raises(ValueError, match="address"):
            address(wrong)


SHARED = (
    b"\x8d"
    + b"\xd8\x1c\x81\x00"
    + b"".join(b"\xd8\x1c\x82" + (b"\xd8\x1d" + bytes([place])) * 2 for place in range(12))
)
"""A hundred bytes that say: each list holds the one before it twice. Walked, they are thousands of lists; with fifty
levels more, no memory would hold them."""

COSTLY = {
    "shared values": SHARED,
    "shared strings": bytes.fromhex("d901008243616263d81900"),
    "a fraction": bytes.fromhex("d81e820102"),
    "a great number": bytes.fromhex("c249010000000000000000"),
    "a decimal": bytes.fromhex("c48201c24101"),
    "a pattern": bytes.fromhex("d8236128"),
    "a date": bytes.fromhex("c11a00000000"),
    "itself": bytes.fromhex("d9d9f700"),
    "a tag of nobody's": bytes.fromhex("d8c800"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_tag_that_is_no_link_is_refused_before_it_is_worked_out(name: str) -> None:
    """CBOR's own tags would cost a reader or a custodian a minute a block, or all its memory."""
    with pytest.raises(IntegrityError, match="a tag that is not a link"):
        decode(COSTLY[name])


def test_a_link_is_the_tag_that_is_read() -> None:
    cid = block_cid(b"linked", "raw")
    assert decode(b"\xd8\x2a\x58\x25\x00" + bytes(cid)) == cid


def size(value: Any) -> int:
    """How many values it is made of, as CBOR counts: a link is a tag and its bytes."""
    if isinstance(value, list):
        return 1 + sum(map(size, value))
    if isinstance(value, dict):
        return 1 + sum(1 + size(each) for each in value.values())
    return 2 if isinstance(value, CID) else 1


@given(values)
def test_values_are_counted_without_making_them(value: Any) -> None:
    require_few(encode(value), size(value))
    with pytest.raises(IntegrityError, match="values"):
        require_few(encode(value), size(value) - 1)


@given(st.binary(max_size=60))
def test_whatever_is_counted_comes_to_an_end(data: bytes) -> None:
    require_few(data, 60)
