"""`consent renew` and `reseal`: a grant's time, and the key that it is sealed to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from dtledger.crypto.seal import SealKey
from dtledger.types import Period
from dtledger.vocabulary import Kind
from tests.cli.twins import DAY, Twin, address_of, complaint, new_member, reads, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]
PATIENT = ("--key", "patient")


# renew -----------------------------------------------------------------------------------------------------------


def test_renewing_takes_data_along_that_end_with_the_grant(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    grant = f"{twin.number}/cardiology/0"
    looked = said(dtledger("consent", "renew", grant, "--for", "60d", *PATIENT, "--dry-run", "--json"))
    assert looked["sent"] is None
    told = said(dtledger("consent", "renew", grant, "--for", "60d", *PATIENT, "--yes", "--json"))
    ends = datetime.fromisoformat(told["expires_at"]).timestamp()
    assert 59 * DAY < ends - time.time() < 61 * DAY
    assert datetime.fromisoformat(told["data"]["until"]).timestamp() == ends // 60 * 60
    assert reads(dtledger, twin) == 0


def test_renewing_leaves_data_alone_that_were_given_an_end(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(data=Period((now - DAY) // 60, now // 60))
    told = said(
        dtledger(
            "consent", "renew", f"{twin.number}/cardiology/0", "--until", "2040-01-01", *PATIENT, "--yes", "--json"
        )
    )
    assert datetime.fromisoformat(told["data"]["until"]).timestamp() == now // 60 * 60


def test_an_ended_grant_can_be_renewed_and_a_revoked_one_cannot(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(not_before_at=now - 7200, expires_at=now - 60, data=Period((now - DAY) // 60, (now - 60) // 60))
    grant = f"{twin.number}/cardiology/0"
    assert reads(dtledger, twin) == 3
    assert dtledger("consent", "renew", grant, "--for", "1d", *PATIENT, "--yes").exit_code == 0
    assert reads(dtledger, twin) == 0
    dtledger("consent", "revoke-all", "--twin", twin.number, *PATIENT, "--yes")
    assert (
        "no grant in that slot"
        in complaint(dtledger("consent", "renew", grant, "--for", "1d", *PATIENT, "--yes", "--json"), 2)["message"]
    )


@pytest.mark.parametrize("words", [(), ("--for", "1d", "--until", "2040-01-01"), ("--until", "2020-01-01")])
def test_renewing_needs_one_time_to_come(dtledger: Run, twin: Twin, words: tuple[str, ...]) -> None:
    twin.grant()
    complaint(dtledger("consent", "renew", f"{twin.number}/cardiology/0", *words, *PATIENT, "--yes", "--json"), 2)


def test_data_cannot_be_made_to_end_before_they_begin(dtledger: Run, twin: Twin) -> None:
    now = int(time.time())
    twin.grant(not_before_at=now, expires_at=now + 9 * DAY, data=Period((now + 5 * DAY) // 60, (now + 9 * DAY) // 60))
    words = ("consent", "renew", f"{twin.number}/cardiology/0", *PATIENT, "--yes", "--json")
    assert "before they begin" in complaint(dtledger(*words, "--for", "1d"), 2)["message"]
    assert dtledger(*words, "--for", "6d").exit_code == 0


# reseal ----------------------------------------------------------------------------------------------------------


def test_a_grantee_with_a_new_key_reads_again_once_its_grant_is_sealed_anew(
    dtledger: Run, twin: Twin, devnet_home: DevnetHome
) -> None:
    name = new_member(devnet_home, Kind.CLINICIAN)
    address = address_of(devnet_home, name)
    twin.grant(name)
    assert "nothing to seal anew" in dtledger("consent", "reseal", "--twin", twin.number, *PATIENT).stderr
    with devnet_home.client(name) as member:
        member.context.key.update(lambda held: replace(held, seal_key=SealKey.generate()))  # the old one is lost
        member.members.update(member.members.card(name))
    assert reads(dtledger, twin, name) != 0, "its package is sealed to the key that is gone"
    listed = dtledger("consent", "list", "--twin", twin.number, *PATIENT)
    assert f"dtledger consent reseal {twin.number}/{address}/0" in listed.stderr
    words = ("consent", "reseal", "--twin", twin.number, *PATIENT)
    assert [each["grant"] for each in said(dtledger(*words, "--dry-run", "--json"))["grants"]] == [
        f"{twin.number}/{address}/0"
    ]
    looked = dtledger(*words, "--dry-run").stderr
    assert "six words are:" in looked
    assert "Nothing was signed." in looked
    told = said(dtledger(*words, "--yes", "--json"))
    assert told["grants"][0]["sent"]["gas"] > 0
    assert reads(dtledger, twin, name) == 0


def test_one_grant_or_all_can_be_sealed_anew_whatever_their_keys(dtledger: Run, twin: Twin) -> None:
    twin.grant()
    one = dtledger("consent", "reseal", f"{twin.number}/cardiology/0", *PATIENT, "--yes")
    assert one.stdout == f"Resealed: {twin.number}/cardiology/0\n"
    every = said(dtledger("consent", "reseal", "--all", "--twin", twin.number, *PATIENT, "--dry-run", "--json"))
    assert len(every["grants"]) == 2
    assert dtledger("consent", "reseal", f"{twin.number}/cardiology/0", "--all", *PATIENT).exit_code == 2
    assert reads(dtledger, twin) == 0
