"""An Excel workbook is read as the CSV that it would be saved as, and nothing that it holds can hurt."""

from __future__ import annotations

import builtins
import gzip
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.errors import InputError
from dtledger.importers import read_file, workbook
from tests.importers.exports import clarity, libreview, read
from tests.importers.workbooks import Rows, part, with_parts, xls, xlsx

HEAD = ["time", "glucose (mmol/L)"]
ROWS: Rows = [HEAD, [datetime(2026, 11, 2, 0, 5), 5.5], [datetime(2026, 11, 2, 0, 10), 6]]  # noqa: DTZ001 a wall clock
SHEET = "xl/worksheets/sheet1.xml"
SAVE = pytest.mark.parametrize("save", [xlsx, xls])
Save = Callable[..., bytes]

XLSX, XLS = xlsx(ROWS), xls(ROWS)


def values(data: bytes, **options: object) -> list[float]:
    return [reading.value for reading in read(data, utc_offset="Z", **options).readings]


def reasons(data: bytes) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in read(data, utc_offset="Z").problems]


@SAVE
def test_a_sheet_is_read_as_the_csv_that_it_would_be_saved_as(save: Save) -> None:
    done = read(save(ROWS), utc_offset="+01:00")
    assert [(reading.at.isoformat(), reading.value) for reading in done.readings] == [
        ("2026-11-02T00:05:00+01:00", 5.5),
        ("2026-11-02T00:10:00+01:00", 6.0),
    ]
    assert (done.source_format, done.problems, done.lines) == ("csv", (), 3)


@SAVE
def test_a_workbook_may_be_packed_with_gzip_and_come_by_its_path(save: Save, tmp_path: Path) -> None:
    path = tmp_path / "export.bin"
    path.write_bytes(gzip.compress(save(ROWS), mtime=0))
    assert read_file(path, utc_offset="Z") == read(save(ROWS), utc_offset="Z")


@SAVE
@pytest.mark.parametrize("text", [clarity([("2026-11-02T00:03:12", "EGV", "112")]), libreview([])])
def test_every_format_may_be_in_a_workbook(save: Save, text: str) -> None:
    rows = [line.split(",") for line in text.split("\r\n")]
    if "Record Type" in text:
        rows.append(["FreeStyle", "S", "2026-11-02 00:03", "0", "112"])
    done = read(save(rows), utc_offset="Z")
    assert [reading.value for reading in done.readings] == [112.0]
    assert done.source_format in {"clarity", "libreview"}


@SAVE
def test_a_time_of_day_by_the_second_comes_through_whole(save: Save) -> None:
    at = datetime(2026, 11, 2, 23, 59, 59)  # noqa: DTZ001 a wall clock
    done = read(save([HEAD, [at, 5.5]]), utc_offset="Z")
    assert done.readings[0].at.replace(tzinfo=None) == at


@SAVE
def test_every_digit_of_a_number_is_kept(save: Save) -> None:
    assert values(save([HEAD, [ROWS[1][0], 6.300000000000001]])) == [6.300000000000001]


@SAVE
def test_empty_rows_count_as_lines_and_empty_columns_at_the_end_do_not_matter(save: Save) -> None:
    rows = [[None], HEAD, [None], [*ROWS[1], None, None], [ROWS[2][0], "oops"], [None, None], [None]]
    assert reasons(save(rows)) == [(5, "the value is not a number")]
    assert values(save(rows)) == [5.5]


@SAVE
@pytest.mark.parametrize("cell", [True, "n/a", "5.5 mmol/L"])
def test_a_cell_that_is_no_number_is_a_problem_of_its_row(save: Save, cell: object) -> None:
    assert reasons(save([HEAD, [ROWS[1][0], cell], ROWS[2]])) == [(2, "the value is not a number")]


@pytest.mark.parametrize(("save", "cell"), [(xlsx, 44407.5), (xls, 44407.5), (xlsx, time(12, 30)), (xls, "yesterday")])
def test_a_cell_that_is_no_time_is_a_problem_of_its_row(save: Save, cell: object) -> None:
    assert reasons(save([HEAD, [cell, 5.5], ROWS[2]])) == [(2, "the time is not a date and a time of day")]


def test_a_formula_is_a_problem_of_its_row_and_never_computed() -> None:
    assert reasons(xlsx([HEAD, [ROWS[1][0], "=1+4.5"], ROWS[2]])) == [
        (2, "the value is a formula; save the sheet as CSV, which has its result")
    ]
    assert reasons(xlsx([HEAD, ["=NOW()", 5.5], ROWS[2]])) == [(2, "the time is not a date and a time of day")]


@pytest.mark.parametrize("kind", ["shared", "array", "dataTable"])
def test_a_formula_over_several_cells_is_a_problem_too(kind: str) -> None:
    sheet = part(XLSX, SHEET).replace(b"<v>5.5</v>", f'<f t="{kind}" ref="B2:B3" si="0">A1</f><v>5.5</v>'.encode())
    assert [line for line, _ in reasons(with_parts(XLSX, {SHEET: sheet}))] == [2]


@SAVE
def test_a_second_sheet_with_something_in_it_is_refused_and_an_empty_one_is_not(save: Save) -> None:
    with pytest.raises(InputError, match="more than one sheet"):
        read(save(ROWS, other=[["a"]]), utc_offset="Z")
    assert values(save(ROWS, other=[])) == values(save([], other=ROWS)) == [5.5, 6.0]


