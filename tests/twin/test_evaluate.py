"""scripts/evaluate, on people and patients that were made up, and on the recordings where they are."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from dtledger.twin import gate, prior
from scripts.evaluation import baselines
from scripts.evaluation.__main__ import main, strict
from scripts.evaluation.meals import carbohydrate, insulin
from scripts.evaluation.people import people
from scripts.evaluation.scores import winkler
from tests.twin.people import readings

HEADINGS = [
    "Date",
    "CGM (mg / dl)",
    "CBG (mg / dl)",
    "Blood Ketone (mmol / L)",
    "Dietary intake",
    "Insulin dose - s.c.",
]

Run = Callable[..., dict[str, Any]]


BEGAN = datetime(2026, 11, 2)  # noqa: DTZ001 a wall clock's, as the sets have it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people of two days each, as ShanghaiT1DM writes them; and odd ones."""
    made = tmp_path_factory.mktemp("people")
    (made / "empty").mkdir()
    (made / "odd").mkdir()
    for name in range(1, 5):
        write(made / f"900{name}_0_20261102.xlsx", name, 192)
    write(made / "odd" / "9011_0_20261102.xlsx", 11, 0)
    (made / "odd" / "9012_0_20261102.xlsx").write_bytes(b"PK\x03\x04")
    write(made / "odd" / "9013_0_20261102.xlsx", 13, 60)
    write(made / "odd" / "9014_0_20261102.xlsx", 14, 8)
    write(made / "odd" / "9015_0_20261102.xlsx", 15, 192, HEADINGS[:2], text=True)
    return made


