"""Numbers, units and what a sensor can show. What may be meant in two ways is a problem, never a guess.

>>> numbers = Numbers()
>>> numbers.read("7,5")
7.5
>>> numbers.read("1,234")
Traceback (most recent call last):
    ...
dtledger.importers.result.UnreadableError: a comma before three digits may mark decimals or thousands
"""

from __future__ import annotations

import re
from functools import cache

from .. import vocabulary
from ..vocabulary.units import UNITS
from .result import UnreadableError

PLAUSIBLE: dict[str, tuple[str, float, float]] = {
    "glucose": ("mmol/L", 0.6, 45.0),
    "insulin": ("[iU]", 0.0, 300.0),
    "insulin rate": ("[iU]/h", 0.0, 100.0),
    "meals": ("g", 0.0, 1000.0),
    "heart-rate": ("/min", 20.0, 300.0),
    "blood-pressure": ("mm[Hg]", 10.0, 350.0),
    "spo2": ("%", 30.0, 100.0),
    "respiration": ("/min", 1.0, 120.0),
    "temperature": ("Cel", 20.0, 46.0),
    "activity": ("min", 0.0, 1440.0),
    "sleep": ("min", 0.0, 1440.0),
    "weight": ("kg", 0.2, 700.0),
}
"""By category: a unit, and the least and greatest value in it that a living body and its devices give. They are wide
on purpose: they find wrong units and absent-value codes (0, 999, -1), not bad measurements."""

_NUMBER = re.compile(r"[+-]?\d+(?:([.,])(\d+))?(?:[eE][+-]?\d+)?", re.ASCII)
_BOUND = re.compile(r"([<>])\s*(\S+)")
_WORDS = {"low": -1, "lo": -1, "high": 1, "hi": 1}
_HEADING_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:[(\[](?P<unit>[^()\[\]]+)[)\]]|(?<=\s)(?P<glucose>mg/dl|mg dl|mmol/l|mmol l))"
)


class Numbers:
    """Reads the numbers of one file, which has one decimal mark."""

    def __init__(self) -> None:
        self._mark = ""

    def read(self, text: str) -> float:
        """The number that `text` says.

        Raises:
            UnreadableError: it says none, or may say two.
        """
        text = text.strip()
        if (match := _NUMBER.fullmatch(text)) is None:
            if text.startswith("="):
                raise UnreadableError("the value is a formula; save the sheet as CSV, which has its result")
            raise UnreadableError("the value is not a number" if text else "there is no value")
        mark, decimals = match.groups()
        if mark:
            if mark == "," and len(decimals) == 3:
                raise UnreadableError("a comma before three digits may mark decimals or thousands")
            if self._mark not in {"", mark}:
                raise UnreadableError("the decimal mark is another than in the lines before")
            self._mark = mark
        return float(text.replace(",", "."))


def bound(text: str) -> tuple[int, str]:
    """Which side of what the sensor shows a value lies: -1 below, 1 above, 0 on neither; and the limit if it is said.

    >>> bound("Low"), bound("< 2.2"), bound("5.1")
    ((-1, ''), (-1, '2.2'), (0, ''))
    """
    text = text.strip()
    if side := _WORDS.get(text.lower()):
        return side, ""
    if match := _BOUND.fullmatch(text):
        return (-1 if match[1] == "<" else 1), match[2]
    return 0, ""


@cache
def plausible(category: str, unit: str) -> tuple[float, float]:
    """The least and the greatest value in `unit` that a reading of the category can have."""
    to = vocabulary.unit(unit)
    for name in (category, f"{category} rate"):
        native, least, greatest = PLAUSIBLE.get(name, ("1", float("-inf"), float("inf")))
        if (own := vocabulary.unit(native)).base == to.base:
            return own.convert(least, to), own.convert(greatest, to)
    return float("-inf"), float("inf")


def rival_unit(category: str, unit: str, value: float) -> str | None:
    """Another unit of the category in which `value` would be plausible, if there is one."""
    for rival in UNITS:
        if rival.code != unit and unit_code(rival.code, category):
            least, greatest = plausible(category, rival.code)
            if least <= value <= greatest:
                return rival.code
    return None


def unit_code(spelling: str, category: str) -> str | None:
    """The UCUM code of a unit in which the category is measured; None for any other text."""
    return vocabulary.unit(spelling).code if vocabulary.category(category).measured_in(spelling) else None


def plain_heading(heading: str) -> str:
    """A heading in small letters, with single spaces for whatever parts its words.

    >>> plain_heading(" Carbs_g"), plain_heading("CSII - bolus")
    ('carbs g', 'csii bolus')
    """
    return " ".join(re.sub(r"[_\ufeff-]", " ", heading).lower().split())


def split_heading(heading: str, category: str) -> tuple[str, str | None]:
    """The plain name and the unit, if it says one, of a column's heading.

    >>> split_heading("Glucose Value (mg/dL)", "glucose"), split_heading("glucose_mmol_l", "glucose")
    (('glucose value', 'mg/dL'), ('glucose', 'mmol/L'))
    >>> split_heading("Notes", "glucose")
    ('notes', None)
    """
    plain = plain_heading(heading)
    if match := _HEADING_UNIT.fullmatch(plain):
        code = unit_code((match["unit"] or match["glucose"]).replace(" ", "/"), category)
        if code is not None:
            return match["name"], code
    return plain, None
