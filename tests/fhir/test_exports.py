"""What goes out: consents that permit at most what the grants do, and receipts and origins as FHIR has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dtledger.client import Terms
from dtledger.client.readings import TwinReading
from dtledger.encoding import CID
from dtledger.errors import InputError
from dtledger.fhir import (
    Box,
    Loss,
    Names,
    Party,
    Standing,
    Window,
    audit_events,
    bundle,
    consent_of,
    observations,
    permitted,
    read_consent,
    read_json,
)
from dtledger.fhir.moments import seconds_of
from dtledger.testing import World
from dtledger.types import MAX_MINUTE, Digest, Period
from dtledger.vocabulary import CATEGORIES, Action, Kind, Purpose, Reason, use_term
from tests.models.conftest import scene
from tests.models.scene import Scene

pytestmark = pytest.mark.slow

__all__ = ["scene"]

PCF = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent"
NOT_IN_PCF = ("action", "class", "code", "securityLabel")
"""Elements that PCF's profiles do not allow in a provision (IHE ITI PCF 1.1)."""
EVERYTHING = tuple(each.name for each in CATEGORIES)


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


def names(world: World) -> Names:
    return Names(world.ledger.deployment, lambda address: "somebody", "Patient/7")


def exported(world: World, grantee: Any, profile: str | None = None) -> dict[str, Any]:
    """The Consent of the grant to somebody."""
    (made,) = [
        each
        for given, each, _ in world.patient.exports.consents(world.twin, names(world), profile)
        if given.record.slot.grantee == grantee.address
    ]
    assert made is not None
    return made


def grant(world: World, **changes: Any) -> Any:
    clinic, now = world.join("clinic", [Kind.CLINICIAN]), world.clock()
    said: dict[str, Any] = {
        "categories": EVERYTHING,
        "purposes": (Purpose.TREAT,),
        "actions": (Action.READ,),
        "not_before_at": now,
        "expires_at": now + 3600,
        "data": Period(0, MAX_MINUTE),
    }
    world.patient.consents.grant(world.twin, clinic.address, Terms(**said | changes))
    return clinic


# consents ---------------------------------------------------------------------------------------------------------


def test_a_consent_has_what_pcf_asks_for_and_nothing_that_it_forbids(world: World) -> None:
    made = exported(world, world.clinician)
    assert made["meta"]["profile"] == [f"{PCF}Intermediate"]
    for name in ("status", "scope", "category", "patient", "dateTime", "performer", "organization", "sourceReference"):
        assert made[name], name
    assert list(made["policy"][0]) == ["uri"]
    assert {"policyRule", "verification"}.isdisjoint(made)
    provision = made["provision"]
    assert set(NOT_IN_PCF).isdisjoint(provision)
    assert provision["type"] == "permit"
    assert [each["role"]["coding"][0]["code"] for each in provision["actor"]] == ["IRCP"]
    assert [each["meaning"] for each in provision["data"]] == ["instance"]
    assert read_consent(read_json(json.dumps(made))).status == "active"


def test_intermediate_says_the_data_and_the_time_to_the_second(world: World) -> None:
    record = world.ledger.view().record(world.consent)
    assert record is not None
    consent = read_consent(exported(world, world.clinician))
    assert consent.root is not None
    assert consent.root.held.sure == Window(record.grant.not_before_at, record.grant.expires_at)
    assert consent.root.data.sure == seconds_of(record.grant.data)


