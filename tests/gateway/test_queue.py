"""What the queue accepted it keeps, once, and tells nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger._backend.http_errors import DiskFullError
from dtledger._backend.postgresql import Server
from dtledger.errors import BusyError, DtledgerError, InputError, IntegrityError
from dtledger.gateway.queue import Limits, Measured, ReadingQueue
from dtledger.readings import BELOW_RANGE, Reading
from dtledger.testing.memory_key import MemoryKey

NOW = 1_800_000_000
KEY = MemoryKey("gateway")
ONE = Measured(7, "glucose", Reading(NOW - 60, 5.5, "mmol/L", 60))


ROOM = Limits(2**20, 0)


@dataclass(frozen=True)
class Place:
    """A queue's file, or a server in its stead."""

    path: Path
    server: Server | None = None

    def queue(self, key: MemoryKey = KEY, at: int = NOW, limits: Limits = ROOM, free: int = 2**30) -> ReadingQueue:
        return ReadingQueue(self.path, key, lambda: at, limits, lambda _: free, self.server)


@pytest.fixture
def file(tmp_path: Path) -> Place:
    return Place(tmp_path / "queue" / "queue.db")


@pytest.fixture
def place(tmp_path: Path, server: Server | None) -> Place:
    """Of either kind."""
    return Place(tmp_path / "queue" / "queue.db", server)


def all_of(queue: ReadingQueue) -> set[Measured]:
    hours = queue.due(NOW, (), 1000)
    return {Measured(hour.twin, hour.category, each) for hour in hours for each in hour.readings}


def test_a_reading_twice_is_kept_once_and_another_value_is_another_reading(place: Place) -> None:
    with_another_value = replace(ONE, reading=replace(ONE.reading, value=5.6))
    kept = place.queue()
    assert [kept.put([ONE]), kept.put([ONE, ONE]), kept.put([ONE, with_another_value])] == [1, 0, 1]
    kept.close()
    again = place.queue()
    assert again.put([ONE]) == 0
    assert all_of(again) == {ONE, with_another_value}
    again.close()


def test_a_post_that_is_sent_again_adds_nothing_even_when_its_readings_left(place: Place) -> None:
    kept = place.queue()
    assert kept.put([ONE], sender="pump 3", idempotency_key="a") == 1
    kept.drop(kept.due(NOW, (), 1)[0].rows)
    assert kept.put([ONE], sender="pump 3", idempotency_key="a") == 0
    assert kept.totals().rows == 0
    assert kept.put([ONE], sender="pump 4", idempotency_key="a") == 1
    kept.close()


def test_an_idempotency_key_stands_for_one_post(place: Place) -> None:
    kept = place.queue()
    kept.put([ONE], sender="pump 3", idempotency_key="a")
    with pytest.raises(InputError, match="used for other readings"):
        kept.put([replace(ONE, twin=8)], sender="pump 3", idempotency_key="a")
    assert kept.totals().rows == 1
    kept.close()


def test_a_full_queue_and_a_full_disk_refuse_and_keep_what_they_have(place: Place) -> None:
    kept = place.queue(limits=Limits(2_000, 0))
    many = [replace(ONE, reading=replace(ONE.reading, seconds=NOW - 60 * minute)) for minute in range(100)]
    assert kept.put(many[:3]) == 3
    with pytest.raises(BusyError) as full:
        kept.put(many[3:])
    assert not isinstance(full.value, DiskFullError)
    assert kept.totals().rows == 3
    kept.drop([row for hour in kept.due(NOW, (), 10) for row in hour.rows])
    assert kept.put([ONE]) == 1
    kept.close()
    kept = place.queue(limits=Limits(2**20, 2**30), free=2**30)
    with pytest.raises(DiskFullError):
        kept.put([replace(ONE, twin=9)])
    kept.close()


def test_a_window_that_is_sent_again_and_again_fills_no_queue(place: Place) -> None:
    """A hub that sends its last day every few minutes, while the ledger is away for hours."""
    day = [replace(ONE, reading=replace(ONE.reading, seconds=NOW - 300 * each)) for each in range(289)]
    kept = place.queue(limits=Limits(2**18, 0))
    kept.put(day[20:])
    for newest in range(20, 0, -1):
        assert kept.put(day[newest - 1 : newest + 268]) == 1
    totals = kept.totals()
    assert kept._file.size() == (totals.rows, totals.bytes)
    new = [replace(each, reading=replace(each.reading, value=value)) for each in day for value in (6.0, 7.0, 8.0)]
    with pytest.raises(BusyError):
        kept.put(new)
    kept.close()


def test_a_queue_is_one_process_s(place: Place) -> None:
    kept = place.queue()
    with pytest.raises(InputError, match="another process"):
        place.queue()
    kept.close()
    place.queue().close()


def test_its_file_tells_neither_twin_nor_category_nor_value(file: Place) -> None:
    canary = replace(ONE, twin=0x5EC12E7C0DE, reading=replace(ONE.reading, value=1234.5678))
    kept = file.queue()
    kept.put([canary], sender="device-canary", idempotency_key="key-canary")
    data = b"".join(each.read_bytes() for each in file.path.parent.iterdir())
    kept.close()
    for told in (b"glucose", b"mmol/L", b"canary", (0x5EC12E7C0DE).to_bytes(6), b"\x40\x93\x4a\x45"):
        assert told not in data
    assert KEY.secrets.extra["queue"] not in data


