"""Observations become readings: the category by LOINC, the unit by UCUM, the time as it was written. Nothing is
guessed.

Of each Observation exactly one thing is told: it gave readings, it is of a kind that is not imported, or it cannot be
read, and why, without a word of what it says.

>>> weight = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2016-03-28T08:00:00+01:00",
...           "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
...           "valueQuantity": {"value": 84, "system": "http://unitsofmeasure.org", "code": "kg"}}
>>> done = read_observations(weight)
>>> [(name, each[0].at.isoformat(), each[0].value, each[0].unit) for name, each in done.readings.items()]
[('weight', '2016-03-28T08:00:00+01:00', 84.0, 'kg')]

Sources: FHIR R4 4.0.1, Observation and its vital signs profile.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import InputError
from ..importers.options import Options
from ..importers.values import plausible
from ..readings import (
    ABOVE_RANGE,
    BELOW_RANGE,
    DAY_ONLY,
    FINGERSTICK,
    LONG_ACTING,
    REPEAT_OTHER_VALUE,
    SCAN,
    SOURCES,
    Reading,
)
from ..vocabulary import MEASURES, PANELS, Measure, category, known_unit
from .codes import LOINC, QUALITY, UCUM, codes_in
from .element import Element
from .loss import Loss
from .moments import Moment
from .resources import resources_in
from .strict import refuse

COUNTED = frozenset({"final", "amended", "corrected"})
"""Statuses of an Observation that somebody stands by."""

STATUSES = COUNTED | {"registered", "preliminary", "cancelled", "entered-in-error", "unknown"}

KEPT_WORDS = frozenset({SCAN, FINGERSTICK, LONG_ACTING, DAY_ONLY, REPEAT_OTHER_VALUE})
"""Words that an export of ours wrote and nothing else in an Observation says."""

_BEYOND = {"<": BELOW_RANGE, "<=": BELOW_RANGE, ">": ABOVE_RANGE, ">=": ABOVE_RANGE}
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NOBODY = re.compile(r"^(?:[^#\[{]*/)?(?:Group|Device|Location)/[^/]+$")
"""References to what may be observed and is no patient."""
_TIMES = ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming")


class _UnreadableError(ValueError):
    """An Observation cannot be read; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Day:
    """What stands for the time of day where an Observation has none: seconds from midnight, and whose clock."""

    at: int
    options: Options

    def of(self, text: str) -> datetime:
        """The moment on that day."""
        zone = self.options.zone or timezone(timedelta(minutes=self.options.offset or 0))
        return (datetime.fromisoformat(text) + timedelta(seconds=self.at)).replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Observed:
    """`readings` by category, in the order of time. `observations` counts the resources, each of which gave readings
    (`imported`), is one of `others` (kind → how many), or a problem. `repeats` are readings that stood there twice."""

    readings: Mapping[str, tuple[Reading, ...]]
    observations: int
    imported: int
    problems: tuple[Loss, ...]
    others: Mapping[str, int]
    repeats: int
    subject: str | None


def read_observations(value: Any, *, subject: str | None = None, day: Day | None = None) -> Observed:
    """The readings of an Observation or of a bundle.

    Args:
        subject: whose, as the file names them ("Patient/7"); needed where it has Observations of several.
        day: what stands for a time of day that is not there; without it such an Observation is a problem.

    Raises:
        InputError: it is no resource or bundle, an element has the wrong form, or it is of several people.
    """
    found: dict[str, list[Reading]] = defaultdict(list)
    others: Counter[str] = Counter()
    problems: list[Loss] = []
    whose: set[str | None] = set()
    observations = imported = 0
    for resource in resources_in(value):
        if resource.resource_type != "Observation":
            others[resource.resource_type] += 1
            continue
        of = _subject(resource)
        if subject is not None and of != subject:
            others["Observation of somebody else"] += 1
            continue
        observations += 1
        whose.add(of)
        kind = _other_kind(resource)
        if kind:
            others[kind] += 1
            continue
        try:
            for name, reading in _readings(resource, day):
                found[name].append(reading)
            imported += 1
        except _UnreadableError as error:
            problems.append(Loss(resource.path, str(error)))
    if len(whose) > 1:
        raise InputError(
            f"The file holds Observations of {len(whose)} people, and a twin is one's.",
            hint="Say whose are meant: --subject Patient/ID.",
        )
    settled = {name: _without_repeats(readings) for name, readings in sorted(found.items())}
    repeats = sum(map(len, found.values())) - sum(map(len, settled.values()))
    return Observed(
        settled, observations, imported, tuple(problems), dict(sorted(others.items())), repeats, next(iter(whose), None)
    )


def _subject(resource: Element) -> str | None:
    """Whose it is: by the reference or, where none leads out of the resource, by all that is said of them, so that two
    people without a reference are not taken for one."""
    subject = resource.element("subject")
    if subject is None:
        return None
    reference = subject.text("reference")
    if reference is not None and not reference.startswith("#"):
        return reference
    said = subject.value.get("identifier", subject.value) if reference is None else resource.value.get("contained")
    return json.dumps(said, sort_keys=True)