@SAVE
def test_a_workbook_with_nothing_in_it_is_an_empty_file(save: Save) -> None:
    with pytest.raises(InputError, match="empty"):
        read(save([[]]), utc_offset="Z")
    assert len(values(save(ROWS))) == 2


def test_a_sheet_that_says_it_is_smaller_is_read_whole() -> None:
    sheet = part(XLSX, SHEET).replace(b'ref="A1:B3"', b'ref="A1:B2"')
    assert sheet != part(XLSX, SHEET)
    assert values(with_parts(XLSX, {SHEET: sheet})) == [5.5, 6.0]


class TestABomb:
    """Small files that blow themselves up; each has its witness beside it."""

    @pytest.mark.slow
    def test_of_zeros_is_refused_before_it_is_unpacked(self) -> None:
        bomb = with_parts(XLSX, {"xl/media/image1.png": bytes(workbook.MAX_UNPACKED_BYTES)})
        assert len(bomb) < 200_000
        with pytest.raises(InputError, match="unpacks to more than 64 MiB"):
            read(bomb, utc_offset="Z")
        assert len(values(with_parts(XLSX, {"xl/media/image1.png": bytes(100)}))) == 2

    @pytest.mark.slow
    def test_of_a_last_row_far_below_is_refused(self) -> None:
        def sheet(number: int) -> bytes:
            return part(XLSX, SHEET).replace(b'<row r="3"', f'<row r="{number}"'.encode()).replace(b' r="B3"', b"")

        with pytest.raises(InputError, match="more than 300,000 rows"):
            read(with_parts(XLSX, {SHEET: sheet(99_999_999_999)}), utc_offset="Z")
        assert len(values(with_parts(XLSX, {SHEET: sheet(3)}))) == 2

    def test_of_a_last_column_far_to_the_right_is_refused(self) -> None:
        def rows(column: int) -> list[list[object]]:
            return [HEAD, [*ROWS[1], *[None] * column, "x"]]

        with pytest.raises(InputError, match="more than 256 columns"):
            read(xlsx(rows(300)), utc_offset="Z")
        assert reasons(xlsx(rows(200)))[0][1].startswith("the row has more cells")

    @SAVE
    def test_of_one_long_text_that_every_row_points_at_is_refused(
        self, save: Save, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [[*HEAD, "note"], *([*ROWS[1], "x" * 30_000] for _ in range(40))]
        monkeypatch.setattr("dtledger.importers.source.MAX_FILE_BYTES", 1024 * 1024)
        with pytest.raises(InputError, match="larger than 1 MiB as text"):
            read(save(rows), utc_offset="Z")
        assert len(values(save(rows[:20]))) == 1

    def test_of_xml_entities_is_refused(self) -> None:
        entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        for name in (SHEET, "xl/workbook.xml", "[Content_Types].xml"):
            whole = part(XLSX, name)
            begin = whole.index(b"?>") + 2 if whole.startswith(b"<?xml") else 0
            with pytest.raises(InputError, match="no Excel workbook that can be read"):
                read(with_parts(XLSX, {name: whole[:begin] + entities + whole[begin:]}), utc_offset="Z")
            assert len(values(with_parts(XLSX, {name: whole}))) == 2


@pytest.mark.parametrize("whole", [XLSX, XLS], ids=["xlsx", "xls"])
class TestADamagedWorkbook:
    def test_cut_short_is_refused(self, whole: bytes) -> None:
        for length in (8, 100, len(whole) // 2, len(whole) - 1000):
            with pytest.raises(InputError):
                read(whole[:length], utc_offset="Z")
        assert len(values(whole)) == 2

    @settings(deadline=None)
    @given(st.data())
    def test_is_refused_or_read_and_never_anything_else(self, whole: bytes, data: st.DataObject) -> None:
        spoilt = bytearray(whole)
        for place in data.draw(st.lists(st.integers(4, len(whole) - 1), min_size=1, max_size=8)):
            spoilt[place] = data.draw(st.integers(0, 255))
        with suppress(InputError):
            assert read(bytes(spoilt), utc_offset="Z").rows <= 65_536


@pytest.mark.parametrize("name", ["xl/workbook.xml", "[Content_Types].xml"])
def test_another_zip_archive_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no Excel workbook that can be read"):
        read(with_parts(XLSX, {name: None}), utc_offset="Z")
    assert len(values(with_parts(XLSX, {}))) == 2


@pytest.mark.parametrize(
    ("library", "data"),
    [("openpyxl", XLSX), ("defusedxml", XLSX), ("xlrd", XLS)],
    ids=["openpyxl", "defusedxml", "xlrd"],
)
def test_without_its_library_it_is_refused_with_the_name_of_the_extra(
    library: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(name)
        return importing(name, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        with pytest.raises(InputError, match=r"pip install 'dtledger\[excel\]'"):
            read(data, utc_offset="Z")
    assert len(values(data)) == 2


@pytest.mark.slow
def test_reading_csv_loads_no_library_of_workbooks() -> None:
    code = (
        "import io, sys; from dtledger.importers import read_file;"
        "read_file(io.BytesIO(b'time,glucose (mmol/L)\\n2026-11-02T00:05Z,5.5\\n'));"
        "assert not {'openpyxl', 'xlrd', 'defusedxml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_reader_of_old_workbooks_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError):
        read(XLS[:-1000] + bytes(1000), utc_offset="Z")
    assert capfd.readouterr() == ("", "")
    assert len(values(XLS)) == 2
