"""Readings as Observations of FHIR R4, one a value; systolic and diastolic of one moment as one panel.

Sources: FHIR R4 4.0.1, Observation and its vital signs profile; UCUM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

from ..encoding import sha256
from ..readings import ABOVE_RANGE, BELOW_RANGE, DIASTOLIC, SYSTOLIC, is_doubtful
from ..vocabulary import MEASURES, category, known_unit
from .codes import LOINC, QUALITY, UCUM, URI, concept

VITAL_SIGNS = frozenset({"heart-rate", "blood-pressure", "spo2", "respiration", "temperature", "weight"})
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_COMPARATORS = {BELOW_RANGE: "<=", ABOVE_RANGE: ">="}
_PANEL = "85354-9"


class Value(Protocol):
    """What is told: `client.TwinReading` is one."""

    @property
    def at(self) -> datetime: ...
    @property
    def value(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def quality(self) -> str: ...
    @property
    def snapshot(self) -> str: ...
    @property
    def corrected(self) -> bool: ...
    @property
    def superseded_by(self) -> str: ...


def observations(values: Iterable[Value], name: str, subject: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The Observations of a category's values, which come in the order of time.

    Args:
        subject: the Reference to whom they are of.
    """
    if name != "blood-pressure":
        yield from (_single(each, name, subject) for each in values)
        return
    for _, group in groupby(values, key=lambda each: (each.at, each.snapshot, each.corrected, each.superseded_by)):
        rows = list(group)
        by_part = {part: [each for each in rows if part in each.quality.split()] for part in (SYSTOLIC, DIASTOLIC)}
        if all(len(each) == 1 for each in by_part.values()) and len(rows) == 2:
            yield _panel(rows[0], {part: each[0] for part, each in by_part.items()}, subject)
        else:
            yield from (_single(each, name, subject) for each in rows)


def _single(value: Value, name: str, subject: dict[str, Any]) -> dict[str, Any]:
    return _resource(value, name, _code(name, value), subject, [value]) | {"valueQuantity": _quantity(value)}


def _panel(first: Value, parts: dict[str, Value], subject: dict[str, Any]) -> dict[str, Any]:
    code = concept(LOINC, _PANEL, "Blood pressure panel with all children optional")
    components = [{"code": _code("blood-pressure", each), "valueQuantity": _quantity(each)} for each in parts.values()]
    return _resource(first, "blood-pressure", code, subject, list(parts.values())) | {"component": components}


def _resource(
    value: Value, name: str, code: dict[str, Any], subject: dict[str, Any], values: list[Value]
) -> dict[str, Any]:
    words = sorted({word for each in values for word in each.quality.split()})
    return {
        "resourceType": "Observation",
        "id": _id(name, values),
        "identifier": [{"system": URI, "value": f"urn:dtledger:snapshot:{value.snapshot}"}],
        "status": _status(value),
        **({"category": [concept(OBSERVATION_CATEGORY, "vital-signs", "Vital Signs")]} if name in VITAL_SIGNS else {}),
        "code": code,
        "subject": subject,
        "effectiveDateTime": value.at.isoformat(),
        **({"interpretation": [{"coding": [{"system": QUALITY, "code": word} for word in words]}]} if words else {}),
    }


def _status(value: Value) -> str:
    if value.superseded_by:
        return "entered-in-error"
    if is_doubtful(value.quality):  # which may be unverified, as FHIR has it
        return "preliminary"
    return "corrected" if value.corrected else "final"


def _id(name: str, values: list[Value]) -> str:
    """One that the same values always have."""
    said = "|".join(
        f"{each.snapshot} {each.at.isoformat()} {each.value!r} {each.unit} {each.quality}" for each in values
    )
    return sha256(f"{name}|{said}".encode()).hex()[:40]


def _code(name: str, value: Value) -> dict[str, Any]:
    """The code of a value: by its category, and by the word on its quality where a code has that."""
    words = set(value.quality.split())
    known = [code for code, each in MEASURES.items() if each.category == name and each.quality in words]
    fit = [code for code in known if name != "glucose" or _by_mass(code) == (value.unit == "mg/dL")]
    code = (fit or [category(name).loinc])[0]
    text = category(name).text
    if not code:
        return {"coding": [{"system": "urn:dtledger:category", "code": name}], "text": text}
    if name == "glucose" and not fit:
        code = "99504-3" if value.unit == "mg/dL" else "105272-9"
    if code in MEASURES and MEASURES[code].quality:
        text = f"{name.replace('-', ' ')}, {MEASURES[code].quality}"
    return {"coding": [{"system": LOINC, "code": code}], "text": text}


def _by_mass(code: str) -> bool:
    return code in {"99504-3", "41653-7", "2339-0", "2345-7"}


def _quantity(value: Value) -> dict[str, Any]:
    unit = known_unit(value.unit)
    comparator = next((sign for word, sign in _COMPARATORS.items() if word in value.quality.split()), None)
    return {
        "value": value.value,
        **({"comparator": comparator} if comparator else {}),
        "unit": unit.code if unit else value.unit,
        "system": UCUM,
        "code": value.unit,
    }


__all__ = ["Value", "observations"]
