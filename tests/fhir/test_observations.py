"""Observations in and out: HL7's examples, Synthea's patients, and whatever cannot be read told with its path."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.client import TwinReading
from dtledger.errors import InputError
from dtledger.fhir import Day, bundle, observations, read_file, read_json, read_observations
from dtledger.importers.options import Options
from dtledger.vocabulary import MEASURES

from .examples import HL7, LOINC, SYNTHEA, example

NOON = Day(43_200, Options.checked(tz="Europe/Vienna"))
UCUM = "http://unitsofmeasure.org"


def weight(**changes: Any) -> dict[str, Any]:
    said = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "29463-7"}]},
        "subject": {"reference": "Patient/7"},
        "effectiveDateTime": "2026-03-28T08:00:00+01:00",
        "valueQuantity": {"value": 84.5, "system": UCUM, "code": "kg"},
        **changes,
    }
    return {name: each for name, each in said.items() if each is not None}


def quantity(**changes: Any) -> dict[str, Any]:
    return {"valueQuantity": {"value": 84.5, "system": UCUM, "code": "kg", **changes}}


# HL7's examples ---------------------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example", {"weight": [("2016-03-28T12:00:00+02:00", 185.0, "[lb_av]", "day-only")]}),
        (
            "blood-pressure",
            {
                "blood-pressure": [
                    ("2012-09-17T12:00:00+02:00", 60.0, "mm[Hg]", "day-only diastolic"),
                    ("2012-09-17T12:00:00+02:00", 107.0, "mm[Hg]", "day-only systolic"),
                ]
            },
        ),
        ("heart-rate", {"heart-rate": [("1999-07-02T12:00:00+02:00", 44.0, "/min", "day-only")]}),
        ("respiratory-rate", {"respiration": [("1999-07-02T12:00:00+02:00", 26.0, "/min", "day-only")]}),
        ("satO2", {"spo2": [("2014-12-05T09:30:10+01:00", 95.0, "%", "")]}),
        ("f001", {"glucose": [("2013-04-02T09:30:10+01:00", 6.3, "mmol/L", "laboratory")]}),
    ],
)
def test_an_example_of_hl7(name: str, expected: dict[str, list[tuple[str, float, str, str]]]) -> None:
    found = read_observations(example(f"Observation-{name}"), day=NOON)
    told = {
        category: [(each.at.isoformat(), each.value, each.unit, each.quality) for each in readings]
        for category, readings in found.readings.items()
    }
    assert (told, found.problems) == (expected, ())


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "kind"),
    [("vitals-panel", "Observation of LOINC 85353-1"), ("ekg", "Observation without a LOINC code")],
)
def test_an_example_that_holds_no_value_is_counted(name: str, kind: str) -> None:
    assert read_observations(example(f"Observation-{name}")).others == {kind: 1}


@pytest.mark.real_data
def test_a_day_without_a_time_is_a_problem_unless_one_is_said() -> None:
    found = read_observations(example("Observation-example"))
    assert [(each.path, "--day-at" in each.words) for each in found.problems] == [("Observation", True)]


@pytest.mark.real_data
def test_every_example_of_hl7_is_safe_json_and_a_resource() -> None:
    files = [each for each in sorted(HL7.glob("*.json")) if each.name != "package.json"]
    assert len(files) > 20
    assert all(read_file(each)["resourceType"] == each.name.partition("-")[0] for each in files)


# Synthea ----------------------------------------------------------------------------------------------------------


@pytest.mark.real_data
def test_each_patient_of_synthea_gives_exactly_what_a_plain_count_finds() -> None:
    """Every resource is accounted for, and every value there is as a second reading finds it."""
    totals: Counter[str] = Counter()
    for file in sorted(SYNTHEA.glob("*.gz")):
        raw = read_file(file)
        resources = [each["resource"] for each in raw["entry"]]
        found = read_observations(raw)
        assert found.problems == ()
        assert found.imported + sum(found.others.values()) == len(resources)
        assert found.observations == sum(each["resourceType"] == "Observation" for each in resources)
        values = Counter[tuple[str, float, str]]()
        for each in resources:
            if each["resourceType"] == "Observation":
                for part in [each, *each.get("component", [])]:
                    code = part["code"]["coding"][0]["code"]
                    if code in MEASURES and "valueQuantity" in part:
                        values[
                            each["effectiveDateTime"], part["valueQuantity"]["value"], part["valueQuantity"]["code"]
                        ] += 1
        told = Counter((one.at.isoformat(), one.value, one.unit) for each in found.readings.values() for one in each)
        assert told.keys() == {
            (datetime.fromisoformat(at).isoformat(), float(value), unit) for at, value, unit in values
        }
        assert sum(map(len, found.readings.values())) + found.repeats == sum(values.values())
        totals += Counter({name: len(each) for name, each in found.readings.items()})
    assert totals == {"weight": 59, "blood-pressure": 118, "glucose": 35, "temperature": 3}


# what is not imported, and what cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": "preliminary"}, "with the status preliminary"),
        ({"status": "entered-in-error"}, "with the status entered-in-error"),
        ({"modifierExtension": [{"url": "http://example.org/not"}]}, "rules that are not known"),
        ({"implicitRules": "http://example.org"}, "rules that are not known"),
        ({"code": {"text": "weight"}}, "without a LOINC code"),
        ({"code": {"coding": [{"system": LOINC, "code": "8302-2"}]}}, "of LOINC 8302-2"),
    ],
)
def test_what_nobody_stands_by_or_no_category_has_is_left_alone_and_counted(changes: dict[str, Any], kind: str) -> None:
    found = read_observations(weight(**changes))
    assert (dict(found.readings), found.problems) == ({}, ())
    assert [kind in each for each in found.others] == [True]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (quantity(code="[in_i]"), "its unit"),
        (quantity(code="KG"), "its unit"),
        (quantity(system="http://example.org"), "no UCUM code"),
        (quantity(code=None), "no UCUM code"),
        (quantity(value=None), "no value"),
        (quantity(value=8450), "cannot be weight"),
        ({"valueQuantity": None, "valueString": "84"}, "no quantity"),
        ({"valueQuantity": None, "dataAbsentReason": {"text": "asked"}}, "no value"),
        ({"effectiveDateTime": None}, "when it was"),
        ({"effectiveDateTime": "2026-03"}, "no day"),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": "2026-03-28T08:00:00Z"}}, "length of time"),
        ({"effectiveDateTime": "1969-03-28T08:00:00Z"}, "before 1970"),
        ({"code": {"coding": [{"system": LOINC, "code": c} for c in ("29463-7", "8867-4")]}}, "several categories"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_and_quotes_nothing(changes: dict[str, Any], reason: str) -> None:
    said = weight(**{name: {k: v for k, v in each.items() if v is not None} if isinstance(each, dict) else each
                     for name, each in changes.items()})  # fmt: skip
    found = read_observations(said)
    assert [reason in each.words for each in found.problems] == [True]
    assert "84" not in found.problems[0].words
    assert len(read_observations(weight()).readings["weight"]) == 1


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"status": "fine"}, "Observation.status"),
        ({"effectiveDateTime": "2026-03-28T08:00:00"}, "Observation.effectiveDateTime"),
        ({"valueQuantity": [1]}, "Observation.valueQuantity"),
        (quantity(value="84.5"), "Observation.valueQuantity.value"),
        (quantity(comparator="~"), "Observation.valueQuantity.comparator"),
        ({"code": {"coding": {"system": LOINC}}}, "Observation.code.coding"),
        ({"component": [7]}, "Observation.component[0]"),
    ],
)
def test_what_is_malformed_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as refused:
        read_observations(weight(**changes))
    assert refused.value.evidence["path"] == path


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"resourceType": "Bundle", "type": "history"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": weight()}, {"resource": 7}]},
         "Bundle.entry[1].resource"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"id": "7"}}]},
         "Bundle.entry[0].resource.resourceType"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "DELETE", "url": "x"}}]},
         "Bundle.entry[0]"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": weight(status="fine")}]},
         "Bundle.entry[0].resource.status"),
    ],
    ids=["a history", "no object", "no resource", "one that deletes", "a fault inside"],
)  # fmt: skip
def test_a_bundle_that_cannot_be_read_is_refused_with_the_path(value: Any, path: str) -> None:
    with pytest.raises(InputError) as refused:
        read_observations(value)
    assert refused.value.evidence["path"] == path


def test_a_twin_is_one_persons() -> None:
    two = {"resourceType": "Bundle", "type": "collection",
           "entry": [{"resource": weight()}, {"resource": weight(subject={"reference": "Patient/8"})}]}  # fmt: skip
    with pytest.raises(InputError, match="2 people"):
        read_observations(two)
    found = read_observations(two, subject="Patient/8")
    assert (found.imported, found.others) == (1, {"Observation of somebody else": 1})


@pytest.mark.parametrize(
    "whose",
    [
        lambda name: {"subject": {"identifier": {"value": name}}},
        lambda name: {"subject": {"display": name}},
        lambda name: {"subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": name}]},
    ],
    ids=["an identifier", "a name", "a patient inside"],
)
def test_two_people_without_a_reference_are_not_taken_for_one(whose: Any) -> None:
    def entries(*names: str) -> dict[str, Any]:
        return {"resourceType": "Bundle", "type": "collection",
                "entry": [{"resource": weight(**whose(each))} for each in names]}  # fmt: skip

    with pytest.raises(InputError, match="2 people"):
        read_observations(entries("Anna", "Berta"))
    assert read_observations(entries("Anna", "Anna")).imported == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"focus": [{"reference": "RelatedPerson/unborn"}]},
        {"subject": {"reference": "Group/7"}},
        {"subject": {"reference": "http://example.org/fhir/Device/7"}},
    ],
)
def test_what_is_observed_of_something_else_than_a_patient_is_counted_and_left_alone(changes: Any) -> None:
    found = read_observations(weight(**changes))
    assert (found.imported, found.others) == (0, {"Observation of something else than a patient": 1})
    assert read_observations(weight()).imported == 1


def test_a_part_under_a_rule_that_nobody_knows_is_left_alone() -> None:
    part = {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, **quantity(value=120, code="mm[Hg]")}
    panel: dict[str, Any] = {"code": {"coding": [{"system": LOINC, "code": "85354-9"}]}, "valueQuantity": None}
    ruled = {**part, "modifierExtension": [{"url": "http://example.org"}]}
    assert read_observations(weight(**panel, component=[ruled])).others == {
        "Observation with rules that are not known": 1
    }
    assert read_observations(weight(**panel, component=[part])).imported == 1


def test_what_says_twice_when_it_was_cannot_be_read() -> None:
    found = read_observations(weight(effectivePeriod={"start": "2026-03-27T08:00:00+01:00"}))
    assert [each.words for each in found.problems] == ["it says twice when it was"]
    assert read_observations(weight()).imported == 1


def test_a_value_twice_is_one_and_two_values_of_one_moment_are_marked() -> None:
    entries = [weight(), weight(), weight(**quantity(value=85.0))]
    found = read_observations(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": e} for e in entries]}
    )
    assert [(each.value, each.quality) for each in found.readings["weight"]] == [
        (84.5, "repeat-other-value"),
        (85.0, "repeat-other-value"),
    ]
    assert found.repeats == 1


@pytest.mark.parametrize(("sign", "word"), [("<", "below-range"), (">=", "above-range")])
def test_a_limit_is_a_word_on_the_quality(sign: str, word: str) -> None:
    assert read_observations(weight(**quantity(comparator=sign))).readings["weight"][0].quality == word


def test_what_ucum_says_in_braces_is_no_part_of_a_unit() -> None:
    code = {"code": {"coding": [{"system": LOINC, "code": "8867-4"}]}}
    found = read_observations(weight(**code, **quantity(value=60, code="{beats}/min")))
    assert found.readings["heart-rate"][0].unit == "/min"


# out and in again -------------------------------------------------------------------------------------------------


def at_second(second: int) -> datetime:
    return datetime.fromtimestamp(1_700_000_000 + second, UTC)


ROWS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(30, 90).map(float), st.sampled_from(["", "below-range", "day-only"])),
    min_size=1,
    unique_by=lambda row: row[0],
)


@pytest.mark.parametrize(
    ("name", "unit", "quality"),
    [
        ("glucose", "mg/dL", "scan"),
        ("glucose", "mg/dL", "fingerstick"),
        ("weight", "kg", ""),
        ("heart-rate", "/min", ""),
        ("blood-pressure", "mm[Hg]", "systolic"),
    ],
)
@settings(max_examples=25)
@given(ROWS)
def test_what_goes_out_comes_in_as_it_was(
    name: str, unit: str, quality: str, rows: list[tuple[int, float, str]]
) -> None:
    values = [
        TwinReading(at_second(at), value, unit, " ".join(sorted({word, quality} - {""})), "ab" * 32)
        for at, value, word in sorted(rows)
    ]
    made = bundle(list(observations(values, name, {"reference": "Patient/7"})))
    found = read_observations(read_json(json.dumps(made)))
    assert [(each.at, each.value, each.unit, each.quality) for each in found.readings[name]] == [
        (each.at, each.value, each.unit, each.quality) for each in values
    ]


def test_two_pressures_of_one_moment_are_one_panel() -> None:
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    values = [
        TwinReading(at, value, "mm[Hg]", word, "ab" * 32) for value, word in ((60.0, "diastolic"), (107.0, "systolic"))
    ]
    (made,) = observations(values, "blood-pressure", {"reference": "Patient/7"})
    assert made["code"]["coding"][0]["code"] == "85354-9"
    assert [each["code"]["coding"][0]["code"] for each in made["component"]] == ["8480-6", "8462-4"]
    found = read_observations(made).readings["blood-pressure"]
    assert [(each.value, each.quality) for each in found] == [(60.0, "diastolic"), (107.0, "systolic")]
