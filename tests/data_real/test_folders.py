"""Both CGM folders (docs/data.md) import whole: what became of every row is stated here, file by file.

`tests/importers/test_shanghai.py`, `test_t1d_uom.py` and `test_account.py` meet the same faults in generated files.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import UTC
from pathlib import Path, PurePath

import pytest

from dtledger.errors import InputError
from dtledger.importers import Import, read_file
from dtledger.readings import ABOVE_RANGE, BELOW_RANGE, FINGERSTICK, LONG_ACTING
from tests.data_real.recordings import (
    CATEGORIES,
    DIGESTS,
    SHANGHAI,
    UOM,
    imported,
    kind,
    path,
    shanghai_rows,
    uom_expected,
    uom_rows,
)

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

#   file            readings repeats other floor missing refused
#                                    value
STATED = """
1001_0_20210730       658     0    0   0     0   0
1002_0_20210504       948     0    0   0     0   0
1002_1_20210521       933     0    0  62     0   0
1002_2_20210909       357     0    0   1     0   0
1003_0_20210831      1339     0    0   1     0   0
1004_0_20210425       917     0    0   0     0   0
1005_0_20210522      1256     0    0  64     0   0
1006_0_20210114      1236     0    0   4     0   0
1006_1_20210209      1339     0    0   7     0   0
1006_2_20210303      1135     0    0   0     0   0
2000_0_20201230      1339     0    0   9     0   0
2001_0_20201102      1195     0    0   0     0   0
2001_1_20201117      1339     0    0   0     0   0
2002_0_20210513       571     0    0   0     0   0
2003_0_20210615       669     0    0   0     0   0
2004_0_20211028       484     0    0   0     0   0
2005_0_20211201       691     0    0   0     0   0
2006_0_20211112       480     0    0   0     0   0
2007_0_20220108       831     0    0   0     0   0
2008_0_20220118       533     0    0   0     0   0
2009_0_20211103       494     0    0   0     0   0
2010_0_20220111       539     0    0   0     0   0
2011_0_20220123       462     0    0   0     0   0
2012_0_20220126       288     0    0   0     0   0
2013_0_20220123       350     0    0   0     0   0
2014_0_20201224      1333     0    0   0     0   0
2014_1_20210317      1339     0    0   0     0   0
2015_0_20210203      1339     0    0   0     0   0
2015_1_20210219      1318     0    0   0     0   0
2016_0_20201224      1339     0    0   0     0   0
2017_0_20210102      1337     0    0   0     0   0
2017_1_20201118      1337     0    0   0     0   0
2018_0_20210420      1231     0    0   0     0   0
2019_0_20210513       751     0    0   0     0   0
UoMBasal2301        10991     2   36   0     0   0
UoMBasal2302           34     0    0   0     0   0
UoMBasal2304          228     0    8   0     0   0
UoMBasal2305           31     0    0   0     0   0
UoMBasal2306           82     0    0   0     0   0
UoMBasal2307         6879     0   12   0     0  11
UoMBasal2308          806     0   28   0     0   0
UoMBasal2309          625     0   16   0     0   0
UoMBasal2310          260     0    4   0     0   0
UoMBolus2301          677     0  130   0     0   0
UoMBolus2302          177     0    0   0     0   1
UoMBolus2304          203     0    0   0     0   1
UoMBolus2305          164     0    0   0     0   2
UoMBolus2306          423     0    0   0     0  96
UoMBolus2307          524     0   10   0     0   0
UoMBolus2308          396     0    0   0     0   0
UoMBolus2309          289     0    0   0     0   0
UoMBolus2310          627     0    2   0     0   1
UoMGlucose2301      38704  7048  396   0     0  16
UoMGlucose2302      13656     0    0   0     0   0
UoMGlucose2303      14175     1   61   0     0  12
UoMGlucose2304      30878  8609    6   0     0  25
UoMGlucose2305       7190     0    0   0     0   0
UoMGlucose2306      11707     0    0   0     0   3
UoMGlucose2307       8378     0    0   0     0   7
UoMGlucose2308      28694     0    0   0     0   0
UoMGlucose2309      20653     0    0   0     0  12
UoMGlucose2310      50084     0    0   0     0  24
UoMNutrition2301      301     1   10   0     0   0
UoMNutrition2302      219     0    0   0     0   1
UoMNutrition2304      203     0    2   0     0   0
UoMNutrition2305      123     0    0   0     0   4
UoMNutrition2306      365     0    0   0     0   2
UoMNutrition2307      233     0    0   0     0   0
UoMNutrition2308      242     0    0   0     0   1
UoMNutrition2309      206     0    0   0     0   7
UoMsleep2301        23439     0    0   0   742  12
UoMsleep2302        21060     0    0   0   817  12
UoMsleep2303        15351     0    0   0   471  12
UoMsleep2304        31745     0    0   0   212  12
UoMsleep2305        23505     0    0   0   676  12
UoMsleep2306        23796     0    0   0   385  12
UoMsleep2307        24059     0    0   0   122  12
UoMsleep2308        23593     0    0   0   599   0
UoMsleep2309        24133     0    0   0   624  12
UoMsleep2310         9020     0    0   0  5713   0
"""
COUNTS = {words[0]: tuple(map(int, words[1:])) for words in map(str.split, STATED.strip().splitlines())}
"""`other value`: readings that share their time with another value, and are marked. `floor`: readings marked as the
least that the sensor shows; T1D-UOM's files do not say what that is. `missing`: rows without a value, or of 0 bpm."""

