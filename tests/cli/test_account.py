"""What an import says of the rows that it could not read."""

from __future__ import annotations

from io import BytesIO

from dtledger._cli import account
from dtledger.importers import read_file


def test_rows_that_fail_for_one_reason_share_a_line_that_names_them_all() -> None:
    rows = [f"2026-11-20T10:{minute:02}:00Z,100,mg/dL" for minute in range(8)]
    rows[1] = rows[4] = rows[5] = rows[6] = "banana,100,mg/dL"
    rows[7] = "2026-11-20T10:07:00Z,,mg/dL"
    imported = read_file(BytesIO("\n".join(["time,value,unit", *rows]).encode()))
    assert list(account.problems(imported)) == [
        "lines 3 and 6 to 8: the time is not a date and a time of day",
        "line 9: there is no value",
    ]


def test_many_scattered_rows_do_not_fill_the_screen() -> None:
    rows = [f"{'banana' if minute % 2 else f'2026-11-20T10:{minute:02}:00Z'},100,mg/dL" for minute in range(60)]
    imported = read_file(BytesIO("\n".join(["time,value,unit", *rows]).encode()))
    (line,) = account.problems(imported)
    assert line.startswith("lines 3, 5, 7,")
    assert "and more (--json lists all): the time" in line
