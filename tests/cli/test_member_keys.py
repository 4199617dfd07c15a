"""`member rekey` and `member keyring`: another key to seal to, and nothing lost on the way to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dtledger.client import Client, Terms
from dtledger.contacts import fingerprint
from dtledger.crypto.seal import SealKey
from dtledger.keys import Secrets
from dtledger.ledger import Receipt
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Purpose

from .conftest import DevnetHome
from .members import Cast

pytestmark = pytest.mark.anvil


@pytest.fixture
def cast(devnet_home: DevnetHome, dtledger: Callable[..., Result], tmp_path: Path) -> Cast:
    return Cast(devnet_home, dtledger, tmp_path)


def grant(world: DevnetHome, grantee: Address) -> str:
    """Lets the patient's data be read; the slot as `consent reseal` takes it."""
    now = int(time.time())
    data = Period(world.readings[0].minute, now // 60 + 1440)
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now - 60, now + 86_400, data)
    with world.client("patient") as patient:
        slot, _ = patient.consents.grant(world.twin, grantee, terms)
    return f"{slot.twin}/{slot.grantee}/{slot.number}"


def count_read(cast: Cast, key: str) -> int:
    with cast.client(key) as client:
        return len(client.read(cast.world.twin, "glucose", "TREAT"))


def words_of(cast: Cast, key: str) -> str:
    with cast.client(key) as client:
        return fingerprint(client.address, client.context.key.seal_key.public)


def test_a_member_that_changes_its_key_still_opens_what_it_was_granted(cast: Cast) -> None:
    member = cast.member("ann", "CLINICIAN")
    slot = grant(cast.world, cast.address(member))
    before = words_of(cast, member)
    told = cast.tell("member", "rekey", "--key", member, "--yes")
    assert told["schema"] == "dtledger/member-rekeyed/1"
    assert told["fingerprint"] == words_of(cast, member) == cast.standing(member)["fingerprint"] != before
    assert [f"{each['twin']}/{each['grantee']}/{each['slot']}" for each in told["to_reseal"]] == [slot]
    assert told["sent"]["gas"] > 21_000
    assert count_read(cast, member) == len(cast.world.readings)


def test_once_resealed_a_grant_is_no_longer_named(cast: Cast) -> None:
    member = cast.member("ann", "CLINICIAN")
    slot = grant(cast.world, cast.address(member))
    shown = cast.run("member", "rekey", "--key", member, "--yes")
    assert f"{cast.address('patient')}  dtledger consent reseal {slot}" in shown.stderr
    assert cast.run("consent", "reseal", slot, "--key", "patient", "--yes").exit_code == 0
    with cast.client(member) as client:
        assert [each for each in client.consents.received() if client.consents.needs_reseal(each)] == []
    assert count_read(cast, member) == len(cast.world.readings)


def test_a_dry_run_names_the_grants_and_changes_nothing(cast: Cast) -> None:
    member = cast.member("ann", "CLINICIAN")
    grant(cast.world, cast.address(member))
    before = words_of(cast, member)
    told = cast.tell("member", "rekey", "--key", member, "--dry-run")
    assert (told["fingerprint"], told["sent"], len(told["to_reseal"])) == (None, None, 1)
    assert "would be changed" in cast.run("member", "rekey", "--key", member, "--dry-run").stdout
    assert words_of(cast, member) == before
    assert cast.run("member", "rekey", "--key", member).exit_code == 2


def test_who_is_not_enrolled_has_no_key_to_change(cast: Cast) -> None:
    key = cast.key("ann")
    error = cast.refusal("member", "rekey", "--key", key, "--yes")
    assert error["exit_code"] == 2
    assert "not enrolled" in error["message"]
    with cast.client(key) as client:
        assert client.context.key.secrets.next_seal_key is None


class Killed(Exception):
    """Stands for kill -9: nothing after it runs."""


def killed_before_sending(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object) -> Receipt:
        raise Killed

    monkeypatch.setattr(client.context.ledger, "send", send)