def test_a_grant_is_basic_where_nothing_is_lost_with_it(world: World) -> None:
    clinic = grant(world)
    made = exported(world, clinic)
    assert made["meta"]["profile"] == [f"{PCF}Basic"]
    assert {"data", "dataPeriod", "provision"}.isdisjoint(made["provision"])
    consent = read_consent(made | {"provision": made["provision"] | {"actor": made["provision"]["actor"]}})
    assert consent.root is not None
    assert consent.root.purposes is not None
    assert consent.root.purposes.sure == {Purpose.TREAT}


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": ("glucose",)},
        {"data": Period(1, MAX_MINUTE)},
        {"data": Period(0, MAX_MINUTE - 1)},
        {"purposes": (Purpose.HRESCH,)},
        {"actions": (Action.READ, Action.TRAIN), "purposes": (Purpose.TREAT,)},
    ],
    ids=["a category", "a beginning", "an end", "another purpose", "another action"],
)
def test_a_narrower_grant_is_not_basic(world: World, changes: dict[str, Any]) -> None:
    clinic = grant(world, **changes)
    assert exported(world, clinic)["meta"]["profile"] == [f"{PCF}Intermediate"]
    told = list(world.patient.exports.consents(world.twin, names(world), "basic"))
    (lost,) = [lost for given, made, lost in told if given.record.slot.grantee == clinic.address and made is None]
    assert "permit more than the grant" in lost[0].words


@pytest.mark.parametrize(
    ("actions", "kind", "words"),
    [
        ((Action.READ,), "permit", "whoever may read may not train"),
        ((Action.READ, Action.TRAIN), "permit", "whoever reads may train too"),
        ((Action.TRAIN,), "deny", "it lets train and not read"),
    ],
    ids=["read", "read and train", "train alone"],
)
def test_whoever_may_train_and_not_read_is_permitted_nothing_and_that_is_told(
    world: World, actions: tuple[Action, ...], kind: str, words: str
) -> None:
    """PCF has no actions: a permit lets its reader read."""
    clinic = grant(world, actions=actions, purposes=(Purpose.HRESCH,))
    made, losses = told(world, clinic)
    assert made["provision"]["type"] == kind
    (lost,) = [each for each in losses if each.path == "actions"]
    assert (words in lost.words, lost.denies) == (True, kind == "deny")
    assert "research" not in {each.path for each in losses}


@pytest.mark.parametrize("actions", [(Action.READ, Action.TRAIN), (Action.TRAIN,)], ids=["permit", "deny"])
def test_terms_of_research_go_with_the_consent_and_bind_no_system(world: World, actions: tuple[Action, ...]) -> None:
    terms = use_term("NPUNCU"), use_term("DS=MONDO:0005148")
    clinic = grant(world, actions=actions, purposes=(Purpose.HRESCH,), research=terms)
    made, losses = told(world, clinic)
    codings = [each["valueCoding"] for each in made["extension"]]
    assert [each["code"] for each in codings] == ["DUO:0000007", "DUO:0000018"]
    assert codings[0]["display"] == "research of one disease: MONDO:0005148"
    (lost,) = [each for each in losses if each.path == "research"]
    assert "not-for-profit" in lost.words
    world.patient.consents.revoke_all(world.twin)
    assert told(world, clinic)[0]["extension"] == made["extension"], "what it was stays said"
    assert "extension" not in told(world, world.clinician)[0]


def test_terms_of_research_that_cannot_be_read_are_not_taken_for_none(world: World) -> None:
    clinic = grant(world, actions=(Action.TRAIN,), purposes=(Purpose.HRESCH,))
    assert "research" not in {each.path for each in told(world, clinic)[1]}
    (package,) = {each.package for each in world.ledger.view().records(world.patient.address, world.twin)
                  if each.slot.grantee == clinic.address}  # fmt: skip
    world.store.remove([CID(package)])
    (lost,) = [each for each in told(world, clinic)[1] if each.path == "research"]
    assert "cannot be read" in lost.words


def told(world: World, grantee: Any) -> tuple[dict[str, Any], list[Loss]]:
    """The Consent of the grant to somebody, and what is lost with it."""
    (found,) = [
        (made, lost)
        for given, made, lost in world.patient.exports.consents(world.twin, names(world))
        if given.record.slot.grantee == grantee.address
    ]
    made, lost = found
    assert made is not None
    return made, lost


