"""Two gateways for one twin, each with a key, a grant and a queue of its own: neither is in the other's way, whatever
becomes of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtledger.client import writing_terms
from dtledger.errors import UnreachableError
from dtledger.gateway.pump import Pump
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.readings import Reading
from dtledger.vocabulary import Kind
from tests.gateway.conftest import DAY, PACE, Site


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Iterator[Pump]:
    """The pump of a second gateway of the world's twin."""
    world = site.world
    gateway = world.join("another gateway", [Kind.GATEWAY])
    terms = writing_terms(["glucose"], world.clock.at, 30 * DAY, back_to=world.readings[0].minute)
    world.patient.consents.grant(world.twin, gateway.address, terms)
    key, limits = gateway.context.key, Limits(2**20, 0)
    queue = ReadingQueue(tmp_path / "other.db", key, world.clock, limits, lambda _: 2**30)
    yield Pump(gateway.context, gateway.writer, queue, PACE, dice=lambda: 1.0)
    queue.close()


def put(site: Site, other: Pump, readings: list[Reading]) -> None:
    """A hub sends the same to both."""
    site.put(site.world.twin, readings)
    other._queue.put([Measured(site.world.twin, "glucose", each) for each in readings])


def read(site: Site, readings: list[Reading]) -> list[int]:
    """How often each of them is read."""
    found = site.world.patient.read(site.world.twin, "glucose", "PATRQT", since=readings[-1].seconds - 60)
    times = [(int(each.at.timestamp()), each.value) for each in found]
    return [times.count((each.seconds, each.value)) for each in readings]


def written(site: Site) -> int:
    """How many snapshots of glucose there are, beside what the world began with."""
    return sum(len(group) for group in site.world.patient.snapshots.list(site.world.twin, "glucose")) - 2


def assert_whole(site: Site) -> None:
    """Every stream holds together, and nothing in it is twice."""
    reports = [*site.world.patient.snapshots.verify(site.world.twin)]
    assert [(each.error, list(each.doubled)) for each in reports] == [(None, [])] * len(reports)


def test_what_both_were_sent_is_in_the_snapshots_of_both(site: Site, other: Pump) -> None:
    readings = site.later()
    put(site, other, readings)
    site.wait_an_hour()
    assert (site.pump.step(), other.step()) == (3, 3)
    assert read(site, readings) == [1, 1, 1], "the same of two writers is one reading"
    assert written(site) == 2
    assert_whole(site)


def test_one_that_dies_in_a_batch_holds_up_no_other_and_goes_on(
    site: Site, other: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    readings = site.later()
    put(site, other, readings)
    site.wait_an_hour()
    with monkeypatch.context() as killing:
        killing.setattr(site.queue, "drop", die)
        with pytest.raises(Killed):
            site.pump.step()
    assert other.step() == 3
    assert site.pump.step() == 3
    assert read(site, readings) == [1, 1, 1]
    assert written(site) == 2
    assert_whole(site)


def test_one_that_cannot_anchor_keeps_what_the_other_anchors(site: Site, other: Pump) -> None:
    readings = site.later()
    put(site, other, readings)
    site.wait_an_hour()
    site.world.ledger.unreachable = True
    with pytest.raises(UnreachableError):
        site.pump.step()
    site.world.ledger.unreachable = False
    assert other.step() == 3
    assert (read(site, readings), written(site)) == ([1, 1, 1], 1)
    assert site.pump.step() == 3
    assert (read(site, readings), written(site)) == ([1, 1, 1], 2)


def test_when_the_right_of_one_ends_the_other_goes_on(site: Site, other: Pump) -> None:
    world, readings = site.world, site.later()
    (slot,) = (each for each in world.patient.consents.writers(world.twin) if each.grantee == world.gateway.address)
    world.patient.consents.revoke(slot)
    put(site, other, readings)
    site.wait_an_hour()
    assert (site.pump.step(), other.step()) == (0, 3)
    assert read(site, readings) == [1, 1, 1]
    world.clock.advance(PACE.renewal_seconds)
    assert site.pump.step() == 3
    (letter,) = site.queue.letters(world.patient.address)
    assert world.patient.writer.adopt(letter).readings == 3, "what the first could not anchor is not lost either"
