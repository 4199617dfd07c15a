"""Recovering a twin's secrets: prepared by its owner, given by guardians and custodians, put together by who has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from dtledger.client import Acceptance, Client, Guardian, GuardianKeys, GuardianShare, card_check, make_card
from dtledger.crypto.seal import SealKey
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, CannotCheckError, InputError, IntegrityError, UnreachableError
from dtledger.ledger import calls
from dtledger.testing import Fault, MemoryKey, World
from dtledger.testing.world import glucose
from dtledger.types import ZERO_DIGEST


@dataclass
class Scene:
    """A world whose patient has three guardians, two of whom are needed, and somebody who shall have the twin."""

    world: World
    guardians: list[Client]
    heir: Client

    @property
    def twin(self) -> int:
        return self.world.twin

    def people(self, count: int = 3, needed: int = 2) -> GuardianKeys:
        chosen = (each.context.key for each in self.guardians[:count])
        return GuardianKeys(needed, tuple(Guardian(key.address, key.seal_key.public) for key in chosen))

    def move(self) -> Acceptance:
        """The twin is the heir's, as if guardians had moved it: nothing was handed over."""
        acceptance = self.heir.twins.accept_move(self.twin)
        self.world.patient.twins.move(acceptance)
        return acceptance

    def shares(self, acceptance: Acceptance, count: int = 3) -> list[GuardianShare]:
        return [each.twins.guardian_share(acceptance) for each in self.guardians[:count]]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with World(hours=2) as world:
        guardians = [world.client(MemoryKey(f"guardian-{number}")) for number in range(3)]
        scene = Scene(world, guardians, world.client(MemoryKey("heir")))
        world.patient.twins.set_recovery(world.twin, scene.people())
        yield scene


def test_m_guardians_and_the_custodians_bring_everything_back(scene: Scene) -> None:
    world = scene.world
    acceptance = scene.move()
    done = scene.heir.twins.recover(scene.twin, scene.shares(acceptance, 2))
    assert (done.generation, done.faults) == (1, {})
    scene.heir.twins.set_up(scene.twin, [each.address for each in world.custodians], 2)
    assert len(scene.heir.read(scene.twin, "glucose", "PATRQT")) == len(world.readings)
    scene.heir.writer.put(scene.twin, "glucose", glucose(world.clock.at - 7200, 3))
    assert scene.heir.twins.generation(scene.twin) == 1
    again = scene.heir.twins.recover(scene.twin, scene.shares(acceptance, 2))
    assert again.generation == 1, "again it changes nothing"


def test_one_guardian_too_few_asks_no_custodian(scene: Scene) -> None:
    acceptance = scene.move()
    before = [len(each.log.of_twin(scene.twin)) for each in scene.world.custodians]
    with pytest.raises(CannotCheckError, match="2 guardians are needed"):
        scene.heir.twins.recover(scene.twin, scene.shares(acceptance, 1))
    one = scene.shares(acceptance, 1)
    with pytest.raises(CannotCheckError, match="2 guardians are needed"):
        scene.heir.twins.recover(scene.twin, one * 2)
    assert [len(each.log.of_twin(scene.twin)) for each in scene.world.custodians] == before
    assert scene.heir.twins.recover(scene.twin, scene.shares(acceptance, 2))


def test_one_custodian_too_few_recovers_nothing_and_they_are_named(scene: Scene) -> None:
    acceptance = scene.move()
    one, two, _ = scene.world.custodians
    one.fault = two.fault = Fault.DEAD
    with pytest.raises(CannotCheckError, match="2 custodians are needed") as caught:
        scene.heir.twins.recover(scene.twin, scene.shares(acceptance))
    assert set(caught.value.evidence["faults"]) == {one.address, two.address}
    assert not scene.heir.context.key.secrets.has_twin(scene.world.ledger.deployment.id, scene.twin)
    two.fault = None
    done = scene.heir.twins.recover(scene.twin, scene.shares(acceptance))
    assert list(done.faults) == [one.address]


def test_a_custodian_that_gives_another_share_is_named_and_the_others_are_enough(scene: Scene) -> None:
    acceptance = scene.move()
    liar = scene.world.custodians[1]
    liar.fault = Fault.WRONG_SHARE
    done = scene.heir.twins.recover(scene.twin, scene.shares(acceptance))
    assert list(done.faults) == [liar.address]
    assert isinstance(done.faults[liar.address], IntegrityError)
    assert done.faults[liar.address].party == liar.address


def lie(scene: Scene, acceptance: Acceptance, guardian: Client, number: int) -> GuardianShare:
    """What that guardian signed, with another share in it."""
    deployment, key = scene.world.ledger.deployment, guardian.context.key
    true = guardian.twins.guardian_share(acceptance)
    false = replace(true, number=number).of(deployment, acceptance.key, bytes(32))
    return replace(false, signature=key.sign_digest(false.to_sign(deployment)))


