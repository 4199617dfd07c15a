"""WFDB records, made here with the faults that real ones have: values that are missing, a date that was moved, none at
all, segments with gaps between them, files that are cut off."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dtledger.errors import InputError
from dtledger.importers import Import, read_file, wfdb, wfdb_header, wfdb_samples
from dtledger.importers.wfdb_header import MAX_LINES
from tests.importers.signals import MISSING, header, numerics, record, segmented

TZ = "America/New_York"
START = "2026-11-02T08:00+01:00"


def read(path: Path, category: str = "heart-rate", **options: Any) -> Import:
    return read_file(path, category=category, **options)


class TestNumerics:
    def test_0_is_a_missing_value_and_never_a_reading(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path), tz=TZ)
        assert (done.source_format, done.rows, len(done.readings), dict(done.others)) == (
            "wfdb",
            60,
            58,
            {"missing": 1},
        )
        assert min(reading.value for reading in done.readings) == 60.0
        assert {reading.unit for reading in done.readings} == {"/min"}
        assert "0 stands for a missing value, as in MIMIC's numerics; samples of 0: 1." in done.notes

    def test_what_cannot_be_is_refused_with_its_sample_and_a_reason(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path), tz=TZ)
        assert [(each.line, each.reason) for each in done.problems] == [(7, "the value cannot be heart-rate in /min")]
        assert done.row_word == "sample"

    def test_each_sample_is_placed_by_the_rate_and_what_is_missing_is_a_gap(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path, date=" 10/10/2026"), tz=TZ)
        assert done.interval == 60
        assert [gap.minutes for gap in done.gaps] == [2, 2]
        assert done.readings[0].at.isoformat() == "2026-10-10T00:31:25.894000-04:00"
        assert done.readings[-1].at.isoformat() == "2026-10-10T01:30:25.894000-04:00"

    def test_of_two_heart_rates_the_electrocardiograms_is_usual_and_the_pulses_is_marked(self, tmp_path: Path) -> None:
        path = numerics(tmp_path)
        usual, pulse = read(path, start=START), read(path, start=START, value_column="PULSE")
        assert ({each.quality for each in usual.readings}, {each.quality for each in pulse.readings}) == (
            {""},
            {"pulse"},
        )
        assert dict(pulse.others) == {"missing": 5}
        assert read(path, start=START, value_column="PULSE (bpm)") == pulse

    def test_a_cuffs_pressures_say_what_they_are_and_samples_that_say_they_are_none_are_missing(
        self, tmp_path: Path
    ) -> None:
        done = read(numerics(tmp_path), "blood-pressure", start=START)
        assert {(each.value, each.unit, each.quality) for each in done.readings} == {(120.0, "mm[Hg]", "cuff systolic")}
        assert (len(done.readings), dict(done.others), done.interval) == (6, {"missing": 54}, 600)

    @pytest.mark.parametrize(
        ("category", "unit", "value"),
        [("respiration", "/min", 18.0), ("spo2", "%", 97.0), ("heart-rate", "/min", 60.0)],
    )
    def test_signals_become_categories_with_their_units(
        self, tmp_path: Path, category: str, unit: str, value: float
    ) -> None:
        first = read(numerics(tmp_path), category, start=START).readings[0]
        assert (first.value, first.unit) == (value, unit)

    def test_what_is_left_alone_is_named(self, tmp_path: Path) -> None:
        assert "Left alone: 'HR (bpm)', 'PULSE (bpm)', 'RESP (pm)', 'NBPSys (mmHg)'." in (
            read(numerics(tmp_path), "spo2", start=START).notes
        )

    def test_a_category_that_it_has_not_is_refused_and_says_what_there_is(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"no glucose.*--category respiration \('RESP \(pm\)'\)"):
            read(numerics(tmp_path), "glucose", start=START)


class TestWhenItBegan:
    def test_a_date_that_was_moved_is_marked_on_every_reading(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path), tz=TZ)
        assert {reading.quality for reading in done.readings} == {"shifted-date"}
        assert done.readings[0].at.year == 2896
        assert any("of the year 2896, was moved" in note for note in done.notes)
        assert {each.quality for each in read(numerics(tmp_path, date=" 10/10/2026"), tz=TZ).readings} == {""}

    def test_start_goes_before_a_date_that_was_moved(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path), start=START)
        assert done.readings[0].at.isoformat() == "2026-11-02T08:00:00+01:00"
        assert {reading.quality for reading in done.readings} == {""}
        assert any("--start goes before" in note for note in done.notes)

    def test_start_never_contradicts_a_date_that_was_not_moved(self, tmp_path: Path) -> None:
        path = numerics(tmp_path, date=" 10/10/2026")
        with pytest.raises(InputError, match="Leave --start out"):
            read(path, start=START)
        assert read(path, tz=TZ).readings

    @pytest.mark.parametrize("time", ["", " 10:00:00"])
    def test_a_record_without_a_date_needs_start(self, tmp_path: Path, time: str) -> None:
        path = numerics(tmp_path, date="", time=time)
        with pytest.raises(InputError, match="does not say when it began.*--start"):
            read(path, tz=TZ)
        assert read(path, tz=TZ, start="2026-11-02 08:00").readings[0].at.isoformat() == "2026-11-02T08:00:00-05:00"

    @pytest.mark.parametrize(
        ("start", "said"),
        [
            ("2026-11-02 08:00", "--start has no offset.*--tz"),
            ("noon", "--start cannot be placed"),
            ("02/11/2026 08:00Z", "--start cannot be placed: the date does not begin with the year"),
            ("1969-11-02 08:00Z", "--start cannot be placed: the time lies before 1970"),
        ],
    )
    def test_a_start_that_is_no_instant_is_refused(self, tmp_path: Path, start: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            read(numerics(tmp_path), start=start)
        assert read(numerics(tmp_path), start=START).readings

    def test_a_start_in_the_hour_that_happened_twice_is_not_guessed(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="happened twice"):
            read(numerics(tmp_path), start="2026-10-25 02:30", tz="Europe/Vienna")
        assert read(numerics(tmp_path), start="2026-10-25T02:30+01:00").readings

    def test_clocks_that_are_turned_meanwhile_change_the_offset_and_no_time(self, tmp_path: Path) -> None:
        done = read(numerics(tmp_path, minutes=121), tz="Europe/Vienna", start="2026-10-25 01:30")
        offsets = Counter(reading.offset for reading in done.readings)
        assert set(offsets) == {120, 60}
        assert done.readings[-1].seconds - done.readings[0].seconds == 7200

    def test_a_wall_clock_needs_its_zone(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no offset from UTC.*--tz"):
            read(numerics(tmp_path))

    def test_a_recording_beyond_4011_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="until after 4011"):
            read(numerics(tmp_path), category="spo2", start="4011-07-14T00:34Z")


class TestWaves:
    def test_each_sample_has_its_microsecond_its_lead_and_its_unit(self, tmp_path: Path) -> None:
        path = record(tmp_path, "e", (("MLII", 200, "mV"), ("V5", 200, "mV")), [(995, 1011), (-100, 0)], rate="360")
        done = read(path, "ecg", start=START, value_column="MLII")
        assert [(each.value, each.unit, each.quality) for each in done.readings] == [
            (4.975, "mV", "lead-mlii"),
            (-0.5, "mV", "lead-mlii"),
        ]
        assert [each.at.microsecond for each in done.readings] == [0, 2778]
        assert done.repeats == done.conflicts == 0
        assert [each.quality for each in read(path, "ecg", start=START, value_column="V5").readings] == ["lead-v5"] * 2

    def test_0_is_a_value_of_a_wave(self, tmp_path: Path) -> None:
        path = record(tmp_path, "e", (("II", 200, "mV"), ("PLETH", 100, "NU")), [(0, 0), (MISSING, 50)])
        done = read(path, "ecg", start=START)
        assert ([each.value for each in done.readings], dict(done.others)) == ([0.0], {"missing": 1})
        assert [(each.value, each.unit) for each in read(path, "ppg", start=START).readings] == [(0.0, "1"), (0.5, "1")]

    def test_of_several_leads_none_is_guessed(self, tmp_path: Path) -> None:
        path = segmented(tmp_path)
        with pytest.raises(InputError, match=r"several columns of ecg: 'II \(mV\)', 'V \(mV\)'.*--value-column"):
            read(path, "ecg", tz=TZ)
        assert read(path, "ecg", tz=TZ, value_column="II").readings

    @pytest.mark.parametrize(("unit", "category"), [("NU", "respiration"), ("mV", "respiration"), ("mV", "ppg")])
    def test_a_wave_of_breathing_is_no_rate_and_a_pulse_wave_in_volts_not_in_its_unit(
        self, tmp_path: Path, unit: str, category: str
    ) -> None:
        signals = (("II", 200, "mV"), ("RESP" if category == "respiration" else "PLETH", 100, unit))
        with pytest.raises(InputError, match=f"no {category} that can be imported"):
            read(record(tmp_path, "e", signals, [(1, 1)]), category, start=START)


class TestSegments:
    def test_come_one_after_another_each_with_its_gain_and_gaps_and_what_has_no_such_signal_are_missing(
        self, tmp_path: Path
    ) -> None:
        done = read(segmented(tmp_path), "ecg", tz=TZ, value_column="II")
        assert (done.rows, len(done.readings), dict(done.others)) == (750, 500, {"missing": 250})
        assert done.interval == 0.008
        assert [(gap.end - gap.start) for gap in done.gaps] == [pytest.approx(2.008)]
        first, last = done.readings[249], done.readings[250]
        assert (first.value, first.at.isoformat()) == (2.49, "2026-11-02T10:00:01.992000-05:00")
        assert (last.value, last.at.isoformat()) == (0.0, "2026-11-02T10:00:04-05:00")
        assert done.readings[-1].value == 249 / 200

    def test_the_lead_that_all_have_has_no_gap_but_where_nothing_was_recorded(self, tmp_path: Path) -> None:
        done = read(segmented(tmp_path), "ecg", tz=TZ, value_column="V")
        assert (len(done.readings), dict(done.others), len(done.gaps)) == (625, {"missing": 125}, 1)

    @pytest.mark.parametrize(
        ("name", "before", "after", "said"),
        [
            ("m", "750", "751", "segments are together not as long"),
            ("m", "m_0002 125", "m_0002 124", "segments are together"),
            ("m", "m_0002 125", "../m_0002 125", "Line 5 of the record's header"),
            ("m", "m/5", "m/4", "says 4 segments and has lines of 5"),
            ("m_0002", "125 125", "250 125", "m_0002 says otherwise"),
            ("m_0002", "m_0002 1", "m_0002/1 1", "m_0002|Line 2"),
            ("m_0003", "200/mV", "0/mV", "not calibrated"),
        ],
    )
    def test_a_header_that_contradicts_itself_is_refused(
        self, tmp_path: Path, name: str, before: str, after: str, said: str
    ) -> None:
        path = segmented(tmp_path)
        whole = (tmp_path / f"{name}.hea").read_text("ascii")
        assert before in whole
        (tmp_path / f"{name}.hea").write_text(whole.replace(before, after, 1), "ascii")
        with pytest.raises(InputError, match=said):
            read(path, "ecg", tz=TZ, value_column="II")
        (tmp_path / f"{name}.hea").write_text(whole, "ascii")
        assert read(path, "ecg", tz=TZ, value_column="II").readings

    def test_a_segment_that_is_named_a_thousand_times_is_read_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two files of a few kilobytes would else fill the memory with headers."""
        record(tmp_path, "one", (("II", 100, "mV"), ("V", 50, "mV")), [(1, 2)])
        path = header(tmp_path, "many", [f"many/{1_000} 2 125", *["one 1"] * (1_000)])
        read_headers, read_samples = Counter[str](), Counter[str]()

        def parse(lines: Any) -> Any:
            found = wfdb_header.parse(lines)
            read_headers[found.name] += 1
            return found

        def samples(folder: Path, known: Any, place: int) -> Any:
            read_samples[known.name] += 1
            return wfdb_samples.read(folder, known, place)

        monkeypatch.setattr(wfdb, "parse", parse)
        monkeypatch.setattr(wfdb, "read_samples", samples)
        found = read(path, "ecg", start=START, value_column="II")
        assert (len(found.readings), read_headers["one"], read_samples["one"]) == (1_000, 1, 1)

    def test_a_segment_that_is_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        path = segmented(tmp_path)
        whole = (tmp_path / "m_0002.hea").read_bytes()
        (tmp_path / "m_0002.hea").unlink()
        os.mkfifo(tmp_path / "m_0002.hea")
        with pytest.raises(InputError, match="a pipe"):
            read(path, "ecg", tz=TZ, value_column="II")
        (tmp_path / "m_0002.hea").unlink()
        (tmp_path / "m_0002.hea").write_bytes(whole)
        assert read(path, "ecg", tz=TZ, value_column="II").readings

    def test_a_segment_whose_file_is_not_there_is_refused(self, tmp_path: Path) -> None:
        path = segmented(tmp_path)
        (tmp_path / "m_0003.dat").rename(tmp_path / "away")
        with pytest.raises(InputError, match=r"m_0003\.dat is not beside its header"):
            read(path, "ecg", tz=TZ, value_column="II")
        (tmp_path / "m_0002.hea").unlink()
        with pytest.raises(InputError, match="There is no such file"):
            read(path, "ecg", tz=TZ, value_column="II")


