"""Category bits: hidden from outsiders, provable one at a time, with one meaning each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.crypto import merkle
from dtledger.crypto.bits import BitMap, BitProof, verify
from dtledger.encoding import decode, encode
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.vocabulary import CATEGORIES, Reason
from dtledger.vocabulary.categories import CATEGORY_BITS
from tests.crypto import naive

WHOLE = BitMap.draw()
PART = WHOLE.only(["glucose", "insulin"])
NAMES = [category.name for category in CATEGORIES]


def number_of(bits: BitMap, bit: int) -> int:
    opening = bits.openings[bit]
    assert opening
    return opening[0]


def test_a_drawn_map_is_a_permutation_of_all_numbers_the_free_ones_included() -> None:
    assert sorted(number_of(WHOLE, bit) for bit in range(CATEGORY_BITS)) == list(range(CATEGORY_BITS))
    assert sorted(WHOLE.bit_of(name) for name in NAMES) == sorted(
        bit for bit in range(CATEGORY_BITS) if number_of(WHOLE, bit) < len(NAMES)
    )


def test_each_twin_draws_its_own() -> None:
    maps = [BitMap.draw() for _ in range(4)]
    assert len({tuple(number_of(bits, bit) for bit in range(CATEGORY_BITS)) for bits in maps}) == 4
    assert len({bits.root for bits in maps}) == 4


def test_names_and_masks_answer_each_other() -> None:
    for name in NAMES:
        assert WHOLE.name_of(WHOLE.bit_of(name)) == name
    mask = WHOLE.mask(["glucose", "notes"])
    assert mask.bit_count() == 2
    assert sorted(WHOLE.names_in(mask)) == ["glucose", "notes"]
    assert WHOLE.mask([]) == 0


def test_a_free_number_is_shown_as_its_bit() -> None:
    bit = next(bit for bit in range(CATEGORY_BITS) if number_of(WHOLE, bit) >= len(NAMES))
    assert WHOLE.name_of(bit) == f"bit {bit}"


def test_a_part_knows_its_own_names_alone() -> None:
    assert PART.bit_of("glucose") == WHOLE.bit_of("glucose")
    assert PART.root == WHOLE.root
    unknown = WHOLE.bit_of("genomics")
    assert PART.name_of(unknown) == f"bit {unknown}"
    assert PART.names_in(WHOLE.mask(["genomics", "glucose"])) == tuple(
        WHOLE.name_of(bit) if bit != unknown else f"bit {bit}" for bit in sorted([unknown, WHOLE.bit_of("glucose")])
    )


def test_an_asker_without_a_bit_gets_category_never_a_guess() -> None:
    asks: list[Callable[[BitMap], int]] = [
        lambda part: part.bit_of("genomics"),
        lambda part: part.mask(["glucose", "genomics"]),
    ]
    for ask in asks:
        with pytest.raises(AccessDeniedError) as refused:
            ask(PART)
        assert refused.value.reason is Reason.CATEGORY
        assert ask(WHOLE.only(["glucose", "genomics"])) == ask(WHOLE)


def test_an_unknown_category_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown category"):
        WHOLE.bit_of("glucos")
    assert WHOLE.bit_of("glucose") in range(CATEGORY_BITS)


def test_the_root_is_the_ordered_tree_of_salted_leaves() -> None:
    level = []
    for bit, opening in enumerate(WHOLE.openings):
        assert opening
        data = bit.to_bytes(32, "big") + opening[0].to_bytes(32, "big") + opening[1]
        level.append(naive.keccak256(naive.keccak256(data)))
    while len(level) > 1:
        level = [naive.keccak256(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    assert WHOLE.root == level[0]


def test_every_bit_is_proved_alone() -> None:
    for bit in range(CATEGORY_BITS):
        proof = WHOLE.prove(bit)
        assert (proof.bit, proof.category) == (bit, number_of(WHOLE, bit))
        verify(WHOLE.root, proof)
        verify(WHOLE.root, BitProof.from_dict(decode(encode(proof.to_dict()))))


def test_a_part_proves_what_it_knows_and_nothing_else() -> None:
    verify(WHOLE.root, PART.prove(PART.bit_of("insulin")))
    with pytest.raises(ValueError, match="not known"):
        PART.prove(WHOLE.bit_of("genomics"))


def test_another_meaning_of_a_bit_cannot_be_proved() -> None:
    proof = WHOLE.prove(13)
    wrong = [
        replace(proof, bit=12),
        replace(proof, category=(proof.category + 1) % CATEGORY_BITS),
        replace(proof, salt=bytes(32)),
        replace(proof, path=proof.path[::-1]),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, bytes(32))),
        replace(proof, path=(bytes(32), *proof.path[1:])),
        replace(proof, bit=13 + CATEGORY_BITS),
        replace(proof, bit=-1),
        replace(proof, salt=proof.salt + b"\0"),
    ]
    for each in wrong:
        with pytest.raises(IntegrityError):
            verify(WHOLE.root, each)
    with pytest.raises(IntegrityError):
        verify(BitMap.draw().root, proof)
    verify(WHOLE.root, proof)


def test_an_owner_cannot_prove_two_meanings_of_one_bit() -> None:
    def hash_of(bit: int, number: int) -> bytes:
        return merkle.leaf(bit.to_bytes(32, "big") + number.to_bytes(32, "big") + bytes(32))

    # A crooked owner writes a second leaf for bit 0 in the place of bit 1's.
    honest = [hash_of(bit, bit) for bit in range(CATEGORY_BITS)]
    crooked = [honest[0], hash_of(0, 22), *honest[2:]]
    bits = BitMap(tuple(crooked), (None,) * CATEGORY_BITS)
    path = BitMap(tuple(crooked), ((0, bytes(32)), *(None,) * (CATEGORY_BITS - 1))).prove(0).path
    verify(bits.root, BitProof(0, 0, bytes(32), path))
    with pytest.raises(IntegrityError):
        verify(bits.root, BitProof(0, 22, bytes(32), (crooked[0], *path[1:])))
    # In a tree of sorted pairs, which shows no places, both meanings would pass.
    tree = merkle.MerkleTree(crooked)
    merkle.verify(tree.root, crooked[0], tree.proof(0))
    merkle.verify(tree.root, crooked[1], tree.proof(1))


def test_guessing_meanings_from_the_leaves_fails_without_the_salts() -> None:
    def meanings(bits: BitMap, salt: bytes) -> set[tuple[int, int]]:
        return {
            (bit, number)
            for bit in range(CATEGORY_BITS)
            for number in range(CATEGORY_BITS)
            if merkle.leaf(bit.to_bytes(32, "big") + number.to_bytes(32, "big") + salt) == bits.leaves[bit]
        }

    opening = WHOLE.openings[13]
    assert opening
    assert meanings(PART, bytes(32)) == set()
    assert meanings(PART, opening[1]) == {(13, opening[0])}


@pytest.mark.parametrize("bits", [WHOLE, PART], ids=["whole", "part"])
def test_a_map_survives_its_encoding(bits: BitMap) -> None:
    assert BitMap.from_dict(decode(encode(bits.to_dict()))) == bits


def damaged_maps() -> dict[str, Any]:
    good = PART.to_dict()
    (bit, number, salt), second = good["known"]
    return {
        "not a map": [],
        "no leaves": {"known": good["known"]},
        "too few leaves": good | {"leaves": good["leaves"][1:]},
        "a short leaf": good | {"leaves": [b"x", *good["leaves"][1:]]},
        "leaves in another order": good | {"leaves": good["leaves"][::-1]},
        "another bit": good | {"known": [[(bit + 1) % 32, number, salt]]},
        "another category": good | {"known": [[bit, (number + 1) % 32, salt]]},
        "another salt": good | {"known": [[bit, number, bytes(32)]]},
        "no such bit": good | {"known": [[32, number, salt]]},
        "a negative bit": good | {"known": [[-1, number, salt]]},
        "a short salt": good | {"known": [[bit, number, salt[1:]]]},
        "told twice": good | {"known": [[bit, number, salt], [bit, number, salt], second]},
        "a row of two": good | {"known": [[bit, number]]},
    }


@pytest.mark.parametrize("fault", damaged_maps())
def test_a_damaged_map_is_refused(fault: str) -> None:
    with pytest.raises(IntegrityError):
        BitMap.from_dict(damaged_maps()[fault])
    assert BitMap.from_dict(PART.to_dict()) == PART


def test_two_bits_cannot_claim_one_category() -> None:
    def leaves(second: int) -> tuple[bytes, ...]:
        numbers = [5, second]
        data = [bit.to_bytes(32, "big") + number.to_bytes(32, "big") + bytes(32) for bit, number in enumerate(numbers)]
        return (*(merkle.leaf(each) for each in data), *(bytes(32),) * 30)

    with pytest.raises(IntegrityError, match="one category"):
        BitMap(leaves(5), ((5, bytes(32)), (5, bytes(32)), *(None,) * 30))
    assert BitMap(leaves(6), ((5, bytes(32)), (6, bytes(32)), *(None,) * 30)).bit_of("spo2") == 0


@pytest.mark.parametrize(
    "change", [{"bit": 32}, {"category": -1}, {"salt": b""}, {"path": []}, {"path": [b"x"] * 5}, {"bit": "13"}]
)
def test_a_damaged_proof_is_refused(change: dict[str, Any]) -> None:
    good = WHOLE.prove(13).to_dict()
    with pytest.raises(IntegrityError, match="malformed"):
        BitProof.from_dict(good | change)
    verify(WHOLE.root, BitProof.from_dict(good))


def test_no_repr_shows_a_salt_or_a_meaning() -> None:
    assert repr(PART) == "BitMap(2 of 32 bits known)"
    proof = WHOLE.prove(13)
    assert repr(proof) == f"BitProof(bit=13, category={proof.category})"


def test_a_map_has_32_bits() -> None:
    with pytest.raises(ValueError, match="32"):
        BitMap(WHOLE.leaves[1:], WHOLE.openings[1:])
    assert BitMap(WHOLE.leaves, WHOLE.openings) == WHOLE
