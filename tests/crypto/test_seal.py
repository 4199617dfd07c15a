"""A seal opens for its key and its context, and is standard HPKE."""

from __future__ import annotations

import pytest

from dtledger.crypto.padding import pad, unpad
from dtledger.crypto.seal import (
    OVERHEAD,
    PUBLIC_BYTES,
    SEED_BYTES,
    SealKey,
    _parsed,
    check_public,
    open_,
    seal,
    seal_once,
)
from dtledger.errors import IntegrityError, KeyFileError
from tests.crypto import naive

KEY = SealKey(bytes(range(SEED_BYTES)))
CONTEXT = b"share of twin 7"


@pytest.mark.parametrize("plaintext", [b"", b"x" * 32, bytes(100_000)])
def test_a_seal_opens_for_its_key_and_context(plaintext: bytes) -> None:
    sealed = seal(KEY.public, plaintext, CONTEXT)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert open_(KEY, sealed, CONTEXT) == plaintext


def test_a_seal_is_hpke_over_x_wing() -> None:
    sealed = seal(KEY.public, b"plaintext", CONTEXT)
    assert naive.hpke_open(KEY.seed, sealed, CONTEXT) == b"plaintext"


def test_what_is_made_of_a_key_is_kept_unless_it_is_used_once() -> None:
    key = SealKey.generate()
    before = _parsed.cache_info()
    assert open_(key, seal_once(key.public, b"x", CONTEXT), CONTEXT) == b"x"
    check_public(key.public)
    assert _parsed.cache_info() == before
    for _ in range(2):
        assert open_(key, seal(key.public, b"x", CONTEXT), CONTEXT) == b"x"
    after = _parsed.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)


def test_two_seals_of_one_plaintext_differ() -> None:
    assert seal(KEY.public, b"x", CONTEXT) != seal(KEY.public, b"x", CONTEXT)


def test_another_key_or_another_context_opens_nothing() -> None:
    sealed = seal(KEY.public, b"x", CONTEXT)
    for key, context in ((SealKey.generate(), CONTEXT), (KEY, CONTEXT + b"\0"), (KEY, b"")):
        with pytest.raises(IntegrityError, match="does not open"):
            open_(key, sealed, context)
    assert open_(KEY, sealed, CONTEXT) == b"x"


def test_half_of_the_key_opens_nothing() -> None:
    sealed = seal(KEY.public, b"x", CONTEXT)
    other = SealKey.generate().seed
    for seed in (KEY.seed[:64] + other[64:], other[:64] + KEY.seed[64:]):
        with pytest.raises(IntegrityError):
            open_(SealKey(seed), sealed, CONTEXT)
    assert open_(SealKey(KEY.seed[:64] + KEY.seed[64:]), sealed, CONTEXT) == b"x"


def test_a_changed_byte_anywhere_is_refused() -> None:
    sealed = bytearray(seal(KEY.public, b"plaintext", CONTEXT))
    for place in range(len(sealed)):
        sealed[place] ^= 1
        with pytest.raises(IntegrityError):
            open_(KEY, bytes(sealed), CONTEXT)
        sealed[place] ^= 1
    assert open_(KEY, bytes(sealed), CONTEXT) == b"plaintext"


def test_a_seal_of_another_length_is_refused() -> None:
    sealed = seal(KEY.public, b"plaintext", CONTEXT)
    for damaged in (b"", sealed[:10], sealed[:1120], sealed[:-1], sealed + b"\0", sealed[1:]):
        with pytest.raises(IntegrityError):
            open_(KEY, damaged, CONTEXT)
    assert open_(KEY, sealed, CONTEXT) == b"plaintext"


def test_a_share_of_low_order_in_a_seal_is_refused() -> None:
    sealed = seal(KEY.public, b"x", CONTEXT)
    with pytest.raises(IntegrityError):
        open_(KEY, sealed[:1088] + bytes(32) + sealed[1120:], CONTEXT)
    assert open_(KEY, sealed, CONTEXT) == b"x"


@pytest.mark.parametrize(
    ("public", "why"),
    [
        (b"", "1216 bytes, not 0"),
        (KEY.public[:-1], "1216 bytes, not 1215"),
        (KEY.public + b"\0", "1216 bytes, not 1217"),
        (b"\xff" * 1184 + KEY.public[1184:], "not canonical"),
        (KEY.public[:1184] + bytes(32), "no secret can be shared"),
    ],
    ids=["empty", "short", "long", "ml-kem out of range", "x25519 of low order"],
)
def test_a_malformed_public_key_is_refused(public: bytes, why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        seal(public, b"x", CONTEXT)
    with pytest.raises(IntegrityError, match=why):
        seal_once(public, b"x", CONTEXT)
    with pytest.raises(IntegrityError, match=why):
        check_public(public)
    check_public(KEY.public)


def test_a_key_is_its_seed() -> None:
    assert len(KEY.public) == PUBLIC_BYTES
    assert SealKey(KEY.seed) == KEY
    assert SealKey(KEY.seed).public == KEY.public
    assert SealKey.generate() != SealKey.generate()


@pytest.mark.parametrize("length", [0, SEED_BYTES - 1, SEED_BYTES + 1])
def test_a_damaged_seed_is_refused(length: int) -> None:
    with pytest.raises(KeyFileError, match="96 bytes"):
        SealKey(bytes(length))
    assert SealKey(bytes(SEED_BYTES)).public


def test_no_repr_shows_a_seed() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)
    assert len(repr(KEY)) < 40


def test_padded_packages_of_a_bucket_have_one_size() -> None:
    sizes = {len(seal(KEY.public, pad(bytes(length), 4096), CONTEXT)) for length in (0, 100, 4000)}
    assert sizes == {4096 + OVERHEAD}
    assert unpad(open_(KEY, seal(KEY.public, pad(b"package", 4096), CONTEXT), CONTEXT)) == b"package"