def test_a_row_is_as_long_whatever_it_is_of_and_says(place: Place) -> None:
    kept = place.queue()
    low = replace(ONE.reading, quality=BELOW_RANGE)
    device = replace(ONE, source=f"{'ab' * 16}/1234567")
    pressure = Reading(NOW - 60, 80.0, "mm[Hg]", 60, "above-range arterial diastolic")
    kept.put([ONE, replace(ONE, reading=low), device, replace(ONE, category="insulin", twin=2**40)])
    kept.put([replace(device, category="blood-pressure", reading=pressure)])
    with kept._file.reading() as database:
        assert len(database.execute("SELECT DISTINCT LENGTH(sealed) FROM readings").fetchall()) == 1
    hours = [hour for part, _ in kept._file.due(2**40, 2**40, ()) if (hour := kept.hour(part))]
    assert low in [each for hour in hours for each in hour.readings], "and opens as it was"
    (row,) = kept.rows(hours[0])[:1]
    verdicts = [kept.seal.verdict(row, *each) for each in (("", ""), ("suspect", "out of bounds: 6.7 mg/dL"))]
    ages = [kept.seal.close(b"name", [each, 1]).sealed for each in ("glucose", "reproductive")]
    assert len({len(each) for each in [*verdicts, *ages]}) == 1
    kept.close()


def test_what_was_dropped_is_overwritten(file: Place) -> None:
    kept = file.queue()
    kept.put([ONE])
    hour = kept.due(NOW, (), 1)[0]
    sealed = hour.rows[0].sealed
    assert any(sealed in each.read_bytes() for each in file.path.parent.iterdir())
    kept.drop(hour.rows)
    assert not any(sealed in each.read_bytes() for each in file.path.parent.iterdir())
    kept.close()


def test_with_another_key_it_opens_nothing_and_loses_nothing(place: Place) -> None:
    kept = place.queue()
    kept.put([ONE])
    kept.close()
    other = place.queue(MemoryKey("thief"))
    assert other.due(NOW, (), 10) == []
    assert (other.damaged, other.totals().rows) == (1, 1)
    other.close()


@pytest.mark.parametrize("column", ["sealed", "part"])
def test_a_row_that_was_changed_or_moved_is_found(place: Place, column: str) -> None:
    kept = place.queue()
    kept.put([ONE, replace(ONE, twin=8)])
    with kept._file.transaction() as database:
        (other,) = database.execute(f"SELECT {column} FROM readings WHERE number = 2").fetchone()
        database.execute(f"UPDATE readings SET {column} = ? WHERE number = 1", (other,))
    kept.close()
    again = place.queue()
    opened = all_of(again)
    assert (opened, again.damaged) == ({replace(ONE, twin=8)}, 1)
    again.close()


def test_a_disk_that_fails_says_so(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = file.queue()
    kept._file._database.execute("PRAGMA query_only=ON")
    with pytest.raises(DtledgerError, match="cannot be used"):
        kept.put([ONE])
    kept._file._database.execute("PRAGMA query_only=OFF")
    assert kept.put([ONE]) == 1
    kept.close()


def test_a_disk_that_is_full_takes_nothing_and_loses_nothing(file: Place) -> None:
    kept = file.queue()
    kept.put([ONE])
    database = kept._file._database
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    many = [replace(ONE, twin=twin) for twin in range(100, 400)]
    with pytest.raises(DiskFullError):
        kept.put(many)
    assert all_of(kept) == {ONE}
    database.execute("PRAGMA max_page_count = 1000000")
    assert kept.put(many) == 300
    kept.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    st.lists(
        st.builds(
            Measured,
            st.integers(0, 2**62),
            st.sampled_from(["glucose", "heart-rate"]),
            st.builds(
                Reading,
                st.integers(0, NOW - 1),
                st.floats(allow_nan=False, allow_infinity=False),
                st.just("mmol/L"),
                st.none() | st.integers(-840, 840),
            ),
        ),
        max_size=30,
        unique_by=lambda each: (each.twin, each.category, each.reading.seconds, str(each.reading.value)),
    )
)
def test_what_goes_in_comes_out(place: Place, measured: list[Measured]) -> None:
    place.path.unlink(missing_ok=True)
    kept = place.queue()
    with kept._file.transaction() as database:
        database.execute("DELETE FROM readings")
    assert kept.put(measured) == len(measured)
    assert all_of(kept) == set(measured)
    kept.close()


def test_what_came_over_a_day_after_it_was_measured_lies_apart_and_says_so(place: Place) -> None:
    """Two readings of one hour of yesterday, half an hour after that hour began today."""
    hour = NOW // 3600 * 3600 - 86_400
    kept = place.queue(at=hour + 86_400 + 1800)
    late, in_time = (replace(ONE, reading=replace(ONE.reading, seconds=each)) for each in (hour + 1, hour + 3599))
    assert kept.put([late, replace(in_time, source="device/7")]) == 2
    found = {(each.late, each.sources, len(each.readings)) for each in kept.due(NOW, (), 10)}
    assert found == {(True, ("",), 1), (False, ("device/7",), 1)}
    assert kept.put([late, in_time]) == 0
    kept.close()


def test_a_chain_comes_with_its_readings_and_opens_under_its_own_name_alone(place: Place) -> None:
    kept = place.queue()
    one, two = (kept.seal.name("chain", each) for each in (b"one", b"two"))
    kept.put([ONE], chain=kept.seal.close(one, [1]))
    kept.put([], chain=kept.seal.close(two, [7]))
    kept.close()
    again = place.queue()
    found = {name: again.devices.find("chains", name) for name in (one, two)}
    assert [again.seal.open(each) for each in found.values() if each] == [[1], [7]]
    assert found[two] is not None
    with pytest.raises(IntegrityError, match="changed"):
        again.seal.open(replace(found[two], name=one))
    again.close()
