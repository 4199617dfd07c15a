"""Moving a twin: what both sign, what is handed over, and what the new owner begins with."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Acceptance, Client, Handover
from dtledger.crypto.seal import SealKey
from dtledger.errors import AccessDeniedError, DtledgerError, InputError, IntegrityError
from dtledger.keys import TwinSecrets
from dtledger.ledger import calls
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import glucose


@pytest.fixture
def heir(dtledger_world: World) -> Client:
    return dtledger_world.client(MemoryKey("heir"))


def custodians(world: World) -> list[Any]:
    return [each.address for each in world.custodians]


def moved(world: World, heir: Client) -> Handover:
    """The twin is the heir's; its secrets are on their way."""
    acceptance = world.patient.twins.check_move(heir.twins.accept_move(world.twin))
    handover = world.patient.twins.hand_over(world.twin, acceptance.to, acceptance.key)
    world.patient.twins.move(acceptance)
    return handover


def own(world: World, client: Client) -> int:
    return len(client.read(world.twin, "glucose", "PATRQT"))


def test_with_the_secrets_the_new_owner_reads_all_and_writes_the_next_generation(
    dtledger_world: World, heir: Client
) -> None:
    world = dtledger_world
    assert heir.twins.take_over(moved(world, heir), custodians(world), 2) is not None
    assert own(world, heir) == len(world.readings)
    assert heir.twins.generation(world.twin) == 1
    heir.writer.put(world.twin, "glucose", glucose(world.clock.at - 7200, 3))
    assert own(world, heir) >= len(world.readings)
    generations = [
        each.found.manifest.generation for group in heir.snapshots.list(world.twin, "glucose") for each in group
    ]
    assert generations[-1] == 1


