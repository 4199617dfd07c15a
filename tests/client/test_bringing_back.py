"""A patient who lost everything: guardians and custodians bring the twin to a new key, with all that was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dtledger.client import BroughtBack, Client, Guardian, GuardianAct, GuardianKeys, ItemKind
from dtledger.client.guardians import DEFAULT_DELAY
from dtledger.crypto.seal import SealKey
from dtledger.errors import AccessDeniedError, CannotCheckError, InputError, IntegrityError, UnreachableError
from dtledger.ledger.guardians import Guardians
from dtledger.ledger.rejections.guardians import FrozenError, MoveBindingError, MoveNotReadyError
from dtledger.testing import Fault, MemoryKey, World
from dtledger.testing.world import DAY, glucose
from dtledger.types import ZERO_DIGEST

pytestmark = pytest.mark.slow


@dataclass
class Circle:
    """A patient who entrusted her twin to two of three friends, and her new key."""

    world: World
    friends: tuple[Client, ...]
    new: Client
    chosen: Guardians

    @property
    def twin(self) -> int:
        return self.world.twin

    @property
    def owner(self) -> Client:
        return self.world.patient

    def keys(self, count: int = 3, needed: int = 2) -> GuardianKeys:
        people = [each.context.key for each in self.friends[:count]]
        return GuardianKeys(needed, tuple(Guardian(each.address, each.seal_key.public) for each in people))

    def begun(self) -> GuardianAct:
        """By the new key, which names what shares are sealed to."""
        return self.new.guardians.sign(
            self.new.guardians.begin("AnnounceMove", self.twin, self.chosen, self.new.address)
        )

    def announced(self, *friends: Client, wait: bool = True) -> GuardianAct:
        """Each acts once; the last one sends it, and the delay passes."""
        act = self.begun()
        for each in friends or self.friends[:2]:
            act = each.guardians.give(each.guardians.sign(act))
        self.friends[0].guardians.send(act)
        if wait:
            self.world.clock.advance(DEFAULT_DELAY)
        return act

    def bring_back(self, act: GuardianAct) -> BroughtBack:
        return self.new.guardians.bring_back(self.twin, act.shares, [each.address for each in self.world.custodians], 2)

    def read(self) -> int:
        return len(self.new.read(self.twin, "glucose", "PATRQT"))


@pytest.fixture
def circle(dtledger_world: World) -> Circle:
    world = dtledger_world
    friends = tuple(world.client(MemoryKey(name)) for name in ("bea", "cem", "dot"))
    circle = Circle(world, friends, world.client(MemoryKey("ann's new key")), Guardians(1, (), bytes(32)))
    circle.chosen, receipts = world.patient.guardians.entrust(world.twin, circle.keys())
    assert len(receipts) == 2
    return circle


class TestEntrusting:
    def test_is_one_thing_the_ledger_s_guardians_and_the_package_s_are_the_same(self, circle: Circle) -> None:
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert (state.guardians, state.behind) == ((2, 3), ())
        assert circle.owner.guardians.chosen(circle.twin) == circle.chosen
        assert circle.owner.guardians.entrust(circle.twin, circle.keys()) == (circle.chosen, ())

    def test_other_guardians_another_number_and_another_delay_are_chosen_anew(self, circle: Circle) -> None:
        for keys, delay, sent in (
            (circle.keys(3, 3), DEFAULT_DELAY, 2),
            (circle.keys(2, 2), DEFAULT_DELAY, 2),
            (circle.keys(2, 2), 2 * DAY, 1),
        ):
            chosen, receipts = circle.owner.guardians.entrust(circle.twin, keys, delay)
            assert len(receipts) == sent
            assert (chosen.needed, set(chosen.addresses)) == (keys.needed, {each.address for each in keys.people})
            state = circle.owner.twins.recovery(circle.twin)
            assert state is not None
            assert (state.guardians, state.behind) == ((keys.needed, len(keys.people)), ())

    @pytest.mark.parametrize("landing", [0, 1])
    def test_cut_off_anywhere_it_says_so_and_goes_on(
        self, circle: Circle, landing: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send, left = circle.world.ledger.send, [landing]

        def cut(*given: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise UnreachableError("the power is gone (by order of the test)")
            return send(*given)

        with monkeypatch.context() as patched:
            patched.setattr(circle.world.ledger, "send", cut)
            with pytest.raises(UnreachableError):
                circle.owner.guardians.entrust(circle.twin, circle.keys(2, 1))
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert state.behind == ("the guardians have changed",)
        _, receipts = circle.owner.guardians.entrust(circle.twin, circle.keys(2, 1))
        assert len(receipts) == 2 - landing
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert (state.guardians, state.behind) == ((1, 2), ())

    def test_guardians_chosen_without_a_package_leave_the_one_before_behind(self, circle: Circle) -> None:
        def told() -> bool:
            return ItemKind.RECOVERY in [each.kind for each in circle.owner.inbox.look(circle.twin)]

        assert not told()
        circle.owner.guardians.choose(circle.twin, 1, [circle.friends[0].address])
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert state.behind == ("the guardians have changed",)
        assert told()

    def test_that_the_ledger_refuses_changes_nothing(self, circle: Circle) -> None:
        act = circle.friends[0].guardians.begin("Freeze", circle.twin, circle.chosen)
        for each in circle.friends[:2]:
            act = each.guardians.sign(act)
        circle.world.operator.guardians.send(act)
        with pytest.raises(FrozenError):
            circle.owner.guardians.entrust(circle.twin, circle.keys(2, 1))
        with pytest.raises(InputError):
            circle.owner.guardians.entrust(circle.twin, circle.keys(2, 1), delay=DAY)
        assert circle.owner.twins.guardian_keys(circle.twin) == circle.keys()
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert state.behind == ()

    def test_a_twin_without_a_card_has_nothing_to_entrust(self, circle: Circle) -> None:
        world = circle.world
        twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
        with pytest.raises(InputError, match="no card yet"):
            world.patient.guardians.entrust(twin, circle.keys())
        assert world.patient.context.view().state(twin).guardians == ZERO_DIGEST
        world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
        assert len(world.patient.guardians.entrust(twin, circle.keys())[1]) == 2

    def test_is_the_owners(self, circle: Circle) -> None:
        with pytest.raises(AccessDeniedError):
            circle.friends[0].guardians.entrust(circle.twin, circle.keys())
        with pytest.raises(AccessDeniedError):
            circle.friends[0].twins.drop_recovery(circle.twin)

    def test_dismissed_guardians_have_no_package_and_a_rekey_makes_none(self, circle: Circle) -> None:
        act = circle.begun()
        circle.owner.guardians.dismiss(circle.twin)
        assert circle.owner.twins.recovery(circle.twin) is None
        circle.owner.twins.rekey(circle.twin)
        assert circle.owner.twins.recovery(circle.twin) is None
        with pytest.raises(CannotCheckError, match="no recovery package"):
            circle.friends[0].guardians.give(act)

    @pytest.mark.parametrize("change", ["rekey", "reshare"])
    def test_a_rekey_and_a_re_share_make_the_package_anew_for_them(self, circle: Circle, change: str) -> None:
        world = circle.world
        if change == "rekey":
            circle.owner.twins.rekey(circle.twin)
            world.gateway.writer.put(circle.twin, "glucose", glucose(world.clock.at - 3600, 3))
        else:
            circle.owner.resharing.reshare(circle.twin, [each.address for each in world.custodians[:2]], 1)
        state = circle.owner.twins.recovery(circle.twin)
        assert state is not None
        assert (state.version, state.behind) == (2, ())
        count = len(circle.owner.read(circle.twin, "glucose", "PATRQT"))
        circle.bring_back(circle.announced())
        assert circle.read() == count


class TestALoss:
    def test_of_everything_is_mended_by_two_friends_who_act_once_and_the_custodians(self, circle: Circle) -> None:
        world = circle.world
        act = circle.announced()
        assert set(act.givers) == {each.address for each in circle.friends[:2]}
        done = circle.bring_back(act)
        assert done.move is not None
        assert done.card is not None
        assert done.recovered is not None
        assert (done.recovered.generation, done.recovered.faults) == (1, {})
        assert circle.read() == len(world.readings)
        with pytest.raises(AccessDeniedError):
            world.clinician.read(circle.twin, "glucose", "TREAT")
        circle.new.writer.put(circle.twin, "glucose", glucose(world.clock.at - 7200, 3))
        assert circle.read() == len(world.readings) + 3
        asked = [len(each.log.of_twin(circle.twin)) for each in world.custodians]
        assert circle.bring_back(act) == BroughtBack(done.recovered, None, None), "again it changes nothing"
        assert [len(each.log.of_twin(circle.twin)) for each in world.custodians] == asked, "and asks nobody"
        circle.new.guardians.entrust(circle.twin, circle.keys())

    def test_the_former_key_reads_nothing_from_then_on(self, circle: Circle) -> None:
        circle.bring_back(circle.announced())
        with pytest.raises(AccessDeniedError):
            circle.owner.read(circle.twin, "glucose", "PATRQT")
        assert circle.read()

    def test_waits_out_the_delay(self, circle: Circle) -> None:
        act = circle.announced(wait=False)
        with pytest.raises(MoveNotReadyError):
            circle.bring_back(act)
        circle.world.clock.advance(DEFAULT_DELAY)
        assert circle.bring_back(act).recovered

    def test_a_friend_who_comes_later_adds_a_share_by_the_same_file(self, circle: Circle) -> None:
        one, two, three = circle.friends
        act = circle.begun()
        for each in (one, two):
            act = each.guardians.sign(act)
        one.guardians.send(act)
        assert circle.new.guardians.is_announced(act)
        circle.world.clock.advance(DEFAULT_DELAY)
        with pytest.raises(CannotCheckError, match="2 guardians are needed"):
            circle.bring_back(act)
        assert circle.new.context.view().owner(circle.twin) == circle.new.address, "it is hers all the same"
        for each in (three, one):
            act = each.guardians.give(act)
            assert each.guardians.give(act) == act, "again is the same"
        done = circle.bring_back(act)
        assert done.move is None
        assert circle.read() == len(circle.world.readings)

    def test_who_signs_before_the_new_key_did_has_nothing_to_seal_to_yet(self, circle: Circle) -> None:
        one = circle.friends[0]
        act = one.guardians.begin("AnnounceMove", circle.twin, circle.chosen, circle.new.address)
        act = one.guardians.give(one.guardians.sign(act))
        assert (len(act.signatures), act.shares) == (1, ())
        act = circle.new.guardians.sign(act)
        assert one.guardians.give(act).givers == (one.address,)
        assert not circle.new.guardians.is_announced(act)

    def test_a_move_is_announced_anew_to_the_same_key_and_signed_anew(self, circle: Circle) -> None:
        former = circle.announced(wait=False)
        again = circle.begun()
        assert circle.new.guardians.is_announced(former)
        assert not circle.new.guardians.is_announced(again)

    def test_an_owner_that_never_moved_is_not_taken_for_a_new_one(self, circle: Circle) -> None:
        """Who stole the owner's key would have its guardians' shares without a move that anybody saw."""
        owner = circle.owner.guardians
        act = owner.sign(owner.begin("AnnounceMove", circle.twin, circle.chosen, circle.owner.address))
        owner.choose(circle.twin, 2, circle.chosen.addresses)
        assert not circle.friends[0].guardians.is_announced(act)
        with pytest.raises(InputError):
            circle.friends[0].guardians.sign(act)
        circle.chosen = owner.entrust(circle.twin, circle.keys())[0]
        assert circle.friends[0].guardians.is_announced(circle.announced())

    def test_a_key_that_the_new_one_did_not_sign_is_given_nothing(self, circle: Circle) -> None:
        act = circle.begun()
        false = replace(act, key=SealKey.generate().public)
        for look in (circle.friends[0].guardians.sign, circle.friends[0].guardians.give):
            with pytest.raises(IntegrityError) as caught:
                look(false)
            assert caught.value.party == circle.new.address
        assert circle.friends[0].guardians.give(act).shares

    def test_strangers_give_nothing(self, circle: Circle) -> None:
        act = circle.begun()
        assert circle.world.clinician.guardians.give(act) == act
        assert circle.friends[0].guardians.give(act) != act

    def test_one_friend_never_and_custodians_are_not_even_asked(self, circle: Circle) -> None:
        act = circle.announced()
        few = replace(act, shares=act.shares[:1])
        before = [len(each.log.of_twin(circle.twin)) for each in circle.world.custodians]
        with pytest.raises(CannotCheckError, match="2 guardians are needed"):
            circle.bring_back(few)
        assert [len(each.log.of_twin(circle.twin)) for each in circle.world.custodians] == before
        assert circle.new.twins.without_card() == [circle.twin], "and no new secrets in their place"
        assert circle.bring_back(act).recovered

    def test_one_custodian_never_and_those_who_did_not_answer_are_named(self, circle: Circle) -> None:
        act = circle.announced()
        one, two, _ = circle.world.custodians
        one.fault = two.fault = Fault.DEAD
        with pytest.raises(CannotCheckError, match="2 custodians are needed") as caught:
            circle.bring_back(act)
        assert set(caught.value.evidence["faults"]) == {one.address, two.address}
        assert circle.new.twins.without_card() == [circle.twin]
        one.fault = two.fault = None
        assert circle.bring_back(act).recovered
        assert circle.read() == len(circle.world.readings)

    def test_a_custodian_that_stays_away_is_left_out_of_the_new_roster(self, circle: Circle) -> None:
        act = circle.announced()
        away, *there = circle.world.custodians
        away.fault = Fault.DEAD
        with pytest.raises(UnreachableError):
            circle.bring_back(act)
        asked = [len(each.log.of_twin(circle.twin)) for each in there]
        done = circle.new.guardians.bring_back(circle.twin, act.shares, [each.address for each in there], 2)
        assert done.card is not None
        assert [len(each.log.of_twin(circle.twin)) for each in there] == asked, "the secrets are kept already"
        assert circle.read() == len(circle.world.readings)

    def test_a_friend_who_changed_its_key_gives_what_was_sealed_to_the_former_one(self, circle: Circle) -> None:
        key = circle.friends[0].context.key
        key.update(lambda held: held.with_seal_key(SealKey.generate()))
        assert circle.bring_back(circle.announced()).recovered
        again = circle.new.guardians.entrust(circle.twin, circle.keys())[1]
        assert len(again) == 2

    def test_a_friend_s_wrong_share_is_named_and_the_others_are_enough(self, circle: Circle) -> None:
        act = circle.announced(*circle.friends)
        deployment, liar = circle.world.ledger.deployment, circle.friends[0]
        true = next(each for each in act.shares if each.guardian == liar.address)
        false = true.of(deployment, act.key, bytes(32))
        false = replace(false, signature=liar.context.key.sign_digest(false.to_sign(deployment)))
        rest = [each for each in act.shares if each is not true]
        with pytest.raises(CannotCheckError) as caught:
            circle.bring_back(replace(act, shares=(false, rest[0])))
        assert set(caught.value.evidence["faults"]) == {liar.address}
        done = circle.bring_back(replace(act, shares=(false, *rest)))
        assert done.recovered is not None
        assert list(done.recovered.faults) == [liar.address]

    def test_shares_for_a_vetoed_move_open_nothing(self, circle: Circle) -> None:
        act = circle.announced(*circle.friends, wait=False)
        circle.owner.guardians.veto(circle.twin)
        with pytest.raises(InputError, match="no move"):
            circle.bring_back(act)
        with pytest.raises(AccessDeniedError):
            circle.new.twins.recover(circle.twin, act.shares)
        assert circle.bring_back(circle.announced()).recovered

    def test_the_twin_is_brought_to_nobody_else(self, circle: Circle) -> None:
        act = circle.announced()
        with pytest.raises(InputError, match="no move"):
            circle.friends[0].guardians.bring_back(circle.twin, act.shares, [], 1)
        assert circle.new.context.view().owner(circle.twin) == circle.owner.address
        assert circle.bring_back(act).move

    def test_without_shares_it_begins_with_new_secrets_only_if_that_is_said(self, circle: Circle) -> None:
        circle.announced()
        circle.new.guardians.complete(circle.twin)
        assert circle.new.twins.is_recoverable(circle.twin)
        custodians = [each.address for each in circle.world.custodians]
        done = circle.new.guardians.bring_back(circle.twin, None, custodians, 2)
        assert (done.recovered, done.move) == (None, None)
        assert circle.read() == 0
        assert not circle.new.twins.is_recoverable(circle.twin)

    def test_a_frozen_twin_comes_back_against_a_thief_who_has_the_former_key(self, circle: Circle) -> None:
        world = circle.world
        freeze = circle.friends[0].guardians.begin("Freeze", circle.twin, circle.chosen)
        for each in circle.friends[:2]:
            freeze = each.guardians.sign(freeze)
        world.operator.guardians.send(freeze)
        for theft in (
            lambda: circle.owner.guardians.entrust(circle.twin, circle.keys(1, 1)),
            lambda: circle.owner.twins.renew_recovery(circle.twin),
            lambda: circle.owner.twins.drop_recovery(circle.twin),
        ):
            with pytest.raises(FrozenError):
                theft()
        act = circle.announced(*circle.friends)
        with pytest.raises(MoveBindingError):
            circle.owner.guardians.veto(circle.twin)
        assert circle.bring_back(act).recovered
        assert circle.read() == len(world.readings)

    def test_again_after_the_next_loss(self, circle: Circle) -> None:
        circle.bring_back(circle.announced())
        world, chosen = circle.world, circle.new.guardians.entrust(circle.twin, circle.keys())[0]
        later = Circle(world, circle.friends, world.client(MemoryKey("ann's third key")), chosen)
        done = later.bring_back(later.announced(*circle.friends[1:]))
        assert done.recovered is not None
        assert done.recovered.generation == 2
        assert later.read() == len(world.readings)


STEPS: dict[str, Callable[[Circle], tuple[Any, str]]] = {
    "before the move": lambda circle: (circle.world.ledger, "send"),
    "before the secrets are kept": lambda circle: (MemoryKey, "update"),
    "before the card's blocks": lambda circle: (circle.world.store, "put"),
}


@pytest.mark.parametrize("landing", [0, 1])
@pytest.mark.parametrize("step", STEPS)
def test_cut_off_anywhere_it_goes_on(circle: Circle, step: str, landing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    act = circle.announced()
    target, name = STEPS[step](circle)
    work, left = getattr(target, name), [landing]

    def cut(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise UnreachableError("the power is gone (by order of the test)")
        return work(*given)

    with monkeypatch.context() as patched:
        patched.setattr(target, name, cut)
        with pytest.raises(UnreachableError):
            circle.bring_back(act)
    done = circle.bring_back(act)
    assert done.recovered is not None
    assert done.recovered.generation == 1, "one generation, however often it was begun"
    assert len([each for each in circle.new.context.view().cards(circle.twin) if each.owner == circle.new.address]) == 1
    assert circle.read() == len(circle.world.readings)
