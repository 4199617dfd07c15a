"""`member`: cards, agreements, enrolment, finding, kinds and suspension."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from dtledger._backend.migrations import read_journal
from dtledger.client import card_check, make_card
from dtledger.contacts import Agreement, fingerprint

from .bare import at_terminal
from .conftest import DevnetHome
from .members import Cast, read

pytestmark = pytest.mark.anvil

NOBODY = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture
def cast(devnet_home: DevnetHome, dtledger: Callable[..., Result], tmp_path: Path) -> Cast:
    return Cast(devnet_home, dtledger, tmp_path)


# card ------------------------------------------------------------------------------------------------------------


def test_a_card_is_signed_by_its_key_and_says_who_it_is(cast: Cast) -> None:
    key = cast.key("ann")
    path = cast.folder / "ann.json"
    told = cast.tell("member", "card", "Dr Ann Lee", "--organisation", "hospital", "--key", key, "--out", path)
    card = read(path)
    with cast.client(key) as client:
        card.verify(card_check(client.context.deployment))
        words = fingerprint(client.address, client.context.key.seal_key.public)
    assert (card.name, card.organisation_name, card.version) == ("Dr Ann Lee", "hospital", 0)
    assert card.organisation == cast.address("hospital")
    assert told["schema"] == "dtledger/member-card-made/1"
    assert told["card"] == card.to_dict()
    assert (told["fingerprint"], told["path"]) == (words, str(path))


def test_a_card_file_has_the_keys_name_and_is_not_overwritten_unasked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cast.folder)
    key = cast.key("ann")
    assert cast.run("member", "card", "Ann", "--key", key, "--dry-run").exit_code == 0
    assert list(cast.folder.iterdir()) == []
    assert cast.run("member", "card", "Ann", "--key", key).exit_code == 0
    path = cast.folder / f"{key}.card.json"
    assert path.stat().st_mode & 0o777 == 0o644
    assert cast.refusal("member", "card", "Dr Ann", "--key", key)["exit_code"] == 2
    assert read(path).name == "Ann"
    assert cast.run("member", "card", "Dr Ann", "--key", key, "--replace").exit_code == 0
    assert read(path).name == "Dr Ann"


def test_a_card_of_a_member_goes_on_from_its_present_one(cast: Cast) -> None:
    clinic = cast.organisation()
    member = cast.member("ann", of=clinic)
    path = cast.card(member)
    card = read(path)
    assert (card.version, card.organisation, card.organisation_name) == (1, cast.address(clinic), f"The {clinic}")
    assert "member update" in cast.run("member", "card", "Ann", "--key", member, "--dry-run").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Ann", "--organisation", NOBODY), "has no name here"),
        (("Ann", "--organisation", "nowhere"), "There is no contact"),
        (("Ann", "--organisation-name", "Clinic"), "needs --organisation"),
        ((" Ann",), "cannot be made"),
    ],
)
def test_a_card_that_cannot_be_made_is_a_usage_error(cast: Cast, words: tuple[str, ...], said: str) -> None:
    error = cast.refusal("member", "card", *words, "--key", "patient", "--dry-run")
    assert error["exit_code"] == 2
    assert said in error["message"]


def test_an_organisation_without_a_card_is_named_on_the_command_line(cast: Cast) -> None:
    words = ("--organisation", NOBODY, "--organisation-name", "Far Clinic")
    assert read(cast.card("patient", *words)).organisation_name == "Far Clinic"


def test_a_founder_signs_for_a_deployment_under_way(cast: Cast) -> None:
    (record,) = cast.world.home.deployments.glob("*.json")
    unfinished = cast.folder / record.name
    unfinished.write_text(json.dumps({**json.loads(record.read_text()), "complete": False}))
    path = cast.card("gateway", "--founding", unfinished)
    card = read(path).verify(card_check(read_journal(unfinished).deployment()))
    assert card.version == 0, "nobody is enrolled before the founders are"


# agree and enrol -------------------------------------------------------------------------------------------------


def test_an_organisation_agrees_by_a_file_and_a_registrar_enrols(cast: Cast) -> None:
    clinic, key = cast.organisation(), cast.key("ann")
    card = cast.card(key, "--organisation", clinic)
    agreed = cast.tell("member", "agree", card, "--key", clinic, "--yes")
    assert agreed["schema"] == "dtledger/agreement-made/1"
    assert agreed["path"] == str(cast.folder / f"{key}.agreement.json")
    words = ("member", "enrol", card, "--kind", "clinician", "--kind", "CARER", "--key", "operator", "--yes")
    told = cast.tell(*words, "--agreement", agreed["path"])
    assert told["schema"] == "dtledger/member-enrolled/1"
    assert told["kinds"] == ["CLINICIAN", "CARER"]
    assert told["sent"]["gas"] > 21_000
    shown = cast.standing(key)
    assert (shown["standing"], shown["kinds"]) == ("active", ["CLINICIAN", "CARER"])
    assert shown["organisation"]["address"] == cast.address(clinic)


def test_the_six_words_and_one_sentence_come_before_the_question(cast: Cast) -> None:
    card = cast.card(cast.key("ann"))
    home = cast.world.home.root
    code, shown = at_terminal(home, "member", "enrol", card, "--kind", "CLINICIAN", "--key", "operator", typed="n\n")
    assert code == 1
    words = fingerprint(read(card).address, read(card).public_key)
    places = [shown.index(each) for each in (words, "Enrols Dr Ann Lee (0x", "as CLINICIAN", "Enrol it?")]
    assert places == sorted(places)


def test_only_the_cards_organisation_can_agree(cast: Cast) -> None:
    clinic = cast.organisation()
    card = cast.card(cast.key("ann"), "--organisation", clinic)
    error = cast.refusal("member", "agree", card, "--key", "hospital", "--yes")
    assert "names another organisation" in error["message"]
    assert cast.run("member", "agree", card, "--key", clinic, "--dry-run").exit_code == 0
    assert cast.run("member", "agree", card, "--key", clinic).exit_code == 2
    assert not list(cast.folder.glob("*.agreement.json"))


def test_a_member_of_an_organisation_that_did_not_agree_is_not_enrolled(cast: Cast) -> None:
    clinic, key, other = cast.organisation(), cast.key("ann"), cast.key("bob")
    card = cast.card(key, "--organisation", clinic)
    words = ("member", "enrol", card, "--key", "operator", "--yes")
    assert "has not agreed" in cast.refusal(*words)["message"]
    for_another = cast.folder / "other.json"
    cast.tell(
        "member", "agree", cast.card(other, "--organisation", clinic), "--key", clinic, "--yes", "--out", for_another
    )
    assert "not for this card" in cast.refusal(*words, "--agreement", for_another)["message"]
    assert "is not that of" in cast.refusal(*words, "--organisation-key", "hospital")["message"]
    assert cast.refusal(*words, "--agreement", for_another, "--organisation-key", clinic)["exit_code"] == 2
    (cast.folder / "none.json").write_text("{}")
    assert "is no agreement" in cast.refusal(*words, "--agreement", cast.folder / "none.json")["message"]
    assert "cannot be read" in cast.refusal(*words, "--agreement", cast.folder / "missing.json")["message"]
    assert cast.standing(key)["standing"] == "stranger"
    assert cast.tell(*words, "--organisation-key", clinic)["organisation"] == cast.address(clinic)


def test_an_agreement_that_somebody_else_signed_is_refused(cast: Cast) -> None:
    clinic = cast.organisation()
    path = cast.card(cast.key("ann"), "--organisation", clinic)
    card, forged = read(path), cast.folder / "forged.json"
    with cast.client("hospital") as hospital:
        signature = hospital.members.agree(card)
    forged.write_bytes(Agreement(card.organisation, card.address, card.version, signature).serialise())
    error = cast.refusal("member", "enrol", path, "--agreement", forged, "--key", "operator", "--yes")
    assert (error["exit_code"], error["party"]) == (4, card.organisation)
    cast.tell("member", "agree", path, "--key", clinic, "--yes", "--out", forged, "--replace")
    assert cast.run("member", "enrol", path, "--agreement", forged, "--key", "operator", "--yes").exit_code == 0


def test_an_organisation_that_is_registrar_itself_needs_no_agreement_file(cast: Cast) -> None:
    cast.run("member", "enrol", cast.card("operator", name="Registry"), "--key", "operator", "--yes")
    key = cast.key("ann")
    card = cast.card(key, "--organisation", cast.address("operator"), "--organisation-name", "Registry")
    assert cast.run("member", "enrol", card, "--key", "operator", "--yes").exit_code == 0
    assert cast.standing(key)["organisation"]["name"] == "operator"


@pytest.mark.parametrize("kind", ["CUSTODIAN", "emergency"])
def test_guarded_kinds_are_not_given_at_enrolment(cast: Cast, kind: str) -> None:
    key = cast.key("ann")
    words = ("member", "enrol", cast.card(key), "--key", "operator", "--yes")
    error = cast.refusal(*words, "--kind", kind)
    assert error["exit_code"] == 2
    assert f"{kind.upper()} cannot be given at enrolment" in error["message"]
    assert f"member kinds WHO --add {kind.upper()}" in error["hint"]
    assert cast.standing(key)["standing"] == "stranger"
    assert cast.run(*words, "--kind", "AUDITOR").exit_code == 0


def test_who_is_no_registrar_enrols_nobody_not_even_in_a_dry_run(cast: Cast) -> None:
    card = cast.card(cast.key("ann"))
    error = cast.refusal("member", "enrol", card, "--key", "patient", "--dry-run")
    assert (error["exit_code"], error["error"]) == (1, "UnauthorizedError")
    told = cast.tell("member", "enrol", card, "--key", "operator", "--dry-run")
    assert (told["dry_run"], told["sent"]) == (True, None)


def test_a_card_is_enrolled_once_and_only_by_the_card_before_enrolment(cast: Cast) -> None:
    key = cast.key("ann")
    card = cast.card(key)
    with cast.client(key) as client:
        later = make_card(client.context.deployment, client.context.key, "Ann", 3)
    (cast.folder / "later.json").write_bytes(later.serialise())
    words = ("--key", "operator", "--yes")
    assert "of version 3" in cast.refusal("member", "enrol", cast.folder / "later.json", *words)["message"]
    cast.tell("member", "enrol", card, *words)
    assert "enrolled already" in cast.refusal("member", "enrol", card, *words)["message"]


# update ----------------------------------------------------------------------------------------------------------


def test_a_member_changes_its_organisation_and_anyone_may_carry_its_card(cast: Cast) -> None:
    clinic, member = cast.organisation(), cast.member("ann")
    card = cast.card(member, "--organisation", clinic)
    words = ("member", "update", card, "--key", "patient")
    assert "has not agreed" in cast.refusal(*words, "--yes")["message"]
    dry = cast.tell(*words, "--organisation-key", clinic, "--dry-run")
    assert (dry["version"], dry["sent"]) == (2, None)
    told = cast.tell(*words, "--organisation-key", clinic, "--yes")
    assert told["schema"] == "dtledger/member-updated/1"
    assert cast.standing(member)["organisation"]["address"] == cast.address(clinic)
    assert "stands at 2" in cast.refusal(*words, "--yes")["message"]


def test_the_card_of_a_stranger_updates_nothing(cast: Cast) -> None:
    error = cast.refusal("member", "update", cast.card(cast.key("ann")), "--yes", "--key", "operator")
    assert "is not enrolled" in error["message"]


# show, list, find ------------------------------------------------------------------------------------------------


def test_show_says_who_enrolled_a_member_and_its_words(cast: Cast) -> None:
    clinic = cast.organisation()
    member = cast.member("ann", "CLINICIAN", of=clinic)
    told = cast.standing(member)
    with cast.client(member) as client:
        words = fingerprint(client.address, client.context.key.seal_key.public)
    assert told["schema"] == "dtledger/member/1"
    assert told["enrolled_by"] == {"address": cast.address("operator"), "name": "operator"}
    assert told["fingerprint"] == words
    assert told["enrolled_at"].endswith("Z")
    shown = cast.run("member", "show", "--key", member).stdout
    for said in (words, "CLINICIAN", f"by operator ({cast.address('operator')})", clinic, "version 1"):
        assert said in shown


def test_show_of_a_stranger_says_so(cast: Cast) -> None:
    assert "not enrolled" in cast.run("member", "show", NOBODY).stdout
    told = cast.tell("member", "show", NOBODY)
    assert (told["standing"], told["kinds"], told["enrolled_by"], told["key"]) == ("stranger", [], None, None)


def test_show_goes_on_without_the_members_key_in_the_store(cast: Cast) -> None:
    from dtledger.encoding import CID

    member = cast.member("ann")
    with cast.client(member) as client:
        digest = client.context.view().key_digest(client.address)
        assert digest is not None
        client.context.store.remove([CID(digest, "raw")])
    assert "its key is not in the store" in cast.run("member", "show", cast.address(member)).stdout
    assert cast.standing(member)["fingerprint"] is None


def test_list_can_be_narrowed(cast: Cast) -> None:
    clinic = cast.organisation()
    member = cast.member("ann", "RESEARCHER", of=clinic)

    def listed(*words: str) -> set[str]:
        return {each["address"] for each in cast.tell("member", "list", *words)["members"]}

    everybody = listed()
    assert {cast.address(each) for each in (clinic, member, "hospital")} <= everybody
    assert cast.address(member) in listed("--kind", "researcher")
    assert cast.address("hospital") not in listed("--kind", "researcher")
    assert listed("--organisation", clinic) == {cast.address(member)}
    assert cast.address(member) not in listed("--suspended")
    line = next(each for each in cast.run("member", "list").stdout.splitlines() if cast.address(member) in each)
    assert line.split() == [cast.address(member), member, "RESEARCHER", "of", clinic]
    nobody = cast.run("member", "list", "--organisation", clinic, "--kind", "DEVICE")
    assert (nobody.stdout, "no such member" in nobody.stderr) == ("", True)


def test_find_searches_names_organisations_and_addresses_of_contacts_and_cards(cast: Cast) -> None:
    clinic = cast.organisation("cardio")
    member = cast.member("ann", "CLINICIAN", of=clinic)
    cast.card(member, name="Dr Rosalind Fern")
    (cast.folder / "other.json").write_text("{}")
    told = cast.tell("member", "find", "ROSALIND", "--cards", cast.folder)
    assert told["schema"] == "dtledger/members-found/1"
    (found,) = told["members"]
    assert found["source"].endswith(f"{member}.card.json")
    assert (found["card_name"], found["organisation_name"]) == ("Dr Rosalind Fern", f"The {clinic}")
    assert (found["standing"], found["kinds"], found["genuine"], found["same_key"]) == (
        "active", ["CLINICIAN"], True, True,
    )  # fmt: skip
    assert found["enrolled_by"]["name"] == "operator"
    assert cast.tell("member", "find", clinic)["members"][0]["source"] == f"contact {clinic}"
    by_address = cast.tell("member", "find", cast.address(member)[:12].lower(), "--cards", cast.folder)
    assert len(by_address["members"]) == 1
    shown = cast.run("member", "find", f"the {clinic}", "--cards", cast.folder).stdout
    assert shown.count("fingerprint") == 2, "the clinic as a contact, and its member by a card"


def test_find_of_nobody_says_where_names_are(cast: Cast) -> None:
    result = cast.run("member", "find", "nobody-of-that-name")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "--cards" in result.stderr
    assert cast.tell("member", "find", "nobody-of-that-name")["members"] == []


def test_find_shows_a_forged_card_as_one(cast: Cast) -> None:
    member = cast.member("ann")
    path = cast.card(member)
    genuine = read(path)
    path.write_bytes(replace(genuine, name="Dr Forged").serialise())
    result = cast.run("member", "find", "forged", "--cards", cast.folder)
    assert "NOT signed by its address" in result.stdout
    assert "warning" in result.stderr
    assert cast.tell("member", "find", "forged", "--cards", cast.folder)["members"][0]["genuine"] is False
    path.write_bytes(genuine.serialise())
    assert cast.tell("member", "find", "Dr Ann", "--cards", cast.folder)["members"][0]["genuine"] is True


def test_find_says_when_a_card_has_another_key_than_the_ledger(cast: Cast) -> None:
    member = cast.member("ann")
    cast.card(member)
    cast.tell("member", "rekey", "--key", member, "--yes")
    result = cast.run("member", "find", member.replace("-", " ")[:3], "--cards", cast.folder)
    assert "names another key than this card" in result.stdout


# kinds and suspension --------------------------------------------------------------------------------------------


def test_a_registrar_gives_and_takes_plain_kinds_at_once(cast: Cast) -> None:
    member = cast.member("ann", "CLINICIAN")
    words = ("member", "kinds", cast.address(member), "--key", "operator", "--yes")
    assert cast.tell(*words, "--add", "RESEARCHER", "--dry-run")["sent"] is None
    told = cast.tell(*words, "--add", "RESEARCHER", "--remove", "CLINICIAN")
    assert (told["schema"], told["kinds"]) == ("dtledger/member-kinds/1", ["RESEARCHER"])
    assert cast.standing(member)["kinds"] == ["RESEARCHER"]
    assert "already" in cast.refusal(*words, "--add", "RESEARCHER")["message"]
    assert cast.tell(*words, "--remove", "RESEARCHER")["kinds"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("--add", "CUSTODIAN", "--add", "AUDITOR"), 2),
        (("--add", "EMERGENCY", "--remove", "CLINICIAN"), 2),
        (("--add", "AUDITOR", "--cancel"), 2),
    ],
)
def test_kinds_that_cannot_be_changed_together_are_usage_errors(cast: Cast, words: tuple[str, ...], code: int) -> None:
    error = cast.refusal("member", "kinds", cast.address("hospital"), *words, "--key", "operator", "--yes")
    assert error["exit_code"] == code


def test_a_strangers_kinds_and_a_patients_wish_change_nothing(cast: Cast) -> None:
    stranger = cast.refusal("member", "kinds", NOBODY, "--add", "AUDITOR", "--key", "operator", "--yes")
    assert stranger["error"] == "NotEnrolledError"
    for kind in ("AUDITOR", "CUSTODIAN"):
        patient = cast.refusal("member", "kinds", "cardiology", "--add", kind, "--key", "patient", "--yes")
        assert patient["error"] == "UnauthorizedError"


def test_suspending_is_immediate_and_takes_an_organisations_members_with_it(cast: Cast) -> None:
    clinic = cast.organisation()
    member = cast.member("ann", "CLINICIAN", of=clinic)
    words = ("member", "suspend", clinic, "--key", "operator", "--yes")
    assert cast.tell(*words, "--dry-run")["members"] == [cast.address(member)]
    assert cast.standing(clinic)["standing"] == "active"
    told = cast.tell(*words)
    assert (told["schema"], told["members"]) == ("dtledger/member-suspended/1", [cast.address(member)])
    assert cast.standing(clinic)["standing"] == "suspended"
    assert cast.standing(member)["standing"] == "organisation-suspended"
    assert {cast.address(clinic), cast.address(member)} <= {
        each["address"] for each in cast.tell("member", "list", "--suspended")["members"]
    }
    assert cast.refusal(*words)["error"] == "AlreadySuspendedError"


def test_only_a_suspender_suspends_and_only_a_member(cast: Cast) -> None:
    assert cast.refusal("member", "suspend", "hospital", "--key", "patient", "--yes")["error"] == "UnauthorizedError"
    assert cast.refusal("member", "suspend", NOBODY, "--key", "operator", "--yes")["error"] == "NotEnrolledError"
    assert cast.refusal("member", "suspend", "hospital", "--key", "operator")["exit_code"] == 2
