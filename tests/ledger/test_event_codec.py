"""Topics are decoded as the ABI's own decoder does it."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from dtledger._backend.event_codec import _indexed
from dtledger.errors import ChainMismatchError

KINDS = ("address", "uint256", "uint64", "uint32", "bytes32")


@given(st.sampled_from(KINDS), st.binary(min_size=32, max_size=32), st.integers(0, 32))
def test_a_topic_is_what_the_abi_says_or_none(kind: str, word: bytes, zeros: int) -> None:
    topic = bytes(zeros) + word[zeros:]
    try:
        (expected,) = decode([kind], topic)
    except DecodingError:
        with pytest.raises(ChainMismatchError):
            _indexed(kind, topic)
    else:
        assert _indexed(kind, topic) == expected
