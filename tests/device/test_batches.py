"""A batch is taken once, in its order, and lost by no crash; a lost answer wedges no device."""

from __future__ import annotations

from collections import Counter

import pytest

from dtledger._backend.http_errors import DiskFullError
from dtledger.client.writing import CLOCK_AHEAD
from dtledger.device.batch import Code
from dtledger.device.enrolment import Channel
from dtledger.readings import ABOVE_RANGE, BELOW_RANGE
from dtledger.snapshots.standing import DAY
from tests.device.conftest import FINGER, GLUCOSE, Ward
from tests.device.signing import next_of

pytestmark = pytest.mark.slow


def test_a_batch_is_readings_of_its_twin_with_device_and_number(ward: Ward) -> None:
    device = ward.enrolled()
    rows = [*ward.rows(3), (1, ward.world.clock.at - 60, 97), (0, ward.world.clock.at - 1, 22, 1)]
    assert ward.send(device, rows) is Code.TAKEN
    found = [(each.twin, each.category, each.source) for each in ward.held()]
    assert set(found) == {(ward.world.twin, "glucose", f"{device.name}/1")}
    assert {(each.value, each.unit, each.quality) for each in ward.readings()} == {
        (5.0, "mmol/L", ""),
        (5.1, "mmol/L", ""),
        (5.2, "mmol/L", ""),
        (97.0, "mg/dL", "fingerstick"),
        (2.2, "mmol/L", BELOW_RANGE),
    }
    assert ward.refused(device) == {}


def test_a_sensor_that_shows_high_says_so(ward: Ward) -> None:
    device = ward.enrolled()
    assert ward.send(device, [(0, ward.world.clock.at, 222, 2)]) is Code.TAKEN
    assert [each.quality for each in ward.readings()] == [ABOVE_RANGE]


def test_an_answer_that_is_lost_is_asked_for_by_the_very_same_batch(ward: Ward) -> None:
    device = ward.enrolled()
    message = device.sign(ward.rows(ago=3000), ward.world.clock.at)
    assert ward.take(message) is Code.TAKEN
    device = ward.again(device)
    ward.restart()
    assert device.pending == message
    assert device.exchange(lambda held, _: ward.batches.take(held)[1]) == (Code.HELD, 0)
    assert len(ward.readings()) == 3
    assert ward.send(device, ward.rows(2, ago=1)[:1]) is Code.TAKEN
    assert ward.refused(device) == {}


def test_what_was_answered_is_there_after_a_restart_and_the_chain_with_it(ward: Ward) -> None:
    device = ward.enrolled()
    for ago in (3000, 2000, 1000):
        assert ward.send(device, ward.rows(2, ago=ago)) is Code.TAKEN
        ward.restart()
    assert len(ward.readings()) == 6
    assert ward.devices.find(bytes.fromhex(device.name)).chain.number == device.number == 3  # type: ignore[union-attr]


def test_a_gateway_whose_clock_ran_back_has_no_device_drop_what_it_measured(ward: Ward) -> None:
    device, clock = ward.enrolled(), ward.world.clock
    assert ward.send(device, ward.rows(1)) is Code.TAKEN
    clock.advance(60)
    device.sign(ward.rows(1, ago=5), clock.at)
    clock.at -= DAY
    assert device.exchange(lambda held, _: ward.batches.take(held)[1]) == (Code.LATER, 0)
    assert device.pending
    new = ward.enrolled()
    assert ward.take(next_of(new, clock.at + DAY, [[0, 0, 0, [50]]])) is Code.AHEAD, "it has taken nothing of that one"
    clock.at += DAY
    assert device.exchange(lambda held, _: ward.batches.take(held)[1]) == (Code.TAKEN, 0)