def test_what_is_written_permits_nobody_else_and_nothing_more_when_it_is_read_again(world: World) -> None:
    """A system that knows neither our URNs nor our accounts gets nothing out of it."""
    for made in (exported(world, world.clinician), exported(world, grant(world))):
        anybody = Box(frozenset({Party("anybody", frozenset({"Organization/1"}))}), frozenset({Action.READ}),
                      frozenset(Purpose), frozenset(EVERYTHING))  # fmt: skip
        assert permitted(read_consent(made), anybody) == []


def test_a_revoked_grant_is_inactive_and_a_block_denies(world: World) -> None:
    clinic = grant(world)
    assert (exported(world, clinic)["status"], exported(world, clinic)["provision"]["type"]) == ("active", "permit")
    world.patient.consents.block(world.twin, clinic.address)
    made = exported(world, clinic)
    assert (made["status"], made["provision"]["type"], "period" in made["provision"]) == ("active", "deny", False)
    world.patient.consents.revoke_all(world.twin)
    assert exported(world, world.clinician)["status"] == "inactive"


def test_a_grant_to_write_has_no_consent_and_that_is_told(world: World) -> None:
    told = [(made, lost) for given, made, lost in world.patient.exports.consents(world.twin, names(world))
            if given.record.slot.grantee == world.gateway.address]  # fmt: skip
    assert [(made, "WRITE" in lost[0].words) for made, lost in told] == [(None, True)]


def test_a_profile_that_is_asked_for_is_not_guessed(world: World) -> None:
    (given,) = [each for each in world.patient.exports.given(world.twin) if each.record.slot == world.consent]
    with pytest.raises(InputError, match="intermediate"):
        consent_of(
            given.record, given.grant, given.categories, names(world), standing=Standing.IN_FORCE, profile="basic"
        )


# who looked -------------------------------------------------------------------------------------------------------


def events(world: World) -> list[dict[str, Any]]:
    return list(world.patient.exports.access(world.patient.twins.who_looked(world.twin), names(world)))


