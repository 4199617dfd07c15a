"""`twin plot --output`: a picture in a file, with what it shows in words on stdout."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from click.testing import Result

from tests.cli.twins import Twin, complaint, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

CLINICIAN = ("--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")


@pytest.fixture(scope="module")
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin with three hours of glucose that cardiology may read. No test of this module changes it."""
    made = new_twin(devnet_home)
    made.grant()
    return made


@pytest.mark.parametrize("name", ["glucose.svg", "glucose.png", "GLUCOSE.SVG"])
def test_a_picture_goes_into_a_file_for_its_owner_alone_and_its_words_to_stdout(
    dtledger: Run, twin: Twin, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    result = dtledger("twin", "plot", twin.number, *CLINICIAN, "--output", file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Glucose of twin {twin.number}, mmol/L: {len(twin.readings)} readings from ")
    assert "┤" not in result.stdout
    assert f"Drawn into {file}" in result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [name]
    if name.lower().endswith("svg"):
        desc = ElementTree.fromstring(file.read_bytes()).findtext("{http://www.w3.org/2000/svg}desc") or ""
        assert desc == " ".join(result.stdout.split())
        assert time.strftime("%z") in desc
    else:
        assert file.read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_there_is_kept_unless_it_is_said_to_be_replaced(
    dtledger: Run, twin: Twin, tmp_path: Path
) -> None:
    file = tmp_path / "glucose.svg"
    file.write_text("mine")
    words = ("twin", "plot", twin.number, *CLINICIAN, "--output", file)
    assert "--replace" in complaint(dtledger(*words, "--json"), 2)["hint"]
    assert file.read_text() == "mine"
    assert dtledger(*words, "--replace").exit_code == 0
    assert "<svg" in file.read_text()


@pytest.mark.parametrize("name", ["glucose.pdf", "glucose", "no/such/folder.png"])
def test_a_picture_of_another_kind_or_in_no_folder_is_refused_before_anything_is_asked_for(
    dtledger: Run, twin: Twin, tmp_path: Path, name: str
) -> None:
    before = len(said(dtledger("twin", "access", twin.number, "--key", "patient", "--json"))["looks"])
    assert dtledger("twin", "plot", twin.number, *CLINICIAN, "--output", tmp_path / name).exit_code == 2
    after = len(said(dtledger("twin", "access", twin.number, "--key", "patient", "--json"))["looks"])
    assert (before, list(tmp_path.iterdir())) == (after, [])


def test_json_has_the_readings_the_words_and_where_the_picture_is(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "glucose.png"
    told = said(dtledger("twin", "plot", twin.number, *CLINICIAN, "--output", file, "--json"))
    assert (len(told["readings"]), told["output"], len(told["told"])) == (len(twin.readings), str(file), 1)
    assert file.exists()
    alone = said(dtledger("twin", "plot", twin.number, *CLINICIAN, "--json"))
    assert "output" not in alone
    assert alone["told"][0].startswith("Glucose of twin")


def test_where_there_is_nothing_to_draw_no_file_is_written(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    bare = new_twin(devnet_home, hours=0)
    words = ("twin", "plot", bare.number, "--category", "meals", "--purpose", "PATRQT", "--key", "patient")
    result = dtledger(*words, "--output", tmp_path / "meals.png")
    assert (result.exit_code, result.stdout, list(tmp_path.iterdir())) == (0, "", [])
    assert "nothing to draw" in result.stderr


def test_replace_goes_with_output(dtledger: Run, twin: Twin) -> None:
    assert dtledger("twin", "plot", twin.number, *CLINICIAN, "--replace").exit_code == 2
