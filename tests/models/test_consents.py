"""Consent leaves and roots: what patient and site both derive, and nobody mistakes for another's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.crypto.tags import link_key
from dtledger.encoding import address, encode
from dtledger.errors import InputError, IntegrityError
from dtledger.models.consents import MAX_LEAVES, decode_leaves, encode_leaves, leaf, ordered, root
from dtledger.models.update import commitment
from dtledger.store import MAX_BLOCK_BYTES
from dtledger.types import Address, Digest
from tests import vectors
from tests.crypto.vectors import some_bytes
from tests.models import naive

FIXED = vectors.load("consents.json")
SITE, OTHER = address(FIXED["site"]), Address("0x" + "22" * 20)
LINK = some_bytes("link")
ONE: dict[str, Any] = {"link": LINK, "deployment": "here", "model": 1, "number": 2, "site": SITE, "twin": 7}

digests = st.binary(min_size=32, max_size=32).map(Digest)
sets_of_leaves = st.lists(digests, min_size=1, max_size=40, unique=True)


class TestALeaf:
    @pytest.mark.parametrize("row", FIXED["twins"], ids=lambda row: f"twin {row['twin']}")
    def test_is_fixed_and_so_is_its_link_key(self, row: dict[str, Any]) -> None:
        link = link_key(bytes.fromhex(row["secret"]), row["generation"], row["twin"], address(row["grantee"]))
        assert link.hex() == row["link"]
        made = leaf(link, FIXED["deployment"], FIXED["model"], FIXED["round"], SITE, row["twin"])
        assert made.hex() == row["leaf"]

    @given(
        st.binary(min_size=32, max_size=32),
        st.text(max_size=40),
        *[st.integers(0, 2**64 - 1)] * 3,
        st.binary(min_size=20, max_size=20),
    )
    def test_is_what_a_second_implementation_makes(
        self, link: bytes, deployment: str, model: int, number: int, twin: int, site: bytes
    ) -> None:
        who = address("0x" + site.hex())
        made = leaf(link, deployment, model, number, who, twin)
        assert made == naive.leaf(link, deployment, model, number, who, twin)

    @pytest.mark.parametrize(
        "other",
        [
            {"link": some_bytes("another link")},
            {"deployment": "elsewhere"},
            {"model": 2},
            {"number": 3},
            {"site": OTHER},
            {"twin": 8},
            {"model": 2, "number": 1},
            {"model": 7, "twin": 1},
        ],
        ids=" and ".join,
    )
    def test_is_another_one_for_another(self, other: dict[str, Any]) -> None:
        assert leaf(**ONE | other) != leaf(**ONE)
        assert leaf(**ONE | dict(ONE)) == leaf(**ONE)

    @pytest.mark.parametrize("length", [0, 16, 31, 33])
    def test_is_under_a_key_of_thirty_two_bytes(self, length: int) -> None:
        with pytest.raises(ValueError, match=f"32 bytes, not {length}"):
            leaf(**ONE | {"link": bytes(length)})
        assert leaf(**ONE | {"link": bytes(32)})


class TestARoot:
    def test_is_fixed(self) -> None:
        leaves = [Digest(bytes.fromhex(each["leaf"])) for each in FIXED["twins"]]
        assert [root(ordered(leaves[: count + 1])).hex() for count in range(len(leaves))] == FIXED["roots"]
        assert encode_leaves(ordered(leaves)).hex() == FIXED["block"]

    @given(sets_of_leaves.flatmap(lambda leaves: st.tuples(st.just(leaves), st.permutations(leaves))))
    def test_does_not_tell_in_which_order_the_twins_came(self, both: tuple[list[Digest], list[Digest]]) -> None:
        one, other = both
        assert ordered(one) == ordered(other)
        assert root(ordered(one)) == root(ordered(other)) == naive.root(list(one))

    @given(sets_of_leaves, digests)
    def test_changes_with_every_leaf(self, leaves: list[Digest], another: Digest) -> None:
        whole = root(ordered(leaves))
        if another not in leaves:
            assert root(ordered([*leaves, another])) != whole
            assert root(ordered([another, *leaves[1:]])) != whole
        if len(leaves) > 1:
            assert root(ordered(leaves[1:])) != whole

    @given(sets_of_leaves, st.data())
    def test_has_no_twin_twice(self, leaves: list[Digest], data: st.DataObject) -> None:
        twice = data.draw(st.sampled_from(leaves))
        place = data.draw(st.integers(0, len(leaves)))
        with pytest.raises(InputError, match="twice"):
            ordered([*leaves[:place], twice, *leaves[place:]])
        assert len(ordered(leaves)) == len(leaves)

    def test_has_a_twin_at_least_and_no_more_than_fit_into_a_block(self) -> None:
        most = [Digest(number.to_bytes(32, "big")) for number in range(MAX_LEAVES)]
        with pytest.raises(InputError, match="not 0"):
            ordered([])
        with pytest.raises(InputError, match=f"not {MAX_LEAVES + 1:,}"):
            ordered([*most, Digest(b"\xff" * 32)])
        block = encode_leaves(ordered(most))
        assert len(block) <= MAX_BLOCK_BYTES
        assert decode_leaves(block) == tuple(most)


class TestTheBlockOfLeaves:
    @given(sets_of_leaves)
    def test_gives_back_what_was_put_into_it(self, leaves: list[Digest]) -> None:
        assert decode_leaves(encode_leaves(ordered(leaves))) == ordered(leaves)
        assert encode_leaves(ordered(leaves)) == naive.block(list(leaves))

    ONE, TWO = Digest(b"\1" * 32), Digest(b"\2" * 32)

    @pytest.mark.parametrize(
        "block",
        [
            b"",
            b"\xff",
            encode([ONE, TWO]),
            encode({}),
            encode({"leaves": []}),
            encode({"leaves": ONE}),
            encode({"leaves": [ONE, TWO], "more": 1}),
            encode({"leaves": [TWO, ONE]}),
            encode({"leaves": [ONE, ONE]}),
            encode({"leaves": [ONE, TWO[:31]]}),
            encode({"leaves": [ONE, TWO + b"\0"]}),
            encode({"leaves": [ONE, "2"]}),
            encode({"leaves": [1, 2]}),
            encode({"leaves": [ONE, TWO]}) + b"\0",
            encode({"leaves": [number.to_bytes(32, "big") for number in range(MAX_LEAVES + 1)]}),
        ],
        ids=[
            "empty", "not CBOR", "a list", "an empty map", "no leaf", "a leaf alone", "an entry more", "out of order",
            "a leaf twice", "a short leaf", "a long leaf", "a leaf of text", "numbers", "a byte behind it", "too many",
        ],
    )  # fmt: skip
    def test_is_refused_if_malformed(self, block: bytes) -> None:
        with pytest.raises(IntegrityError):
            decode_leaves(block)
        assert decode_leaves(encode({"leaves": [self.ONE, self.TWO]})) == (self.ONE, self.TWO)

    @given(sets_of_leaves.filter(lambda leaves: len(leaves) > 1), st.randoms())
    def test_is_refused_in_any_other_order(self, leaves: list[Digest], random: Any) -> None:
        shuffled = list(ordered(leaves))
        random.shuffle(shuffled)
        if tuple(shuffled) != ordered(leaves):
            with pytest.raises(IntegrityError, match="malformed"):
                decode_leaves(encode_leaves(shuffled))


@pytest.mark.parametrize("row", FIXED["updates"], ids=lambda row: f"{row['length']} bytes")
def test_the_salted_hash_of_an_update_is_fixed_however_it_is_cut(row: dict[str, Any]) -> None:
    salt, update = bytes.fromhex(FIXED["salt"]), some_bytes("update", row["length"])
    for size in (1 + row["length"] // 7, row["length"] + 1):
        pieces = [update[start : start + size] for start in range(0, len(update), size)]
        assert commitment(salt, pieces).hex() == row["commitment"]


def test_a_salt_is_thirty_two_bytes_so_that_no_byte_of_it_passes_for_the_updates() -> None:
    for length in (0, 31, 33):
        with pytest.raises(ValueError, match=f"32 bytes, not {length}"):
            commitment(bytes(length), [b"update"])
    assert commitment(bytes(32), [b"update"]) != commitment(bytes(32), [b"\0update"])
