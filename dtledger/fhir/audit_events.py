"""Custodians' receipts as AuditEvents of IHE's Basic Audit Log Patterns (BALP): one decision by consent each. A request
of which some snapshots were opened and some refused is two events, one a verdict.

What BALP asks for and no receipt has (the network address of the client, an organisation of somebody who has none) is
said to be absent, with FHIR's extension for it.

Sources: IHE ITI BALP 1.1, AuthZconsent; FHIR R4 4.0.1, AuditEvent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..custody import AccessReceipt
from ..ledger import GrantRecord, Slot
from ..types import Address
from ..vocabulary import Action, Purpose
from .codes import ABSENT, ACT_REASON, DCM, PARTICIPATION, RESOURCE_TYPES, ROLE_CLASS, coding, concept
from .names import Names

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent"
_SUBTYPE = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
_SECURITY_ROLE = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"

SUCCESS, FAILURE = "0", "8"
"""AuditEvent.outcome: permitted, refused."""


def audit_events(
    receipt: AccessReceipt,
    names: Names,
    owner: Address,
    organisation: Address | None,
    record: GrantRecord | None,
) -> Iterator[dict[str, Any]]:
    """The events of one receipt.

    Args:
        owner: of the twin, when it was asked for.
        organisation: the requester's, if it has one.
        record: the grant that was named, as it stood then; None for the owner's own right, or where there was none.
    """
    if receipt.permitted:
        words = f"{receipt.permitted} of {receipt.count} snapshots were opened"
        yield _event(receipt, names, owner, organisation, record, SUCCESS, words)
    if receipt.refused:
        reasons = Counter(reason for _, reason in receipt.refused)
        words = "; ".join(f"{count} snapshots: {each.text} ({each.name})" for each, count in sorted(reasons.items()))
        yield _event(receipt, names, owner, organisation, record, FAILURE, words)


def _event(
    receipt: AccessReceipt,
    names: Names,
    owner: Address,
    organisation: Address | None,
    record: GrantRecord | None,
    outcome: str,
    words: str,
) -> dict[str, Any]:
    custodian = names.reference("Device", receipt.custodian)
    return {
        "resourceType": "AuditEvent",
        "id": f"receipt-{receipt.hash.hex()[:40]}-{'permit' if outcome == SUCCESS else 'deny'}",
        "meta": {"profile": [PROFILE]},
        "type": coding(DCM, "110113", "Security Alert"),
        "subtype": [coding(_SUBTYPE, "AuthZ-Consent", "Authorization Decision using Roles and Consent")],
        "action": "E",
        "recorded": datetime.fromtimestamp(receipt.at, UTC).isoformat().replace("+00:00", "Z"),
        "outcome": outcome,
        "outcomeDesc": words,
        "purposeOfEvent": [concept(ACT_REASON, each) for each in _purposes(receipt, record)],
        "agent": _agents(receipt, names, organisation, custodian),
        "source": {
            "site": names.deployment.id,
            "observer": custodian,
            "type": [coding(_SOURCE_TYPE, "6", "Security Server")],
        },
        "entity": [_patient(names, owner), _consent(receipt, names, owner)],
    }


def _purposes(receipt: AccessReceipt, record: GrantRecord | None) -> list[str]:
    """What for; an emergency that was opened is a breaking of the glass too."""
    sleeps = record is not None and bool(record.grant.actions & Action.EMERGENCY.mask)
    return [receipt.purpose.name, *(["BTG"] if sleeps and receipt.purpose is Purpose.ETREAT else [])]


def _agents(
    receipt: AccessReceipt, names: Names, organisation: Address | None, custodian: dict[str, Any]
) -> list[dict[str, Any]]:
    asker = names.reference("Practitioner", receipt.requester)
    return [
        {
            "type": concept(DCM, "110150", "Application"),
            "who": names.reference("Device", receipt.requester),
            "requestor": False,
            "network": _absent("unknown"),
        },
        {
            "type": concept(PARTICIPATION, "IRCP", "information recipient"),
            "who": asker,
            "requestor": True,
            "purposeOfUse": [concept(ACT_REASON, receipt.purpose.name)],
        },
        {
            "type": concept(ROLE_CLASS, "PROV", "healthcare provider"),
            "who": names.reference("Organization", organisation) if organisation else _absent("not-applicable"),
            "requestor": False,
        },
        {
            "type": concept(_SECURITY_ROLE, "authserver", "authorization server"),
            "who": custodian,
            "requestor": False,
        },
    ]


def _patient(names: Names, owner: Address) -> dict[str, Any]:
    return {
        "what": names.owner(owner),
        "type": coding(_ENTITY_TYPE, "1", "Person"),
        "role": coding(_OBJECT_ROLE, "1", "Patient"),
    }


def _consent(receipt: AccessReceipt, names: Names, owner: Address) -> dict[str, Any]:
    """The consent that was named, with what proves the decision."""
    own = receipt.grantee == owner
    slot = Slot(owner, receipt.twin, receipt.grantee, receipt.slot)
    what = {"display": "the owner's own right"} if own else names.identified("Consent", names.grant(slot))
    proofs = {
        "receipt": receipt.hash,
        "request": receipt.request,
        "snapshots": receipt.digests,
        "block": receipt.block_hash,
    }
    return {
        "what": what,
        "type": coding(RESOURCE_TYPES, "Consent", "Consent"),
        "detail": [{"type": name, "valueString": f"0x{digest.hex()}"} for name, digest in proofs.items()],
    }


def _absent(reason: str) -> dict[str, Any]:
    return {"extension": [{"url": ABSENT, "valueCode": reason}]}
