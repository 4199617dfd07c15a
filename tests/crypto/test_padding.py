"""Padding hides sizes and comes off whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.crypto.padding import LENGTH_BYTES, pad, padding, padme, unpad
from dtledger.errors import IntegrityError
from tests.crypto import naive


@given(st.integers(1, 2**40))
@settings(deadline=None)
def test_padme_adds_at_most_twelve_per_cent_and_is_stable(length: int) -> None:
    size = padme(length)
    assert length <= size <= length * 1.12
    assert padme(size) == size
    if length > 1:
        assert size == naive.padme(length)


def test_padme_leaves_few_sizes() -> None:
    assert padme(0) == 0
    assert len({padme(length) for length in range(1, 65_537)}) < 200


@given(st.binary(max_size=600), st.integers(1, 300))
@settings(deadline=None)
def test_padded_bytes_fill_whole_blocks_and_come_back(plaintext: bytes, block: int) -> None:
    padded = pad(plaintext, block)
    assert len(padded) % block == 0
    assert len(padded) < len(plaintext) + LENGTH_BYTES + block
    assert unpad(padded) == unpad(bytearray(padded)) == plaintext


@pytest.mark.parametrize("plaintext", [b"", b"ends in zeros\0\0\0", bytes(100)])
def test_zeros_of_the_plaintext_are_not_taken_for_padding(plaintext: bytes) -> None:
    assert unpad(pad(plaintext, 64)) == plaintext


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        bytes(7),
        b"abc" + (4).to_bytes(8, "big"),
        b"abc\0\1\0" + (3).to_bytes(8, "big"),
        b"abc\0\0\0" + (2).to_bytes(8, "big"),
        b"abc" + b"\xff" * 8,
    ],
)
def test_malformed_padding_is_refused(damaged: bytes) -> None:
    with pytest.raises(IntegrityError, match="padding"):
        unpad(damaged)
    assert unpad(b"abc" + padding(3, 14)) == b"abc"


def test_a_block_has_a_size() -> None:
    with pytest.raises(ValueError, match="block"):
        pad(b"", 0)
    assert len(pad(b"", 1)) == LENGTH_BYTES
