"""The word that a grant is packed into, and the values of a question: each field keeps to its bits."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.policy import EMPTY, MAX_EPOCH, MAX_REVISION, Grant, Member
from dtledger.types import MAX_MINUTE, Period
from tests.questions import GRANT, REQUEST

words = st.builds(
    Grant,
    categories=st.integers(0, 2**32 - 1),
    purposes=st.integers(0, 2**32 - 1),
    not_before_at=st.integers(0, 2**40 - 1),
    expires_at=st.integers(0, 2**40 - 1),
    data=st.tuples(st.integers(0, MAX_MINUTE), st.integers(0, MAX_MINUTE)).map(sorted).map(lambda ends: Period(*ends)),
    actions=st.integers(0, 255),
    revision=st.integers(0, MAX_REVISION),
    epoch=st.integers(0, MAX_EPOCH),
)


WIDTHS = {
    "categories": 32,
    "purposes": 32,
    "not_before_at": 40,
    "expires_at": 40,
    "actions": 8,
    "revision": 16,
    "epoch": 24,
}


class TestAWord:
    @given(words)
    def test_is_the_same_after_packing(self, grant: Grant) -> None:
        assert Grant.unpack(grant.pack()) == grant
        assert 0 <= grant.pack() < 1 << 256
        assert (grant.terms.revision, grant.terms.epoch) == (0, 0)

    @pytest.mark.parametrize(("name", "bits"), WIDTHS.items())
    def test_keeps_each_field_to_its_last_bit_and_apart_from_the_others(self, name: str, bits: int) -> None:
        full = replace(EMPTY, **{name: 2**bits - 1})
        assert Grant.unpack(full.pack()) == full

    @pytest.mark.parametrize("bit", [78, 79, 110, 111])
    def test_of_minutes_that_no_key_tree_has_is_no_grant(self, bit: int) -> None:
        with pytest.raises(ValueError, match="a period must run forwards"):
            Grant.unpack(1 << bit)
        assert Grant.unpack(0) == EMPTY

    @pytest.mark.parametrize(
        "change",
        [
            {"categories": 2**32},
            {"purposes": 2**40},
            {"actions": 256},
            {"revision": 2**16},
            {"epoch": -1},
            {"expires_at": 2**40},
        ],
    )
    def test_holds_no_more_than_its_bits(self, change: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="does not fit"):
            replace(GRANT, **change).pack()
        assert GRANT.pack()


class TestValues:
    @pytest.mark.parametrize(
        ("value", "name"), [(GRANT, "actions"), (Member(0, None, 1), "kinds"), (REQUEST, "number")]
    )
    def test_are_never_changed_and_hold_nothing_else(self, value: Any, name: str) -> None:
        assert replace(value) == value
        assert len({value, replace(value)}) == 1
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 1)
        assert not hasattr(value, "__dict__")
