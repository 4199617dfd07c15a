"""Guardians: chosen by the owner, signing one after another, and a twin that comes to a new key with their help."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from dtledger.client import Client, GuardianAct
from dtledger.client.guardians import DEFAULT_DELAY
from dtledger.errors import AccessDeniedError, InputError, IntegrityError, KeyFileError
from dtledger.ledger import calls
from dtledger.ledger.guardians import Guardians, GuardianSignature
from dtledger.ledger.rejections.guardians import (
    FrozenBeforeError,
    FrozenError,
    MoveBindingError,
    MoveNotReadyError,
    TooFewGuardiansError,
)
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import DAY
from dtledger.vocabulary import Reason


@dataclass(frozen=True)
class Circle:
    """A patient who chose two of three friends."""

    world: World
    friends: tuple[Client, ...]
    chosen: Guardians

    @property
    def owner(self) -> Client:
        return self.world.patient

    def begin(self, kind: str, to: Client | None = None) -> GuardianAct:
        address = to.address if to else None
        return self.friends[0].guardians.begin(kind, self.world.twin, self.chosen, address)  # type: ignore[arg-type]

    def signed(self, kind: str, *signers: Client, to: Client | None = None) -> GuardianAct:
        act = self.begin(kind, to)
        for each in (*signers, *([to] if to else [])):
            act = each.guardians.sign(act)
        return act

    def newcomer(self) -> Client:
        """The patient with a new key."""
        return self.world.client(MemoryKey("the patient's new key"))


@pytest.fixture
def circle(dtledger_world: World) -> Circle:
    world = dtledger_world
    friends = tuple(world.client(MemoryKey(name)) for name in ("bea", "cem", "dot"))
    chosen, _ = world.patient.guardians.choose(world.twin, 2, [each.address for each in friends])
    return Circle(world, friends, chosen)


class TestChoosing:
    def test_shows_the_ledger_a_digest_alone_and_keeps_what_it_opens_to(self, circle: Circle) -> None:
        state = circle.owner.context.view().state(circle.world.twin)
        assert (state.guardians, state.recovery_delay) == (circle.chosen.digest, DEFAULT_DELAY)
        assert circle.owner.guardians.chosen(circle.world.twin) == circle.chosen
        with pytest.raises(KeyFileError):
            circle.friends[0].guardians.chosen(circle.world.twin)

    def test_again_draws_another_salt_and_the_newest_counts(self, circle: Circle) -> None:
        again, _ = circle.owner.guardians.choose(circle.world.twin, 2, circle.chosen.addresses, 2 * DAY)
        assert again.addresses == circle.chosen.addresses
        assert again.salt != circle.chosen.salt
        assert circle.owner.guardians.chosen(circle.world.twin) == again
        with pytest.raises(InputError, match="not the guardians"):
            circle.begin("Freeze")
        replace(circle, chosen=again).begin("Freeze")

    def test_nobody_leaves_none(self, circle: Circle) -> None:
        circle.owner.guardians.dismiss(circle.world.twin)
        assert circle.owner.guardians.chosen(circle.world.twin) is None

    def test_is_the_owners(self, circle: Circle) -> None:
        for forbidden in (
            lambda: circle.friends[0].guardians.choose(circle.world.twin, 1, [circle.owner.address]),
            lambda: circle.friends[0].guardians.dismiss(circle.world.twin),
            lambda: circle.friends[0].guardians.veto(circle.world.twin),
        ):
            with pytest.raises(AccessDeniedError):
                forbidden()

    @pytest.mark.parametrize(("needed", "twice", "delay"), [(0, 1, 7), (3, 1, 7), (1, 2, 7), (1, 1, 1), (1, 1, 31)])
    def test_refuses_what_could_never_act(self, circle: Circle, needed: int, twice: int, delay: int) -> None:
        two = [each.address for each in circle.friends[:2]]
        with pytest.raises(InputError):
            circle.owner.guardians.choose(circle.world.twin, needed, two * twice, delay * DAY)
        circle.owner.guardians.choose(circle.world.twin, 1, two, 30 * DAY)


class TestSigning:
    def test_goes_from_one_to_the_next_in_any_order(self, circle: Circle) -> None:
        one, two, three = circle.friends
        act = one.guardians.sign(circle.begin("Freeze"))
        assert not act.is_enough
        act = three.guardians.sign(act)
        assert act.is_enough
        assert not act.is_signed_by_all
        assert three.guardians.sign(act).signatures == act.signatures, "again is the same"
        assert two.guardians.sign(act).is_signed_by_all
        circle.world.operator.guardians.send(act)

    def test_is_the_guardians(self, circle: Circle) -> None:
        with pytest.raises(InputError, match="no guardian"):
            circle.world.clinician.guardians.sign(circle.begin("Freeze"))
        circle.friends[0].guardians.sign(circle.begin("Freeze"))

    def test_what_somebody_else_signed_is_found(self, circle: Circle) -> None:
        act = circle.signed("Freeze", *circle.friends[:2])
        liar = replace(
            act, signatures=(act.signatures[0], GuardianSignature(act.signers[1], act.signatures[0].signature))
        )
        for look in (circle.friends[2].guardians.sign, circle.friends[2].guardians.send):
            with pytest.raises(IntegrityError) as caught:
                look(liar)
            assert caught.value.party == act.signers[1]
        circle.friends[2].guardians.send(act)

    def test_ends_with_its_time_and_with_any_change(self, circle: Circle) -> None:
        act = circle.signed("Freeze", circle.friends[0])
        circle.world.clock.advance(3 * DAY)
        with pytest.raises(InputError, match="Begin"):
            circle.friends[1].guardians.sign(act)
        act = circle.signed("Freeze", *circle.friends[:2])
        circle.world.operator.guardians.send(act)
        with pytest.raises(InputError, match="changed"):
            circle.world.operator.guardians.send(act)

    def test_of_too_few_is_refused_by_the_ledger(self, circle: Circle) -> None:
        with pytest.raises(TooFewGuardiansError):
            circle.friends[0].guardians.send(circle.signed("Freeze", circle.friends[0]))

    def test_a_move_leads_somewhere_and_nothing_else_does(self, circle: Circle) -> None:
        with pytest.raises(InputError):
            circle.begin("AnnounceMove")
        with pytest.raises(InputError):
            circle.begin("Freeze", circle.newcomer())
        act = circle.signed("AnnounceMove", *circle.friends[:2], to=circle.newcomer())
        assert act.is_enough
        assert not replace(act, recipient=b"").is_enough


class TestAFrozenTwin:
    def test_is_read_by_nobody_until_they_end_it(self, circle: Circle) -> None:
        world = circle.world
        world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        for who, purpose in ((world.clinician, "TREAT"), (world.patient, "PATRQT")):
            with pytest.raises(AccessDeniedError) as caught:
                who.read(world.twin, "glucose", purpose)
            assert caught.value.reason is Reason.FROZEN
            assert "dtledger twin unfreeze" in caught.value.hint
        world.operator.guardians.send(circle.signed("Unfreeze", *circle.friends[1:]))
        assert world.clinician.read(world.twin, "glucose", "TREAT")

    def test_begins_no_generation_until_they_end_it(self, circle: Circle) -> None:
        twins, twin = circle.owner.twins, circle.world.twin
        circle.world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        with pytest.raises(FrozenError, match=r"until \d{4}-\d\d-\d\d \d\d:\d\d"):
            twins.rekey(twin)
        assert (twins.generation(twin), twins.is_rekeying(twin)) == (0, False)
        circle.world.operator.guardians.send(circle.signed("Unfreeze", *circle.friends[1:]))
        assert twins.rekey(twin).generation == 1

    def test_thaws_by_itself(self, circle: Circle) -> None:
        world = circle.world
        world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        world.clock.advance(30 * DAY)
        world.ledger.mine()
        assert world.patient.read(world.twin, "glucose", "PATRQT")
        with pytest.raises(FrozenBeforeError):
            world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        world.operator.guardians.send(circle.signed("Freeze", *circle.friends))

    def test_is_written_by_nobody(self, circle: Circle) -> None:
        world = circle.world
        world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        decision = world.gateway.explain(world.twin, "glucose", None, action="WRITE")
        assert decision.reason is Reason.FROZEN


class TestARecovery:
    def test_brings_the_twin_to_a_new_key_that_begins_afresh(self, circle: Circle) -> None:
        world, new = circle.world, circle.newcomer()
        world.operator.guardians.send(circle.signed("AnnounceMove", *circle.friends[:2], to=new))
        with pytest.raises(MoveNotReadyError):
            new.guardians.complete(world.twin)
        world.clock.advance(DEFAULT_DELAY)
        new.guardians.complete(world.twin)
        assert new.twins.without_card() == [world.twin]
        assert new.guardians.chosen(world.twin) is None
        new.twins.set_up(world.twin, [each.address for each in world.custodians], 2)
        with pytest.raises(AccessDeniedError):
            world.clinician.read(world.twin, "glucose", "TREAT")

    def test_is_vetoed_by_an_owner_who_has_the_key(self, circle: Circle) -> None:
        world = circle.world
        world.operator.guardians.send(circle.signed("AnnounceMove", *circle.friends[:2], to=circle.newcomer()))
        world.patient.guardians.veto(world.twin)
        assert world.patient.context.view().state(world.twin).move is None

    def test_by_all_on_a_frozen_twin_stands_against_a_thief(self, circle: Circle) -> None:
        world, new = circle.world, circle.newcomer()
        world.operator.guardians.send(circle.signed("Freeze", *circle.friends[:2]))
        world.operator.guardians.send(circle.signed("AnnounceMove", *circle.friends, to=new))
        with pytest.raises(MoveBindingError):
            world.patient.guardians.veto(world.twin)
        world.clock.advance(DEFAULT_DELAY)
        new.guardians.complete(world.twin)
        assert new.context.view().owner(world.twin) == new.address


def test_guardians_cancel_a_retirement(circle: Circle) -> None:
    world = circle.world
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)
    world.operator.guardians.send(circle.signed("RescueTwin", *circle.friends[:2]))
    assert not world.patient.context.view().retired(world.twin)
