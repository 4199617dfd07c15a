"""`twin forecast`: what is expected, how sure, how old, and for whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from dtledger.client import writing_terms
from dtledger.client.parts import State
from dtledger.twin import prior, twin
from dtledger.twin.snapshot import encode_state, glucose_model, untold

from .conftest import DevnetHome
from .twins import DAY, Twin, address_of, complaint, new_twin, said

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]

TREAT = ("--purpose", "TREAT", "--key", "cardiology")


@pytest.fixture(scope="module")
def told(devnet_home: DevnetHome) -> Twin:
    """A twin whose gateway told a state; cardiology may read glucose, and see forecasts."""
    made = new_twin(devnet_home, hours=1)
    made.grant(categories=("glucose", "forecast"))
    seconds = made.readings[-1].seconds
    known = prior.shipped()
    memory = twin.expect(known, twin.start(known, 1), np.array([seconds / 60])).take(np.array([150.0])).memory
    flags = ["suspect", "rate: +20.0 mg/dL a minute"]
    content = encode_state(glucose_model(known), untold(memory), at=seconds, flags=flags)
    with devnet_home.client("patient") as patient, devnet_home.client("gateway") as gateway:
        terms = writing_terms(["forecast"], seconds, 30 * DAY, back_to=made.readings[0].minute)
        patient.consents.grant(made.number, address_of(devnet_home, "gateway"), terms)
        assert gateway.writer.put_batch([State(made.number, "forecast", seconds // 60, content)]) == [None]
    return made


def test_it_is_shown_with_intervals_age_and_doubt(dtledger: Run, told: Twin) -> None:
    result = dtledger("twin", "forecast", told.number, *TREAT, "--unit", "mg/dL")
    assert [line.split("in ")[1].split()[0] for line in result.stdout.splitlines()] == ["15", "30", "60"]
    assert all(f"{percent} %" in result.stdout for percent in (50, 80, 95))
    assert " old, by shanghai 1." in result.stderr
    assert (
        "unverified: the newest readings are not to be relied on (suspect, rate: +20.0 mg/dL a minute)" in result.stderr
    )
    assert "3 of 3 custodians answered" in result.stderr


def test_it_is_one_object_for_programs(dtledger: Run, told: Twin) -> None:
    found = said(dtledger("twin", "forecast", told.number, *TREAT, "--horizon", "30", "--json"))
    assert (found["schema"], found["unit"], found["stale"], found["unverified"]) == (
        "dtledger/forecast/1",
        "mmol/L",
        False,
        True,
    )
    (one,) = found["forecasts"]
    assert [each["percent"] for each in one["intervals"]] == [50, 80, 95]
    assert one["intervals"][0]["low"] < one["mean"] < one["intervals"][0]["high"]
    assert one["minutes"] == 30


def test_it_needs_consent_to_it(dtledger: Run, devnet_home: DevnetHome, told: Twin) -> None:
    other = new_twin(devnet_home, hours=1)
    other.grant()
    refused = dtledger("twin", "forecast", other.number, *TREAT, "--json")
    assert complaint(refused, 3)["error"] == "AccessDeniedError"
    assert dtledger("twin", "forecast", told.number, *TREAT).exit_code == 0


def test_it_is_in_what_its_owner_exports(dtledger: Run, told: Twin, tmp_path: Path) -> None:
    result = dtledger("twin", "export", told.number, "--to", tmp_path / "mine", "--key", "patient")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "mine" / "forecasts.json").read_text())
    assert [each["flags"][0] for each in found["forecasts"]] == ["suspect"]
    assert not (tmp_path / "mine" / "readings" / "forecast.csv").exists()
