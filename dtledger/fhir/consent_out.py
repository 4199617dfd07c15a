"""Grants as Consents of IHE's Privacy Consent on FHIR. What is written never permits more than the grant.

- **basic** has purposes, recipient and time. A grant is narrower: it names categories and data. So a grant is basic
  only where it denies (revoked, ended, blocked), or where nothing is lost: every category, all data, and the purposes
  that basic has.
- **intermediate** has the data's period besides. PCF has no categories (`class` and `code` are not allowed): they are
  named as `data`, instances by a URN, which match nothing where that is not known.

PCF has no actions either: whoever is permitted may read. So what lets train and not read is written as a denial. Terms
of research stand in an extension, which tells them to people and binds no system.

Sources: IHE ITI PCF 1.1, consentBasic and consentIntermediate.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from ..errors import InputError
from ..ledger import GrantRecord
from ..policy import Grant
from ..types import MAX_MINUTE, Period
from ..vocabulary import Action, Purpose, known_term
from .codes import (
    ACT_REASON,
    CONSENT_SCOPE,
    DUO,
    EVERY_CATEGORY,
    LOINC,
    PARTICIPATION,
    RESEARCH,
    URI,
    coding,
    concept,
)
from .loss import Loss
from .moments import FOREVER
from .names import Names

_PROFILE = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent"
BASIC, INTERMEDIATE = "basic", "intermediate"

_BASIC_PURPOSES = frozenset({Purpose.TREAT, Purpose.HPAYMT, Purpose.HOPERAT})
"""PCF's BasicPurposeVS; its fourth, BTG, is no purpose of a grant."""


class Standing(Enum):
    """Whether a grant permits anything: in force or to come; its grantee blocked, who is denied; ended or revoked."""

    IN_FORCE = "in force"
    BLOCKED = "blocked"
    OVER = "over"


_LAST_YEAR = 253_402_300_799
"""9999-12-31, where FHIR's times end."""


def consent_of(
    record: GrantRecord,
    given: Grant,
    categories: tuple[str, ...],
    names: Names,
    *,
    standing: Standing,
    profile: str | None = None,
    research: tuple[str, ...] | None = (),
) -> tuple[dict[str, Any], list[Loss]]:
    """A grant as a Consent, and what is lost with it.

    Args:
        record: the slot as it stands.
        given: the newest word that gave something: the same, or what stood there before it was revoked.
        categories: of `given`, as far as a key names them ("bit 13" else).
        profile: "basic" or "intermediate"; None chooses basic where nothing is lost.
        research: the terms of `given` as they are written (`dtledger.vocabulary.duo`); None if they cannot be read.

    Raises:
        InputError: the grant only lets somebody write, which a Consent cannot say; or basic is asked for, and would
            permit more than the grant.
    """
    actions = [each for each in Action if given.actions & each.mask]
    purposes = [each for each in Purpose if given.purposes & each.mask]
    if not {Action.READ, Action.TRAIN, Action.EMERGENCY} & set(actions):
        raise InputError("A grant to WRITE alone lets nobody see anything: a Consent has no word for it.")
    denies = standing is not Standing.IN_FORCE or Action.EMERGENCY in actions or Action.READ not in actions
    fits = denies or _is_basic(given, categories, purposes, actions)
    if profile == BASIC and not fits:
        raise InputError(
            "A basic Consent would permit more than the grant, which names categories and data.",
            hint="Export it as intermediate.",
        )
    basic = fits if profile is None else profile == BASIC
    losses = _lost_actions(actions) + _lost_terms(research if Action.TRAIN in actions else ())
    if not basic and not denies:
        losses.append(Loss("categories", "named by URNs: a system that does not know them finds nothing", denies=True))
    said = _frame(record, names, f"{_PROFILE}{'Basic' if basic else 'Intermediate'}")
    said["status"] = "inactive" if standing is Standing.OVER else "active"
    if research:
        said["extension"] = [{"url": RESEARCH, "valueCoding": _term(each)} for each in research]
    actor = {
        "role": concept(PARTICIPATION, "IRCP", "information recipient"),
        "reference": names.reference("Organization", record.slot.grantee),
    }
    if denies:
        return said | {"provision": {"type": "deny", "actor": [actor]}}, losses
    provision: dict[str, Any] = {
        "type": "permit",
        "period": {"start": _time(given.not_before_at), "end": _time(given.expires_at - 1)},
        "actor": [actor],
    }
    if purposes:
        provision["purpose"] = [coding(ACT_REASON, each.name, each.text) for each in purposes]
    if not basic:
        provision["dataPeriod"] = _data_period(given.data)
        provision["data"] = [_data(each, names, record.slot.twin) for each in categories]
    return said | {"provision": provision}, losses


