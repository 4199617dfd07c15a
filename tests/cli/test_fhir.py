"""`fhir import` and `export`, on a chain: values in, a Consent in, and everything out again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.fhir.examples import LOINC, actor, consent, purposes

from .conftest import DevnetHome
from .twins import complaint, new_twin, said

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]
UCUM = "http://unitsofmeasure.org"


def written(folder: Path, value: Any) -> Path:
    file = folder / "fhir.json"
    file.write_text(json.dumps(value))
    return file


def values(count: int = 3, **changes: Any) -> dict[str, Any]:
    """A bundle of weights of the last days, and something else."""
    now = int(time.time())
    observations = [
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "29463-7"}]},
            "subject": {"reference": "Patient/7"},
            "effectiveDateTime": datetime.fromtimestamp(now - 86_400 * place, UTC).isoformat(timespec="seconds"),
            "valueQuantity": {"value": 80 + place, "system": UCUM, "code": "kg"},
            **changes,
        }
        for place in range(1, count + 1)
    ]
    entries = [{"resource": each} for each in ({"resourceType": "Patient", "id": "7"}, *observations)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_observations_become_snapshots_and_go_out_as_they_came(
    devnet_home: DevnetHome, dtledger: Run, tmp_path: Path
) -> None:
    twin, file = new_twin(devnet_home, hours=0).number, written(tmp_path, values())
    words = ("fhir", "import", "observations", file, "--twin", twin, "--key", "patient")
    looked = said(dtledger(*words, "--dry-run", "--json"))
    assert (looked["readings"], looked["others"], looked["written"]) == ({"weight": 3}, {"Patient": 1}, [])
    told = said(dtledger(*words, "--json"))
    assert [(each["category"], each["readings_written"]) for each in told["written"]] == [("weight", 3)]
    again = said(dtledger(*words, "--json"))
    assert [(each["readings_written"], each["readings_known"]) for each in again["written"]] == [(0, 3)]
    out = said(
        dtledger("fhir", "export", twin, "--what", "observations", "--category", "weight", "--key", "patient", "--json")
    )
    assert sorted(each["resource"]["valueQuantity"]["value"] for each in out["bundle"]["entry"]) == [81, 82, 83]


def test_one_that_cannot_be_read_stops_the_others_unless_it_is_to_be_skipped(
    devnet_home: DevnetHome, dtledger: Run, tmp_path: Path
) -> None:
    twin = new_twin(devnet_home, hours=0).number
    bundle = values(2)
    bundle["entry"][1]["resource"]["valueQuantity"]["code"] = "stone"
    words = ("fhir", "import", "observations", written(tmp_path, bundle), "--twin", twin, "--key", "patient")
    stopped = dtledger(*words)
    assert stopped.exit_code == 2
    assert "Bundle.entry[1].resource: its unit" in stopped.stderr
    told = said(dtledger(*words, "--skip-unreadable", "--json"))
    assert told["written"][0]["readings_written"] == 1
    assert [each["path"] for each in told["problems"]] == ["Bundle.entry[1].resource"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"resourceType": "Observation", "status": "final", "status": "final"}', "$.status"),
        ("[" * 100_000, "$"),
        ('{"resourceType": "Bundle", "type": "history"}', "Bundle.type"),
    ],
    ids=["a name twice", "too deep", "a history"],
)
def test_hostile_json_is_refused_with_the_path_of_the_fault(
    dtledger: Run, tmp_path: Path, text: str, path: str
) -> None:
    file = tmp_path / "hostile.json"
    file.write_text(text)
    told = complaint(dtledger("fhir", "import", "observations", file, "--dry-run", "--json"), 2)
    assert told["message"].startswith(path)


def test_a_day_needs_the_time_that_stands_for_it_and_whose_day_it_is(dtledger: Run, tmp_path: Path) -> None:
    file = written(tmp_path, values(1, effectiveDateTime="2026-03-01"))
    words = ("fhir", "import", "observations", file, "--dry-run")
    assert "--day-at" in dtledger(*words).stderr
    assert "--tz" in dtledger(*words, "--day-at", "12:00").stderr
    assert dtledger(*words, "--day-at", "noon", "--tz", "UTC").exit_code == 2
    assert dtledger(*words, "--day-at", "12:00", "--tz", "Europe/Vienna").exit_code == 0


def test_a_consent_is_carried_over_as_far_as_it_permits(devnet_home: DevnetHome, dtledger: Run, tmp_path: Path) -> None:
    twin = new_twin(devnet_home, hours=1).number
    file = written(tmp_path, consent(None, type="permit", actor=[actor("Practitioner/7")], purpose=purposes("TREAT")))
    words = ("fhir", "import", "consent", file, "--twin", twin, "--key", "patient", "--category", "glucose",
             "--for", "30d", "--history", "1d")  # fmt: skip
    mapped = ("--actor", "Practitioner/7=cardiology")
    looked = said(dtledger(*words, *mapped, "--purpose", "TREAT", "--dry-run", "--json"))
    assert [each["purposes"] for each in looked["grants"]] == [["TREAT"]]
    assert "Nothing is granted" in dtledger(*words, *mapped, "--purpose", "HRESCH", "--yes").stdout
    nobody = dtledger(*words, "--to", "cardiology", "--purpose", "TREAT", "--yes")
    assert "Practitioner/7 is nobody that you named" in nobody.stderr
    done = dtledger(*words, *mapped, "--purpose", "TREAT", "--yes")
    assert f"Granted: {twin}/cardiology/0" in done.stdout
    read = dtledger("twin", "read", twin, "--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")
    assert read.exit_code == 0, read.output


def test_a_consent_that_shuts_somebody_out_blocks_it(devnet_home: DevnetHome, dtledger: Run, tmp_path: Path) -> None:
    made = new_twin(devnet_home, hours=1)
    made.grant()
    file = written(tmp_path, consent(type="deny", actor=[actor("Organization/f001")]))
    words = ("fhir", "import", "consent", file, "--twin", made.number, "--key", "patient", "--category", "glucose",
             "--purpose", "TREAT", "--for", "1d", "--actor", "Organization/f001=cardiology")  # fmt: skip
    told = said(dtledger(*words, "--yes", "--json"))
    assert [each["name"] for each in told["blocks"]] == ["cardiology"]
    assert told["revokes"] == [f"{made.number}/cardiology/0"]
    refused = dtledger(
        "twin", "read", made.number, "--category", "glucose", "--purpose", "TREAT", "--key", "cardiology"
    )
    assert refused.exit_code == 3


def test_everything_goes_out_as_one_bundle(devnet_home: DevnetHome, dtledger: Run, tmp_path: Path) -> None:
    made = new_twin(devnet_home, hours=1)
    made.grant()
    read = dtledger("twin", "read", made.number, "--category", "glucose", "--purpose", "TREAT", "--key", "cardiology")
    assert read.exit_code == 0, read.output
    file = tmp_path / "out.json"
    result = dtledger("fhir", "export", made.number, "--to", file, "--patient", "Patient/7", "--key", "patient")
    assert result.exit_code == 0, result.output
    assert "lost: " in result.stderr
    resources = [each["resource"] for each in json.loads(file.read_text())["entry"]]
    kinds = [each["resourceType"] for each in resources]
    assert {name: kinds.count(name) > 0 for name in ("Consent", "AuditEvent", "Provenance")} == dict.fromkeys(
        ("Consent", "AuditEvent", "Provenance"), True
    )
    assert len({(each["resourceType"], each["id"]) for each in resources}) == len(resources)
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_does_not_own_the_twin_exports_no_consents(devnet_home: DevnetHome, dtledger: Run) -> None:
    told = complaint(
        dtledger("fhir", "export", devnet_home.twin, "--what", "access", "--key", "cardiology", "--json"), 3
    )
    assert "not owned" in told["message"]
