"""UCUM units and the conversions that people expect (https://ucum.org)."""

from __future__ import annotations

from dataclasses import dataclass

GLUCOSE_MG_DL_PER_MMOL_L = 18.0182
"""Molar mass of glucose 180.182 g/mol (IUPAC), so mg/dL = mmol/L x 18.0182."""


POUNDS_PER_KG = 1 / 0.45359237
"""The international pound is 0.45359237 kg (1959, exactly)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit. `per_base` is how many of it make one of `base`; equal bases convert into each other."""

    code: str
    text: str
    base: str
    per_base: float
    decimals: int

    def convert(self, value: float, to: Unit) -> float:
        """`value` of this unit in the unit `to`, not rounded.

        Raises:
            ValueError: the units do not measure the same thing.
        """
        if self.base != to.base:
            raise ValueError(f"{self.code} cannot be converted into {to.code}")
        return value if self.code == to.code else value / self.per_base * to.per_base


UNITS: tuple[Unit, ...] = (
    Unit("mmol/L", "millimoles a litre", "mmol/L", 1.0, 1),
    Unit("mg/dL", "milligrams a decilitre", "mmol/L", GLUCOSE_MG_DL_PER_MMOL_L, 0),
    Unit("[iU]", "international units", "[iU]", 1.0, 2),
    Unit("[iU]/h", "international units an hour", "[iU]/h", 1.0, 3),
    Unit("g", "grams", "g", 1.0, 1),
    Unit("/min", "a minute", "/min", 1.0, 0),
    Unit("mm[Hg]", "millimetres of mercury", "mm[Hg]", 1.0, 0),
    Unit("%", "per cent", "%", 1.0, 1),
    Unit("Cel", "degrees Celsius", "Cel", 1.0, 1),
    Unit("mV", "millivolts", "mV", 1.0, 3),
    Unit("kg", "kilograms", "kg", 1.0, 1),
    Unit("[lb_av]", "pounds", "kg", POUNDS_PER_KG, 1),
    Unit("min", "minutes", "min", 1.0, 0),
    Unit("1", "no unit", "1", 1.0, 3),
)

_BY_CODE = {unit.code: unit for unit in UNITS}
_SPELLINGS = {spelling.lower(): code for code in _BY_CODE for spelling in (code,)} | {
    "u": "[iU]",
    "iu": "[iU]",
    "u/h": "[iU]/h",
    "iu/h": "[iU]/h",
    "bpm": "/min",
    "mmhg": "mm[Hg]",
    "c": "Cel",
}


def unit(spelling: str) -> Unit:
    """The unit of a UCUM code or of a spelling that exports commonly use.

    Raises:
        ValueError: there is none.

    >>> unit("MG/DL").code
    'mg/dL'
    >>> round(unit("mg/dL").convert(180.182, unit("mmol/L")), 6)
    10.0
    """
    code = _SPELLINGS.get(spelling.strip().lower())
    if code is None:
        raise ValueError(f"unknown unit {spelling!r}; known: {', '.join(sorted(_BY_CODE))}")
    return _BY_CODE[code]


def known_unit(spelling: str) -> Unit | None:
    """As `unit`; None where there is none, as in data of a later version, or of a writer that says what it likes."""
    try:
        return unit(spelling)
    except ValueError:
        return None