def test_a_batch_that_cannot_be_written_moves_no_chain(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings and chain are one transaction: neither is there without the other."""
    device = ward.enrolled()
    ward.free = 0
    assert ward.send(device, ward.rows()) is Code.LATER
    assert device.pending
    assert ward.readings() == []
    ward.free = 2**30
    with monkeypatch.context() as full:

        def fail(*_: object) -> int:
            raise DiskFullError("the disk is full")

        full.setattr(ward.queue._file, "add", fail)
        assert ward.take(device.pending) is Code.LATER
    assert device.exchange(lambda held, _: ward.batches.take(held)[1]) == (Code.TAKEN, 0)
    assert (len(ward.readings()), ward.refused(device)) == (3, {})


def test_a_buffer_of_a_fortnight_is_taken_and_late_lies_apart(ward: Ward) -> None:
    """However old: the next number with a good chain. What came over a day after it was measured is apart."""
    device = ward.enrolled()
    for days in range(14, 0, -1):
        assert ward.send(device, ward.rows(12, ago=days * DAY + 3600)) is Code.TAKEN
    assert ward.send(device, ward.rows(2, ago=7200)) is Code.TAKEN
    parts = [part for part, _ in ward.queue._file.due(2**40, 2**40, ())]
    late = Counter(hour.late for hour in map(ward.queue._open, parts) if hour for _ in hour.readings)
    assert late == {True: 14 * 12, False: 2}


def test_late_readings_come_into_snapshots_of_their_own(ward: Ward) -> None:
    """Of one hour some came in time and some over a day after: two snapshots, and the late one says so."""
    from dtledger.gateway.pump import Pace, Pump

    world, device, other = ward.world, ward.enrolled(), ward.enrolled()
    hour = world.clock.at // 3600 * 3600 - 3600
    assert ward.send(other, [(0, hour + 60 * each, 201 + each) for each in range(3)]) is Code.TAKEN
    world.clock.advance(DAY + 7200)
    assert ward.send(device, [(0, hour + 30 + 60 * each, 301 + each) for each in range(3)]) is Code.TAKEN
    pump = Pump(world.gateway.context, world.gateway.writer, ward.queue, Pace(), dice=lambda: 1.0)
    while pump.step():
        pass
    found = world.patient.read(world.twin, "glucose", "PATRQT")
    came = {value: [each for each in found if value < each.value < value + 1] for value in (20, 30)}
    in_time, late = ({each.snapshot for each in came[value]} for value in (20, 30))
    assert [len(in_time), len(late), len(in_time | late)] == [1, 1, 2]
    assert {each.late for each in came[30]} == {True}


def test_a_value_that_no_body_has_is_set_aside_and_the_others_are_taken(ward: Ward) -> None:
    """999, 0 and mg/dL under mmol/L; it is signed as it is, and could never be sent otherwise."""
    device = ward.enrolled()
    now = ward.world.clock.at
    rows = [(0, now - 900, 9990), (0, now - 600, 55), (0, now - 300, 0), (0, now, 970)]
    device.sign(rows, now)
    assert device.exchange(lambda held, _: ward.batches.take(held)[1]) == (Code.TAKEN, 3)
    assert [each.value for each in ward.readings()] == [5.5]
    assert ward.refused(device) == {"VALUE": 1}
    assert [each.readings for each in ward.refusals.newest(bytes.fromhex(device.name), 5)] == [3]
    assert ward.send(device, [(0, now + 1, 56)]) is Code.TAKEN


def test_two_sensors_of_one_device_each_have_a_time_of_their_own(ward: Ward) -> None:
    device = ward.enrolled(channels=(GLUCOSE, FINGER, Channel("heart-rate", "/min")))
    now = ward.world.clock.at
    assert ward.send(device, [(0, now - 10, 50), (2, now - 300, 61)]) is Code.TAKEN
    assert ward.send(device, [(2, now - 200, 62), (1, now - 250, 90)]) is Code.TAKEN
    assert ward.send(device, [(2, now - 200, 63)]) is Code.BACKWARDS


def test_a_refused_batch_leaves_its_number_to_another(ward: Ward) -> None:
    """A device whose clock was mended goes on."""
    device = ward.enrolled()
    now = ward.world.clock.at
    device.sign(ward.rows(), now + CLOCK_AHEAD + 1)
    assert device.exchange(lambda held, _: ward.batches.take(held)[1])[0] == Code.AHEAD
    assert device.pending == b""
    assert ward.send(device, ward.rows()) is Code.TAKEN


def test_a_clock_that_is_a_little_ahead_is_taken(ward: Ward) -> None:
    device = ward.enrolled()
    device.sign(ward.rows(1, ago=0), ward.world.clock.at + CLOCK_AHEAD)
    assert device.exchange(lambda held, _: ward.batches.take(held)[1])[0] == Code.TAKEN


def test_while_the_ledger_is_away_batches_are_taken(ward: Ward) -> None:
    device = ward.enrolled()
    ward.restart()
    ward.world.ledger.unreachable = True
    try:
        assert ward.send(device, ward.rows()) is Code.TAKEN
    finally:
        ward.world.ledger.unreachable = False


def test_what_is_known_of_devices_lies_sealed_on_the_disk(ward: Ward) -> None:
    """Neither file tells a category, a unit, a key or an owner."""
    device = ward.enrolled()
    ward.send(device, ward.rows())
    ward.send(device, ward.rows())
    ward.shut()
    files = [path.read_bytes() for path in ward.folder.iterdir() if path.suffix != ".state"]
    said = b"".join(files)
    for canary in (b"glucose", b"mmol", device.public_of(device._seed), ward.world.patient.address.encode()):
        assert canary not in said
    assert bytes.fromhex(device.name) in said  # by it refusals are counted
    ward.open()


@pytest.mark.parametrize("mark", [1, 2])
def test_another_implementation_s_batch_is_taken(ward: Ward, mark: int) -> None:
    device = ward.enrolled()
    now = ward.world.clock.at
    runs = [[0, 3600, 300, [50, [51, mark], 52]], [0, 120, 0, [53]], [1, 100, 7, [90, 91]]]
    assert ward.take(next_of(device, now, runs)) is Code.TAKEN
    assert len(ward.readings()) == 6
