"""What amendments make of values: nothing is lost, and the order in which they are found does not matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.client import TwinReading
from dtledger.client.corrections import Corrections
from dtledger.encoding import address
from dtledger.errors import IntegrityError
from dtledger.ledger import Batch
from dtledger.readings import Content
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.manifest import Manifest
from dtledger.types import ZERO_DIGEST, Digest, Period

pytestmark = pytest.mark.slow

HOUR = 1_800_000_000
PERIOD = Period(HOUR // 60, HOUR // 60 + 59)
ONE, OTHER = address("0x" + "11" * 20), address("0x" + "22" * 20)
NOBODY = cast(Finder, None)
"""No finder is asked where all that is corrected was come past."""

Said = tuple[int, float]
"""Second of the hour, and value."""


@dataclass(frozen=True)
class Step:
    """One snapshot: which of those before it corrects (None: none), what it replaces, and what it says."""

    corrects: int | None
    replaces: tuple[int, ...] | None
    says: tuple[Said, ...]


says = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([5.0, 6.0])), max_size=4, unique=True).map(tuple)


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """An original, perhaps another, and corrections of whatever stands before."""
    story = [Step(None, None, draw(says))]
    for place in range(1, draw(st.integers(1, 6))):
        corrects = draw(st.none() | st.integers(0, place - 1))
        times = draw(st.none() | st.lists(st.integers(0, 3), min_size=1, unique=True).map(tuple))
        story.append(Step(corrects, times if corrects is not None else None, draw(says)))
    return story


def digest(place: int) -> Digest:
    return Digest(bytes(31) + bytes([place]))


def found(place: int, corrects: int | None, block: int | None = None, *, counts: bool = True) -> Found:
    target = None if corrects is None else digest(corrects)
    manifest = Manifest(7, ZERO_DIGEST, place, PERIOD, 0, ZERO_DIGEST, ZERO_DIGEST, b"", target)
    writer = (ONE, OTHER)[place % 2]
    batch = Batch(writer, ZERO_DIGEST, 1, ZERO_DIGEST, place if block is None else block, HOUR + 3600)
    return Found(
        manifest, digest(place), writer, cast(Any, None), batch, counts, {}, cast(Any, None), writer, ZERO_DIGEST, False
    )


def values(story: Sequence[Step]) -> list[TwinReading]:
    return [
        TwinReading(datetime.fromtimestamp(HOUR + second, UTC), value, "mmol/L", "", digest(place).hex())
        for place, step in enumerate(story)
        for second, value in step.says
    ]


def settled(story: Sequence[Step], order: Sequence[int]) -> list[TwinReading]:
    corrections = Corrections()
    for place in order:
        step = story[place]
        corrections.see([found(place, step.corrects)])
        if step.corrects is not None:
            times = None if step.replaces is None else tuple(HOUR + each for each in step.replaces)
            corrections.open(found(place, step.corrects), Content("glucose", (), "why", times))
    assert corrections.settle(NOBODY, "glucose", partial=False) == {}
    return corrections.apply(values(story))[0]


def model(story: Sequence[Step]) -> Counter[Said]:
    """What stands, by a naive account of it: each family is a set that corrections take from and add to."""
    root: dict[int, int] = {}
    standing: dict[int, set[Said]] = {}
    for place, step in enumerate(story):
        root[place] = place if step.corrects is None else root[step.corrects]
        family = standing.setdefault(root[place], set())
        if step.corrects is not None:
            family -= {each for each in family if step.replaces is None or each[0] in step.replaces}
        family |= set(step.says)
    return Counter(each for family in standing.values() for each in family)


def said(values: Sequence[TwinReading]) -> Counter[Said]:
    return Counter((int(each.at.timestamp()) - HOUR, each.value) for each in values)


@given(stories())
def test_what_stands_is_what_a_naive_account_says(story: list[Step]) -> None:
    standing = {each for each in settled(story, range(len(story))) if not each.superseded_by}
    assert set(said(list(standing))) == set(model(story))


@given(stories())
def test_every_value_that_was_ever_said_is_there_unless_a_correction_repeats_what_stood(story: list[Step]) -> None:
    after = settled(story, range(len(story)))
    before = values(story)
    plain = Counter((each.at, each.value, each.snapshot) for each in after)
    assert plain <= Counter((each.at, each.value, each.snapshot) for each in before)
    assert set(said(after)) == set(said(before))
    originals = [each for each in before if story[int(each.snapshot, 16)].corrects is None]
    assert Counter((each.at, each.value, each.snapshot) for each in originals) <= plain


@given(stories())
def test_what_stands_no_more_names_a_later_correction_of_its_own_family(story: list[Step]) -> None:
    root: dict[int, int] = {}
    for place, step in enumerate(story):
        root[place] = place if step.corrects is None else root[step.corrects]
    for each in settled(story, range(len(story))):
        own = int(each.snapshot, 16)
        assert each.corrected == (story[own].corrects is not None)
        if each.superseded_by:
            by = int(each.superseded_by, 16)
            assert by > own
            assert root[by] == root[own]


@given(stories().flatmap(lambda story: st.tuples(st.just(story), st.permutations(range(len(story))))))
def test_the_order_in_which_snapshots_are_found_does_not_matter(what: tuple[list[Step], list[int]]) -> None:
    story, order = what
    assert set(settled(story, order)) == set(settled(story, range(len(story))))


@given(st.lists(says, max_size=3))
def test_without_corrections_values_are_left_as_they_are(hours: list[tuple[Said, ...]]) -> None:
    story = [Step(None, None, each) for each in hours]
    assert settled(story, range(len(story))) == values(story)


@pytest.mark.parametrize("blocks", [(5, 5), (5, 6), (6, 5)])
def test_two_that_correct_each_other_are_refused_and_end(blocks: tuple[int, int]) -> None:
    """No one can make them, for each would hold the other's hash; if somebody could, one was not anchored before."""
    for partial in (True, False):
        corrections = Corrections()
        corrections.see([found(0, 1, blocks[0]), found(1, 0, blocks[1])])
        if partial:
            assert corrections.settle(NOBODY, "glucose", partial=True)
            story = [Step(1, None, ((0, 5.0),)), Step(0, None, ((0, 6.0),))]
            assert len(corrections.apply(values(story))[0]) <= 1
        else:
            with pytest.raises(IntegrityError, match="not anchored before"):
                corrections.settle(NOBODY, "glucose", partial=False)


def test_one_that_corrects_itself_is_refused() -> None:
    corrections = Corrections()
    corrections.see([found(0, 0)])
    with pytest.raises(IntegrityError, match="not anchored before"):
        corrections.settle(NOBODY, "glucose", partial=False)


def test_one_that_does_not_count_corrects_nothing_whatever_it_names() -> None:
    corrections = Corrections()
    withdrawn = Content("glucose", (), "why")
    corrections.see([found(0, None)])
    for place, target in ((1, 0), (2, 99)):
        corrections.see([found(place, target, counts=False)])
        corrections.open(found(place, target, counts=False), withdrawn)
    assert corrections.settle(NOBODY, "glucose", partial=False) == {}
    story = values([Step(None, None, ((0, 5.0),))])
    assert corrections.apply(story) == (story, [])
    corrections.see([found(3, 0)])
    corrections.open(found(3, 0), withdrawn)
    assert [each.superseded_by for each in corrections.apply(story)[0]] == [digest(3).hex()]
