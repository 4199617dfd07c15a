"""`twin carry`, on a development chain from end to end: three patients, of whom one never moves, a clinician who reads
history through both deployments, a gateway that goes on writing, custodians of both, and an operator who looks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dtledger.client import Client, Terms
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.config import set_value
from dtledger.readings import Reading
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose
from tests.cli.conftest import DevnetHome
from tests.cli.twins import Twin, address_of, complaint, new_key, new_twin, said

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Run = Callable[..., Result]
NEXT = "next"
DAY = 86_400


@dataclass(frozen=True)
class Patient:
    """The name of a key, and its twin, of which cardiology may read the glucose."""

    name: str
    twin: Twin


@pytest.fixture(scope="module")
def after(devnet_home: DevnetHome, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The profile of a deployment that comes after the devnet's, made by `dtledger deploy`."""
    from click.testing import CliRunner

    from dtledger._cli import main

    home, devnet = devnet_home.home, Devnet(devnet_home.home)
    deployer, operator = new_key(devnet_home), address_of(devnet_home, OPERATOR)
    record = next(home.deployments.glob("*.json"))
    plan = tmp_path_factory.mktemp("plan") / "next.toml"
    plan.write_text(f'predecessor = "{record}"\n[governance]\nADMIN = ["{operator}"]\nMINTER = ["{operator}"]\n')
    usual = {
        "rpc_url": devnet.anvil.url,
        "store": f"directory:{devnet.blocks}",
        "custodians": "embedded",
        "password_file": str(devnet.password_file),
    }
    for name, value in usual.items():
        set_value(home, name, value, profile=NEXT)
    words = ["deploy", "--config", str(plan), "--profile", NEXT, "--key", deployer, "--json"]
    told = said(CliRunner().invoke(main, words, env={"DTLEDGER_HOME": str(home.root)}, catch_exceptions=False))
    assert {"TwinRegistry", "ConsentRegistry", "CarriedConsents", "MintManager"} <= told["contracts"].keys()
    return NEXT


def new_patient(home: DevnetHome) -> Patient:
    name = new_key(home)
    twin = new_twin(home, owner=name)
    now = int(time.time())
    data = Period(twin.readings[0].minute, (now + 30 * DAY) // 60)
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 30 * DAY, data)
    with home.client(name) as patient:
        patient.consents.grant(twin.number, address_of(home, "cardiology"), terms)
    return Patient(name, twin)


def opened(home: DevnetHome, key: str, profile: str) -> Client:
    return open_client(profile, key, home=home.home)


def read(home: DevnetHome, patient: Patient, profile: str) -> int:
    """How many readings cardiology has of the patient's twin there."""
    with opened(home, "cardiology", profile) as clinician:
        return len(clinician.read(patient.twin.number, "glucose", "TREAT"))


def write(home: DevnetHome, patient: Patient, profile: str) -> int:
    """One more reading by the gateway."""
    with opened(home, "gateway", profile) as gateway:
        gateway.writer.put(patient.twin.number, "glucose", [Reading(int(time.time()) - 30, 6.5, "mmol/L", 0)])
    return 1


def carry(dtledger: Run, patient: Patient, *more: str) -> Result:
    words = ("twin", "carry", patient.twin.number, "--to", NEXT, "--key", patient.name, *more)
    return dtledger(*words, "--profile", PROFILE)