def _other_kind(resource: Element) -> str:
    """Why an Observation is none that is imported; empty if it may be."""
    status = resource.needed("status")
    if status not in STATUSES:
        refuse(resource.at("status"), "it is no status of an Observation")
    if status not in COUNTED:
        return f"Observation with the status {status}"
    if resource.has("modifierExtension") or resource.has("implicitRules"):
        return "Observation with rules that are not known"
    if resource.has("focus") or _NOBODY.search(_subject(resource) or ""):
        return "Observation of something else than a patient"
    codes = _loinc(resource)
    if not codes:
        return "Observation without a LOINC code"
    if not any(code in MEASURES or code in PANELS for code in codes):
        return f"Observation of LOINC {codes[0]}"
    if any(each.has("modifierExtension") for each in resource.elements("component")):
        return "Observation with rules that are not known"
    return ""


def _loinc(element: Element) -> list[str]:
    concept = element.element("code")
    if concept is None:
        refuse(element.at("code"), "it is missing")
    return [each.code for each in codes_in(concept) if each.system == LOINC and each.code]


def _readings(resource: Element, day: Day | None) -> Iterator[tuple[str, Reading]]:
    """Each value with its category.

    Raises:
        _UnreadableError: one cannot be read, so none is.
    """
    moment, word = _moment(resource, day)
    components = resource.elements("component")
    parts = [each for each in components if _measure(each) is not None]
    if _measure(resource) is not None:
        parts = [resource, *parts]
    if not parts:
        raise _UnreadableError("none of its components is a value that is imported")
    made = []
    words = _words(resource) | ({word} if word else set())
    for part in parts:
        measure = _measure(part)
        assert measure is not None
        made.append((measure.category, _reading(part, measure, moment, words)))
    yield from made


def _words(resource: Element) -> set[str]:
    """The words on its quality that an export of ours wrote, but for those that its codes say."""
    codes = [code for each in resource.elements("interpretation") for code in codes_in(each)]
    return {each.code for each in codes if each.system == QUALITY and each.code} & KEPT_WORDS


def _measure(element: Element) -> Measure | None:
    measures = {MEASURES[code] for code in _loinc(element) if code in MEASURES}
    if len({each.category for each in measures}) > 1:
        raise _UnreadableError("its codes are of several categories")
    return min(measures, key=lambda each: each.quality) if measures else None


def _reading(element: Element, measure: Measure, moment: datetime, words: set[str]) -> Reading:
    quantity = element.element("valueQuantity")
    if quantity is None:
        raise _UnreadableError("it has no value" if element.has("dataAbsentReason") else "its value is no quantity")
    value, unit = quantity.number("value"), _unit(quantity, measure)
    if value is None:
        raise _UnreadableError("it has no value")
    comparator = quantity.text("comparator")
    if comparator is not None and comparator not in _BEYOND:
        refuse(quantity.at("comparator"), "it is none of <, <=, > and >=")
    least, greatest = plausible(measure.category, unit)
    if not least <= value <= greatest:
        raise _UnreadableError(f"its value cannot be {measure.category} in {unit}")
    quality = {measure.quality, *words, _BEYOND.get(comparator or "", "")} - {""}
    try:
        return Reading.at_time(moment, value, unit, " ".join(sorted(quality)))
    except ValueError as error:
        raise _UnreadableError("its time lies before 1970 or after 4011") from error


def _unit(quantity: Element, measure: Measure) -> str:
    """The unit's code; annotations of UCUM, which say nothing of the unit, are left away."""
    code = quantity.text("code")
    if quantity.text("system") != UCUM or code is None:
        raise _UnreadableError("its unit is no UCUM code")
    plain = _ANNOTATION.sub("", code) or "1"
    unit = known_unit(plain)
    if unit is None or unit.code != plain or not category(measure.category).measured_in(plain):
        raise _UnreadableError(f"its unit is none that {measure.category} is measured in")
    return unit.code


def _moment(resource: Element, day: Day | None) -> tuple[datetime, str]:
    """When it was, and a word on how well that is known."""
    if sum(name in resource.value for name in _TIMES) > 1:
        raise _UnreadableError("it says twice when it was")
    for name in ("effectiveDateTime", "effectiveInstant"):
        text = resource.text(name)
        if text is not None:
            return _aware(text, resource.at(name), day)
    period = resource.element("effectivePeriod")
    if period is None:
        raise _UnreadableError("it does not say when it was")
    start, end = period.text("start"), period.text("end")
    if start is None or end not in {None, start}:
        raise _UnreadableError("it is of a length of time, and a reading is of a moment")
    return _aware(start, period.at("start"), day)


def _aware(text: str, path: str, day: Day | None) -> tuple[datetime, str]:
    moment = Moment.of(text, path)
    if not moment.whole:
        return datetime.fromisoformat(text), ""
    if not _DAY.fullmatch(text):
        raise _UnreadableError("it names no day")
    if day is None:
        raise _UnreadableError("it names a day and no time of it (--day-at says which is meant)")
    return day.of(text), DAY_ONLY


def _without_repeats(readings: list[Reading]) -> tuple[Reading, ...]:
    """Each once; several values of one second, and of one source, are marked."""
    kept = sorted(set(readings), key=lambda each: (each.seconds, each.quality, each.value, each.unit))
    at = Counter((each.seconds, *sorted(SOURCES & {*each.quality.split()})) for each in kept)
    return tuple(
        each.marked(REPEAT_OTHER_VALUE) if at[each.seconds, *sorted(SOURCES & {*each.quality.split()})] > 1 else each
        for each in kept
    )


__all__ = ["Day", "Observed", "read_observations"]
