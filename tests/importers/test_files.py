"""What may be read as a file, and what is refused before its first row."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from dtledger.errors import InputError
from dtledger.importers import SAMPLE, read_file, sniff, source
from tests.importers.exports import clarity, csv, read, times

ROWS = [(f"{time}+01:00", 155) for time in times("2026-11-02", 3)]
GOOD = csv("time,glucose (mg/dL)", ROWS)
VALUES = [155.0] * 3


def values(data: bytes) -> list[float]:
    return [reading.value for reading in read(data).readings]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        "\ufeff".encode("utf-16-be") + GOOD.encode("utf-16-be"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.rstrip("\n").encode(),
        ("\n\n" + GOOD.replace("\n", "\n\n") + ",,\n").encode(),
        gzip.compress(GOOD.encode("utf-8-sig"), mtime=0),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "crlf", "cr", "no last end", "blank lines", "gzip"],
)
def test_the_same_text_is_the_same_readings_however_it_is_stored(data: bytes) -> None:
    done = read(data)
    assert [reading.value for reading in done.readings] == VALUES
    assert done.problems == ()


def test_a_path_and_a_stream_are_read_alike_and_the_callers_stream_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(GOOD)
    with path.open("rb") as stream:
        assert read_file(stream) == read_file(path) == read_file(str(path))
        assert not stream.closed


def test_a_stream_that_gives_a_byte_at_a_time_is_read_whole() -> None:
    class Pipe(io.RawIOBase):
        data = io.BytesIO(GOOD.encode())

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            return self.data.readinto(memoryview(buffer)[:1])

    assert [reading.value for reading in read_file(Pipe()).readings] == VALUES  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \n\r\n\t", "empty"),
        (b"PK\x03\x04" + bytes(40), "no Excel workbook that can be read"),
        (b"\xd0\xcf\x11\xe0" + bytes(40), "no Excel workbook that can be read"),
        (b"%PDF-1.7 report", "PDF"),
        (bytes(range(256)), "binary"),
        (GOOD.encode("utf-16-le"), "binary"),
        (GOOD.encode("utf-32"), "binary"),
        (gzip.compress(GOOD.encode(), mtime=0)[:-9], "damaged gzip"),
        (b"\x1f\x8b and no more", "damaged gzip"),
        (GOOD.encode() + b"\xff\xfe\xfd", r"not UTF-8\."),
        (GOOD.encode("utf-16") + b"\x00", "not UTF-16"),
    ],
)
def test_what_is_no_text_is_refused_and_says_what_it_is(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(data)
    assert values(GOOD.encode()) == VALUES


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    with pytest.raises(InputError, match="no such file"):
        read_file(path)
    with pytest.raises(InputError, match="folder"):
        read_file(tmp_path)
    path.write_text(GOOD)
    assert len(read_file(path).readings) == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [(PermissionError(13, "Permission denied"), "may not be read"), (OSError(5, "Input/output error"), "Input/output")],
)
def test_a_file_that_fails_while_it_is_read_is_refused(error: OSError, said: str) -> None:
    class Failing(io.BytesIO):
        fails = True

        def read(self, size: int | None = -1) -> bytes:
            if self.fails:
                raise error
            return super().read(size)

    stream = Failing(GOOD.encode())
    with pytest.raises(InputError, match=said):
        read_file(stream)
    stream.fails = False
    assert len(read_file(stream).readings) == 3


def test_a_stream_of_text_is_refused() -> None:
    with pytest.raises(InputError, match="binary mode"):
        read_file(io.StringIO(GOOD))  # type: ignore[arg-type]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "unpacked gzip"])
def test_a_file_over_the_limit_is_refused_and_one_at_it_is_read(
    monkeypatch: pytest.MonkeyPatch, pack: type[bytes]
) -> None:
    data = csv("time,glucose (mg/dL)", [(f"{time}Z", 155) for time in times("2026-01-01", 9000)]).encode()
    monkeypatch.setattr(source, "MAX_FILE_BYTES", len(data) - 1)
    with pytest.raises(InputError, match="larger than"):
        read(pack(data))
    monkeypatch.setattr(source, "MAX_FILE_BYTES", len(data))
    assert len(read(pack(data)).readings) == 9000


def test_no_message_names_the_file_since_exports_carry_their_patients_name_in_theirs(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_file(tmp_path / "Clarity_Export_Lovelace_Ada.csv")
    assert "Lovelace" not in str(caught.value)


class TestTheFormat:
    def test_is_told_from_the_headings(self) -> None:
        assert sniff(io.BytesIO(GOOD.encode())) == "csv"
        assert sniff(io.BytesIO(clarity([]).encode("utf-8-sig"))) == "clarity"

    @pytest.mark.parametrize("text", ["hello", "a,b\n1,2\n", "time\n2026-11-02T00:00Z\n", '"time,value\n', "{}"])
    def test_that_is_none_known_is_refused_with_the_headings_that_are(self, text: str) -> None:
        with pytest.raises(InputError, match=r"timestamp.*glucose.*--time-column") as caught:
            read(text)
        assert "neither Dexcom Clarity's CSV export, nor LibreView's" in caught.value.message
        with pytest.raises(InputError):
            sniff(io.BytesIO(text.encode()))

    def test_can_be_said(self) -> None:
        with pytest.raises(
            InputError, match="--format is none of auto, clarity, libreview, shanghai, t1d-uom, bitalino, wfdb, csv"
        ):
            read(GOOD, "xls")
        with pytest.raises(InputError, match="Clarity export in English"):
            read(GOOD, "clarity")
        with pytest.raises(InputError, match="first line"):
            read("a,b\n1,2\n", "csv")
        assert len(read(GOOD, "csv").readings) == 3


@pytest.mark.slow
def test_a_hundred_thousand_rows_keep_only_what_they_must() -> None:
    rows = ((f"{time}+01:00", 100 + step % 90) for step, time in enumerate(times("2025-01-01", 20_000)))
    done = read(csv("time,glucose (mg/dL)", rows))
    assert len(done.readings) == 20_000
    assert len({id(reading.unit) for reading in done.readings}) == 1
    assert not hasattr(done.readings[0], "__dict__")
    assert sys.getsizeof(done.readings[0]) <= 88, "seven fields and what every object has"


class TestTheSample:
    def test_is_a_fortnight_of_five_minutes_that_needs_no_option(self) -> None:
        with SAMPLE.open("rb") as stream:
            done = read_file(stream)
        assert (len(done.readings), done.problems, done.repeats, done.gaps) == (14 * 288, (), 0, ())
        assert done.interval == 300
        assert {(reading.unit, reading.offset, reading.quality) for reading in done.readings} == {("mg/dL", 60, "")}

    def test_is_small_and_its_digest_is_in_the_readme_beside_it(self) -> None:
        from dtledger.encoding import sha256

        data = SAMPLE.read_bytes()
        assert len(data) < 150_000
        assert sha256(data).hex() in SAMPLE.parent.joinpath("README.md").read_text("utf-8")