def test_three_patients_of_whom_one_never_moves(dtledger: Run, devnet_home: DevnetHome, after: str) -> None:
    home = devnet_home
    first, second, stays = (new_patient(home) for _ in range(3))
    written = len(first.twin.readings)

    looked = carry(dtledger, first, "--dry-run")
    assert f"Twin {first.twin.number} goes to next for good, with 2 grants in force" in looked.stderr
    assert read(home, first, PROFILE) == written
    for patient in (first, second):
        told = said(carry(dtledger, patient, "--yes", "--json"))
        assert (told["twin"], len(told["grants"]), told["left"]) == (patient.twin.number, 2, [])

    for patient in (first, second):
        assert read(home, patient, after) == written
        assert write(home, patient, after) == 1
        assert read(home, patient, after) == written + 1
        words = ("snapshot", "verify", "--twin", patient.twin.number, "--key", patient.name)
        assert dtledger(*words, "--profile", after).exit_code == 0
        denied = dtledger(
            *("twin", "read", patient.twin.number, "--category", "glucose", "--purpose", "TREAT"),
            *("--key", "cardiology", "--profile", PROFILE, "--json"),
        )
        assert "has left for another deployment" in complaint(denied, 3)["message"]
        shown = said(
            dtledger("twin", "show", patient.twin.number, "--key", patient.name, "--profile", PROFILE, "--json")
        )
        with opened(home, patient.name, after) as client:
            assert shown["successor"] == client.context.deployment.contracts["ConsentRegistry"]

    assert read(home, stays, PROFILE) == written
    assert write(home, stays, PROFILE) == 1
    assert read(home, stays, PROFILE) == written + 1

    seen = said(dtledger("index", "carried", "--profile", after, "--json"))
    assert {first.twin.number, second.twin.number} <= set(seen["carried"])
    assert stays.twin.number in seen["not_carried"]
    assert "have come over to next" in dtledger("index", "carried", "--profile", after).stdout

    with opened(home, first.name, after) as owner:
        slot = next(
            each.slot
            for each in owner.consents.records(first.twin.number)
            if each.slot.grantee == address_of(home, "cardiology")
        )
        owner.consents.revoke(slot)
    denied = dtledger(
        *("twin", "read", first.twin.number, "--category", "glucose", "--purpose", "TREAT"),
        *("--key", "cardiology", "--profile", after, "--json"),
    )
    assert complaint(denied, 3)["reason"] == "REVOKED"


def verdicts(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Without what a file alone has to show: whose contracts it is of, and that it holds nothing besides."""
    return [
        (each["claim"], each["verdict"]) for each in told["claims"] if each["claim"] not in ("deployment", "bundle")
    ]


def test_an_auditor_finds_both_sound_and_takes_each_in_a_file(
    dtledger: Run, devnet_home: DevnetHome, after: str, tmp_path: Path
) -> None:
    patient = new_patient(devnet_home)
    assert read(devnet_home, patient, PROFILE)
    assert carry(dtledger, patient, "--yes").exit_code == 0
    write(devnet_home, patient, after)
    assert read(devnet_home, patient, after)
    for profile in (PROFILE, after):
        words = ("audit", "twin", patient.twin.number, "--key", patient.name, "--profile", profile, "--json")
        claims = json.loads(dtledger(*words).stdout)["claims"]
        assert {each["verdict"] for each in claims} <= {"pass", "cannot check"}, claims
        file = tmp_path / profile
        export = ("audit", "export", file, "--twin", patient.twin.number, "--key", patient.name, "--json")
        kept = json.loads(dtledger(*export, "--profile", profile).stdout)
        verify = ("audit", "verify", file, "--head", kept["head"], "--profile", profile, "--json")
        assert verdicts(json.loads(dtledger(*verify).stdout)) == verdicts(kept)


def test_a_twin_is_not_carried_back_or_by_another(dtledger: Run, devnet_home: DevnetHome, after: str) -> None:
    patient = new_patient(devnet_home)
    words = ("twin", "carry", patient.twin.number, "--yes", "--json")
    complaint(dtledger(*words, "--to", after, "--key", "cardiology", "--profile", PROFILE), 3)
    complaint(dtledger(*words, "--to", PROFILE, "--key", patient.name, "--profile", after), 2)
    assert carry(dtledger, patient, "--yes").exit_code == 0


def test_nothing_comes_before_a_first_deployment(dtledger: Run, devnet_home: DevnetHome) -> None:
    complaint(dtledger("index", "carried", "--profile", PROFILE, "--json"), 2)