def _data(category: str, names: Names, twin: int) -> dict[str, Any]:
    """A category of a twin, which IHE's profile has no other place for."""
    named = names.identified("List", names.urn("category", twin, category), f"{category} of twin {twin}")
    return {"meaning": "instance", "reference": named}


def _lost_actions(actions: list[Action]) -> list[Loss]:
    if Action.EMERGENCY in actions:
        return [Loss("actions", "it sleeps until an emergency is opened; written as denied", denies=True)]
    if Action.READ not in actions:
        return [
            Loss("actions", "it lets train and not read, which PCF has no word for; written as denied", denies=True)
        ]
    may = " whoever reads may train too" if Action.TRAIN in actions else " whoever may read may not train"
    return [Loss("actions", f"PCF has no actions:{may}, and nothing here says so")]


def _lost_terms(research: tuple[str, ...] | None) -> list[Loss]:
    if research is None:
        return [Loss("research", "its terms of research cannot be read with this key; if it has any, nothing says so")]
    if not research:
        return []
    words = ", ".join(_term(each)["display"] for each in research)
    return [Loss("research", f"whoever trains is bound by terms ({words}): an extension tells them, and binds nobody")]


def _term(written: str) -> dict[str, str]:
    """A term of research as a coding; its value, where it takes one, stands in the words."""
    term = known_term(written)
    return coding(DUO, written.partition("=")[0], term.text if term else written)


def _is_basic(given: Grant, categories: tuple[str, ...], purposes: list[Purpose], actions: list[Action]) -> bool:
    return (
        actions == [Action.READ]
        and set(categories) >= EVERY_CATEGORY
        and given.data == Period(0, MAX_MINUTE)
        and set(purposes) <= _BASIC_PURPOSES
    )


def _frame(record: GrantRecord, names: Names, profile: str) -> dict[str, Any]:
    """What every Consent of PCF has: whose, by whom, when, under which policy."""
    urn = names.grant(record.slot)
    deployment = names.identified("Organization", names.urn("deployment"), "the custodians of this deployment")
    return {
        "resourceType": "Consent",
        "id": consent_id(record),
        "meta": {"profile": [profile]},
        "identifier": [{"system": URI, "value": urn}],
        "status": "active",
        "scope": concept(CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(LOINC, "59284-0", "Patient Consent")],
        "patient": names.owner(record.slot.owner),
        "dateTime": _time(record.at),
        "performer": [names.owner(record.slot.owner)],
        "organization": [deployment],
        "sourceReference": names.identified("DocumentReference", f"{urn}:revision:{record.grant.revision}"),
        "policy": [{"uri": names.urn("policy")}],
    }


def consent_id(record: GrantRecord) -> str:
    """A FHIR id for a slot: the same as long as it stands."""
    slot = record.slot
    return f"grant-{slot.twin}-{slot.grantee[2:14].lower()}-{slot.number}-{record.grant.revision}"


def _data_period(data: Period) -> dict[str, str]:
    said = {"start": _time(data.start * 60)} if data.start else {}
    return {**said, "end": _time(min(data.end * 60 + 59, _LAST_YEAR))}


def _time(at: int) -> str:
    assert at <= FOREVER
    return datetime.fromtimestamp(min(at, _LAST_YEAR), UTC).isoformat().replace("+00:00", "Z")
