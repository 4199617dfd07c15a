"""Kinds of data in a twin. A category's number is also its place in the 32 bits of a grant, before the
twin's own permutation hides which bit is which (see `dtledger.crypto.bits`)."""

from __future__ import annotations

from dataclasses import dataclass

from .units import unit


@dataclass(frozen=True, slots=True)
class Category:
    """One category: LOINC code where one fits, the default UCUM unit, plain words, sensitive or not.

    `rate` is a unit of what goes on and on, where the category has that too: no conversion leads to it from `unit`.
    `all` never takes in a sensitive category unless it is named. What goes on by itself is STALE when its newest data
    are older than `stale_hours`; what is written when it happens (0 hours) never is.
    """

    number: int
    name: str
    loinc: str
    unit: str
    text: str
    sensitive: bool = False
    rate: str = ""
    stale_hours: int = 0

    def is_stale(self, age: int | None) -> bool:
        """Whether data so many seconds old are STALE; where there are none (None), they are.

        >>> [category("glucose").is_stale(age) for age in (7200, 7201, None)], category("allergies").is_stale(10**9)
        ([False, True, True], False)
        """
        return age is None or 0 < self.stale_hours * 3600 < age

    def measured_in(self, spelling: str) -> bool:
        """Whether its values come in that unit, or in one that converts into `unit` or `rate`.

        >>> category("glucose").measured_in("mg/dL"), category("glucose").measured_in("[iU]/h")
        (True, False)
        >>> category("insulin").measured_in("[iU]/h"), category("insulin").measured_in("furlong")
        (True, False)
        """
        try:
            base = unit(spelling).base
        except ValueError:
            return False
        return base in {unit(own).base for own in (self.unit, self.rate) if own}


CATEGORIES: tuple[Category, ...] = (
    Category(0, "glucose", "99504-3", "mmol/L", "glucose in tissue, from a continuous sensor", stale_hours=2),
    Category(1, "insulin", "8665-2", "[iU]", "insulin given; a pump's rate in [iU]/h", rate="[iU]/h", stale_hours=24),
    Category(2, "meals", "9059-7", "g", "carbohydrate eaten", stale_hours=24),
    Category(3, "heart-rate", "8867-4", "/min", "heart rate", stale_hours=2),
    Category(4, "blood-pressure", "85354-9", "mm[Hg]", "blood pressure", stale_hours=24),
    Category(5, "spo2", "59408-5", "%", "oxygen in the blood, by pulse oximetry", stale_hours=2),
    Category(6, "respiration", "9279-1", "/min", "breathing rate", stale_hours=2),
    Category(7, "temperature", "8310-5", "Cel", "body temperature", stale_hours=24),
    Category(8, "ecg", "11524-6", "mV", "electrocardiogram", stale_hours=2),
    Category(9, "ppg", "76530-5", "1", "pulse wave", stale_hours=2),
    Category(10, "activity", "55411-3", "min", "physical activity", stale_hours=24),
    Category(11, "sleep", "93832-4", "min", "sleep", stale_hours=48),
    Category(12, "weight", "29463-7", "kg", "body weight", stale_hours=336),
    Category(13, "medications", "10160-0", "1", "medications"),
    Category(14, "conditions", "11450-4", "1", "conditions and diagnoses"),
    Category(15, "allergies", "48765-2", "1", "allergies"),
    Category(16, "immunisations", "11369-6", "1", "immunisations"),
    Category(17, "procedures", "47519-4", "1", "procedures"),
    Category(18, "lab", "26436-6", "1", "laboratory results"),
    Category(19, "imaging-report", "18748-4", "1", "imaging reports"),
    Category(20, "mental-health", "75275-8", "1", "mental health", sensitive=True),
    Category(21, "reproductive", "56831-1", "1", "reproductive health", sensitive=True),
    Category(22, "genomics", "51969-4", "1", "genome", sensitive=True),
    Category(23, "substance-use", "29762-2", "1", "use of substances", sensitive=True),
    Category(24, "notes", "34109-9", "1", "clinical notes", sensitive=True),
    Category(25, "device", "74461-5", "1", "state of the devices", stale_hours=24),
    Category(26, "twin-state", "", "1", "the twin's filtered state", stale_hours=2),
    Category(27, "forecast", "", "1", "what the twin expects", stale_hours=2),
)
"""Numbers 28 to 31 are free."""

STATES = frozenset({"twin-state", "forecast"})
"""Categories whose snapshots hold a twin's state, as its gateway knows it, and no readings."""

CATEGORY_BITS = 32

_BY_NAME = {category.name: category for category in CATEGORIES}


def category(name: str) -> Category:
    """The category of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ValueError(f"unknown category {name!r}; known: {', '.join(_BY_NAME)}") from None
