"""`twin rekey`: what is said before, what is done, and what `twin show` says then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.client import Guardian, GuardianKeys
from tests.cli.twins import address_of, complaint, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]


def test_it_begins_a_generation_and_whoever_may_read_goes_on_reading(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    slot = twin.grant()
    assert said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))["generation"] == 0
    told = said(dtledger("twin", "rekey", twin.number, "--key", "patient", "--yes", "--json"))
    assert (told["schema"], told["generation"], told["dry_run"]) == ("dtledger/twin-rekeyed/1", 1, False)
    assert slot.grantee in [each["grantee"]["address"] for each in told["sealed"]]
    assert len(told["sealed"]) == 2 == len(told["sent"])
    assert "generation  1\n" in dtledger("twin", "show", twin.number, "--key", "patient").stdout
    with devnet_home.client("cardiology") as cardiology:
        assert len(cardiology.read(twin.number, "glucose", "TREAT")) == len(twin.readings)


def test_a_dry_run_says_who_gets_a_package_and_begins_nothing(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    slot = twin.grant()
    with devnet_home.client("patient") as patient:
        patient.consents.block(twin.number, slot.grantee)
    result = dtledger("twin", "rekey", twin.number, "--key", "patient", "--dry-run")
    assert result.exit_code == 0
    assert f"{twin.number}/gateway/0 gets a new package" in result.stderr
    assert f"{twin.number}/cardiology/0 gets none: its grantee is blocked" in result.stderr
    told = said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))
    assert (told["generation"], told["rekeying"]) == (0, False)
    done = dtledger("twin", "rekey", twin.number, "--key", "patient", "--yes")
    assert f"dtledger consent reseal {twin.number}/cardiology/0" in done.stderr


def test_what_was_cut_short_is_said_and_goes_on(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    with devnet_home.client("patient") as patient:
        deployment = patient.context.deployment.id
        patient.context.key.update(lambda held: held.with_rekey(deployment, twin.number, bytes(32)))
    shown = dtledger("twin", "show", twin.number, "--key", "patient").stdout
    assert "generation  1: not announced to everybody, run `twin rekey` again" in shown
    result = dtledger("twin", "rekey", twin.number, "--key", "patient", "--yes")
    assert "Goes on with generation 1" in result.stderr
    assert "generation  1\n" in dtledger("twin", "show", twin.number, "--key", "patient").stdout


def test_only_its_owner_rekeys_a_twin_and_sees_its_generation(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    assert "not owned" in complaint(dtledger("twin", "rekey", twin.number, "--key", "gateway", "--json"), 3)["message"]
    assert said(dtledger("twin", "show", twin.number, "--key", "gateway", "--json"))["generation"] is None
    assert address_of(devnet_home, "patient") in dtledger("twin", "show", twin.number, "--key", "gateway").stdout


def test_nobody_is_asked_in_json_and_no_answer_is_no(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    assert dtledger("twin", "rekey", twin.number, "--key", "patient", "--json").exit_code == 2
    assert dtledger("twin", "rekey", twin.number, "--key", "patient").exit_code == 2
    assert said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))["generation"] == 0


def test_show_says_whether_a_recovery_package_is_there_and_when_it_is_behind(
    dtledger: Run, devnet_home: DevnetHome
) -> None:
    twin = new_twin(devnet_home, hours=0)
    assert said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))["recovery"] is None
    with devnet_home.client("patient") as patient, devnet_home.client("cardiology") as guardian:
        person = Guardian(guardian.address, guardian.context.key.seal_key.public)
        patient.twins.set_recovery(twin.number, GuardianKeys(1, (person,)))
        shown = dtledger("twin", "show", twin.number, "--key", "patient").stdout
        assert "recovery    version 1, 1 of 1 guardians with 2 of 3 custodians, up to generation 0\n" in shown
        patient.twins.set_up(twin.number, list(patient.context.custodians)[:2], 1)
    told = said(dtledger("twin", "show", twin.number, "--key", "patient", "--json"))["recovery"]
    assert told["behind"] == ["the roster has changed"]
    said(dtledger("twin", "rekey", twin.number, "--key", "patient", "--yes", "--json"))
    shown = dtledger("twin", "show", twin.number, "--key", "patient").stdout
    assert "recovery    version 2, 1 of 1 guardians with 1 of 2 custodians, up to generation 1\n" in shown
