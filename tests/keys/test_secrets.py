"""What a key file holds comes back as it was, and nothing in it is lost by adding to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.crypto.bits import BitMap
from dtledger.crypto.seal import SealKey
from dtledger.crypto.tags import draw_tag_keys
from dtledger.encoding import decode, encode
from dtledger.errors import IntegrityError, KeyFileError
from dtledger.keys import Secrets, TwinSecrets

pytestmark = pytest.mark.slow

D = "31337-00112233-abcdef01"
BITS, TAGS = BitMap.draw(), draw_tag_keys()
SEAL_KEY = SealKey.generate()

twins = st.dictionaries(st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(
    lambda generations: TwinSecrets(generations, BITS, TAGS)
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.dictionaries(st.integers(0, 2**256 - 1).map(str), twins, min_size=1, max_size=2),
        max_size=2,
    ),
    st.dictionaries(st.text(max_size=8), plain, max_size=3),
)
@settings(deadline=None, max_examples=50)
def test_secrets_come_back_as_they_were(of: dict[str, dict[str, TwinSecrets]], extra: dict[str, Any]) -> None:
    secrets = Secrets(SEAL_KEY, of, extra)
    assert Secrets.from_bytes(secrets.to_bytes()) == secrets


def test_a_new_twin_has_one_generation_a_whole_map_and_every_tag_key() -> None:
    twin = TwinSecrets.draw()
    assert list(twin.generations) == [0]
    assert twin.latest == 0
    assert len(set(twin.tag_keys)) == 32
    assert twin.bits.only(["glucose"]).root == twin.bits.root
    assert TwinSecrets.draw(generation=3).latest == 3


def test_a_later_generation_is_added_and_never_changed() -> None:
    twin = TwinSecrets.draw().with_generation(1, bytes(32))
    assert twin.latest == 1
    assert twin.with_generation(1, bytes(32)) == twin
    with pytest.raises(ValueError, match="generation 1 has another secret"):
        twin.with_generation(1, b"\1" * 32)


def test_a_change_that_would_lose_a_secret_is_refused() -> None:
    twin = TwinSecrets.draw().with_generation(1, bytes(32))
    secrets = Secrets.draw().with_twin(D, 7, twin)
    first = {0: twin.generations[0]}
    for loses in (
        TwinSecrets(first, twin.bits, twin.tag_keys),
        TwinSecrets({**first, 1: b"\1" * 32}, twin.bits, twin.tag_keys),
        TwinSecrets(twin.generations, BitMap.draw(), twin.tag_keys),
        TwinSecrets(twin.generations, twin.bits, draw_tag_keys()),
    ):
        with pytest.raises(KeyFileError, match="lack or change"):
            secrets.with_twin(D, 7, loses)
    grown = twin.with_generation(2, b"\2" * 32)
    assert secrets.with_twin(D, 7, grown).twin(D, 7) == grown


def test_twins_are_told_apart_by_deployment_and_number() -> None:
    one, other = TwinSecrets.draw(), TwinSecrets.draw()
    secrets = Secrets.draw().with_twin(D, 7, one).with_twin("another", 7, other)
    assert (secrets.twin(D, 7), secrets.twin("another", 7)) == (one, other)
    assert not secrets.has_twin(D, 8)
    with pytest.raises(KeyFileError, match="no secrets of twin 8"):
        secrets.twin(D, 8)
    rest = secrets.without_twin(D, 7)
    assert not rest.has_twin(D, 7)
    assert D not in rest.twins
    assert rest.twin("another", 7) == other
    assert rest.without_twin(D, 99) == rest


def test_extra_values_are_kept_by_name_and_taken_away_by_none() -> None:
    secrets = Secrets.draw().with_extra("keyring", {"0xab": b"secret"})
    assert secrets.extra["keyring"] == {"0xab": b"secret"}
    assert secrets.with_extra("keyring", None).extra == {}


def test_another_seal_key_leaves_the_twins() -> None:
    secrets = Secrets.draw().with_twin(D, 7, TwinSecrets.draw())
    assert secrets.with_seal_key(SEAL_KEY).twins == secrets.twins
    assert secrets.with_seal_key(SEAL_KEY).seal_key == SEAL_KEY


def test_former_seal_keys_are_kept_newest_first() -> None:
    first = Secrets.draw()
    second, third = SealKey.generate(), SealKey.generate()
    changed = first.with_seal_key(second).with_seal_key(third)
    assert changed.seal_keys == (third, second, first.seal_key)
    assert Secrets.from_bytes(changed.to_bytes()).seal_keys == changed.seal_keys
    assert changed.with_seal_key(third).seal_keys == changed.seal_keys, "the same key again changes nothing"


def test_the_next_seal_key_waits_until_it_is_the_present_one() -> None:
    present, coming = Secrets.draw(), SealKey.generate()
    assert present.next_seal_key is None
    waiting = present.with_next_seal_key(coming)
    assert (waiting.seal_key, waiting.next_seal_key) == (present.seal_key, coming)
    assert Secrets.from_bytes(waiting.to_bytes()).next_seal_key == coming
    assert waiting.with_seal_key(coming).next_seal_key is None
    assert waiting.with_seal_key(coming).with_next_seal_key(coming).with_seal_key(coming).next_seal_key is None


@pytest.mark.parametrize(
    ("generations", "tags"),
    [
        ({}, TAGS),
        ({-1: bytes(32)}, TAGS),
        ({2**32: bytes(32)}, TAGS),
        ({0: bytes(31)}, TAGS),
        ({0: bytes(32)}, TAGS[:31]),
    ],
)
def test_secrets_of_a_wrong_size_are_refused(generations: dict[int, bytes], tags: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"twin|tag keys"):
        TwinSecrets(generations, BITS, tags)
    assert TwinSecrets({0: bytes(32)}, BITS, TAGS).latest == 0


def test_malformed_content_is_refused_and_newer_content_asks_for_an_update() -> None:
    good = decode(Secrets.draw().with_twin(D, 7, TwinSecrets.draw()).to_bytes())
    twin = good["twins"][D]["7"]
    for bad in (
        {},
        {**good, "seal": bytes(95)},
        {**good, "twins": {D: []}},
        {**good, "twins": {D: {"7": {}}}},
        {**good, "twins": {D: {"7": {**twin, "generations": {"x": bytes(32)}}}}},
        {**good, "twins": {D: {"7": {**twin, "tags": [1] * 32}}}},
        {**good, "twins": {D: {"7": {**twin, "bits": {}}}}},
    ):
        with pytest.raises(IntegrityError):
            Secrets.from_bytes(encode(bad))
    with pytest.raises(KeyFileError, match="newer dtledger"):
        Secrets.from_bytes(encode({**good, "version": 2}))
    assert Secrets.from_bytes(encode(good)).has_twin(D, 7)
