"""What consents permit and deny once carried over: HL7's examples, edges, codes that nobody knows, nested denials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dtledger.errors import InputError
from dtledger.fhir import Party, decides, denied, permitted, read_consent, shut_out
from dtledger.fhir.judging import Box
from dtledger.fhir.moments import Window, seconds_of
from dtledger.fhir.provisions import MOST_RULES
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose

from .examples import LOINC, TYPES, actions, actor, classes, consent, example, purposes

CLINIC = Party("clinic", frozenset({"Organization/f001"}))
DOCTOR = Party("doctor", frozenset({"Practitioner/7"}), near=frozenset({"Organization/f001"}))
OTHER = Party("other", frozenset({"Organization/f002"}))
KNOWN = frozenset({"Organization/f001", "Organization/f002", "Practitioner/7"})
THEN = Period(0, 9)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def verdict(
    said: dict[str, Any],
    party: Party = CLINIC,
    purpose: str = "TREAT",
    category: str = "glucose",
    when: str = "2026-06-01T12:00:00Z",
    data: Period = THEN,
    action: Action = Action.READ,
) -> str:
    """The verdict where everybody whom the tests name is known."""
    asked = Box(frozenset({party}), frozenset({action}), frozenset({Purpose[purpose]}), frozenset({category}),
                Window(at(when), at(when) + 1), seconds_of(data))  # fmt: skip
    return "permit" if permitted(read_consent(said), asked, KNOWN) == [asked] else "deny"


# HL7's examples ---------------------------------------------------------------------------------------------------

EXAMPLES = [
    # basic: opted in, for 1964 to 2016. Its last day has no zone: it counts while it is that day everywhere.
    ("basic", "clinic", "TREAT", "glucose", "2015-06-01T00:00:00Z", "permit"),
    ("basic", "other", "HRESCH", "notes", "2015-06-01T00:00:00Z", "permit"),
    ("basic", "clinic", "TREAT", "glucose", "1970-01-01T00:00:00Z", "permit"),
    ("basic", "clinic", "TREAT", "glucose", "2016-01-01T09:59:59Z", "permit"),
    ("basic", "clinic", "TREAT", "glucose", "2016-01-01T10:00:00Z", "deny"),
    ("basic", "clinic", "TREAT", "glucose", "2016-01-02T12:00:00Z", "deny"),
    # Out: opted out. Nobody.
    ("Out", "clinic", "TREAT", "glucose", "2016-06-01T00:00:00Z", "deny"),
    ("Out", "other", "ETREAT", "glucose", "2016-06-01T00:00:00Z", "deny"),
    # notOrg: opted in, but for one organisation, and so for whoever is in it.
    ("notOrg", "clinic", "TREAT", "glucose", "2016-06-01T00:00:00Z", "deny"),
    ("notOrg", "clinic", "PATRQT", "weight", "2030-06-01T00:00:00Z", "deny"),
    ("notOrg", "doctor", "TREAT", "glucose", "2016-06-01T00:00:00Z", "deny"),
    ("notOrg", "other", "TREAT", "glucose", "2016-06-01T00:00:00Z", "permit"),
    # notThis: all that belongs to one order, which no snapshot can be told not to. Nobody.
    ("notThis", "clinic", "TREAT", "lab", "2016-06-01T00:00:00Z", "deny"),
    ("notThis", "other", "TREAT", "glucose", "2016-06-01T00:00:00Z", "deny"),
    # smartonfhir: half an hour, both its ends in it, of prescriptions and nothing else.
    ("smartonfhir", "clinic", "TREAT", "medications", "2016-06-23T07:02:33Z", "permit"),
    ("smartonfhir", "other", "HPAYMT", "medications", "2016-06-23T07:32:33Z", "permit"),
    ("smartonfhir", "clinic", "TREAT", "medications", "2016-06-23T07:02:32Z", "deny"),
    ("smartonfhir", "clinic", "TREAT", "medications", "2016-06-23T07:32:34Z", "deny"),
    ("smartonfhir", "clinic", "TREAT", "glucose", "2016-06-23T07:10:00Z", "deny"),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "who", "purpose", "category", "when", "expected"), EXAMPLES)
def test_an_example_of_hl7(name: str, who: str, purpose: str, category: str, when: str, expected: str) -> None:
    party = {"clinic": CLINIC, "doctor": DOCTOR, "other": OTHER}[who]
    assert verdict(example(f"Consent-consent-example-{name}"), party, purpose, category, when) == expected


@pytest.mark.real_data
def test_the_example_that_names_an_access_lets_nobody_train() -> None:
    said = example("Consent-consent-example-smartonfhir")
    words: dict[str, Any] = {"category": "medications", "when": "2016-06-23T07:10:00Z"}
    assert (verdict(said, **words), verdict(said, **words, action=Action.TRAIN)) == ("permit", "deny")


@pytest.mark.real_data
def test_the_example_against_an_organisation_shuts_it_out_and_nobody_else() -> None:
    read = read_consent(example("Consent-consent-example-notOrg"))
    assert shut_out(read) == {"Organization/f001"}
    assert shut_out(read_consent(example("Consent-consent-example-basic"))) == frozenset()


@pytest.mark.real_data
def test_what_is_lost_of_an_example_is_told_with_its_path() -> None:
    told = {each.path: each for each in read_consent(example("Consent-consent-example-notThis")).losses}
    assert told["Consent.provision.data"].denies
    assert not told["Consent.sourceAttachment"].denies


# who --------------------------------------------------------------------------------------------------------------


def test_a_permit_is_for_those_whom_it_names() -> None:
    said = consent(None, type="permit", actor=[actor("Organization/f001")])
    assert (verdict(said), verdict(said, OTHER)) == ("permit", "deny")


def test_a_permit_for_an_organisation_is_none_for_its_member_who_may_leave_it() -> None:
    assert verdict(consent(None, type="permit", actor=[actor("Organization/f001")]), DOCTOR) == "deny"


@pytest.mark.parametrize("role", ["CST", "AUT", "nonsense"])
def test_a_permit_names_recipients_and_nobody_in_another_part(role: str) -> None:
    assert verdict(consent(None, type="permit", actor=[actor("Organization/f001", role)])) == "deny"
    assert verdict(consent(None, type="permit", actor=[actor("Organization/f001", "PRCP")])) == "permit"


@pytest.mark.parametrize("role", ["IRCP", "CST", "nonsense"])
def test_a_denial_reaches_whom_it_names_in_any_part(role: str) -> None:
    said = consent(provision=[{"type": "deny", "actor": [actor("Organization/f001", role)]}])
    assert (verdict(said), verdict(said, DOCTOR), verdict(said, OTHER)) == ("deny", "deny", "permit")


def test_a_denial_of_a_member_reaches_its_organisation_of_which_any_member_may_read() -> None:
    said = consent(type="deny", actor=[actor("Practitioner/7")])
    clinic = Party("clinic", frozenset({"Organization/f001"}), near=frozenset({"Practitioner/7"}))
    assert (verdict(said, clinic), verdict(said, OTHER)) == ("deny", "permit")


def test_a_denial_of_somebody_whom_nobody_knows_may_mean_anybody() -> None:
    said = consent(type="deny", actor=[actor("Group/strangers")])
    assert (verdict(said), verdict(said, OTHER)) == ("deny", "deny")


def test_somebody_named_without_a_reference_may_be_anybody_to_a_denial_and_nobody_to_a_permit() -> None:
    named = {"role": actor("x")["role"], "reference": {"display": "Dr Who"}}
    assert verdict(consent(provision=[{"type": "deny", "actor": [named]}])) == "deny"
    assert verdict(consent(None, type="permit", actor=[named])) == "deny"


# what for, what ---------------------------------------------------------------------------------------------------


def test_a_purpose_permits_itself_alone_and_denies_what_stands_below_it() -> None:
    permits = consent(None, type="permit", purpose=purposes("TREAT"))
    assert (verdict(permits), verdict(permits, purpose="ETREAT")) == ("permit", "deny")
    denies = consent(provision=[{"type": "deny", "purpose": purposes("HRESCH")}])
    assert [verdict(denies, purpose=each) for each in ("HRESCH", "CLINTRCH", "TREAT")] == ["deny", "deny", "permit"]


@pytest.mark.parametrize(
    "codes",
    [purposes("HMARKT"), purposes("TREAT", system="http://example.org/purposes"), [{"code": "TREAT"}],
     [{"display": "Treatment"}]],
    ids=["not of ours", "of another system", "of no system", "no code"],
)  # fmt: skip
def test_a_purpose_that_is_not_known_permits_nothing_and_denies_everything(codes: list[dict[str, str]]) -> None:
    assert verdict(consent(None, type="permit", purpose=codes)) == "deny"
    assert verdict(consent(provision=[{"type": "deny", "purpose": codes}])) == "deny"
    assert verdict(consent(None, type="permit", purpose=purposes("TREAT"))) == "permit"


def test_a_class_permits_the_categories_that_are_of_it() -> None:
    said = consent(provision=[{"type": "permit", "class": classes("Observation")}])
    assert (verdict(said, category="weight"), verdict(said, category="conditions")) == ("permit", "deny")


def test_a_code_permits_the_category_that_goes_by_it_and_denies_the_one_that_it_belongs_to() -> None:
    weight = [{"coding": [{"system": LOINC, "code": "29463-7"}]}]
    measured = [{"coding": [{"system": LOINC, "code": "3141-9"}]}]
    assert verdict(consent(provision=[{"type": "permit", "code": weight}]), category="weight") == "permit"
    assert verdict(consent(provision=[{"type": "permit", "code": measured}]), category="weight") == "deny"
    denies = consent(provision=[{"type": "deny", "code": measured}])
    assert (verdict(denies, category="weight"), verdict(denies, category="glucose")) == ("deny", "permit")


@pytest.mark.parametrize("code", ["Basic", "nonsense"])
def test_a_class_that_is_not_known_permits_nothing_and_denies_everything(code: str) -> None:
    assert verdict(consent(provision=[{"type": "permit", "class": classes(code)}])) == "deny"
    assert verdict(consent(provision=[{"type": "deny", "class": classes(code)}])) == "deny"


def test_a_class_that_many_things_are_denies_more_than_its_own_categories() -> None:
    said = consent(provision=[{"type": "deny", "class": [{"system": TYPES, "code": "Observation"}]}])
    assert (verdict(said), verdict(said, category="conditions")) == ("deny", "deny")


def test_a_class_with_a_code_permits_what_is_of_both_and_denies_what_is_of_either() -> None:
    codes = [{"coding": [{"system": LOINC, "code": "29463-7"}]}]
    limits: dict[str, Any] = {"class": [{"system": TYPES, "code": "Observation"}], "code": codes}
    both = consent(None, type="permit", **limits)
    assert (verdict(both, category="weight"), verdict(both)) == ("permit", "deny")
    assert verdict(consent(None, type="permit", **{"class": limits["class"]})) == "permit"
    assert verdict(consent(provision=[{"type": "deny", **limits}])) == "deny"


@pytest.mark.parametrize("name", ["resourceType", "documentType", "_purpose", "_class", "_action"])
def test_a_member_that_nobody_knows_shuts_a_permit_and_leaves_a_denial_as_wide(name: str) -> None:
    member: dict[str, Any] = {name: {"coding": [{"code": "N"}]}}
    assert verdict(consent(None, type="permit", **member)) == "deny"
    assert verdict(consent(provision=[{"type": "deny", **member}])) == "deny"
    told = {each.path: each for each in read_consent(consent(None, type="permit", **member)).losses}
    assert told[f"Consent.provision.{name}"].denies
    assert verdict(consent(None, type="permit", id="p", extension=[{"url": "http://example.org"}])) == "permit"


@pytest.mark.parametrize("name", ["modifierExtension", "exceptFor"])
def test_somebody_named_under_a_rule_that_nobody_knows_may_be_anybody_to_a_denial_and_nobody_to_a_permit(
    name: str,
) -> None:
    named = actor("Organization/f001")
    ruled = {**named, name: [{"url": "http://example.org"}]}
    assert verdict(consent(None, type="permit", actor=[ruled])) == "deny"
    assert verdict(consent(provision=[{"type": "deny", "actor": [ruled]}]), OTHER) == "deny"
    assert verdict(consent(None, type="permit", actor=[named])) == "permit"
    assert verdict(consent(provision=[{"type": "deny", "actor": [named]}]), OTHER) == "permit"


@pytest.mark.parametrize("name", ["securityLabel", "data", "modifierExtension"])
def test_a_limit_without_a_word_here_shuts_a_permit_and_widens_a_denial(name: str) -> None:
    limit: dict[str, Any] = {name: [{"code": "N", "url": "http://example.org", "meaning": "instance"}]}
    assert verdict(consent(None, type="permit", **limit)) == "deny"
    assert verdict(consent(provision=[{"type": "deny", **limit}])) == "deny"
    assert verdict(consent(None, type="permit")) == "permit"


@pytest.mark.parametrize(
    ("codes", "reads", "trains"),
    [
        (["access"], "deny", "permit"),
        (["use"], "permit", "deny"),
        (["collect", "correct"], "permit", "permit"),
        (["disclose"], "deny", "deny"),
        (["nonsense"], "deny", "deny"),
    ],
)
def test_an_action_that_is_denied(codes: list[str], reads: str, trains: str) -> None:
    said = consent(provision=[{"type": "deny", "action": actions(*codes)}])
    assert (verdict(said), verdict(said, action=Action.TRAIN)) == (reads, trains)


# when -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "when", "expected"),
    [
        ({"start": "2026-03-01T08:00:00+01:00"}, "2026-03-01T07:00:00Z", "permit"),
        ({"start": "2026-03-01T08:00:00+01:00"}, "2026-03-01T06:59:59Z", "deny"),
        ({"start": "2026-03-01T08:00:00.5+01:00"}, "2026-03-01T07:00:00Z", "deny"),
        ({"end": "2026-03-01T08:00:00+01:00"}, "2026-03-01T07:00:00Z", "permit"),
        ({"end": "2026-03-01T08:00:00+01:00"}, "2026-03-01T07:00:01Z", "deny"),
        ({"end": "2026-03-01T08:00:00.5+01:00"}, "2026-03-01T07:00:00Z", "deny"),
        ({"start": "2026-03-01"}, "2026-03-01T12:00:00Z", "permit"),
        ({"start": "2026-03-01"}, "2026-03-01T11:59:59Z", "deny"),
        ({"end": "2026-02"}, "2026-02-28T09:59:59Z", "permit"),
        ({"end": "2026-02"}, "2026-02-28T10:00:00Z", "deny"),
        ({"end": "2026"}, "2026-12-31T09:59:59Z", "permit"),
        ({"end": "2026"}, "2026-12-31T10:00:00Z", "deny"),
    ],
)
def test_the_edges_of_a_period_that_permits(period: dict[str, str], when: str, expected: str) -> None:
    assert verdict(consent(None, type="permit", period=period), when=when) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-02-28T09:59:59Z", "permit"),
        ("2026-02-28T10:00:00Z", "deny"),
        ("2026-03-02T11:59:59Z", "deny"),
        ("2026-03-02T12:00:00Z", "permit"),
    ],
)
def test_a_day_that_denies_denies_while_it_is_that_day_anywhere(when: str, expected: str) -> None:
    said = consent(provision=[{"type": "deny", "period": {"start": "2026-03-01", "end": "2026-03-01"}}])
    assert verdict(said, when=when) == expected


@pytest.mark.parametrize(
    ("minute", "permits", "denies"),
    [(59, "deny", "permit"), (60, "permit", "deny"), (61, "permit", "deny"), (62, "deny", "permit")],
)
def test_the_edges_of_the_data(minute: int, permits: str, denies: str) -> None:
    """From the sixtieth minute of 1970 to the sixty-first, both whole."""
    period = {"start": "1970-01-01T01:00:00Z", "end": "1970-01-01T01:01:59Z"}
    data = Period(minute, minute)
    assert verdict(consent(None, type="permit", dataPeriod=period), data=data) == permits
    assert verdict(consent(provision=[{"type": "deny", "dataPeriod": period}]), data=data) == denies


def test_a_minute_that_is_half_in_is_permitted_by_none_and_denied_by_any() -> None:
    period = {"start": "1970-01-01T01:00:30Z", "end": "1970-01-01T01:01:30Z"}
    for minute in (60, 61):
        data = Period(minute, minute)
        assert verdict(consent(None, type="permit", dataPeriod=period), data=data) == "deny"
        assert verdict(consent(provision=[{"type": "deny", "dataPeriod": period}]), data=data) == "deny"


# nested -----------------------------------------------------------------------------------------------------------


def test_a_denial_in_a_permit_takes_out_what_it_names_and_nothing_else() -> None:
    denial = {"type": "deny", "actor": [actor("Organization/f001")], "purpose": purposes("HRESCH")}
    said = consent(provision=[denial])
    assert verdict(said, purpose="HRESCH") == "deny"
    assert verdict(said, purpose="TREAT") == "permit"
    assert verdict(said, OTHER, "HRESCH") == "permit"


def test_a_permit_in_a_permit_is_only_this() -> None:
    said = consent(
        provision=[{"type": "permit", "purpose": purposes("TREAT")}, {"type": "permit", "purpose": purposes("PUBHLTH")}]
    )
    assert [verdict(said, purpose=each) for each in ("TREAT", "PUBHLTH", "HRESCH")] == ["permit", "permit", "deny"]


def test_a_denial_in_a_permit_in_a_permit_counts() -> None:
    inner = {
        "type": "permit",
        "purpose": purposes("TREAT"),
        "provision": [{"type": "deny", "class": classes("MedicationRequest")}],
    }
    said = consent(provision=[inner])
    assert (verdict(said, category="medications"), verdict(said)) == ("deny", "permit")


def test_a_denial_in_one_of_several_permits_counts_whatever_the_others_say() -> None:
    denial = {"type": "deny", "class": classes("MedicationRequest")}
    said = consent(provision=[{"type": "permit"}, {"type": "permit", "provision": [denial]}])
    assert (verdict(said, category="medications"), verdict(said)) == ("deny", "permit")


def test_a_permit_in_a_denial_in_a_permit_is_not_carried_over() -> None:
    inner = {
        "type": "deny",
        "purpose": purposes("TREAT"),
        "provision": [{"type": "permit", "class": classes("Observation")}],
    }
    assert verdict(consent(provision=[inner])) == "deny"


def test_an_exception_to_a_whole_denial_permits_what_it_names() -> None:
    said = consent(None, type="deny", provision=[{"type": "permit", "purpose": purposes("ETREAT")}])
    assert (verdict(said, purpose="ETREAT"), verdict(said)) == ("permit", "deny")
    assert verdict(consent("OPTOUT", provision=[{"type": "permit", "purpose": purposes("TREAT")}])) == "permit"


@pytest.mark.parametrize(("base", "root"), [("OPTOUT", {}), (None, {"type": "deny"})])
def test_a_denial_beside_an_exception_to_a_whole_denial_counts(base: str | None, root: dict[str, Any]) -> None:
    exception = {"type": "permit", "purpose": purposes("TREAT", "HRESCH")}
    denial = {"type": "deny", "actor": [actor("Organization/f001")], "purpose": purposes("HRESCH")}
    said = consent(base, **root, provision=[exception, denial])
    assert [verdict(said, purpose=each) for each in ("TREAT", "HRESCH")] == ["permit", "deny"]
    assert verdict(said, OTHER, "HRESCH") == "permit"
    assert verdict(consent(base, **root, provision=[exception]), purpose="HRESCH") == "permit"


def test_a_consent_of_more_rules_than_anybody_can_follow_is_refused() -> None:
    rules = [{"type": "deny", "purpose": purposes("HRESCH")}] * (MOST_RULES - 1)
    with pytest.raises(InputError, match="more than 200 rules") as refused:
        read_consent(consent(provision=[*rules, {"type": "deny"}]))
    assert refused.value.evidence["path"] == f"Consent.provision.provision[{MOST_RULES - 1}]"
    assert verdict(consent(provision=rules)) == "permit"


def test_the_exception_of_breaking_the_glass_is_no_purpose_of_a_grant() -> None:
    said = consent(None, type="deny", provision=[{"type": "permit", "purpose": purposes("BTG")}])
    assert [verdict(said, purpose=each) for each in ("ETREAT", "TREAT")] == ["deny", "deny"]


# the consent as a whole -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_a_consent_that_is_not_active_permits_nothing(status: str) -> None:
    assert (verdict(consent(status=status)), verdict(consent())) == ("deny", "permit")


@pytest.mark.parametrize(
    "said",
    [
        consent("OPTINR"),
        consent(None),
        consent(None, period={"end": "2030"}),
        consent("OPTOUT", type="permit"),
        consent() | {"implicitRules": "http://example.org/rules"},
        consent() | {"modifierExtension": [{"url": "http://example.org/not"}]},
        consent() | {"policyRule": {"text": "opt in"}},
    ],
    ids=["another base policy", "no rule at all", "a root without a type or a base", "base and root at odds",
         "rules that are not known", "a modifier", "a base policy in words"],
)  # fmt: skip
def test_a_consent_that_cannot_be_understood_permits_nothing(said: dict[str, Any]) -> None:
    assert verdict(said) == "deny"
    assert any("nothing is permitted" in each.words for each in read_consent(said).losses)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (consent(type="perhaps"), "Consent.provision.type"),
        (consent(provision=[{"purpose": purposes("TREAT")}]), "Consent.provision.provision[0].type"),
        (consent(period={"start": "yesterday"}), "Consent.provision.period.start"),
        (consent(period={"start": "2026-03-01T08:00:00"}), "Consent.provision.period.start"),
        (consent(period={"start": "2026-02-30"}), "Consent.provision.period.start"),
        (consent(period={"start": "2027", "end": "2026"}), "Consent.provision.period"),
        (consent(period={"_end": {"extension": [{"url": "x"}]}}), "Consent.provision.period.end"),
        (consent(status="valid"), "Consent.status"),
        (consent() | {"scope": {"coding": [{"system": "x", "code": "patient-privacy"}]}}, "Consent.scope"),
        ({"resourceType": "Consent"}, "Consent.status"),
        ({"resourceType": "Patient"}, "Patient.resourceType"),
        (consent(actor=[{"reference": "Organization/f001"}]), "Consent.provision.actor[0].reference"),
        (consent(purpose="TREAT"), "Consent.provision.purpose"),
    ],
)
def test_a_malformed_consent_is_refused_with_the_path_of_its_fault(said: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as refused:
        read_consent(said)
    assert refused.value.evidence["path"] == path


def test_a_denial_is_told_from_what_is_merely_not_permitted() -> None:
    box = Box(frozenset({CLINIC}), frozenset({Action.READ}), frozenset({Purpose.TREAT}), frozenset({"glucose"}),
              Window(0, 10), Window(0, 60))  # fmt: skip
    assert not denied(read_consent(consent(None, type="permit", purpose=purposes("HRESCH"))), box, KNOWN)
    assert denied(read_consent(consent(None, type="deny")), box, KNOWN)
    assert denied(read_consent(consent("OPTOUT")), box, KNOWN)
    assert not denied(read_consent(consent("OPTOUT", status="inactive")), box, KNOWN)


def test_decides_is_the_short_way() -> None:
    assert decides(read_consent(consent()), CLINIC, Purpose.TREAT, "glucose", 5, THEN)
