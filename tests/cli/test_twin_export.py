"""`twin export`: everything that is held about a patient, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dtledger.contacts import Contacts
from dtledger.encoding import CID
from dtledger.fhir import read_file, resources_in

from .conftest import DevnetHome
from .twins import Twin, complaint, new_twin, said

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def twin(devnet_home: DevnetHome) -> Twin:
    """A twin with a grant, a look and a correction."""
    made = new_twin(devnet_home, hours=1)
    made.grant()
    with devnet_home.client("cardiology") as clinician, devnet_home.client("patient") as patient:
        clinician.read(made.number, "glucose", "TREAT")
        (group, *_) = patient.snapshots.list(made.number)
        patient.writer.amend(group[0].found.digest, [], "lay on the sensor", replaces=[made.readings[0].seconds])
    return made


@pytest.fixture
def folder(dtledger: Run, twin: Twin, tmp_path: Path) -> Path:
    result = dtledger("twin", "export", twin.number, "--to", tmp_path / "mine", "--key", "patient")
    assert result.exit_code == 0, result.output
    return tmp_path / "mine"


def at(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_every_value_is_there_as_a_table_with_what_was_corrected(folder: Path, twin: Twin) -> None:
    rows = list(csv.DictReader(io.StringIO((folder / "readings/glucose.csv").read_text())))
    assert [float(each["value"]) for each in rows] == [each.value for each in twin.readings]
    assert [bool(each["superseded_by"]) for each in rows] == [True] + [False] * (len(rows) - 1)


def test_and_for_another_health_system(folder: Path, twin: Twin) -> None:
    entries = [each["resource"] for each in at(folder, "readings/glucose.fhir.json")["entry"]]
    assert [each["valueQuantity"]["value"] for each in entries] == [each.value for each in twin.readings]
    assert [each["status"] for each in entries] == ["entered-in-error"] + ["final"] * (len(entries) - 1)
    for file in folder.rglob("*.fhir.json"):
        assert read_file(file)["resourceType"] == "Bundle"
        assert all(each.resource_type for each in resources_in(read_file(file)))


def test_consents_looks_and_receipts_are_there(folder: Path) -> None:
    grants = at(folder, "consents.json")["grants"]
    assert {each["grantee"]["name"] for each in grants} == {"gateway", "cardiology"}
    assert "cardiology" in (folder / "consents/2.html").read_text()
    access = at(folder, "access.json")
    assert "cardiology" in {each["requester"]["name"] for each in access["looks"]}
    assert all(each["receipts"] for each in access["receipts"])


def test_the_readme_names_every_file_and_the_manifest_its_fingerprint(folder: Path) -> None:
    readme, manifest = (folder / "README.md").read_text(), at(folder, "manifest.json")
    written = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert {each for each in written if f"`{each}`" not in readme} == {"README.md"}
    assert {each["file"] for each in manifest["files"]} == written - {"README.md", "manifest.json"}
    for each in manifest["files"]:
        assert hashlib.sha256((folder / each["file"]).read_bytes()).hexdigest() == each["sha256"]
    assert "Nothing that this system holds" in readme
    assert "{" not in readme


def test_only_its_owner_can_open_what_was_written(folder: Path) -> None:
    assert {each.stat().st_mode & 0o077 for each in (folder, *folder.rglob("*"))} == {0}


def test_what_the_owner_calls_others_at_home_is_handed_to_nobody(
    dtledger: Run, twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Contacts.by_address
    monkeypatch.setattr(
        Contacts,
        "by_address",
        lambda self: {who: replace(each, name=f"dreaded-{each.name}") for who, each in known(self).items()},
    )
    assert "dreaded-cardiology" in dtledger("consent", "list", "--twin", twin.number, "--key", "patient").stdout
    assert dtledger("twin", "export", twin.number, "--to", tmp_path / "mine", "--key", "patient").exit_code == 0
    written = [each.read_text() for each in (tmp_path / "mine").rglob("*") if each.is_file()]
    fhir = dtledger("fhir", "export", twin.number, "--what", "consents,access", "--key", "patient").stdout
    assert not [each for each in (*written, fhir) if "dreaded" in each]
    assert "cardiology" in fhir, "the name on its card, which it signed"
    grant = next(each["grant"] for each in at(tmp_path / "mine", "consents.json")["grants"])
    assert dtledger("consent", "show", grant, "--key", "patient").exit_code == 0, (
        "a grant is written as commands take it"
    )


def test_a_zip_holds_the_same(dtledger: Run, twin: Twin, tmp_path: Path, folder: Path) -> None:
    told = said(dtledger("twin", "export", twin.number, "--to", tmp_path / "a.zip", "--key", "patient", "--json"))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert sorted(archive.namelist()) == told["files"]
        assert archive.read("readings/glucose.csv") == (folder / "readings/glucose.csv").read_bytes()


def test_nothing_that_is_there_is_written_over(dtledger: Run, twin: Twin, folder: Path) -> None:
    told = complaint(dtledger("twin", "export", twin.number, "--to", folder, "--key", "patient", "--json"), 2)
    assert "already" in told["message"]


def test_nobody_but_the_owner_is_given_it(dtledger: Run, twin: Twin, tmp_path: Path) -> None:
    told = complaint(
        dtledger("twin", "export", twin.number, "--to", tmp_path / "x", "--key", "cardiology", "--json"), 3
    )
    assert "not owned" in told["message"]
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_had_stops_it_and_leaves_nothing_unless_a_part_is_asked_for(
    dtledger: Run, devnet_home: DevnetHome, tmp_path: Path
) -> None:
    made = new_twin(devnet_home, hours=1)
    with devnet_home.client("patient") as patient:
        (group, *_) = patient.snapshots.list(made.number)
        manifest = CID(group[0].found.digest)
        block = patient.context.store.get(manifest)
        patient.context.store.remove([manifest])
        try:
            words = ("twin", "export", made.number, "--key", "patient", "--to")
            stopped = dtledger(*words, tmp_path / "whole")
            assert stopped.exit_code == 6, stopped.output
            assert list(tmp_path.iterdir()) == []
            part = dtledger(*words, tmp_path / "part", "--partial")
            assert part.exit_code == 6, part.output
        finally:
            patient.context.store.put(block, "dag-cbor")
    assert "readings" in part.stderr
    assert at(tmp_path / "part", "manifest.json")["missing"]
    assert "Nothing that this system holds" not in (tmp_path / "part" / "README.md").read_text()
    assert (tmp_path / "part" / "consents.json").exists()
    assert dtledger(*words, tmp_path / "whole").exit_code == 0
