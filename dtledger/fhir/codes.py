"""Code systems, and what their codes are in dtledger's words.

A code that permits must be known and mean exactly what dtledger means by it. A code that denies denies all that it
may mean: what stands below it in its code system, and everything if it is not known.

>>> sorted(each.name for each in purposes_of([Code(ACT_REASON, "HRESCH")]).possible)
['CLINTRCH', 'HRESCH']
>>> purposes_of([Code(ACT_REASON, "HMARKT")]).sure
frozenset()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..vocabulary import CATEGORIES, CODES, Action, Purpose, resource_of
from .element import Element

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ROLE_CLASS = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
URI = "urn:ietf:rfc:3986"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

QUALITY = "urn:dtledger:quality"
"""Words on a reading's quality, as codes."""

DUO = "http://purl.obolibrary.org/obo/duo.owl"

RESEARCH = "urn:dtledger:research"
"""The extension with the terms under which a grant lets train."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a system; either may be missing."""

    system: str | None
    code: str | None

    def __str__(self) -> str:
        return f"{(self.system or '?').rstrip('/').rpartition('/')[2]}#{self.code or '?'}"

    @classmethod
    def of(cls, coding: Element) -> Code:
        """A Coding."""
        coding.skip("display", "userSelected", "version")
        return cls(coding.text("system"), coding.text("code"))


def codes_in(concept: Element) -> list[Code]:
    """The codings of a CodeableConcept, which are one thing in several systems; one without a code if it has none."""
    concept.skip("text")
    return [Code.of(each) for each in concept.elements("coding")] or [Code(None, None)]


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """What a list of codes surely names, what it possibly names, and the codes that are not known."""

    sure: frozenset[T]
    possible: frozenset[T]
    unknown: tuple[Code, ...] = ()


Meaning = tuple[frozenset[T], frozenset[T]]
"""What a code surely means, and what it may."""


def _named(codes: Iterable[Code], everything: frozenset[T], meaning: Callable[[Code], Meaning[T] | None]) -> Named[T]:
    sure: frozenset[T] = frozenset()
    possible: frozenset[T] = frozenset()
    unknown = []
    for code in codes:
        means = meaning(code)
        if means is None:
            unknown.append(code)
            possible = everything
        else:
            sure |= means[0]
            possible |= means[1]
    return Named(sure, possible, tuple(unknown))


EVERY_PURPOSE = frozenset(Purpose)
EVERY_ACTION = frozenset({Action.READ, Action.TRAIN})
"""What is imported. WRITE is not: what a consent says of `collect` is said of care, not of a gateway."""
EVERY_CATEGORY = frozenset(each.name for each in CATEGORIES)

_BELOW = {
    Purpose.TREAT: {Purpose.ETREAT, Purpose.CAREMGT, Purpose.COC, Purpose.CLINTRCH},
    Purpose.HRESCH: {Purpose.CLINTRCH},
    Purpose.HOPERAT: {Purpose.CAREMGT, Purpose.COC, Purpose.HQUALIMP, Purpose.PATADMIN, Purpose.HSYSADMIN},
    Purpose.CAREMGT: {Purpose.COC},
}
"""What stands below a purpose in v3-ActReason, in any of its versions."""

_ACTIONS = {"access": Action.READ, "use": Action.TRAIN}
_SILENT_ACTIONS = frozenset({"collect", "correct"})
"""Actions whose denial denies neither reading nor training."""


def purposes_of(codes: Iterable[Code]) -> Named[Purpose]:
    """The purposes that codes of HL7's ActReason stand for."""

    def meaning(code: Code) -> Meaning[Purpose] | None:
        if code.system != ACT_REASON or code.code is None or code.code not in Purpose.__members__:
            return None
        purpose = Purpose[code.code]
        return frozenset({purpose}), frozenset({purpose} | _BELOW.get(purpose, set()))

    return _named(codes, EVERY_PURPOSE, meaning)


def actions_of(codes: Iterable[Code]) -> Named[Action]:
    """The actions that codes of HL7's consent actions stand for."""

    def meaning(code: Code) -> Meaning[Action] | None:
        if code.system != CONSENT_ACTION or code.code is None:
            return None
        if code.code in _SILENT_ACTIONS:
            return frozenset(), frozenset()
        action = _ACTIONS.get(code.code)
        return (frozenset({action}), frozenset({action})) if action is not None else None

    return _named(codes, EVERY_ACTION, meaning)


def categories_of(codes: Iterable[Code]) -> Named[str]:
    """A resource type names the categories whose content it is; a LOINC code surely names a category if that goes by
    it, and possibly that to which it belongs. A resource type may hold more than one thinks: its denial denies all."""
    names = {each.loinc: each.name for each in CATEGORIES if each.loinc}

    def meaning(code: Code) -> Meaning[str] | None:
        if code.system == RESOURCE_TYPES:
            of_type = frozenset(each for each in EVERY_CATEGORY if resource_of(each) == code.code)
            return (of_type, _possible_of_type(code.code, of_type)) if of_type else None
        if code.system == LOINC and code.code in CODES:
            named = {names[code.code]} if code.code in names else set()
            return frozenset(named), frozenset({CODES[code.code]})
        return None

    return _named(codes, EVERY_CATEGORY, meaning)


_CONTENT = {"MedicationRequest", "Immunization", "AllergyIntolerance"}
"""Resources that are in no other category than their own."""


def _possible_of_type(resource: str | None, of_type: frozenset[str]) -> frozenset[str]:
    return of_type if resource in _CONTENT else EVERY_CATEGORY


def coding(system: str, code: str, display: str = "") -> dict[str, str]:
    """A Coding to write."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(system: str, code: str, display: str = "") -> dict[str, object]:
    """A CodeableConcept to write."""
    return {"coding": [coding(system, code, display)]}
