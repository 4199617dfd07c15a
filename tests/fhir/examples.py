"""The examples of the data folder, and consents to make others of."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from dtledger.fhir import read_file

ROOT = Path(os.environ.get("DTLEDGER_DATA") or "/nowhere") / "fhir"
HL7 = ROOT / "hl7_r4_examples"
SYNTHEA = ROOT / "synthea_r4"

SCOPE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
TYPES = "http://hl7.org/fhir/resource-types"
LOINC = "http://loinc.org"


def example(name: str) -> Any:
    return read_file(HL7 / f"{name}.json")


def consent(base: str | None = "OPTIN", status: str = "active", **provision: Any) -> dict[str, Any]:
    """A Consent with a root provision of these elements; without any it has none."""
    said: dict[str, Any] = {"resourceType": "Consent", "status": status, "scope": SCOPE, "dateTime": "2026-01-01"}
    if base is not None:
        said["policyRule"] = {"coding": [{"system": ACT_CODE, "code": base}]}
    if provision:
        said["provision"] = copy.deepcopy(provision)
    return said


def purposes(*codes: str, system: str = ACT_REASON) -> list[dict[str, str]]:
    return [{"system": system, "code": each} for each in codes]


def actions(*codes: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": ACTION, "code": each}]} for each in codes]


def actor(reference: str, role: str = "IRCP") -> dict[str, Any]:
    return {"role": {"coding": [{"system": ROLE, "code": role}]}, "reference": {"reference": reference}}


def classes(*codes: str) -> list[dict[str, str]]:
    return [{"system": TYPES, "code": each} for each in codes]
