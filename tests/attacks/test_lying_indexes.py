"""A gateway that anchors nonsense, leaves out what it anchored, or lies about where it lies.

What a single read cannot see (an earlier index had more, or something else), the check of a stream tells.
"""

from __future__ import annotations

import pytest

from dtledger.readings import Group, Reading
from dtledger.testing import World
from dtledger.types import Digest, Period

from .forging import Change, Forged, Scribe, at, lie, put
from .looking import assert_refused, errors, forged, read

pytestmark = pytest.mark.slow  # each in a world of its own

OTHER = Digest(b"\7" * 32)


def test_a_snapshot_whose_batch_was_never_anchored_is_refused(world: World) -> None:
    scribe = Scribe(world)
    earlier = scribe.write(anchored=False)
    later = Group(Period(scribe.groups()[1].period.end + 1, world.clock() // 60), scribe.groups()[1].readings)
    scribe.write(groups=[later])
    assert_refused(world, scribe, "in no batch", earlier[0].manifest)


def test_of_two_snapshots_with_one_number_the_check_of_the_stream_tells(world: World) -> None:
    """A read sees the newest index; that an earlier one had another snapshot there, only a comparison shows."""
    scribe = Scribe(world)
    scribe.write()
    assert not errors(world)
    scribe.written.pop()
    scribe.rows.pop()
    scribe.write(groups=scribe.groups()[1:], change=lie("manifest", put(commitment=OTHER)))
    [error] = errors(world)
    assert error.party == scribe.address
    assert "an earlier one" in error.message


def test_a_stream_cut_short_is_told_by_the_check_of_the_stream(world: World) -> None:
    scribe = Scribe(world)
    scribe.write()
    scribe.write(groups=scribe.groups(1), change=lie("rows", lambda rows: rows[:1]))
    [error] = errors(world)
    assert error.party == scribe.address


def test_a_stream_left_out_of_the_newest_index_is_told_by_the_check_of_the_twin(world: World) -> None:
    scribe = Scribe(world)
    scribe.write()
    scribe.write(groups=scribe.groups(1), change=lie("index", put(streams=[])))
    [error] = errors(world)
    assert error.party == scribe.address


# larger things -----------------------------------------------------------------------------------------------------


def many(scribe: Scribe, count: int) -> list[Group]:
    """Groups of one reading each, one a minute."""
    end = scribe.world.readings[-1].minute
    readings = [Reading(minute * 60, 50.0, "mmol/L", quality="forged") for minute in range(end - count + 1, end + 1)]
    return [Group(Period(each.minute, each.minute), (each,)) for each in readings]


TREES = {
    "a page lacks its last row": (lie("page", lambda page: {"rows": page["rows"][:-1]}, 0), "does not hold"),
    "a page has a row too many": (lie("page", lambda page: {"rows": page["rows"] * 2}, 1), "does not hold"),
    "a node lacks a page": (lie("node", lambda node: {"children": node["children"][:-1]}), "does not hold"),
    "a node has a page twice": (lie("node", lambda node: {"children": [node["children"][0]] * 2}), "in two places"),
    "a node's pages are exchanged": (lie("node", lambda node: {"children": node["children"][::-1]}), "does not hold"),
    "a node says that a page begins later": (
        lie(
            "node", lambda node: {"children": [at(1, node["children"][0][2])(node["children"][0]), node["children"][1]]}
        ),
        "does not hold",
    ),
    "a node says that a page ends later": (
        lie("node", lambda node: {"children": [at(2, 2**29)(node["children"][0]), node["children"][1]]}),
        "does not hold",
    ),
    "the index counts a page more": (lie("stream", lambda stream: [129, stream[1]]), "does not hold"),
}


@pytest.mark.parametrize("name", TREES)
def test_an_index_that_leaves_out_or_moves_pages_is_refused(name: str, world: World) -> None:
    change, says = TREES[name]
    scribe = Scribe(world)
    scribe.write(change, many(scribe, 66))
    assert_refused(world, scribe, says)


def test_the_same_tree_without_a_lie_is_read(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(groups=many(scribe, 66))
    assert len(forged(read(world))) == 66


def test_a_page_that_its_node_hides_is_found_by_the_check_of_the_stream(world: World) -> None:
    """A node that claims that a page is of another time hides it from reads of its own time."""
    scribe = Scribe(world)
    hide = lie("node", lambda node: {"children": [[node["children"][0][0], 5, 6], node["children"][1]]})
    scribe.write(hide, many(scribe, 66))
    [error] = errors(world)
    assert error.party == scribe.address


BIG = 200_000


def linked(world: World, scribe: Scribe, change: Change) -> list[Forged]:
    """A snapshot of over 64 KiB, whose content lies in blocks of its own."""
    group = scribe.groups(1)[0]
    readings = [
        Reading(group.period.start * 60 + each % 60, each / 7, "mmol/L", quality="big") for each in range(BIG // 16)
    ]
    whole = Group(group.period, tuple(readings))
    return scribe.write(change, [Group(Period(group.period.start, group.period.start), whole.readings)])


def test_linked_content_is_read_and_its_chunks_cannot_be_cut_added_or_exchanged(world: World) -> None:
    scribe = Scribe(world, "honest")
    linked(world, scribe, lambda kind, value, place: value)
    assert len(read(world)) > BIG // 20
    chunk = world.store.put(b"another chunk", "raw")
    for name, change in {
        "added": lambda body: body | {"content": [*body["content"], chunk]},
        "exchanged": lambda body: body | {"content": [chunk]},
        "repeated": lambda body: body | {"content": body["content"] * 2},
    }.items():
        with World(hours=2) as other:
            other.store.put(b"another chunk", "raw")
            liar = Scribe(other)
            written = linked(other, liar, lie("manifest", change))
            assert_refused(other, liar, "does not open", written[0].manifest), name
