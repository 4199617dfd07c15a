"""Input that no device should give: refused or told with its line, within bounds, and never taken for readings."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from dtledger.errors import InputError
from dtledger.importers import MAX_FILE_BYTES, read_file

HEAD = b"time,glucose (mmol/L)\n"


class Endless(io.RawIOBase):
    """A file that goes on and on, and counts what was taken of it."""

    def __init__(self, head: bytes, more: bytes) -> None:
        self._head = head
        self._more = more
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        part = self._head or (self._more * (len(view) // len(self._more) + 1))
        size = min(len(view), len(part))
        view[:size] = part[:size]
        self._head = self._head[size:]
        self.given += size
        return size


def read(text: bytes, **options: Any) -> Any:
    return read_file(io.BytesIO(HEAD + text), utc_offset="+00:00", **options)


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"", b"1"),
        (HEAD, b"5"),
        (HEAD + b'2026-11-02T00:05Z,"', b"5"),
        (HEAD, b"2026-11-02T00:05Z,5.4,"),
        (b"", b"\n"),
        (b"\x1f\x8b", b"\0"),
        (b"PK\x03\x04", b"\0"),
        (b"\xd0\xcf\x11\xe0", b"\0"),
    ],
    ids=["digits", "one row", "one cell", "many cells", "nothing", "gzip", "xlsx", "xls"],
)
def test_a_line_without_an_end_is_refused_within_bounds(head: bytes, more: bytes) -> None:
    """Ten gigabytes are not read to find that they are none."""
    endless = Endless(head, more)
    with pytest.raises(InputError):
        read_file(endless, utc_offset="+00:00")  # type: ignore[arg-type]
    assert endless.given <= MAX_FILE_BYTES + 2**17


def test_what_unpacks_to_a_line_without_an_end_is_refused() -> None:
    packed = gzip.compress(HEAD + b"5" * (MAX_FILE_BYTES + 1))
    assert len(packed) < 100_000
    with pytest.raises(InputError, match="larger"):
        read_file(io.BytesIO(packed), utc_offset="+00:00")


@pytest.mark.parametrize("value", ["NaN", "nan", "inf", "-Infinity", "1e999", "-1e999", "0", "-5.4", "999", "97", ""])
def test_what_is_no_value_is_a_problem_with_its_line(value: str) -> None:
    found = read(b"2026-11-02T00:05,5.4\n2026-11-02T00:10," + value.encode() + b"\n")
    assert [each.value for each in found.readings] == [5.4]
    assert [each.line for each in found.problems] == [3]


def test_rows_that_cannot_be_read_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtledger.importers.intake.MOST_PROBLEMS", 3)
    with pytest.raises(InputError, match="Over 3 rows cannot be read"):
        read(b"2026-11-02T00:05,5.4\n" + b"x,1\n" * 4)
    assert len(read(b"2026-11-02T00:05,5.4\n" + b"x,1\n" * 3).problems) == 3


def test_a_clock_that_was_never_set_is_a_problem() -> None:
    found = read(b"1970-01-01T00:10,5.4\n1970-12-31T23:59,5.4\n1971-01-01T00:00,5.5\n2026-11-02T00:05,5.6\n")
    assert [each.value for each in found.readings] == [5.5, 5.6]
    assert [(each.line, "never set" in each.reason) for each in found.problems] == [(2, True), (3, True)]


def test_a_file_in_another_unit_than_it_says_is_refused() -> None:
    rows = b"".join(b"2026-11-02T00:%02d,%d\n" % (each, 90 + each) for each in range(20))
    with pytest.raises(InputError, match="could be in mg/dL"):
        read(rows)
    assert len(read_file(io.BytesIO(HEAD.replace(b"mmol/L", b"mg/dL") + rows), utc_offset="Z").readings) == 20


def test_two_sensors_in_one_file_keep_both_and_are_told() -> None:
    rows = b"".join(b"2026-11-02T00:%02d,%s\n" % (each, value) for each in range(5) for value in (b"5.4", b"9.1"))
    found = read(rows)
    assert (len(found.readings), found.conflicts) == (10, 10)
