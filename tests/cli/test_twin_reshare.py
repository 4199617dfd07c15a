"""`twin reshare`: what is said before, what is done, and what `twin show` says until then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from tests.cli.twins import complaint, new_twin, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]
PATIENT = ("--key", "patient")


def test_it_says_how_many_and_does_it_and_show_asks_for_it_before(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home)
    with devnet_home.client("patient") as patient:
        first, second, _ = patient.twins.roster(twin.number).custodians
        patient.twins.set_up(twin.number, [first, second], 1)
    shown = dtledger("twin", "show", twin.number, *PATIENT)
    assert f"dtledger twin reshare {twin.number}" in shown.stderr
    dry = said(dtledger("twin", "reshare", twin.number, *PATIENT, "--dry-run", "--json"))
    assert (dry["schema"], dry["dry_run"], dry["sent"]) == ("dtledger/twin-reshared/1", True, [])
    count = dry["snapshots"]
    assert count > 0
    told = said(dtledger("twin", "reshare", twin.number, *PATIENT, "--yes", "--json"))
    assert (told["snapshots"], told["left"], len(told["sent"])) == (count, [], 1)
    assert [each["address"] for each in told["roster"]["custodians"]] == [first, second]
    assert said(dtledger("twin", "show", twin.number, *PATIENT, "--json"))["reshare"] is False
    again = dtledger("twin", "reshare", twin.number, *PATIENT, "--yes")
    assert again.stdout == "Nothing is to be done.\n"
    words = ("twin", "read", twin.number, "--category", "glucose", "--purpose", "PATRQT", *PATIENT, "--json")
    assert len(said(dtledger(*words))["readings"]) == len(twin.readings)


def test_former_keys_do_not_end_on_the_same_day(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=1)
    told = complaint(dtledger("twin", "reshare", twin.number, *PATIENT, "--retire", "--yes", "--json"), 2)
    assert "less than a day ago" in told["message"]
    assert dtledger("twin", "reshare", twin.number, *PATIENT, "--retire", "--dry-run").exit_code == 2


def test_nobody_but_the_owner_shares_anew(dtledger: Run, devnet_home: DevnetHome) -> None:
    twin = new_twin(devnet_home, hours=1)
    assert dtledger("twin", "reshare", twin.number, "--key", "gateway", "--yes").exit_code == 3