def test_a_guardian_that_gives_another_share_is_named_and_the_others_are_enough(scene: Scene) -> None:
    acceptance = scene.move()
    good = scene.shares(acceptance)
    for number in (1, 2, 9):
        bad = lie(scene, acceptance, scene.guardians[0], number)
        done = scene.heir.twins.recover(scene.twin, [bad, *good[1:]])
        assert list(done.faults) == [scene.guardians[0].address]
        assert isinstance(done.faults[scene.guardians[0].address], IntegrityError)


def test_a_lie_does_not_stand_in_the_way_of_whose_number_it_takes(scene: Scene) -> None:
    acceptance = scene.move()
    good = scene.shares(acceptance)
    bad = lie(scene, acceptance, scene.guardians[0], 2)
    done = scene.heir.twins.recover(scene.twin, [*good[1:], bad])
    assert list(done.faults) == [scene.guardians[0].address]


def test_a_share_that_its_guardian_did_not_sign_counts_for_nothing(scene: Scene) -> None:
    acceptance = scene.move()
    one, two, three = scene.shares(acceptance)
    for bad in (
        replace(two, guardian=three.guardian),
        replace(two, sealed=three.sealed),
        replace(two, signature=three.signature),
        replace(two, to=scene.world.patient.address),
        replace(two, twin=two.twin + 1),
        replace(two, package=ZERO_DIGEST),
    ):
        with pytest.raises(CannotCheckError) as caught:
            scene.heir.twins.recover(scene.twin, [one, bad])
        assert set(caught.value.evidence["faults"]) == {bad.guardian}
    assert scene.heir.twins.recover(scene.twin, [one, two]).faults == {}


def test_a_guardian_gives_its_share_to_whom_the_recipient_s_own_signature_names(scene: Scene) -> None:
    acceptance = scene.move()
    for bad in (
        replace(acceptance, key=SealKey.generate().public),
        replace(acceptance, to=scene.world.clinician.address),
        replace(acceptance, key_signature=acceptance.signature),
    ):
        with pytest.raises(IntegrityError):
            scene.guardians[0].twins.guardian_share(bad)
    assert scene.guardians[0].twins.guardian_share(acceptance).to == scene.heir.address


def test_a_share_opens_for_its_recipient_alone(scene: Scene) -> None:
    deployment = scene.world.ledger.deployment
    share = scene.shares(scene.move(), 1)[0]
    with pytest.raises(IntegrityError):
        share.open(deployment, scene.world.clinician.context.key.secrets.seal_keys)
    assert len(share.open(deployment, scene.heir.context.key.secrets.seal_keys)) == 32


def test_who_is_no_guardian_has_no_share(scene: Scene) -> None:
    acceptance = scene.move()
    with pytest.raises(CannotCheckError, match="holds no share"):
        scene.world.clinician.twins.guardian_share(acceptance)


def test_nobody_but_the_new_owner_recovers(scene: Scene) -> None:
    acceptance = scene.heir.twins.accept_move(scene.twin)
    early = scene.shares(acceptance)
    with pytest.raises(AccessDeniedError, match="not owned"):
        scene.heir.twins.recover(scene.twin, early)
    scene.world.patient.twins.move(acceptance)
    with pytest.raises(AccessDeniedError, match="not owned"):
        scene.world.patient.twins.recover(scene.twin, early)
    assert scene.heir.twins.recover(scene.twin, early).faults == {}


def test_secrets_of_ones_own_are_kept(scene: Scene) -> None:
    acceptance = scene.move()
    scene.heir.twins.set_up(scene.twin, [each.address for each in scene.world.custodians], 2)
    with pytest.raises(InputError, match="secrets of its own"):
        scene.heir.twins.recover(scene.twin, scene.shares(acceptance))


def test_a_twin_without_a_package_says_so(scene: Scene) -> None:
    world = scene.world
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    assert world.patient.twins.recovery(twin) is None
    assert world.patient.twins.renew_recovery(twin) is None
    with pytest.raises(CannotCheckError, match="has no recovery package"):
        world.patient.twins.recover(twin, [])
    world.patient.twins.set_recovery(twin, scene.people())
    assert world.patient.twins.recovery(twin) is not None


# how it stands ---------------------------------------------------------------------------------------------------


def behind(scene: Scene) -> tuple[str, ...]:
    state = scene.world.patient.twins.recovery(scene.twin)
    assert state is not None
    return state.behind


def test_the_card_names_it_and_what_it_holds(scene: Scene) -> None:
    state = scene.world.patient.twins.recovery(scene.twin)
    assert state is not None
    assert (state.version, state.generation, state.guardians, state.custodians) == (1, 0, (2, 3), (2, 3))
    assert behind(scene) == ()
    seen = scene.world.clinician.twins.recovery(scene.twin)
    assert seen is not None
    assert seen.behind == ()