TOTALS = {
    "shanghai": (31707, 0, 0, 148, 0, 0),
    "Basal": (19936, 2, 104, 0, 0, 11),
    "Bolus": (3480, 0, 142, 0, 0, 101),
    "Glucose": (224119, 15658, 463, 0, 0, 99),
    "Nutrition": (1892, 1, 12, 0, 0, 15),
    "sleep": (219701, 0, 0, 0, 10361, 96),
}
REASONS = {
    "happened twice": 163,
    "never happened": 37,
    "cannot be": 7,
    "no value": 111,
    "not a date and a time of day": 4,
}


def stem(name: str) -> str:
    return PurePath(name).name.partition(".")[0]


def counts(done: Import) -> tuple[int, ...]:
    floor = sum(BELOW_RANGE in reading.quality.split() for reading in done.readings)
    return (
        *(len(done.readings), done.repeats, done.conflicts, floor),
        *(dict(done.others).get("missing", 0), len(done.problems)),
    )


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_the_file_is_the_one_that_was_published(name: str) -> None:
    assert hashlib.sha256(path(name).read_bytes()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", [*SHANGHAI, *UOM])
def test_what_became_of_every_row_is_as_stated(name: str) -> None:
    done = imported(name)
    assert counts(done) == COUNTS[stem(name)]
    assert {kind for kind, _ in done.others} <= {"missing"}
    assert done.source_format == ("shanghai" if name in SHANGHAI else "t1d-uom")


@pytest.mark.parametrize("name", UOM)
def test_every_row_of_t1d_uom_is_accounted_for_and_read_as_the_standard_library_reads_it(name: str) -> None:
    done = imported(name)
    assert done.rows == len(uom_rows(name))
    assert {(reading.at.astimezone(UTC), reading.value) for reading in done.readings} == uom_expected(name)
    assert len(done.readings) == len(uom_expected(name))


@pytest.mark.parametrize("name", SHANGHAI)
def test_every_row_of_shanghai_is_accounted_for_and_read_as_the_libraries_read_it(name: str) -> None:
    done, rows = imported(name), list(shanghai_rows(name))
    assert done.rows == len(rows)
    assert [(reading.at.replace(tzinfo=None), reading.value) for reading in done.readings] == rows
    assert {(reading.offset, reading.unit) for reading in done.readings} == {(480, "mg/dL")}
    assert all((reading.value == 39.6) == (reading.quality == BELOW_RANGE) for reading in done.readings)


def test_why_rows_were_refused_is_one_of_five_reasons() -> None:
    reasons: Counter[str] = Counter()
    for name in UOM:
        for problem in imported(name).problems:
            words = ("happened twice", "never happened", "cannot be", "no value", "not a date and a time of day")
            reasons[next(word for word in words if word in problem.reason)] += 1
    assert reasons == REASONS


def test_the_folders_in_all_are_as_stated() -> None:
    totals: dict[str, list[int]] = {}
    for name in [*SHANGHAI, *UOM]:
        own = totals.setdefault("shanghai" if name in SHANGHAI else kind(name), [0] * 6)
        own[:] = map(sum, zip(own, COUNTS[stem(name)], strict=True))
    assert {word: tuple(own) for word, own in totals.items()} == TOTALS


def test_the_documentation_states_the_same_totals() -> None:
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
    for readings, repeats, others, *_, missing, refused in TOTALS.values():
        cells = rf"\| {readings:,} \| {repeats:,} \| {others} \|[^|]*\| {missing:,} \| {refused} \|"
        assert re.search(cells, text), cells
    assert all(re.search(rf"\b{count}\b", text) for count in REASONS.values())


@pytest.mark.parametrize("name", sorted(name for name in DIGESTS if "Activity" in name))
def test_a_file_of_activity_is_refused_with_what_it_is(name: str) -> None:
    with pytest.raises(InputError, match="no activity that can be imported"):
        read_file(path(name), category=CATEGORIES["Activity"], tz="Europe/London")


def test_the_sensors_limits_are_marked_where_they_are_said() -> None:
    name = "cgm/t1d_uom/UoMGlucose2309.csv.gz"
    done = read_file(path(name), tz="Europe/London", sensor_range=(2.8, 22.2))
    assert Counter(reading.quality for reading in done.readings if reading.quality) == {
        BELOW_RANGE: 63,
        ABOVE_RANGE: 207,
    }


def test_long_acting_doses_and_a_pumps_rates_are_told_apart() -> None:
    for name in (name for name in UOM if "Basal" in name):
        found = {(each.unit, LONG_ACTING in each.quality.split()) for each in imported(name).readings}
        by_pen = stem(name)[-4:] in {"2302", "2305", "2306"}
        assert found == {("[iU]", True) if by_pen else ("[iU]/h", False)}


def test_of_a_segment_every_column_of_numbers_can_be_imported() -> None:
    file = path("cgm/shanghai/T1DM/1002_1_20210521.xls")
    zone = {"tz": "Asia/Shanghai"}
    fingersticks = read_file(file, value_column="CBG (mg / dl)", **zone)
    assert (len(fingersticks.readings), {each.quality for each in fingersticks.readings}) == (66, {FINGERSTICK})
    bolus = read_file(file, category="insulin", value_column="CSII - bolus insulin (Novolin R, IU)", **zone)
    assert (len(bolus.readings), dict(bolus.others), {each.unit for each in bolus.readings}) == (
        *(19, {"missing": 914}, {"[iU]"}),
    )
    basal = read_file(file, category="insulin", value_column="CSII - basal insulin (Novolin R, IU / H)", **zone)
    assert (len(basal.readings), {each.unit for each in basal.readings}) == (39, {"[iU]/h"})
    assert [problem.line for problem in basal.problems] == [32, 127], "the pump was stopped, in words"
    with pytest.raises(InputError, match="no meals that can be imported"):
        read_file(file, category="meals", **zone)
