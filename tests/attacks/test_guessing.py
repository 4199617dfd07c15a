"""What can be guessed is not found: names, values, times, meanings of bits, categories of streams.

The searches are those of `outsider`; each finds something as soon as the code is careless in its matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from dtledger.client import writing_terms
from dtledger.crypto import bits, content
from dtledger.crypto.bits import BitMap
from dtledger.crypto.merkle import leaf
from dtledger.encoding import sha256
from dtledger.keys import secrets as key_secrets
from dtledger.readings import Reading
from dtledger.snapshots import manifest as manifest_module
from dtledger.snapshots.manifest import Manifest
from dtledger.testing import World
from dtledger.vocabulary.categories import CATEGORY_BITS

from .outsider import SEARCHES, Known, Public, of_world

HOURS = 3


def odd_readings(end: int, unit: str) -> tuple[Reading, ...]:
    """Readings at odd seconds with values that no chance makes."""
    return tuple(
        Reading(end - 3600 * hour - 217 * place - 13, 5.1234567 + hour + place / 7, unit)
        for hour in range(HOURS)
        for place in range(7)
    )


def tell(world: World) -> Known:
    """Write two categories; what an outsider knows of that."""
    end = world.clock() // 3600 * 3600
    readings = {"glucose": odd_readings(end, "mmol/L"), "heart-rate": odd_readings(end, "/min")}
    terms = writing_terms(list(readings), world.clock(), 86_400, back_to=world.readings[0].minute - 600)
    world.patient.consents.grant(world.twin, world.gateway.address, terms)
    for name, written in readings.items():
        world.gateway.writer.put(world.twin, name, written)
    people = ("patient", "hospital", "clinician", "gateway", "operator", "custodian-1")
    clients = (world.patient, world.hospital, world.clinician, world.gateway, world.operator)
    return Known(people, tuple(each.address for each in clients), (world.twin,), readings)


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Public, Known]]:
    with World(hours=1) as world:
        known = tell(world)
        yield of_world(world), known


def search(name: str, told: tuple[Public, Known]) -> list[str]:
    return SEARCHES[name](*told)


def test_no_name_of_a_category_unit_purpose_or_person_is_in_the_open(told: tuple[Public, Known]) -> None:
    assert search("texts", told) == []
    public, known = told
    for name in ("clinician", "Clinician", "heart-rate", "mmol/L", "HRESCH"):
        with_a_name = Public(public.pieces | {"block": b"\0" + name.encode() + b"\0"})
        assert search("texts", (with_a_name, known)), "in a block it would be found"


def test_no_value_is_in_the_open(told: tuple[Public, Known]) -> None:
    assert search("values", told) == []


def test_no_time_finer_than_a_minute_is_in_the_open(told: tuple[Public, Known]) -> None:
    assert search("times", told) == []


def test_the_meaning_of_no_bit_can_be_guessed_from_the_card(told: tuple[Public, Known]) -> None:
    assert search("bits", told) == []


def test_the_category_of_no_stream_can_be_guessed_from_its_label(told: tuple[Public, Known]) -> None:
    assert search("labels", told) == []


def test_no_hash_of_what_can_be_guessed_is_in_the_open(told: tuple[Public, Known]) -> None:
    assert search("hashes", told) == []


def test_no_length_tells_how_many_readings_there_are(told: tuple[Public, Known]) -> None:
    assert search("sizes", told) == []


def test_a_grantee_cannot_guess_the_bits_that_it_was_not_told() -> None:
    """Its package holds all 32 leaves, so that it can check the card; their salts keep the others' meanings."""
    whole = BitMap.draw()
    part = whole.only(["glucose"])
    guesses = {
        leaf(bit.to_bytes(32, "big") + number.to_bytes(32, "big") + salt)
        for bit in range(CATEGORY_BITS)
        for number in range(CATEGORY_BITS)
        for salt in (bytes(32), b"\xff" * 32, bit.to_bytes(32, "big"), number.to_bytes(32, "big"))
    }
    assert guesses.isdisjoint(part.leaves)
    known = [opening for opening in part.openings if opening]
    assert len(known) == 1


# the same searches where the code is careless -------------------------------------------------------------------------


def in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    def encrypt(key: object, plaintext: bytes, context: bytes) -> list[bytes]:
        return [plaintext + bytes(16)]

    monkeypatch.setattr(content, "encrypt", encrypt)


def unpadded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "padme", lambda length: length)


def bits_in_order_without_salts(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(cls: type[BitMap]) -> BitMap:
        openings = tuple((number, bytes(32)) for number in range(CATEGORY_BITS))
        return BitMap(tuple(bits._leaf(bit, *opening) for bit, opening in enumerate(openings)), openings)

    monkeypatch.setattr(BitMap, "draw", classmethod(draw))


def tag_keys_that_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tuple(number.to_bytes(32, "big") for number in range(CATEGORY_BITS))
    monkeypatch.setattr(key_secrets, "draw_tag_keys", lambda: keys)


def a_hash_of_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest commits to the plaintext instead of to the key."""
    true = content.encrypt
    seen: list[bytes] = []

    def encrypt(key: content.ContentKey, plaintext: bytes, context: bytes) -> list[bytes]:
        seen.append(plaintext)
        return true(key, plaintext, context)

    sign = Manifest.sign

    def sign_hash(manifest: Manifest, *arguments: object) -> bytes:
        return sign(replace(manifest, commitment=sha256(seen[-1])), *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(content, "encrypt", encrypt)
    monkeypatch.setattr(manifest_module.Manifest, "sign", sign_hash)


CARELESS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Sequence[str]]] = {
    "content in the clear": (in_the_clear, ["texts", "values", "times", "sizes"]),
    "content without padding": (unpadded, ["sizes"]),
    "bits in order without salts": (bits_in_order_without_salts, ["bits"]),
    "tag keys that are numbers": (tag_keys_that_are_numbers, ["labels"]),
    "a hash of the content": (a_hash_of_the_content, ["hashes"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CARELESS)
def test_each_search_finds_what_careless_code_leaves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    careless, searches = CARELESS[name]
    careless(monkeypatch)
    with World(hours=1) as world:
        known = tell(world)
        public = of_world(world)
    for each in SEARCHES:
        assert bool(search(each, (public, known))) is (each in searches), each
