"""The key tree gives whole windows of time, in few nodes, and nothing beside them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dtledger.crypto.keytree import DEPTH, MAX_COVER, Deriver, Node, cover, decode_cover, encode_cover, leaf, root
from dtledger.encoding import decode, encode
from dtledger.errors import IntegrityError, KeyFileError
from dtledger.types import MAX_MINUTE, Period
from tests.crypto import naive

ROOT = root(bytes(range(32)), generation=0, category=0)
NOW = 29_000_000

minutes = st.one_of(st.integers(0, MAX_MINUTE), st.integers(NOW - 100, NOW + 100), st.integers(0, 3))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(minutes)
    length = draw(st.one_of(st.integers(0, 200), st.integers(0, MAX_MINUTE)))
    return Period(start, min(start + length, MAX_MINUTE))


@given(periods())
@example(Period(0, MAX_MINUTE))
@example(Period(1, MAX_MINUTE - 1))
@settings(deadline=None)
def test_a_cover_is_exact_and_minimal(period: Period) -> None:
    nodes = cover(ROOT, period)
    assert [(node.depth, node.index) for node in nodes] == naive.tree_cover(period.start, period.end)
    # Exact: the nodes follow one another without gap or overlap, from the first minute to the last.
    assert (nodes[0].period.start, nodes[-1].period.end) == (period.start, period.end)
    assert all(one.period.end + 1 == other.period.start for one, other in pairwise(nodes))
    # Minimal: no node's parent lies within the period, so none could stand for two.
    for node in nodes:
        if node.depth:
            parent = Node(node.depth - 1, node.index // 2, node.key).period
            assert not period.contains(parent)
    assert len(nodes) <= MAX_COVER


def test_the_longest_cover_has_58_nodes() -> None:
    assert len(cover(ROOT, Period(1, MAX_MINUTE - 1))) == MAX_COVER == 58


@given(periods(), st.data())
@settings(deadline=None)
def test_every_minute_inside_a_cover_has_the_leaf_of_the_root(period: Period, data: st.DataObject) -> None:
    nodes = cover(ROOT, period)
    for minute in (period.start, period.end, data.draw(st.integers(period.start, period.end))):
        assert leaf(nodes, minute) == naive.tree_node(ROOT.key, DEPTH, minute)


@given(periods(), minutes)
@settings(deadline=None)
def test_no_minute_outside_a_cover_lies_below_any_of_its_nodes(period: Period, minute: int) -> None:
    nodes = cover(ROOT, period)
    for outside in {minute, period.start - 1, period.end + 1}:
        if not 0 <= outside <= MAX_MINUTE or period.start <= outside <= period.end:
            continue
        assert all(outside >> DEPTH - node.depth != node.index for node in nodes)
        with pytest.raises(KeyFileError):
            leaf(nodes, outside)
        wider = cover(ROOT, Period(min(outside, period.start), max(outside, period.end)))
        assert leaf(wider, outside) == leaf([ROOT], outside)


@given(periods(), st.data())
@settings(deadline=None)
def test_a_cover_narrows_to_the_cover_that_the_root_gives(period: Period, data: st.DataObject) -> None:
    start = data.draw(st.integers(period.start, period.end))
    inner = Period(start, data.draw(st.integers(start, period.end)))
    assert cover(cover(ROOT, period), inner) == cover(ROOT, inner)


def test_a_cover_cannot_be_widened() -> None:
    held = cover(ROOT, Period(NOW, NOW + 59))
    for wider in (Period(NOW - 1, NOW + 59), Period(NOW, NOW + 60), Period(NOW + 60, NOW + 61)):
        with pytest.raises(KeyFileError, match="do not reach"):
            cover(held, wider)
    assert cover(held, Period(NOW, NOW + 59)) == held


@given(periods(), st.lists(minutes, max_size=20))
@settings(deadline=None)
def test_a_deriver_gives_the_same_leaves_in_any_order(period: Period, wanted: list[int]) -> None:
    deriver = Deriver(cover(ROOT, period))
    for minute in wanted:
        if period.start <= minute <= period.end:
            assert deriver.leaf(minute) == naive.tree_node(ROOT.key, DEPTH, minute)
        else:
            with pytest.raises(KeyFileError):
                deriver.leaf(minute)


def test_a_deriver_keeps_no_more_than_one_path() -> None:
    deriver = Deriver([ROOT])
    for minute in range(NOW, NOW + 6000, 37):
        deriver.leaf(minute)
    assert len(deriver._last[2]) == DEPTH + 1


def test_the_ends_of_a_snapshot_are_the_leaves_of_its_first_and_last_minute() -> None:
    deriver = Deriver(cover(ROOT, Period(NOW, NOW + 119)))
    for period in (Period(NOW, NOW + 59), Period(NOW + 60, NOW + 119), Period(NOW + 3, NOW + 3)):
        assert deriver.ends(period) == (leaf([ROOT], period.start), leaf([ROOT], period.end))
    with pytest.raises(KeyFileError):
        deriver.ends(Period(NOW + 60, NOW + 120))


def test_a_deriver_joins_covers_of_separate_windows() -> None:
    nodes = cover(ROOT, Period(NOW, NOW + 59)) + cover(ROOT, Period(NOW + 100, NOW + 159))
    deriver = Deriver(reversed(nodes))
    assert deriver.leaf(NOW + 100) == leaf([ROOT], NOW + 100)
    assert deriver.leaf(NOW + 59) == leaf([ROOT], NOW + 59)
    with pytest.raises(KeyFileError):
        deriver.leaf(NOW + 60)


def test_overlapping_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Deriver([ROOT, ROOT.child(0)])
    assert Deriver([ROOT.child(1), ROOT.child(0)]).leaf(5) == leaf([ROOT], 5)


def test_twins_generations_and_categories_have_roots_of_their_own() -> None:
    secrets = (bytes(32), bytes(31) + b"\1")
    keys = {
        root(secret, generation, number).key for secret in secrets for generation in (0, 1, 256) for number in (0, 1)
    }
    assert len(keys) == 12


def test_a_root_needs_a_whole_secret_and_a_category_that_there_is() -> None:
    for secret, generation, category in ((bytes(31), 0, 0), (bytes(32), 0, 32), (bytes(32), 0, -1)):
        with pytest.raises(ValueError, match=r"32 bytes|category"):
            root(secret, generation, category)
    for generation in (-1, 2**32):
        with pytest.raises(OverflowError):
            root(bytes(32), generation, 0)
    assert root(bytes(32), 0, 31).depth == 0


@given(periods())
@settings(deadline=None)
def test_a_cover_survives_its_encoding(period: Period) -> None:
    nodes = cover(ROOT, period)
    assert decode_cover(decode(encode(encode_cover(nodes)))) == nodes


ROW: list[Any] = [DEPTH, 5, bytes(32)]


@pytest.mark.parametrize(
    "damaged",
    [
        {"nodes": [ROW]},
        [ROW[:2]],
        [[*ROW, 0]],
        [["30", 5, bytes(32)]],
        [[DEPTH, 5, bytes(31)]],
        [[DEPTH + 1, 5, bytes(32)]],
        [[-1, 0, bytes(32)]],
        [[DEPTH, 2**30, bytes(32)]],
        [[DEPTH, -1, bytes(32)]],
        [ROW, ROW],
        [ROW, [29, 2, bytes(32)]],
        [[DEPTH, 6, bytes(32)], ROW],
    ],
)
def test_a_damaged_cover_is_refused(damaged: object) -> None:
    with pytest.raises(IntegrityError):
        decode_cover(damaged)
    assert decode_cover([ROW, [DEPTH, 6, bytes(32)]]) == (Node(*ROW), Node(DEPTH, 6, bytes(32)))


def test_no_repr_and_no_message_shows_a_key() -> None:
    node = cover(ROOT, Period(NOW, NOW))[0]
    deriver = Deriver([node])
    deriver.leaf(NOW)
    with pytest.raises(KeyFileError) as refused:
        deriver.leaf(NOW + 1)
    shown = f"{node!r} {deriver!r} {refused.value} {refused.value!r}"
    assert node.key.hex() not in shown
    assert repr(node.key) not in shown