def test_a_rekey_makes_it_anew_with_the_new_generation(scene: Scene) -> None:
    world = scene.world
    assert world.patient.twins.rekey(scene.twin).generation == 1
    state = world.patient.twins.recovery(scene.twin)
    assert state is not None
    assert (state.version, state.generation, state.behind) == (2, 1, ())
    world.gateway.writer.put(scene.twin, "glucose", glucose(world.clock.at - 3600, 3))
    count = len(world.patient.read(scene.twin, "glucose", "PATRQT"))
    scene.heir.twins.recover(scene.twin, scene.shares(scene.move()))
    scene.heir.twins.set_up(scene.twin, [each.address for each in world.custodians], 2)
    assert len(scene.heir.read(scene.twin, "glucose", "PATRQT")) == count


def test_it_is_said_to_be_behind_until_it_is_made_anew(scene: Scene) -> None:
    world, twins = scene.world, scene.world.patient.twins
    twins.set_up(scene.twin, [each.address for each in world.custodians[:2]], 1)
    assert behind(scene) == ("the roster has changed",)
    deployment = world.ledger.deployment.id
    world.patient.context.key.update(lambda held: held.with_rekey(deployment, scene.twin, bytes(32)))
    assert behind(scene) == ("it ends with generation 0", "the roster has changed")
    twins.renew_recovery(scene.twin)
    assert behind(scene) == ()
    state = twins.recovery(scene.twin)
    assert state is not None
    assert state.custodians == (1, 2)


def test_other_guardians_take_the_place_of_those_before(scene: Scene) -> None:
    scene.world.patient.twins.set_recovery(scene.twin, scene.people(2, 1))
    assert scene.world.patient.twins.guardian_keys(scene.twin) == scene.people(2, 1)
    acceptance = scene.move()
    with pytest.raises(CannotCheckError, match="holds no share"):
        scene.guardians[2].twins.guardian_share(acceptance)
    assert scene.heir.twins.recover(scene.twin, scene.shares(acceptance, 1)).faults == {}


def test_guardians_that_were_changed_and_not_sealed_to_are_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = scene.world.patient.twins

    def gone(*_: object, **__: object) -> None:
        raise UnreachableError("the node is gone (by order of the test)")

    with monkeypatch.context() as patched:
        patched.setattr(scene.world.ledger, "send", gone)
        with pytest.raises(UnreachableError):
            twins.set_recovery(scene.twin, scene.people(2, 1))
    assert behind(scene) == ("the guardians have changed",)
    twins.set_recovery(scene.twin, scene.people(2, 1))
    assert behind(scene) == ()


def test_a_card_that_names_another_package_is_its_owner_s_fault(scene: Scene) -> None:
    world = scene.world
    card = world.ledger.view().card(scene.twin)
    assert card is not None
    for later in (
        replace(card, recovery_version=card.recovery_version + 1),
        replace(card, recovery=card.roster),
    ):
        call = calls.set_card(scene.twin, world.patient.twins.card_digest(scene.twin), later)
        world.ledger.send(call, world.patient.context.key)
        with pytest.raises(IntegrityError) as caught:
            scene.guardians[0].twins.guardian_share(scene.heir.twins.accept_move(scene.twin))
        assert caught.value.party == world.patient.address
    assert world.store.has(CID(card.recovery))


def test_guardians_are_named_by_signed_cards_and_no_threshold_is_made_up(scene: Scene) -> None:
    deployment, key = scene.world.ledger.deployment, scene.guardians[0].context.key
    card = make_card(deployment, key, "guardian", 0)
    check = card_check(deployment)
    assert Guardian.of_card(card, check) == Guardian(key.address, key.seal_key.public)
    with pytest.raises(IntegrityError):
        Guardian.of_card(replace(card, public_key=SealKey.generate().public), check)
    for count, needed in ((3, 0), (3, 4), (0, 0)):
        with pytest.raises(InputError, match="no threshold"):
            scene.people(count, needed)
    twice = scene.people().people[0]
    with pytest.raises(InputError, match="twice"):
        GuardianKeys(1, (twice, twice))
    assert scene.people(3, 3).needed == 3


def test_a_re_share_makes_it_anew_for_the_new_roster(scene: Scene) -> None:
    world = scene.world
    done = world.patient.resharing.reshare(scene.twin, [each.address for each in world.custodians[:2]], 1)
    assert len(done.receipts) == 2, "the roster's card, and the package's"
    state = world.patient.twins.recovery(scene.twin)
    assert state is not None
    assert (state.version, state.custodians, state.behind) == (2, (1, 2), ())
    assert world.patient.resharing.reshare(scene.twin).receipts == [], "and not again"


def test_a_package_that_is_lost_is_made_anew(scene: Scene) -> None:
    world = scene.world
    assert world.patient.twins.keep_recovery(scene.twin) is None
    card = world.ledger.view().card(scene.twin)
    assert card is not None
    world.store.remove([CID(card.recovery)])
    assert world.patient.twins.keep_recovery(scene.twin) is not None
    assert behind(scene) == ()