def killed_before_switching(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    update, calls = client.context.key.update, 0

    def once(change: Callable[[Secrets], Secrets]) -> Secrets:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return update(change)

    monkeypatch.setattr(type(client.context.key), "update", lambda _, change: once(change))


@pytest.mark.parametrize(("kill", "sends_again"), [(killed_before_sending, True), (killed_before_switching, False)])
def test_an_interrupted_change_of_key_goes_on_with_the_key_that_was_drawn(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, kill: Callable[..., None], sends_again: bool
) -> None:
    member = cast.member("ann", "CLINICIAN")
    grant(cast.world, cast.address(member))
    with cast.client(member) as client:
        with monkeypatch.context() as patch:
            kill(client, patch)
            with pytest.raises(Killed):
                client.members.rekey()
        drawn = client.context.key.reload().next_seal_key  # type: ignore[attr-defined]
    assert drawn is not None
    assert count_read(cast, member) == len(cast.world.readings)
    doctor = cast.run("doctor", "--key", member)
    assert "was interrupted" in doctor.stdout
    shown = cast.run("member", "rekey", "--key", member, "--yes")
    assert "Goes on" in shown.stderr
    assert ("gas" in shown.stderr) is sends_again
    with cast.client(member) as client:
        assert client.context.key.seal_key == drawn
        assert client.context.key.secrets.next_seal_key is None
    assert count_read(cast, member) == len(cast.world.readings)


def test_doctor_finds_a_key_file_that_the_ledger_has_left_behind(cast: Cast) -> None:
    member = cast.member("ann")
    with cast.client(member) as client:
        client.context.key.update(lambda held: held.with_seal_key(SealKey.generate()))
    checks = {each["name"]: each for each in cast.tell("doctor", "--key", member)["checks"]}
    assert checks["member"]["state"] == "warning"
    assert checks["member"]["mend"] == "Run: dtledger member rekey"
    cast.tell("member", "rekey", "--key", member, "--yes")
    checks = {each["name"]: each for each in cast.tell("doctor", "--key", member)["checks"]}
    assert checks["member"]["state"] == "ok"


# keyring ---------------------------------------------------------------------------------------------------------


def publish(cast: Cast, organisation: str, *words: str) -> dict[str, Any]:
    return cast.tell("member", "keyring", "--key", organisation, "--yes", *words)


def test_members_use_their_organisations_grants_once_its_keyring_holds_them(cast: Cast) -> None:
    clinic = cast.organisation()
    ann, bob = cast.member("ann", "CLINICIAN", of=clinic), cast.member("bob", "CLINICIAN", of=clinic)
    grant(cast.world, cast.address(clinic))
    assert cast.run("twin", "read", "--twin", cast.world.twin, "--key", ann).exit_code != 0
    told = publish(cast, clinic, "--without", cast.address(bob))
    assert (told["schema"], told["members"]) == ("dtledger/member-keyring/1", [cast.address(ann)])
    assert count_read(cast, ann) == len(cast.world.readings)
    assert len(publish(cast, clinic)["members"]) == 2
    assert count_read(cast, bob) == len(cast.world.readings)


def test_an_organisation_and_its_members_change_their_keys_and_lose_no_grant(cast: Cast) -> None:
    clinic = cast.organisation()
    ann = cast.member("ann", "CLINICIAN", of=clinic)
    grant(cast.world, cast.address(clinic))
    publish(cast, clinic)
    cast.tell("member", "rekey", "--key", ann, "--yes")
    assert count_read(cast, ann) == len(cast.world.readings), "the keyring is sealed to its former key"
    assert "member keyring" in cast.run("member", "rekey", "--key", clinic, "--yes").stderr
    publish(cast, clinic)
    assert count_read(cast, ann) == len(cast.world.readings), "the package is sealed to the clinic's former key"


def test_a_keyring_leaves_out_who_is_suspended(cast: Cast) -> None:
    clinic = cast.organisation()
    ann, bob = cast.member("ann", of=clinic), cast.member("bob", of=clinic)
    cast.tell("member", "suspend", cast.address(ann), "--key", "operator", "--yes")
    told = publish(cast, clinic, "--dry-run")
    assert (told["members"], told["sent"]) == ([cast.address(bob)], None)
    assert "would hold 1 member." in cast.run("member", "keyring", "--key", clinic, "--dry-run").stdout


def test_only_a_member_publishes_a_keyring_and_only_when_told_to(cast: Cast) -> None:
    assert cast.refusal("member", "keyring", "--key", cast.key("ann"), "--yes")["exit_code"] == 2
    result = cast.run("member", "keyring", "--key", "hospital", "--json")
    assert (result.exit_code, json.loads(result.stderr)["exit_code"]) == (2, 2)
    assert "organisation's" in cast.refusal("member", "keyring", "--key", "cardiology", "--yes")["hint"]
