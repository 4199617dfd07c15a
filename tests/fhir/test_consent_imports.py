"""A consent carried over to a twin: what the ledger permits afterwards, and what it permits no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dtledger.client import Client, Terms
from dtledger.client.consent_imports import ImportPlan
from dtledger.client.research import research_of
from dtledger.errors import AccessDeniedError, InputError
from dtledger.fhir import read_consent
from dtledger.testing import World
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Kind, Purpose
from dtledger.vocabulary.duo import use_term

from .examples import actions, actor, classes, consent, purposes

DAY = 86_400


@pytest.fixture
def world() -> Iterator[World]:
    with World(hours=1) as world:
        yield world


def wanted(world: World, *categories: str, days: int = 10, named: tuple[Purpose, ...] = (Purpose.TREAT,)) -> Terms:
    now = world.clock()
    return Terms(categories or ("glucose",), named, (Action.READ,), now, now + days * DAY,
                 Period(world.readings[0].minute, (now + days * DAY) // 60))  # fmt: skip


def carry(
    world: World,
    said: dict[str, Any],
    who: Client,
    terms: Terms | None = None,
    actors: Mapping[str, Address] | None = None,
) -> ImportPlan:
    imports = world.patient.consent_imports
    plan = imports.plan(world.twin, read_consent(said), terms or wanted(world), [who.address], actors or {})
    imports.carry_out(plan)
    return plan


def reads(world: World, who: Client, purpose: str = "TREAT") -> bool:
    try:
        return len(who.read(world.twin, "glucose", purpose)) > 0
    except AccessDeniedError:
        return False


def test_what_it_permits_is_granted_and_read(world: World) -> None:
    clinic = world.join("clinic", [Kind.CLINICIAN])
    said = consent(None, type="permit", actor=[actor("Organization/f001")], purpose=purposes("TREAT"))
    assert not reads(world, clinic)
    carry(world, said, clinic, actors={"Organization/f001": clinic.address})
    assert reads(world, clinic)
    assert not reads(world, clinic, "HRESCH")


def test_somebody_else_gets_nothing_of_it(world: World) -> None:
    clinic = world.join("clinic", [Kind.CLINICIAN])
    said = consent(None, type="permit", actor=[actor("Organization/f001")])
    plan = carry(world, said, clinic, actors={"Organization/f001": world.hospital.address})
    assert not plan
    assert not reads(world, clinic)


def test_the_consent_makes_less_of_what_is_wanted(world: World) -> None:
    clinic, end = world.join("clinic", [Kind.CLINICIAN]), world.clock() + DAY
    said = consent(
        None,
        type="permit",
        period={"end": _text(end)},
        purpose=purposes("TREAT", "HRESCH"),
        provision=[{"type": "deny", "class": classes("MedicationRequest")}],
    )
    terms = wanted(world, "glucose", "medications", named=(Purpose.TREAT, Purpose.PUBHLTH), days=3650)
    ((_, made),) = carry(world, said, clinic, terms).grants
    assert (made.categories, made.purposes, made.expires_at) == (("glucose",), (Purpose.TREAT,), end + 1)


@pytest.mark.parametrize("words", [("NPUNCU",), ()])
def test_the_terms_of_research_that_its_owner_names_go_with_what_trains_and_with_nothing_else(
    world: World, words: tuple[str, ...]
) -> None:
    clinic, terms = world.join("clinic", [Kind.RESEARCHER]), tuple(use_term(each) for each in words)
    both = wanted(world, named=(Purpose.HRESCH,))
    asked = replace(both, actions=(Action.READ, Action.TRAIN), research=terms)
    carry(world, consent(None, type="permit", purpose=purposes("HRESCH")), clinic, asked)
    (trains,) = (each for each in world.patient.consents.records(world.twin) if each.slot.grantee == clinic.address)
    assert research_of(world.patient.context, trains) == tuple(map(str, terms))
    assert research_of(clinic.context, trains) == tuple(map(str, terms))
    other = world.join("other", [Kind.RESEARCHER])
    said = consent(None, type="permit", purpose=purposes("HRESCH"), action=actions("access"))
    ((_, reads_alone),) = carry(world, said, other, asked).grants
    assert (reads_alone.actions, reads_alone.research) == ((Action.READ,), ())


def test_terms_of_research_that_go_with_no_purpose_that_it_leaves_are_refused(world: World) -> None:
    clinic, term = world.join("clinic", [Kind.RESEARCHER]), use_term("HMB")
    named = (Purpose.TREAT, Purpose.HRESCH)
    asked = replace(wanted(world, named=named), actions=(Action.TRAIN,), research=(term,))
    with pytest.raises(InputError, match="allows research"):
        carry(world, consent(None, type="permit", purpose=purposes("TREAT")), clinic, asked)
    assert carry(world, consent(None, type="permit", purpose=purposes("HRESCH")), clinic, asked).grants


def test_a_denial_in_the_middle_of_the_data_makes_two_grants(world: World) -> None:
    clinic = world.join("clinic", [Kind.CLINICIAN])
    start = world.readings[0].seconds
    hole = {"start": _text(start + 600), "end": _text(start + 1199)}
    plan = carry(world, consent(provision=[{"type": "deny", "dataPeriod": hole}]), clinic)
    first, second = (terms.data for _, terms in plan.grants)
    assert first.end < start // 60 + 10
    assert second.start >= (start + 1200) // 60
    assert len(world.patient.consents.records(world.twin)) == 4


def test_whom_it_denies_everything_is_blocked_and_reads_no_more(world: World) -> None:
    assert reads(world, world.clinician)
    said = consent(type="deny", actor=[actor("Organization/f001")])
    plan = carry(world, said, world.clinician, actors={"Organization/f001": world.hospital.address})
    assert (plan.blocks, plan.grants) == ((world.hospital.address,), ())
    assert not reads(world, world.clinician)


def test_a_standing_grant_that_it_denies_is_revoked_and_another_stays(world: World) -> None:
    other = world.join("other", [Kind.CLINICIAN])
    world.patient.consents.grant(world.twin, other.address, wanted(world, named=(Purpose.HRESCH,)))
    said = consent(provision=[{"type": "deny", "purpose": purposes("TREAT")}])
    plan = carry(world, said, world.join("third"), wanted(world, named=(Purpose.TREAT,)))
    assert plan.revokes == (world.consent,)
    assert not reads(world, world.clinician)
    assert reads(world, other, "HRESCH")


def test_opting_out_ends_every_grant_to_read_and_leaves_the_gateway_its_own(world: World) -> None:
    plan = carry(world, consent("OPTOUT"), world.clinician)
    assert plan.revokes == (world.consent,)
    assert len(world.patient.consents.writers(world.twin)) == 1


def test_a_consent_that_merely_permits_something_else_revokes_nothing(world: World) -> None:
    plan = carry(world, consent(None, type="permit", purpose=purposes("HRESCH")), world.clinician)
    assert (plan.revokes, plan.blocks) == ((), ())
    assert reads(world, world.clinician)


def test_what_denies_is_done_before_anything_is_granted(world: World) -> None:
    clinic, out = world.join("clinic", [Kind.CLINICIAN]), world.join("out")
    said = consent(type="deny", actor=[actor("Organization/out")])
    plan = world.patient.consent_imports.plan(
        world.twin, read_consent(said), wanted(world), [clinic.address], {"Organization/out": out.address}
    )
    world.patient.consent_imports.carry_out(plan)
    names = [type(each.event).__name__ for each in world.ledger.history().logged]
    assert (plan.blocks, names[-2:]) == ((out.address,), ["Blocked", "Granted"])


def test_more_boxes_than_slots_are_refused_and_nothing_is_done(world: World) -> None:
    clinic = world.join("clinic", [Kind.CLINICIAN])
    start = world.readings[0].seconds
    holes = [{"type": "deny", "dataPeriod": {"start": _text(start + at * 600), "end": _text(start + at * 600 + 59)}}
             for at in range(1, 10)]  # fmt: skip
    block = world.ledger.head().number
    with pytest.raises(InputError, match="slots"):
        carry(world, consent(provision=holes), clinic)
    assert world.ledger.head().number == block
    assert len(carry(world, consent(provision=holes[:7]), clinic).grants) == 8


def test_nobody_but_the_owner_carries_a_consent_over(world: World) -> None:
    with pytest.raises(AccessDeniedError):
        world.clinician.consent_imports.plan(
            world.twin, read_consent(consent()), wanted(world), [world.hospital.address], {}
        )


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
