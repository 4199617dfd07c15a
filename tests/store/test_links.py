"""The links of a block are found in one pass, in any DAG-CBOR, and nothing else passes for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import IntegrityError
from dtledger.store import BlockMissingError, links, whole

cids = st.builds(CID, st.binary(min_size=32, max_size=32), st.sampled_from(["raw", "dag-cbor"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
    | cids,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def links_of(value: Any) -> list[CID]:
    """The same by walking the value. A map stands in a block with its keys sorted, so only the set is compared."""
    if isinstance(value, CID):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [link for part in parts for link in links_of(part)]


@pytest.mark.slow
@given(values)
def test_the_links_are_those_that_the_value_holds(value: Any) -> None:
    data = encode(value)
    found = links(block_cid(data), data)
    assert set(found) == set(links_of(value))
    assert len(found) == len(set(found))


@given(st.lists(cids))
def test_the_links_keep_their_order(listed: list[CID]) -> None:
    data = encode(listed)
    assert links(block_cid(data), data) == list(dict.fromkeys(listed))


def test_raw_bytes_have_no_links_whatever_they_look_like() -> None:
    data = encode([block_cid(b"other")])
    assert links(block_cid(data, "raw"), data) == []


def test_bytes_inside_a_string_that_look_like_a_link_are_none() -> None:
    data = encode({"content": encode(block_cid(b"other"))})
    assert links(block_cid(data), data) == []


@pytest.mark.slow
@given(values, st.data())
def test_a_block_cut_short_or_made_longer_is_refused(value: Any, data: st.DataObject) -> None:
    whole_block = encode(value)
    cut = data.draw(st.integers(0, len(whole_block) - 1))
    for broken in (whole_block[:cut], whole_block + b"\0"):
        with pytest.raises(IntegrityError):
            links(block_cid(broken), broken)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x9f\xff",  # an array without a length
        b"\x5f\x41a\xff",  # bytes without a length
        b"\xc1\x00",  # a tag other than 42
        b"\xd8\x2a\x00",  # a link that is a number
        b"\xd8\x2a\x41\x00",  # a link without a CID
        b"\xd8\x2a\x58\x25\x01" + bytes(block_cid(b"")),  # a link without the zero in front
        b"\xd8\x2a\x58\x25\x00" + bytes(block_cid(b""))[:-1],  # a link cut short
        b"\xd8\x2a\x58\x24\x00" + bytes(block_cid(b""))[:-1],  # a link with a byte too few
        b"\xd8\x2a\x58\x26\x00" + bytes(block_cid(b"")) + b"\0",  # a link with a byte too many
        b"\xd8\x2b\x58\x25\x00" + bytes(block_cid(b"")),  # a link under another tag
        b"\xf7",  # undefined
        b"\xf9\x3c\x00",  # a short float
        b"\x9b" + b"\xff" * 8,  # 2**64 - 1 items
        b"\x5b" + b"\xff" * 8,  # 2**64 - 1 bytes
    ],
)
def test_what_is_not_dag_cbor_is_refused_and_its_block_named(broken: bytes) -> None:
    cid = block_cid(broken)
    with pytest.raises(IntegrityError) as caught:
        links(cid, broken)
    assert caught.value.block == str(cid)


@given(st.binary())
def test_any_bytes_have_links_or_are_refused(data: bytes) -> None:
    with suppress(IntegrityError):
        links(block_cid(data), data)


def test_nesting_is_refused_before_it_costs_anything() -> None:
    data = b"\x81" * 100_000 + b"\x00"
    with pytest.raises(IntegrityError):
        links(block_cid(data), data)
    fewer = b"\x81" * 50 + b"\x00"
    assert links(block_cid(fewer), fewer) == []


def test_an_export_with_one_block_more_twice_or_less_is_refused_and_whole_without_that() -> None:
    leaf = (block_cid(b"leaf", "raw"), b"leaf")
    data = encode([leaf[0]])
    root = (block_cid(data), data)
    stray = (block_cid(b"stray", "raw"), b"stray")
    assert list(whole(root[0], [root, leaf], "a store")) == [root, leaf]
    for blocks in ([root, stray], [root, leaf, leaf], [root, leaf, root], [leaf, root]):
        with pytest.raises(IntegrityError, match="twice or without a link") as caught:
            list(whole(root[0], blocks, "a store"))
        assert caught.value.party == "a store"
    for blocks, missing in (([], root), ([root], leaf)):
        with pytest.raises(BlockMissingError) as lost:
            list(whole(root[0], blocks, "a store"))
        assert lost.value.cid == missing[0]


def test_an_export_that_ends_early_names_the_block_that_depth_first_comes_next() -> None:
    first, second, third = (block_cid(data, "raw") for data in (b"first", b"second", b"third"))
    inner = encode([second, first])
    root = encode([block_cid(inner), first, second, third])
    with pytest.raises(BlockMissingError) as caught:
        list(whole(block_cid(root), [(block_cid(root), root), (block_cid(inner), inner)], "a store"))
    assert caught.value.cid == second
