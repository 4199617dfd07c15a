"""The compromise table of docs/threats.md: it says what is measured, and its rows that must open nothing do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .compromise import PAGE, filled, measured
from .compromise_rows import ROWS, Row
from .compromise_story import Part, Story, told
from .disks import found_in

pytestmark = pytest.mark.slow  # one story, in which everybody asks


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with told() as story:
        yield story


def rows(*, shut: bool | None = None, lacking: bool | None = None) -> list[object]:
    chosen = [each for each in ROWS if shut in (None, each.shut) and lacking in (None, bool(each.lacks))]
    return [pytest.param(each, id=each.party.replace("−", "-")) for each in chosen]


def test_the_page_says_what_is_measured(story: Story) -> None:
    page = PAGE.read_text()
    assert page == filled(page, story), "python -m tests.attacks.compromise writes it"


def test_what_the_page_points_to_is_there() -> None:
    places = re.findall(r"]\(([^)#]+)", PAGE.read_text())
    assert len(places) > 30
    assert [place for place in places if not (PAGE.parent / place).exists()] == []


@pytest.mark.parametrize("row", rows(shut=True))
def test_a_row_that_must_open_nothing_opens_nothing_that_was_not_fetched(row: Row, story: Story) -> None:
    for attacker in row.attackers:
        assert story.decrypted(*attacker).keys() <= story.loot(*attacker).fetched, attacker


@pytest.mark.parametrize("row", rows(lacking=True))
def test_the_same_attacker_with_what_it_lacks_opens_more(row: Row, story: Story) -> None:
    """The witness of each row: nothing else was in the way."""
    for attacker in row.attackers:
        assert measured(story, [attacker, row.lacks]) >= measured(story, [attacker])
        assert measured(story, [attacker], *row.lacks) > measured(story, [attacker]), attacker


@pytest.mark.parametrize("row", rows(shut=False))
def test_a_row_that_opens_something_opens_the_same_for_each_of_its_attackers(row: Row, story: Story) -> None:
    assert {measured(story, [attacker]) for attacker in row.attackers} == {measured(story, row.attackers)}
    assert measured(story, row.attackers)


def test_what_is_decrypted_is_what_was_written(story: Story) -> None:
    found = story.decrypted("owner")
    assert found.keys() == {digest for digests in story.parts.values() for digest in digests}
    for part, digests in story.parts.items():
        assert all((b"heart-rate" if part is Part.OTHER else b"glucose") in found[digest] for digest in digests)


def test_a_secret_that_lies_about_is_found(story: Story) -> None:
    """The witness of what is at rest."""
    everything = story.loot("owner's tree", "custodian 1")
    written = story.world.patient.context.key.secrets.to_bytes()
    assert found_in([written], everything).twins == everything.twins
    assert found_in([everything.pairs[0].seed.hex().encode()], everything).pairs == everything.pairs[:1]
    assert found_in([b""], everything) == found_in([], everything)
