"""A writer that had the right and used it to spoil: its faults are told, and do not shut the others' data, nor its own
from before, to whoever asks for what is sound."""

from __future__ import annotations

import pytest

from dtledger.client import Readings
from dtledger.encoding import CID
from dtledger.errors import IntegrityError
from dtledger.readings import Group, Reading, hourly
from dtledger.store import BlockMissingError
from dtledger.testing import World
from dtledger.types import Period
from dtledger.vocabulary import Reason

from .forging import Change, Scribe, lie, put
from .looking import forged, read

pytestmark = pytest.mark.slow

SPOILT: dict[str, Change] = {
    "its index is malformed": lie("index", put(streams=7)),
    "its index counts a page too many": lie("stream", lambda stream: [129, stream[1]]),
    "its page has a row too many": lie("page", lambda page: {"rows": page["rows"] * 2}),
    "its manifests are of another stream": lie("manifest", put(stream=bytes(32))),
    "its custody is under no roster": lie("custody", put(roster=9)),
    "its content does not open": lie("manifest", put(commitment=bytes(32))),
    "its seals are none": lie(
        "custody", lambda body: body | {"shares": [[*row[:3], b"junk"] for row in body["shares"]]}
    ),
    "its seals hold another twin": lie("header", lambda cells: [*cells[:2], 99, *cells[3:]]),
    "its generation never was": lie("fields", put(generation=7)),
    "its seals hold another category": lie("header", lambda cells: [*cells[:4], (cells[4] + 1) % 32, *cells[5:]]),
}


def read_sound(world: World) -> Readings:
    return world.patient.read(world.twin, "glucose", "PATRQT", partial=True)


@pytest.mark.parametrize("name", SPOILT)
def test_what_a_writer_spoils_is_told_and_all_that_is_sound_is_read(name: str, world: World) -> None:
    before = list(read(world))
    scribe = Scribe(world)
    groups = scribe.groups()
    scribe.write(groups=groups[:1])
    good = forged(read(world))
    assert good
    scribe.write(SPOILT[name], groups[1:])
    with pytest.raises(IntegrityError) as caught:
        read(world)
    assert caught.value.party == scribe.address
    readings = read_sound(world)
    assert list(readings.faults) == [scribe.address]
    assert forged(readings) == good
    assert [each for each in readings if each.quality != "forged"] == before


def test_of_many_snapshots_only_the_spoilt_one_is_left_out(world: World) -> None:
    scribe = Scribe(world)
    groups = [Group(Period(each.minute, each.minute), (each,)) for group in scribe.groups() for each in group.readings]
    scribe.write(lie("manifest", put(commitment=bytes(32)), 2), groups)
    with pytest.raises(IntegrityError):
        read(world)
    sound = [reading.value for place, group in enumerate(groups) if place != 2 for reading in group.readings]
    assert forged(read_sound(world)) == sound


def test_an_index_that_lies_nowhere_shuts_nothing_else(world: World) -> None:
    before = list(read(world))
    scribe = Scribe(world)
    scribe.write()
    good = forged(read(world))
    scribe.write(groups=scribe.groups(1), change=lie("index", put(streams=[])))
    batch = world.ledger.view().newest_batch(scribe.address)
    assert batch is not None
    world.store.remove([CID(batch.index)])
    with pytest.raises(BlockMissingError):
        read(world)
    readings = read_sound(world)
    assert list(readings.faults) == [scribe.address]
    assert forged(readings) == good
    assert len(readings) == len(before) + len(good)


def test_nothing_sound_at_all_is_the_fault_itself(world: World) -> None:
    scribe = Scribe(world, categories=["insulin"])
    scribe.write(lie("index", put(streams=7)), category="insulin")
    with pytest.raises(IntegrityError) as caught:
        world.patient.read(world.twin, "insulin", "PATRQT", partial=True)
    assert caught.value.party == scribe.address


def test_the_check_of_a_twin_tells_a_bad_index_and_goes_on(world: World) -> None:
    [before] = [each.snapshots for each in world.patient.snapshots.verify(world.twin)]
    scribe = Scribe(world)
    scribe.write(lie("index", put(streams=7)))
    reports = list(world.patient.snapshots.verify(world.twin))
    assert [each.error.party for each in reports if each.error] == [scribe.address]
    assert [each.snapshots for each in reports if not each.error] == [before]


def test_a_generation_that_a_package_has_no_keys_of_is_told_and_shuts_nothing_else(world: World) -> None:
    def sound() -> Readings:
        return world.clinician.read(world.twin, "glucose", "TREAT", partial=True)

    before = list(sound())
    scribe = Scribe(world)
    groups = scribe.groups()
    scribe.write(lie("fields", put(generation=7), 0), groups)
    readings = sound()
    assert readings.refused == ((groups[0].period, Reason.CATEGORY),)
    assert forged(readings) == [each.value for each in groups[1].readings]
    assert [each for each in readings if each.quality != "forged"] == before


def test_a_writer_that_claims_a_time_to_come_does_not_hide_how_old_the_twin_is(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(groups=hourly([Reading(world.clock() // 3600 * 3600 + 5 * 3600, 6.0, "mmol/L")]))
    anchored = world.clock() // 60 * 60
    world.clock.advance(7200)
    assert world.clinician.read(world.twin, "glucose", "TREAT").age == world.clock() - anchored
