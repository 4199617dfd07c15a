"""Content opens whole, under both locks, or not at all."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.crypto.content import MAX_BLOCK, MAX_INLINE, TAG_BYTES, ContentKey, decrypt, derive_key, encrypt
from dtledger.crypto.padding import padme
from dtledger.errors import IntegrityError
from tests.crypto import naive

CONTEXT = b"twin 7, glucose, minutes 10 to 69"
FROM, UNTIL, CUSTODY = (bytes([number]) * 32 for number in (1, 2, 3))
KEY = derive_key(FROM, UNTIL, CUSTODY, CONTEXT)
LONG = secrets.token_bytes(2 * MAX_BLOCK + 5)


@given(st.binary(max_size=2000), st.binary(max_size=40))
@settings(deadline=None)
def test_content_comes_back_as_the_naive_implementation_writes_it(plaintext: bytes, context: bytes) -> None:
    key = derive_key(FROM, UNTIL, CUSTODY, context)
    assert (key.key, key.commitment) == naive.content_key(FROM, UNTIL, CUSTODY, context)
    chunks = encrypt(key, plaintext, context)
    assert chunks == naive.content_encrypt(key.key, plaintext, context)
    assert decrypt(key, chunks, context) == plaintext


@pytest.mark.parametrize("length", [0, 1, MAX_INLINE, MAX_BLOCK - 25, MAX_BLOCK, 5 * MAX_BLOCK, 12 * MAX_BLOCK + 7])
def test_chunks_fill_blocks_and_sizes_are_padded(length: int) -> None:
    plaintext = (LONG * 6)[:length]
    chunks = encrypt(KEY, plaintext, CONTEXT)
    assert all(len(chunk) == MAX_BLOCK for chunk in chunks[:-1])
    assert TAG_BYTES < len(chunks[-1]) <= MAX_BLOCK
    assert sum(len(chunk) - TAG_BYTES for chunk in chunks) == padme(length + 8)
    assert decrypt(KEY, chunks, CONTEXT) == plaintext


def test_contents_of_nearly_one_length_have_one_size() -> None:
    assert len({len(encrypt(KEY, bytes(length), CONTEXT)[0]) for length in range(10_000, 10_200)}) == 1


@pytest.mark.parametrize("fault", ["from", "until", "custody", "context", "exchanged"])
def test_the_key_and_its_commitment_need_both_ends_the_custody_secret_and_the_context(fault: str) -> None:
    wrong = {
        "from": (bytes(32), UNTIL, CUSTODY, CONTEXT),
        "until": (FROM, bytes(32), CUSTODY, CONTEXT),
        "custody": (FROM, UNTIL, bytes(32), CONTEXT),
        "context": (FROM, UNTIL, CUSTODY, CONTEXT[:-1]),
        "exchanged": (UNTIL, FROM, CUSTODY, CONTEXT),
    }[fault]
    other = derive_key(*wrong)
    assert other.key != KEY.key
    with pytest.raises(IntegrityError, match="commits to"):
        other.check(KEY.commitment)
    with pytest.raises(IntegrityError):
        decrypt(other, encrypt(KEY, b"x", CONTEXT), CONTEXT)
    derive_key(FROM, UNTIL, CUSTODY, CONTEXT).check(KEY.commitment)


def test_the_commitment_is_not_the_key() -> None:
    with pytest.raises(IntegrityError):
        decrypt(ContentKey(KEY.commitment, KEY.commitment), encrypt(KEY, b"x", CONTEXT), CONTEXT)
    assert KEY.key != KEY.commitment


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_a_changed_byte_anywhere_is_refused(flip: int) -> None:
    chunk = bytearray(encrypt(KEY, b"5.4 mmol/L", CONTEXT)[0])
    for place in range(len(chunk)):
        chunk[place] ^= flip
        with pytest.raises(IntegrityError, match="chunk 1 of 1"):
            decrypt(KEY, [bytes(chunk)], CONTEXT)
        chunk[place] ^= flip
    assert decrypt(KEY, [bytes(chunk)], CONTEXT) == b"5.4 mmol/L"


def test_another_context_is_refused() -> None:
    chunks = encrypt(KEY, b"x", CONTEXT)
    for context in (b"", CONTEXT + b"\0"):
        with pytest.raises(IntegrityError):
            decrypt(KEY, chunks, context)
    assert decrypt(KEY, chunks, CONTEXT) == b"x"


def test_removed_added_exchanged_and_shortened_chunks_are_refused_and_named() -> None:
    first, second, third = chunks = encrypt(KEY, LONG, CONTEXT)
    short = encrypt(KEY, b"another content", CONTEXT)[0]
    faults: dict[str, tuple[list[bytes], int]] = {
        "the last is missing": ([first, second], 1),
        "the first is missing": ([second, third], 0),
        "one in the middle is missing": ([first, third], 1),
        "only the first": ([first], 0),
        "exchanged": ([second, first, third], 0),
        "doubled": ([first, first, second, third], 1),
        "added": ([first, second, third, third], 2),
        "an empty one is added": ([first, second, third, b""], 2),
        "the end of another content": ([first, second, short], 2),
        "shortened": ([first, second[:-1], third], 1),
        "cut below a tag": ([first, second, third[:15]], 2),
        "joined": ([first + second, third], 0),
    }
    for fault, (wrong, index) in faults.items():
        with pytest.raises(IntegrityError, match=f"chunk {index + 1} of {len(wrong)}") as refused:
            decrypt(KEY, wrong, CONTEXT)
        assert refused.value.evidence["index"] == index, fault
    assert decrypt(KEY, chunks, CONTEXT) == LONG


def test_no_chunks_are_no_content() -> None:
    with pytest.raises(IntegrityError, match="no"):
        decrypt(KEY, [], CONTEXT)
    assert decrypt(KEY, encrypt(KEY, b"", CONTEXT), CONTEXT) == b""


def test_inputs_of_another_length_are_refused() -> None:
    for wrong in ((FROM + b"x", UNTIL[1:], CUSTODY), (FROM, UNTIL, b""), (b"", UNTIL, CUSTODY)):
        with pytest.raises(ValueError, match="32 bytes"):
            derive_key(*wrong, CONTEXT)
    assert derive_key(FROM, UNTIL, CUSTODY, CONTEXT) == KEY


def test_no_repr_and_no_message_shows_a_key() -> None:
    with pytest.raises(IntegrityError) as refused:
        KEY.check(bytes(32))
    for shown in (repr(KEY), str(refused.value), repr(refused.value)):
        assert KEY.key.hex() not in shown
        assert repr(KEY.key) not in shown
