"""Emergencies are reviewed by who may, and an erasure stands on the word of enough custodians."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Given, Question, Verdict, export
from dtledger.audit.consents import require_review
from dtledger.client import Client, publish_keyring
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.ledger import Opening, View
from dtledger.testing import World
from dtledger.vocabulary import Cause, Finding, Kind
from tests.audit.chain_world import DAY, ChainWorld, from_file


@pytest.fixture
def opened(dtledger_world: World) -> tuple[World, Opening]:
    """An emergency that a medic opened; an auditor stands by."""
    world = dtledger_world
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medic = world.join("medic", [Kind.EMERGENCY], ambulance)
    publish_keyring(ambulance.context, [medic.address])
    slot, _ = world.patient.emergencies.let(world.twin, ambulance.address)
    medic.emergencies.open(slot, Cause.OVRINCOMP, "found unconscious")
    return world, world.ledger.view().openings()[0]


def said(world: World, opening: Opening, view: View | None = None) -> str:
    return require_review(view or world.ledger.view(), opening, world.clock(), str)


def test_an_emergency_that_waits_for_its_review_cannot_be_checked_yet(opened: tuple[World, Opening]) -> None:
    with pytest.raises(CannotCheckError, match="time left"):
        said(*opened)


def test_one_that_nobody_reviewed_in_time_fails(opened: tuple[World, Opening]) -> None:
    world, opening = opened
    world.clock.advance(opening.review_by - world.clock())
    with pytest.raises(IntegrityError, match="nobody reviewed it in time"):
        said(world, opening)


@pytest.mark.parametrize("late", [False, True])
def test_one_that_an_auditor_reviewed_passes_and_says_if_that_was_late(
    opened: tuple[World, Opening], late: bool
) -> None:
    world, opening = opened
    auditor: Client = world.join("auditor", [Kind.AUDITOR])
    if late:
        world.clock.advance(opening.review_by - world.clock() + 60)
    auditor.emergencies.review(opening.number, Finding.JUSTIFIED)
    assert said(world, opening).endswith("late") is late


@pytest.fixture
def erased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    folder = tmp_path_factory.mktemp("erased")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=1) as world:
        yield world


@pytest.mark.anvil
@pytest.mark.slow
def test_an_erasure_stands_on_the_statements_of_enough_custodians(erased: ChainWorld) -> None:
    world = erased
    world.patient.erasing.announce(world.twin)
    assert verdict(world, Given()) == (Verdict.CANNOT_CHECK, "The retirement is announced and not final yet.")
    world.clock.advance(2 * DAY)
    world.ledger.heartbeat(world.operator.context.key)
    signed = tuple(world.patient.erasing.finish(world.twin).signed.values())
    assert len(signed) == 3
    assert verdict(world, Given(destructions=signed))[0] is Verdict.PASS
    assert verdict(world, Given(destructions=signed[:2]))[0] is Verdict.PASS, "two of three: one share opens nothing"
    assert verdict(world, Given(destructions=signed[:1]))[0] is Verdict.CANNOT_CHECK
    assert verdict(world, Given())[0] is Verdict.CANNOT_CHECK
    other = world.custodians[0]._key.sign_digest(signed[1].to_sign(world.deployment))
    forged = (signed[0], signed[1].signed(other))
    assert verdict(world, Given(destructions=forged))[0] is Verdict.FAIL


def verdict(world: ChainWorld, given: Given) -> tuple[Verdict, str]:
    """Of the claim `erasure`, from the node and from a file."""
    asked = world.asked(question=Question(twin=world.twin), given=given)
    bundle, claims = export(asked, world.source(), world.store)
    assert from_file(bundle)[:-1] == claims
    (claim,) = [each for each in claims if each.name == "erasure"]
    return claim.verdict, claim.evidence
