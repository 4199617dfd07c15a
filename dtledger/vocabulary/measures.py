"""What a LOINC code measures, in the words of the categories; and which FHIR resources a category's content would be.

Codes: LOINC (https://loinc.org), those of FHIR's vital signs profile and of glucose first.

>>> MEASURES["8480-6"].category, MEASURES["8480-6"].quality
('blood-pressure', 'systolic')
>>> resource_of("medications"), resource_of("glucose")
('MedicationRequest', 'Observation')
"""

from __future__ import annotations

from dataclasses import dataclass

from .categories import CATEGORIES


@dataclass(frozen=True, slots=True)
class Measure:
    """What a code's values are: of which category, and the word on their quality that tells them from its others."""

    category: str
    quality: str = ""


MEASURES: dict[str, Measure] = {
    "99504-3": Measure("glucose"),  # in interstitial fluid, by mass
    "105272-9": Measure("glucose"),  # in interstitial fluid, by amount
    "41653-7": Measure("glucose", "fingerstick"),
    "14743-9": Measure("glucose", "fingerstick"),
    "2339-0": Measure("glucose", "laboratory"),  # in blood, by mass
    "15074-8": Measure("glucose", "laboratory"),  # in blood, by amount
    "2345-7": Measure("glucose", "laboratory"),  # in serum or plasma, by mass
    "14749-6": Measure("glucose", "laboratory"),  # in serum or plasma, by amount
    "8665-2": Measure("insulin"),
    "9059-7": Measure("meals"),
    "8867-4": Measure("heart-rate"),
    "8480-6": Measure("blood-pressure", "systolic"),
    "8462-4": Measure("blood-pressure", "diastolic"),
    "8478-0": Measure("blood-pressure", "mean"),
    "59408-5": Measure("spo2"),
    "2708-6": Measure("spo2"),  # which FHIR's profile asks for beside it
    "9279-1": Measure("respiration"),
    "8310-5": Measure("temperature"),
    "8331-1": Measure("temperature"),  # in the mouth
    "55411-3": Measure("activity"),
    "93832-4": Measure("sleep"),
    "29463-7": Measure("weight"),
    "3141-9": Measure("weight"),  # measured, not told
}
"""A code that is not here is none that can be imported: a reading says its category and unit, and no code."""

PANELS = frozenset({"85354-9", "55284-4", "35094-2"})
"""Blood pressure as a whole, whose components are the values."""

_RESOURCES = {
    "medications": "MedicationRequest",
    "conditions": "Condition",
    "allergies": "AllergyIntolerance",
    "immunisations": "Immunization",
    "procedures": "Procedure",
    "imaging-report": "DiagnosticReport",
    "notes": "DocumentReference",
    "device": "Device",
}

CODES: dict[str, str] = {
    **{each.loinc: each.name for each in CATEGORIES if each.loinc},
    **{code: measure.category for code, measure in MEASURES.items()},
    **dict.fromkeys(PANELS, "blood-pressure"),
}
"""LOINC code → the category that it names or belongs to."""


def resource_of(category: str) -> str:
    """The FHIR resource that the category's content is."""
    return _RESOURCES.get(category, "Observation")