class TestWhatIsDamagedOrToBeFeared:
    def test_a_file_that_is_cut_off_is_refused_and_never_half_read(self, tmp_path: Path) -> None:
        path = numerics(tmp_path)
        data = (tmp_path / "s1n.dat").read_bytes()
        (tmp_path / "s1n.dat").write_bytes(data[:-12])
        with pytest.raises(InputError, match=r"cut off: it holds 58 of 60 frames"):
            read(path, start=START)
        (tmp_path / "s1n.dat").write_bytes(data)
        assert read(path, start=START).readings

    def test_samples_that_are_not_those_of_the_checksum_are_refused(self, tmp_path: Path) -> None:
        path = numerics(tmp_path)
        data = bytearray((tmp_path / "s1n.dat").read_bytes())
        data[400] ^= 1  # the forty-first minute's heart rate
        (tmp_path / "s1n.dat").write_bytes(data)
        with pytest.raises(InputError, match="HR in s1n are not those that its header has the checksum of"):
            read(path, start=START)
        assert read(path, "spo2", start=START).readings, "another signal's are whole"

    @pytest.mark.parametrize(
        "name", ["../other.dat", "/etc/hostname", "..", "a/b.dat", "http://host/x.dat", "s1n.dat;x"]
    )
    def test_a_header_names_no_file_but_those_beside_it(self, tmp_path: Path, name: str) -> None:
        inner = tmp_path / "inner"
        inner.mkdir()
        path = numerics(inner)
        (tmp_path / "other.dat").write_bytes((inner / "s1n.dat").read_bytes())
        whole = path.read_text("ascii")
        path.write_text(whole.replace("s1n.dat", name), "ascii")
        with pytest.raises(InputError, match="Line 2 of the record's header"):
            read(path, start=START, format="wfdb")
        path.write_text(whole, "ascii")
        assert read(path, start=START).readings

    def test_a_header_under_another_name_than_its_own_sends_nobody_to_that_one(self, tmp_path: Path) -> None:
        """The library reads the header of the record's name: it would be one that nobody has looked at."""
        path = numerics(tmp_path)
        whole = path.read_text("ascii")
        record(tmp_path, "else", (("HR", 10, "bpm"),), [(700,)] * 60)
        path.write_text(whole.replace("s1n 5", "else 5", 1), "ascii")
        with pytest.raises(InputError, match="calls itself else"):
            read(path, start=START)
        path.write_text(whole, "ascii")
        assert read(path, start=START).readings

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("s1n 5 0 60", "no samples a second"),
            ("s1n 5 125 999999999999", "cut off|at most 1,000,000"),
            ("s1n 6 125 60", "says 6 signals and has lines of 5"),
            ("s1n 5 125 60 25:99:00 40/13/2026", "The recording's time cannot be placed"),
            ("s1n five", "Line 1 of the record's header"),
            ("s1n 5 125 60 " + "9" * 2_000, "Line 1 of the record's header"),
        ],
    )
    def test_a_record_line_that_cannot_be_is_refused(self, tmp_path: Path, line: str, said: str) -> None:
        path = numerics(tmp_path)
        whole = path.read_text("ascii").splitlines()
        path.write_text("\n".join([line, *whole[1:], ""]), "ascii")
        options = {} if "/" in line else {"start": START}
        with pytest.raises(InputError, match=said):
            read(path, tz=TZ, format="wfdb", **options)
        path.write_text("\n".join([*whole, ""]), "ascii")
        assert read(path, start=START, format="wfdb").readings

    def test_more_samples_than_memory_should_hold_are_refused_before_they_are_read(self, tmp_path: Path) -> None:
        path = record(tmp_path, "long", (("II", 200, "mV"),), [(1,)], frames=1_000_001)
        with pytest.raises(InputError, match="1,000,001 samples of a signal; at most 1,000,000"):
            read(path, "ecg", start=START)

    def test_a_file_larger_than_is_read_is_refused_by_its_size(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = record(tmp_path, "e", (("II", 200, "mV"),), [(1,)] * 10)
        monkeypatch.setattr(wfdb_samples, "MAX_FILE_BYTES", 19)
        with pytest.raises(InputError, match="is larger than"):
            read(path, "ecg", start=START)
        monkeypatch.setattr(wfdb_samples, "MAX_FILE_BYTES", 20)
        assert len(read(path, "ecg", start=START).readings) == 10

    def test_a_header_of_more_lines_than_a_record_has_is_refused(self, tmp_path: Path) -> None:
        path = header(tmp_path, "many", ["many/2 2 125", "~ 1", *["# x"] * MAX_LINES])
        with pytest.raises(InputError, match="more than 10,000 lines"):
            read(path, "ecg", start=START)

    def test_a_compressed_format_is_refused(self, tmp_path: Path) -> None:
        path = record(tmp_path, "e", (("II", 200, "mV"),), [(1,)])
        path.write_text(path.read_text("ascii").replace(".dat 16 ", ".dat 516 "), "ascii")
        with pytest.raises(InputError, match="format 516, which is not read"):
            read(path, "ecg", start=START)

    def test_two_signals_of_one_name_are_refused(self, tmp_path: Path) -> None:
        path = record(tmp_path, "e", (("II", 200, "mV"), ("II", 100, "mV")), [(1, 1)])
        with pytest.raises(InputError, match="Two signals of e have one name"):
            read(path, "ecg", start=START)

    def test_a_stream_has_no_files_beside_it(self, tmp_path: Path) -> None:
        data = numerics(tmp_path).read_bytes()
        with pytest.raises(InputError, match=r"several files.*\.hea"):
            read_file(io.BytesIO(data), category="heart-rate", start=START)

    def test_a_header_without_a_checksum_or_a_length_is_taken_at_its_samples(self, tmp_path: Path) -> None:
        path = record(tmp_path, "e", (("II", 200, "mV"),), [(1,), (2,)])
        header(tmp_path, "e", ["e 1 125", "e.dat 16 200/mV 16 0"])
        with pytest.raises(InputError, match="no ecg"):
            read(path, "ecg", start=START)  # it has no name, so nobody knows which lead it is
        header(tmp_path, "e", ["e 1 125", "e.dat 16 200/mV 16 0 1 3 0 II"])
        assert [each.value for each in read(path, "ecg", start=START).readings] == [0.005, 0.01]

    def test_a_column_of_times_and_start_are_refused_where_they_mean_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="--time-column"):
            read(numerics(tmp_path), start=START, time_column="time")
        rows = b"time,heart rate (bpm)\n2026-11-02T00:00Z,60\n"
        with pytest.raises(InputError, match="Leave --start out"):
            read_file(io.BytesIO(rows), category="heart-rate", start=START)
        assert read_file(io.BytesIO(rows), category="heart-rate").readings
