"""What is carried over, held against a second reading of the standard that was written without looking at the first:
it asks one request at a time, and looks at nothing but the JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.fhir import Box, Party, Window, permitted, read_consent
from dtledger.fhir.moments import seconds_of
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose

from .examples import ACT_REASON, ACTION, actions, actor, classes, consent, purposes

pytestmark = pytest.mark.slow

PARTIES = {name: Party(name, frozenset({f"Organization/{name}"})) for name in "ab"}
PURPOSES = ("TREAT", "HRESCH", "CLINTRCH")
CATEGORIES = {"medications": "MedicationRequest", "immunisations": "Immunization"}
TIMES = [f"2026-01-01T0{hour}:00:00Z" for hour in range(1, 5)]


def period() -> st.SearchStrategy[dict[str, str]]:
    return st.lists(st.sampled_from(TIMES), min_size=2, max_size=2).map(sorted).map(
        lambda ends: {"start": ends[0], "end": ends[1]}
    )  # fmt: skip


LIMITS: dict[str, st.SearchStrategy[Any]] = {
    "actor": st.lists(st.sampled_from(["Organization/a", "Organization/b"]), min_size=1, max_size=2, unique=True).map(
        lambda names: [actor(each) for each in names]
    ),
    "purpose": st.lists(st.sampled_from([*PURPOSES, "HMARKT"]), min_size=1, max_size=2, unique=True).map(
        lambda codes: purposes(*codes)
    ),
    "class": st.lists(st.sampled_from([*CATEGORIES.values(), "Nonsense"]), min_size=1, max_size=2, unique=True).map(
        lambda codes: classes(*codes)
    ),
    "action": st.lists(st.sampled_from(["access", "use", "correct"]), min_size=1, max_size=2, unique=True).map(
        lambda codes: actions(*codes)
    ),
    "period": period(),
    "dataPeriod": period(),
}
LIMIT = st.fixed_dictionaries({}, optional=LIMITS)


def rule(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.lists(rule(depth - 1), min_size=1, max_size=2) if depth else st.nothing()
    return st.builds(
        lambda kind, limit, rules: {"type": kind, **limit, **({"provision": rules} if rules else {})},
        st.sampled_from(["permit", "deny"]),
        LIMIT,
        st.none() | inner if depth else st.none(),
    )


CONSENTS = st.builds(
    lambda base, root, typed: consent(base, **({k: v for k, v in root.items() if k != "type" or typed})),
    st.sampled_from(["OPTIN", "OPTOUT", None]),
    rule(2),
    st.booleans(),
)


def matches(rule: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a rule is about a request, as its words go; a denied purpose takes those below it."""
    if "actor" in rule and f"Organization/{asked['who']}" not in {
        each["reference"]["reference"] for each in rule["actor"]
    }:
        return False
    codes = {each["code"] for each in rule.get("purpose", []) if each["system"] == ACT_REASON}
    below = {"CLINTRCH"} if codes & {"HRESCH", "TREAT"} and rule.get("type") == "deny" else set()
    if "purpose" in rule and asked["purpose"] not in codes | below:
        return False
    if "class" in rule and CATEGORIES[asked["category"]] not in {each["code"] for each in rule["class"]}:
        return False
    named = {each["coding"][0]["code"] for each in rule.get("action", []) if each["coding"][0]["system"] == ACTION}
    if "action" in rule and asked["action"] not in named:
        return False
    return _holds(rule.get("period"), asked["at"]) and _holds(rule.get("dataPeriod"), asked["data"])


def _holds(period: dict[str, str] | None, second: int) -> bool:
    if period is None:
        return True
    start, end = (int(datetime.fromisoformat(period[each]).timestamp()) for each in ("start", "end"))
    return start <= second <= end


def denies(rule: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a rule, or one in it that is reached, denies the request in so many words: the innermost that is about
    it speaks."""
    if not matches(rule, asked):
        return False
    inner = [each for each in rule.get("provision", []) if matches(each, asked)]
    if any(each["type"] == "deny" and denies(each, asked) for each in inner):
        return True
    if rule.get("type") == "deny":
        return not any(each["type"] == "permit" and not denies(each, asked) for each in inner)
    return any(denies(each, asked) for each in inner)


def said_no(said: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether the source denies the request: by its base policy, or by a rule."""
    root = said.get("provision")
    base = said.get("policyRule", {}).get("coding", [{}])[0].get("code")
    inner = (root or {}).get("provision", [])
    if root is None:
        return base != "OPTIN"
    if base == "OPTIN":
        return denies(root, asked)
    if root.get("type") == "permit":
        return not matches(root, asked) or denies(root, asked)
    through = [each for each in inner if each["type"] == "permit" and matches(each, asked)]
    if any(each["type"] == "deny" and denies(each, asked) for each in inner):
        return True
    return not (matches(root, asked) and any(not denies(each, asked) for each in through))


REQUESTS = [
    {"who": who, "purpose": purpose, "category": category, "action": action, "at": at, "data": data}
    for who in PARTIES
    for purpose in PURPOSES
    for category in CATEGORIES
    for action in ("access", "use")
    for at in (int(datetime.fromisoformat(TIMES[1]).timestamp()) + late for late in (0, 1))
    for data in (int(datetime.fromisoformat(TIMES[2]).timestamp()) + late for late in (0, 60))
]


def box(asked: dict[str, Any]) -> Box:
    minute = asked["data"] // 60
    return Box(
        frozenset({PARTIES[asked["who"]]}),
        frozenset({Action.READ if asked["action"] == "access" else Action.TRAIN}),
        frozenset({Purpose[asked["purpose"]]}),
        frozenset({asked["category"]}),
        Window(asked["at"], asked["at"] + 1),
        seconds_of(Period(minute, minute)),
    )


EVERYTHING = Box(
    frozenset(PARTIES.values()),
    frozenset({Action.READ, Action.TRAIN}),
    frozenset(Purpose[each] for each in PURPOSES),
    frozenset(CATEGORIES),
)


ASKED = [(asked, box(asked)) for asked in REQUESTS]


@settings(max_examples=120, deadline=None)
@given(CONSENTS)
def test_nothing_is_permitted_that_the_source_denies(said: dict[str, Any]) -> None:
    boxes = permitted(read_consent(said), EVERYTHING)
    for asked, one in ASKED:
        inside = [each for each in boxes if one & each == one]
        assert len(inside) <= 1, "boxes overlap"
        assert not (inside and said_no(said, asked)), (said, asked)


@settings(max_examples=100, deadline=None)
@given(CONSENTS, st.sampled_from(REQUESTS))
def test_a_request_alone_is_judged_as_it_is_among_all(said: dict[str, Any], asked: dict[str, Any]) -> None:
    read, one = read_consent(said), box(asked)
    known = frozenset(name for each in PARTIES.values() for name in each.own)
    among_all = any(one & each == one for each in permitted(read, EVERYTHING))
    assert (permitted(read, one, known) == [one]) is among_all


def test_something_is_permitted_at_all() -> None:
    """Who denies everything would pass the others."""
    for said in (consent(), consent(None, type="permit"), consent(type="deny", purpose=purposes("HRESCH"))):
        boxes = permitted(read_consent(said), EVERYTHING)
        yes = [asked for asked in REQUESTS if any(box(asked) & each == box(asked) for each in boxes)]
        assert yes == [asked for asked in REQUESTS if not said_no(said, asked)]