def write(path: Path, seed: int, count: int, headings: list[str] = HEADINGS, text: bool = False) -> None:
    """A workbook of so many readings; with `text`, its times are text."""
    book = openpyxl.Workbook()
    book.active.append(headings)
    for minute, glucose in zip(*readings(seed, count), strict=True):
        at = BEGAN + timedelta(minutes=minute)
        meal = "Rice 150 g\nEgg 50 g" if minute % 1440 in {420, 720, 1080} else None
        row = [at, round(float(glucose), 1), None, None, meal, "Novolin R, 4 IU" if meal else None]
        book.active.append([f"{at:%Y/%m/%d %H:%M}" if text else at, *row[1:]][: len(headings)])
    if not count:
        book.active.append([BEGAN, "data not available"])
    book.save(path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def made(*arguments: str) -> dict[str, Any]:
        assert main([*arguments, "--json", str(tmp_path / "found.json")]) == 0
        found: dict[str, Any] = json.loads((tmp_path / "found.json").read_text())
        return found

    return made


@pytest.mark.slow
def test_who_is_trained_on_is_left_out_for_the_forecast_of_itself(folder: Path, run: Run) -> None:
    found = run("forecast", "--train", f"{folder}:9001-9003", "--test", f"{folder}:9001,9004", "--inputs", "announced")
    assert set(found["announced"]["deviations"]) == {"without 9001", "all"}
    one = found["announced"]["people"]["9001"]
    assert len(one["mean"]) == len(one["quantiles"]) == len(one["ar6"]) == found["announced"]["origins"] // 2
    assert {"ratio", "coverage", "winkler_ratio"} <= set(found["announced"]["each"]["9004"]["60"])


@pytest.mark.slow
def test_who_is_too_short_is_left_out_and_named(folder: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    tested = ("--test", f"{folder}:9004", "--test", f"{folder}/odd:9014,9015")
    found = run("forecast", "--train", f"{folder}:9001-9003", *tested, "--inputs", "announced")
    assert set(found["announced"]["people"]) == {"9004", "9015"}
    assert "left out: 9014" in capsys.readouterr().err


def test_the_file_is_strict_json() -> None:
    found = strict({1: np.array([np.nan, 0.12345678]), "rest": (math.inf, "x", None, True)})
    assert found == {"1": [None, 0.123457], "rest": [sys.float_info.max, "x", None, True]}


def test_a_sensor_of_every_five_minutes_is_read_each_quarter_of_an_hour(tmp_path: Path) -> None:
    """As T1D-UOM has it: mmol/L, day first, each kind of value in a file of its own."""
    rows = [f"{BEGAN + timedelta(minutes=5 * i):%d/%m/%Y %H:%M},{5 + i % 10}" for i in range(60)]
    (tmp_path / "UoMGlucose2399.csv").write_text("bg_ts,value\n" + "\n".join([*rows, "no time,5", rows[0]]))
    (tmp_path / "UoMNutrition2399.csv").write_text("\ufeffmeal_ts,carbs_g\n02/11/2026 00:20,40\n02/11/2026 00:21,\n")
    (tmp_path / "UoMBasal2399.csv").write_text(
        "basal_ts,basal_dose,insulin_kind\n02/11/2026 00:50,12,L\n02/11/2026 00:50,1.2,R\n03/11/2026 00:50,9,L\n"
    )
    (person,) = people(str(tmp_path))
    (segment,) = person.segments
    assert person.name == "2399"
    assert (np.diff(segment.minutes) == 15).all()
    np.testing.assert_allclose(segment.glucose[:3], np.array([5, 8, 11]) * 18.0182)
    assert segment.carbohydrate[:4].tolist() == [0, 0, 40, 0]
    assert (segment.lasting.sum(), segment.lasting[4], segment.rapid.sum()) == (12, 12, 0)


@pytest.mark.slow
def test_a_prior_is_fitted_as_the_package_has_it(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "prior.json"
    assert main(["fit", "--train", f"{folder}:9001-9002", "--train", f"{folder}:9003", "--json", str(file)]) == 0
    assert prior.read(file.read_text()).weights.shape == prior.shipped().weights.shape


@pytest.mark.slow
def test_false_data_are_looked_for_under_thresholds_of_other_people(folder: Path, run: Run) -> None:
    found = run("detect", "--train", f"{folder}:9001-9003", "--test", f"{folder}:9001,9004", "--seeds", "1")
    count = len(found["windows"]["person"])
    assert {"9001", "9004"} == set(found["windows"]["person"]) == set(found["false"]["people"])
    assert np.array(found["windows"]["clean"]).shape[1] == count
    assert np.array(found["attacks"]["noise 20"]["scores"]).shape == (1, count)
    assert np.array(found["attacks"]["replay"]["scores"]).shape == (1, count)
    assert {"0.01", "0.05", "plain", "second"} <= set(found["attacks"]["bias +20"])
    assert found["attacks"]["scale 1.3"]["0.05"] >= found["attacks"]["ramp +0.5"]["0.05"]
    assert abs(sum(found["lived"]["alone"].values()) - 1) < 1e-9
    assert {row["name"] for row in found["goals"]} >= {"false alarms at a nominal 1%", "clean time that is suspect"}


@pytest.mark.slow
def test_thresholds_are_calibrated_as_the_package_has_them(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "gate.json"
    assert main(["calibrate", "--train", f"{folder}:9001-9002", "--train", f"{folder}:9003", "--json", str(file)]) == 0
    assert {level for level, _ in gate.read(file.read_text()).levels} == {0.01, 0.05}


def test_people_who_are_not_there_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--train", f"{folder}:9001-9007", "--test", f"{folder}:9004"]) == 2
    assert "no 9005, 9006, 9007" in capsys.readouterr().err


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "a folder that is not there": (("forecast", "--train", "{}:9001-9003", "--test", "{}/none:9004"), "no folder"),
    "a folder without people": (("detect", "--train", "{}:9001-9003", "--test", "{}/empty"), "has no workbook"),
    "no range": (("detect", "--train", "{}:9001-9003", "--test", "{}:9004-x"), "no range of people"),
    "one person only": (("forecast", "--train", "{}:9001", "--test", "{}:9001"), "too few people"),
    "two with one name": (("fit", "--train", "{}:9001-9003", "--train", "{}:9003"), "called 9003"),
    "one to fit on": (("fit", "--train", "{}:9001", "--train", "{}:9002"), "too few people"),
    "no patients": (("denoise", "--test", "{}:2"), "no folder of simglucose"),
    "no record": (("vitals", "--test", "{}/none"), "is no record"),
    "somebody twice": (("forecast", "--train", "{}:9001-9003", "--test", "{}:9004", "--test", "{}"), "called 9004"),
    "a workbook of nothing": (("fit", "--train", "{}/odd:9011,9012"), "9011 has no reading"),
    "a workbook that is none": (("fit", "--train", "{}/odd:9012"), "9012: The file is no Excel workbook"),
    "hours to train on": (("fit", "--train", "{}/odd:9013,9014"), "too few people"),
    "minutes to forecast": (("forecast", "--train", "{}:9001-9003", "--test", "{}/odd:9014"), "measured of 9014"),
    "hours to look for false data": (
        ("detect", "--train", "{}:9001-9003", "--test", "{}/odd:9013"),
        "measured of 9013",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_measured_is_said_at_once(
    folder: Path, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, says = WRONG[what]
    assert main([each.format(folder) for each in arguments] + ["--json", str(tmp_path / "found.json")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "found.json").exists()


@pytest.mark.parametrize(
    "wrong", [["--seeds", "0"], ["--seeds", "x"], ["--seed", "-1"], ["--json", "none/found.json"], ["--json", "."]]
)
def test_what_is_no_number_and_no_file_is_said_at_once(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["detect", "--train", "x", "--test", "x", *wrong])
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_rows_that_come_twice_or_overlap_another_file_count_once(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "9001_0_20261102.xlsx", tmp_path)
    (plain,) = people(f"{tmp_path}:9001")
    book = openpyxl.load_workbook(tmp_path / "9001_0_20261102.xlsx")
    book.active.append([datetime(2026, 11, 3), 400.0])  # noqa: DTZ001 a wall clock's
    book.active.append(["no time", 100.0])
    book.save(tmp_path / "9001_0_20261102.xlsx")
    book.active.append([datetime(2026, 11, 5), 100.0])  # noqa: DTZ001 a wall clock's
    book.save(tmp_path / "9001_1_20261102.xlsx")
    (person,) = people(f"{tmp_path}:9001")
    assert [len(each.minutes) for each in person.segments] == [192, 1]
    assert (person.segments[0].glucose == plain.segments[0].glucose).all()


@pytest.mark.slow
def test_the_speed_is_measured_beside_filterpys(folder: Path, run: Run) -> None:
    for readings_of in ((), ("--test", f"{folder}:9001-9003")):
        found = run("bench", "--twins", "20", "--steps", "2", *readings_of)
        assert all(row["figure"] > 0 for row in found["goals"])


@pytest.mark.slow
def test_a_gateway_holds_no_more_after_a_week_than_after_days(run: Run) -> None:
    found = run("memory", "--twins", "1", "--days", "8", "--every", "1800")
    of = {row["name"].partition(",")[0]: row["figure"] for row in found["goals"]}
    assert of["blocks of Python's"] < 1.03
    assert of["KiB on the disk"] < 1.1


def test_meals_and_doses_are_read_from_sentences() -> None:
    assert 30 < carbohydrate("Steamed bun 50 g Milk 250 ml Egg 50 g") < 45
    assert carbohydrate("data not available") == carbohydrate("") == 0
    assert insulin("Novolin 30R, 10 IU; insulin degludec, 14 IU") == (3.0, 21.0)


def test_the_interval_score_counts_width_and_what_lies_outside() -> None:
    truth, low, high = np.array([5.0, 0.0, 12.0]), np.array([4.0, 4.0, 4.0]), np.array([8.0, 8.0, 8.0])
    assert winkler(truth, low, high, 0.2) == pytest.approx(4 + (40 + 40) / 3)


@pytest.mark.real_data
@pytest.mark.slow
def test_the_baselines_are_those_that_were_measured() -> None:
    """On ShanghaiT1DM's six people, each left out in turn."""
    everybody = people(f"{os.environ['DTLEDGER_DATA']}/cgm/shanghai/T1DM:1001-1006")
    errors, still = [], []
    for person in everybody:
        rival = baselines.autoregression([each for each in everybody if each is not person])
        origins = baselines.origins(person)
        errors.append(rival.forecast(origins.windows) - origins.actual)
        still.append(origins.windows[:, :1] - origins.actual)
    found, persistence = (np.sqrt(np.square(np.concatenate(each)).mean(axis=0)) for each in (errors, still))
    np.testing.assert_allclose(persistence, [10.99, 20.62, 36.05], atol=0.006)
    np.testing.assert_allclose(found, [6.17, 14.89, 29.71], atol=0.02)


@pytest.mark.real_data
@pytest.mark.slow
def test_denoising_runs_on_patients_that_nothing_was_fitted_on(run: Run) -> None:
    given = f"{os.environ['DTLEDGER_DATA']}/simglucose:1-5"
    found = run("denoise", "--test", given, "--sensors", "2", "--days", "1")
    assert found["patients"] == ["adolescent#002", "adolescent#003", "adolescent#005"]
    assert np.array(found["announced"]["rmse"]).shape == (3, 2)