def test_each_receipt_is_an_event_of_balp(world: World) -> None:
    world.clinician.read(world.twin, "glucose", "TREAT")
    made = events(world)
    assert len(made) == 3
    for each in made:
        assert each["meta"]["profile"] == [
            "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent"
        ]
        assert (each["type"]["code"], each["subtype"][0]["code"], each["action"]) == ("110113", "AuthZ-Consent", "E")
        assert each["outcome"] == "0"
        kinds = [agent["type"]["coding"][0]["code"] for agent in each["agent"]]
        assert kinds == ["110150", "IRCP", "PROV", "authserver"]
        assert [agent["requestor"] for agent in each["agent"]] == [False, True, False, False]
        assert each["agent"][3]["who"] == each["source"]["observer"]
        assert [entity["type"]["code"] for entity in each["entity"]] == ["1", "Consent"]
        assert each["entity"][0]["what"] == {"reference": "Patient/7"}
        assert each["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert len({each["id"] for each in made}) == 3


def test_what_was_refused_is_an_event_of_its_own_and_says_why(world: World) -> None:
    world.clinician.read(world.twin, "glucose", "TREAT")
    (receipt, *_) = world.patient.twins.who_looked(world.twin).looks[0].receipts
    refused = replace(receipt, count=receipt.count + 2, refused=((Digest(bytes(32)), Reason.REVOKED),) * 2)
    made = list(audit_events(refused, names(world), world.patient.address, None, None))
    assert [each["outcome"] for each in made] == ["0", "8"]
    assert "2 snapshots" in made[1]["outcomeDesc"]
    assert "REVOKED" in made[1]["outcomeDesc"]
    whole = replace(receipt, refused=((Digest(bytes(32)), Reason.REVOKED),) * receipt.count)
    assert [each["outcome"] for each in audit_events(whole, names(world), world.patient.address, None, None)] == ["8"]


def test_an_emergency_breaks_the_glass(world: World) -> None:
    world.clinician.read(world.twin, "glucose", "TREAT")
    (receipt, *_) = world.patient.twins.who_looked(world.twin).looks[0].receipts
    record = world.ledger.view().record(world.consent)
    assert record is not None
    sleeping = replace(record, grant=replace(record.grant, actions=Action.READ.mask | Action.EMERGENCY.mask))
    opened = replace(receipt, purpose=Purpose.ETREAT)
    codes = {
        name: [each["coding"][0]["code"] for each in next(iter(
            audit_events(opened, names(world), world.patient.address, None, given)))["purposeOfEvent"]]
        for name, given in (("asleep", sleeping), ("ordinary", record))
    }  # fmt: skip
    assert codes == {"asleep": ["ETREAT", "BTG"], "ordinary": ["ETREAT"]}


def test_the_organisation_of_the_asker_stands_there_and_its_want_is_told(world: World) -> None:
    loner = grant(world)
    world.clinician.read(world.twin, "glucose", "TREAT")
    loner.read(world.twin, "glucose", "TREAT")
    who = [each["agent"][2]["who"] for each in events(world)]
    said = {"identifier" in each for each in who}
    assert said == {True, False}
    assert {each["extension"][0]["valueCode"] for each in who if "extension" in each} == {"not-applicable"}


def test_an_owners_own_look_names_no_consent(world: World) -> None:
    world.patient.read(world.twin, "glucose", "PATRQT")
    assert {each["entity"][1]["what"]["display"] for each in events(world)} == {"the owner's own right"}


# where data comes from --------------------------------------------------------------------------------------------


def test_each_snapshot_says_who_wrote_it_and_when_it_was_anchored(world: World) -> None:
    made = list(world.patient.exports.provenance(world.twin, names(world)))
    listed = [each for group in world.patient.snapshots.list(world.twin) for each in group]
    assert len(made) == len(listed) > 0
    for said, each in zip(made, listed, strict=True):
        assert said["target"][0]["identifier"]["value"].endswith(each.found.digest.hex())
        assert said["agent"][0]["who"]["identifier"]["value"].endswith(world.gateway.address)
        assert said["agent"][0]["who"]["type"] == "Device"
        assert "entity" not in said


def test_a_correction_names_what_it_corrects(world: World) -> None:
    (group, *_) = world.patient.snapshots.list(world.twin)
    digest = group[0].found.digest
    world.patient.writer.amend(digest, [], "lay on the sensor")
    (said,) = [each for each in world.patient.exports.provenance(world.twin, names(world)) if "entity" in each]
    assert said["agent"][0]["who"] == names(world).owner(world.patient.address), "a person, and no device"
    assert said["entity"] == [
        {
            "role": "revision",
            "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:dtledger:snapshot:{digest.hex()}"}},
        }
    ]


def test_a_round_names_what_it_was_made_of(scene: Scene) -> None:
    scene.run()
    patient = scene.patients[0][0]
    (said,) = patient.client.exports.uses(patient.twin, names(scene.world))
    assert [each["role"] for each in said["entity"]] == ["derivation", "source", "source"]
    assert len(said["agent"]) == 3


def test_a_bundle_of_nothing_has_no_entries() -> None:
    assert bundle([]) == {"resourceType": "Bundle", "type": "collection"}


# values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unit", "quality", "code", "text"),
    [
        ("glucose", "mg/dL", "", "99504-3", "glucose in tissue, from a continuous sensor"),
        ("glucose", "mg/dL", "laboratory", "2339-0", "glucose, laboratory"),
        ("glucose", "mmol/L", "fingerstick", "14743-9", "glucose, fingerstick"),
        ("blood-pressure", "mm[Hg]", "systolic", "8480-6", "blood pressure, systolic"),
    ],
)
def test_a_value_is_called_what_it_was_measured_by(name: str, unit: str, quality: str, code: str, text: str) -> None:
    value = TwinReading(datetime(2026, 11, 2, 8, tzinfo=UTC), 97.0, unit, quality, "00" * 32)
    (made,) = observations([value], name, {"reference": "Patient/7"})
    assert made["code"] == {"coding": [{"system": "http://loinc.org", "code": code}], "text": text}
