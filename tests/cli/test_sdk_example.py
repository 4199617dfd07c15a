"""The README's five lines, run as they stand but for the names of profile and twin."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from dtledger.client import Terms
from dtledger.errors import AccessDeniedError
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason

from .conftest import DevnetHome

pytestmark = pytest.mark.anvil

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_example_prints_a_reading_under_consent_and_is_refused_without(
    devnet_home: DevnetHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DTLEDGER_HOME", str(devnet_home.home.root))
    assert len(EXAMPLE.strip().splitlines()) == 5
    example = EXAMPLE.replace('profile="hospital"', 'profile="devnet"').replace("twin=7", f"twin={devnet_home.twin}")
    now = int(time.time())
    terms = Terms(
        ("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 3600, Period(now // 60 - 2 * 1440, now // 60)
    )
    with devnet_home.client("patient") as patient, devnet_home.client("cardiology") as clinician:
        slot, _ = patient.consents.grant(devnet_home.twin, clinician.address, terms)
        exec(example, {})
        printed = capsys.readouterr().out
        last = devnet_home.readings[-1]
        assert f"{last.value} {last.unit}" in printed
        patient.consents.revoke(slot)
        with pytest.raises(AccessDeniedError) as refused:
            exec(example, {})
        assert refused.value.reason is Reason.REVOKED