def test_nothing_that_was_granted_before_holds_after(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    heir.twins.take_over(moved(world, heir), custodians(world), 2)
    for who in (world.clinician, world.patient):
        with pytest.raises(AccessDeniedError):
            who.read(world.twin, "glucose", "TREAT")
    assert heir.consents.records(world.twin) == []


def test_without_the_secrets_the_new_owner_begins_with_its_own(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    moved(world, heir)
    assert heir.twins.without_card() == [world.twin]
    heir.twins.set_up(world.twin, custodians(world), 2)
    assert own(world, heir) == 0
    heir.writer.put(world.twin, "glucose", glucose(world.clock.at - 7200, 3))
    assert own(world, heir) == 3


def test_what_was_cut_short_goes_on_and_keeps_one_generation(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    handover = moved(world, heir)
    assert heir.twins.take_over(handover, custodians(world), 2) is not None
    held = heir.context.key.secrets
    assert heir.twins.take_over(handover, custodians(world), 2) is None, "the card stands"
    assert heir.context.key.secrets == held


def test_secrets_are_handed_over_after_the_move_too(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    moved(world, heir)
    late = world.patient.twins.hand_over(world.twin, heir.address, heir.context.key.seal_key.public)
    assert heir.twins.take_over(late, custodians(world), 2) is not None
    assert own(world, heir) == len(world.readings)


def test_a_twin_never_goes_back_to_a_former_owner(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    old = heir.twins.accept_move(world.twin)
    moved(world, heir)
    with pytest.raises(InputError, match="cannot go back to its former owner"):
        world.patient.twins.accept_move(world.twin)
    forced = _signed(world, world.patient, replace(old, to=world.patient.address, counter=old.counter + 1))
    with pytest.raises(InputError, match="cannot go back to its former owner"):
        heir.twins.check_move(forced)
    other = world.client(MemoryKey("other"))
    heir.twins.move(other.twins.accept_move(world.twin))
    assert world.ledger.view().owner(world.twin) == other.address
    assert world.ledger.view().was_owner(world.twin, heir.address)
    assert not world.ledger.view().was_owner(world.twin, other.address)


def _signed(world: World, who: Client, acceptance: Acceptance) -> Acceptance:
    """An acceptance with these fields, which `who` signs."""
    key, deployment = who.context.key, world.ledger.deployment
    named = Acceptance.names_key(deployment, acceptance.twin, acceptance.to, acceptance.key)
    signature = key.sign_digest(acceptance.move(deployment))
    return replace(acceptance, signature=signature, key_signature=key.sign_digest(named))


Change = Callable[[World, Client, Acceptance], Acceptance]

WRONG: dict[str, tuple[Change, type[DtledgerError]]] = {
    "another recipient": (lambda world, _, it: replace(it, to=world.clinician.address), IntegrityError),
    "another key to seal to": (lambda _, __, it: replace(it, key=SealKey.generate().public), IntegrityError),
    "signed by somebody else": (lambda world, _, it: _signed(world, world.clinician, it), IntegrityError),
    "a key that is none": (lambda world, heir, it: _signed(world, heir, replace(it, key=bytes(9))), IntegrityError),
    "another twin": (lambda _, __, it: replace(it, twin=it.twin + 1), AccessDeniedError),
    "a counter of before": (
        lambda world, heir, it: _signed(world, heir, replace(it, counter=it.counter + 1)),
        InputError,
    ),
    "another counter": (lambda _, __, it: replace(it, counter=it.counter + 1), IntegrityError),
    "too old": (lambda world, heir, it: _signed(world, heir, replace(it, deadline=world.clock.at - 1)), InputError),
}


@pytest.mark.parametrize("change", WRONG)
def test_an_acceptance_that_its_recipient_did_not_sign_or_that_is_old_moves_nothing(
    change: str, dtledger_world: World, heir: Client
) -> None:
    world = dtledger_world
    good = heir.twins.accept_move(world.twin)
    spoil, error = WRONG[change]
    with pytest.raises(error):
        world.patient.twins.move(spoil(world, heir, good))
    assert world.ledger.view().owner(world.twin) == world.patient.address
    world.patient.twins.move(good)
    assert world.ledger.view().owner(world.twin) == heir.address


def test_nobody_but_the_owner_moves_a_twin(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    good = heir.twins.accept_move(world.twin)
    with pytest.raises(AccessDeniedError):
        world.clinician.twins.move(good)
    world.patient.twins.move(good)


def test_an_owner_needs_no_twin_of_its_own_and_a_retired_one_does_not_move(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    with pytest.raises(InputError, match="already"):
        world.patient.twins.accept_move(world.twin)
    with pytest.raises(InputError, match="no twin"):
        heir.twins.accept_move(world.twin + 1)
    good = heir.twins.accept_move(world.twin)
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)
    for attempt in (lambda: heir.twins.accept_move(world.twin), lambda: world.patient.twins.move(good)):
        with pytest.raises(InputError, match="retired"):
            attempt()
    world.ledger.send(calls.cancel_retirement(world.twin), world.patient.context.key)
    world.patient.twins.move(heir.twins.accept_move(world.twin))


# the hand-over ---------------------------------------------------------------------------------------------------


def forged(world: World, by: Client, heir: Client, held: TwinSecrets, owner: Any = None) -> Handover:
    """A hand-over that `by` made, in the name of `owner`."""
    deployment, key = world.ledger.deployment, heir.context.key.seal_key.public
    unsigned = Handover.of(deployment, world.twin, owner or by.address, heir.address, key, held)
    return unsigned.signed(by.context.key.sign_digest(unsigned.to_sign(deployment)))


def test_nobody_else_slips_secrets_under_a_new_owner(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    good = moved(world, heir)
    others = TwinSecrets.draw()
    held = world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin)
    known = replace(held, generations={0: secrets.token_bytes(32)})
    for bad in (
        forged(world, world.clinician, heir, others),
        forged(world, world.clinician, heir, others, world.patient.address),
        forged(world, world.clinician, heir, known, world.patient.address),
        forged(world, world.patient, heir, others),
        replace(good, sealed=good.sealed[:-1] + bytes([good.sealed[-1] ^ 1])),
    ):
        with pytest.raises(IntegrityError) as caught:
            heir.twins.take_over(bad, custodians(world), 2)
        assert caught.value.party == bad.owner
    assert not heir.context.key.secrets.has_twin(world.ledger.deployment.id, world.twin)
    assert heir.twins.take_over(good, custodians(world), 2) is not None


def test_a_hand_over_opens_for_its_recipient_alone(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    good = moved(world, heir)
    deployment = world.ledger.deployment
    with pytest.raises(AccessDeniedError):
        world.clinician.twins.take_over(good, custodians(world), 2)
    with pytest.raises(AccessDeniedError):
        heir.twins.take_over(replace(good, to=world.clinician.address), custodians(world), 2)
    with pytest.raises(IntegrityError):
        good.open(deployment, world.clinician.context.key.seal_key)
    assert good.open(deployment, heir.context.key.seal_key).bits.root
    assert heir.twins.take_over(good, custodians(world), 2) is not None


def test_secrets_of_ones_own_are_not_thrown_away(dtledger_world: World, heir: Client) -> None:
    world = dtledger_world
    good = moved(world, heir)
    heir.twins.set_up(world.twin, custodians(world), 2)
    held = heir.context.key.secrets
    with pytest.raises(InputError, match="secrets of its own"):
        heir.twins.take_over(good, custodians(world), 2)
    assert heir.context.key.secrets == held
