"""One table of words. Help texts, FHIR maps and the Solidity constants are all made from it.

A number, once given, is never used again for something else.

>>> category("glucose").unit
'mmol/L'
>>> Purpose.TREAT.value, Kind.GATEWAY.mask
(1, 2)
"""

from __future__ import annotations

from .categories import CATEGORIES, STATES, Category, category
from .duo import DUO, UseTerm, known_term, use_term
from .measures import CODES, MEASURES, PANELS, Measure, resource_of
from .reasons import Reason
from .rights import Action, Cause, Finding, Kind, Purpose
from .units import Unit, known_unit, unit

__all__ = [
    "CATEGORIES",
    "CODES",
    "DUO",
    "MEASURES",
    "PANELS",
    "STATES",
    "Action",
    "Category",
    "Cause",
    "Finding",
    "Kind",
    "Measure",
    "Purpose",
    "Reason",
    "Unit",
    "UseTerm",
    "category",
    "known_term",
    "known_unit",
    "resource_of",
    "unit",
    "use_term",
]
