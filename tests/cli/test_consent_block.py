"""`consent block` and `unblock`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from tests.cli.twins import Twin, address_of, reads, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]
PATIENT = ("--key", "patient")


# block and unblock -----------------------------------------------------------------------------------------------


def test_a_block_beats_every_grant_until_it_is_lifted(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    words = ("--twin", twin.number, *PATIENT)
    assert dtledger("consent", "block", "cardiology", *words, "--dry-run").exit_code == 0
    assert reads(dtledger, twin) == 0
    told = said(dtledger("consent", "block", "cardiology", *words, "--yes", "--json"))
    assert (told["blocked"], told["changed"]) == (True, True)
    assert reads(dtledger, twin) == 3
    assert said(dtledger("consent", "block", "cardiology", *words, "--yes", "--json"))["changed"] is False
    twin.grant()
    assert reads(dtledger, twin) == 3, "a later grant too"
    states = said(dtledger("consent", "list", "--twin", twin.number, *PATIENT, "--json"))["grants"]
    assert {each["state"] for each in states if each["grantee"]["name"] == "cardiology"} == {"blocked"}
    lifted = dtledger("consent", "unblock", "cardiology", *words, "--yes")
    assert f"in force again: {twin.number}/cardiology/0" in lifted.stderr
    assert reads(dtledger, twin) == 0
    assert "nothing to do" in dtledger("consent", "unblock", "cardiology", *words, "--yes").stdout


def test_blocking_somebody_without_a_grant_says_so_when_lifted(dtledger: Run, twin: Twin) -> None:
    words = ("hospital", "--twin", twin.number, *PATIENT, "--yes")
    assert dtledger("consent", "block", *words).exit_code == 0
    assert "it holds no grant" in dtledger("consent", "unblock", *words).stderr


def test_an_owner_cannot_block_itself_nor_a_stranger_anybody(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    owner = address_of(devnet_home, "patient")
    assert dtledger("consent", "block", owner, "--twin", twin.number, *PATIENT, "--yes").exit_code == 2
    assert dtledger("consent", "block", owner, "--twin", twin.number, "--key", "gateway", "--yes").exit_code == 3
