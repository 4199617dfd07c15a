"""What guardians do to a twin and what its owner does about them, on both ledgers."""

from __future__ import annotations

import pytest

from dtledger.ledger import AnnouncedMove, Call, TwinState, calls, guardian_calls, messages
from dtledger.ledger import guardians as g
from dtledger.ledger.events import Frozen, GuardiansSet, MoveAnnounced, Moved, MoveVetoed, Transfer, Unfrozen
from dtledger.ledger.rejections import (
    DeadlineTooFarError,
    FormerOwnerError,
    NotTwinOwnerError,
    RetirementNotAnnouncedError,
    StaleCounterError,
    WrongSignatureError,
)
from dtledger.ledger.rejections.guardians import (
    FrozenBeforeError,
    FrozenError,
    InvalidDelayError,
    MoveBindingError,
    MoveNotAnnouncedError,
    MoveNotReadyError,
    NotAscendingError,
    NotFrozenError,
    NotGuardianError,
    TooFewGuardiansError,
    WrongGuardiansError,
)
from dtledger.policy import Request
from dtledger.types import ZERO_DIGEST, Period
from dtledger.vocabulary import Action, Purpose, Reason
from tests.ledger.bench import DAY, RETIRE_DELAY, Bench, card, who
from tests.ledger.guarding import DELAY, OTHER_SALT, WARDS, act, announcement, carried, guardians, signatures

ANN, BOB = who("ann").address, who("bob").address
TWO = ("clinician", "gateway")


@pytest.fixture
def guarded(bench: Bench) -> Bench:
    """Twin 1 is Ann's, who chose the three."""
    bench.mint("ann")
    bench.send(guardian_calls.set_guardians(1, guardians().digest, DELAY), "ann")
    return bench


class TestGuardians:
    def test_are_the_owners_choice(self, bench: Bench) -> None:
        bench.mint("ann")
        call = guardian_calls.set_guardians(1, guardians().digest, DELAY)
        bench.refuses(NotTwinOwnerError, call, "bob", twin=1, caller=BOB)
        receipt = bench.send(call, "ann")
        assert receipt.events == (GuardiansSet(1, ANN, guardians().digest, DELAY, 1),)
        assert bench.view.state(1) == TwinState(1, guardians=guardians().digest, recovery_delay=DELAY)
        bench.send(guardian_calls.set_guardians(1, ZERO_DIGEST, 0), "ann")
        assert bench.view.state(1) == TwinState(2)

    def test_may_be_chosen_by_a_message_that_anyone_carries(self, bench: Bench) -> None:
        bench.mint("ann")
        fields = (1, guardians().digest, DELAY, 0, bench.soon)
        text = g.set_guardians(bench.deployment, *fields)
        forged = guardian_calls.set_guardians_signed(*fields, who("bob").sign_digest(text))
        bench.refuses(WrongSignatureError, forged, "carrier", signer=ANN)
        signed = guardian_calls.set_guardians_signed(*fields, who("ann").sign_digest(text))
        bench.send(signed, "carrier")
        bench.refuses(StaleCounterError, signed, "carrier", named=0, present=1)

    @pytest.mark.parametrize("delay", [0, 2 * DAY - 1, 30 * DAY + 1])
    def test_let_a_move_wait_from_2_to_30_days(self, bench: Bench, delay: int) -> None:
        bench.mint("ann")
        wrong = guardian_calls.set_guardians(1, guardians().digest, delay)
        bench.refuses(InvalidDelayError, wrong, "ann", recoveryDelay=delay)
        bench.send(guardian_calls.set_guardians(1, guardians().digest, 30 * DAY), "ann")

    def test_are_those_that_the_owner_chose(self, guarded: Bench) -> None:
        others = carried(guarded, "Freeze", 1, 1, guarded.clock.at + DAY, TWO, OTHER_SALT)
        evidence = {"opened": guardians(OTHER_SALT).digest, "present": guardians().digest}
        guarded.refuses(WrongGuardiansError, others, "carrier", **evidence)
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")

    def test_are_as_many_as_the_owner_asked_for(self, guarded: Bench) -> None:
        guarded.refuses(TooFewGuardiansError, act(guarded, "Freeze", "gateway"), "carrier", signed=1, needed=2)
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")

    def test_count_once_each(self, guarded: Bench) -> None:
        once = act(guarded, "Freeze", "gateway")
        *fields, rows = once.arguments
        twice = Call("TwinRegistry", "freeze", (*fields, rows * 2))
        guarded.refuses(NotAscendingError, twice, "carrier", guardian=who("gateway").address)
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")

    def test_are_no_outsiders(self, guarded: Bench) -> None:
        call = act(guarded, "Freeze", "bob")
        guarded.refuses(NotGuardianError, call, "carrier", twin=1, signer=BOB)
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")

    def test_have_three_days_to_sign(self, guarded: Bench) -> None:
        deadline = guarded.clock.at + 3 * DAY + 2
        late = carried(guarded, "Freeze", 1, 1, deadline, TWO)
        guarded.refuses(DeadlineTooFarError, late, "carrier", deadline=deadline)
        guarded.send(late, "carrier")


class TestAFreeze:
    def test_denies_everything_until_it_ends(self, guarded: Bench) -> None:
        receipt = guarded.send(act(guarded, "Freeze", *TWO), "carrier")
        ends = receipt.at + 30 * DAY
        assert receipt.events == (Frozen(1, ends, 0, 2),)
        state = guarded.view.state(1)
        assert (state.frozen_at, state.frozen_until) == (receipt.at, ends)
        asks = Request(1, ANN, ANN, 0, Action.READ, Purpose.PATRQT, 3, Period(0, 1))
        for at, reason in ((receipt.at, Reason.FROZEN), (ends - 1, Reason.FROZEN), (ends, Reason.OWNER)):
            assert guarded.ledger.check(asks, at, at) is reason
        assert guarded.send(act(guarded, "Unfreeze", *TWO), "carrier").events == (Unfrozen(1, 3),)
        assert guarded.ledger.check(asks, receipt.at, receipt.at) is Reason.OWNER
        guarded.refuses(NotFrozenError, act(guarded, "Unfreeze", *TWO), "carrier", twin=1)

    def test_lets_the_owner_change_nothing(self, guarded: Bench) -> None:
        at = guarded.send(act(guarded, "Freeze", *TWO), "carrier").at
        text = messages.move(guarded.deployment, 1, BOB, 2, guarded.soon)
        moving = calls.move(1, BOB, 2, guarded.soon, who("ann").sign_digest(text), who("bob").sign_digest(text))
        for call in (
            calls.set_card(1, ZERO_DIGEST, card()),
            guardian_calls.set_guardians(1, ZERO_DIGEST, 0),
            calls.announce_retirement(1),
            calls.cancel_retirement(1),
            moving,
        ):
            guarded.refuses(FrozenError, call, "ann", twin=1, frozenUntil=at + 30 * DAY)
        guarded.clock.at = at + 30 * DAY
        guarded.send(calls.set_card(1, ZERO_DIGEST, card()), "ann")

    def test_is_repeated_within_a_year_by_all_alone(self, guarded: Bench) -> None:
        at = guarded.send(act(guarded, "Freeze", *TWO), "carrier").at
        guarded.refuses(FrozenError, act(guarded, "Freeze", *WARDS), "carrier", twin=1, frozenUntil=at + 30 * DAY)
        guarded.clock.at = at + 365 * DAY - 3
        guarded.refuses(FrozenBeforeError, act(guarded, "Freeze", *TWO), "carrier", twin=1, frozenAt=at)
        guarded.clock.at = at + 365 * DAY
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")

    def test_puts_off_a_retirement_which_guardians_cancel(self, guarded: Bench) -> None:
        rescue = act(guarded, "RescueTwin", *TWO)
        guarded.refuses(RetirementNotAnnouncedError, rescue, "carrier", twin=1)
        at = guarded.send(calls.announce_retirement(1), "ann").at
        assert guarded.view.retire_at(1) == at + RETIRE_DELAY
        frozen = guarded.send(act(guarded, "Freeze", *TWO), "carrier").at
        assert guarded.view.retire_at(1) == frozen + 30 * DAY
        guarded.clock.at = frozen + 29 * DAY
        guarded.send(act(guarded, "RescueTwin", *TWO), "carrier")
        assert not guarded.view.retired(1)


class TestAMoveByGuardians:
    def test_waits_the_owners_delay_and_is_completed_by_anyone(self, guarded: Bench) -> None:
        guarded.refuses(MoveNotAnnouncedError, guardian_calls.complete_move(1), "carrier", twin=1)
        receipt = guarded.send(announcement(guarded, "bob", *TWO), "carrier")
        ready = receipt.at + DELAY
        assert receipt.events == (MoveAnnounced(1, BOB, ready, False, 0, 2),)
        assert guarded.view.state(1).move == AnnouncedMove(BOB, ready, binding=False)
        guarded.refuses(MoveNotReadyError, guardian_calls.complete_move(1), "carrier", twin=1, readyAt=ready)
        guarded.clock.at = ready
        done = guarded.send(guardian_calls.complete_move(1), "carrier")
        assert done.events == (Transfer(ANN, BOB, 1), Moved(1, ANN, BOB, 3))
        assert (guarded.view.owner(1), guarded.view.state(1)) == (BOB, TwinState(3))

    def test_takes_the_recipients_signature_and_never_goes_back(self, guarded: Bench) -> None:
        forged = announcement(guarded, "bob", *TWO, recipient="carrier")
        guarded.refuses(WrongSignatureError, forged, "carrier", signer=BOB)
        guarded.refuses(FormerOwnerError, announcement(guarded, "ann", *TWO), "carrier", twin=1, to=ANN)
        guarded.send(announcement(guarded, "bob", *TWO), "carrier")

    def test_is_vetoed_by_the_owner_alone(self, guarded: Bench) -> None:
        guarded.refuses(MoveNotAnnouncedError, guardian_calls.veto_move(1), "ann", twin=1)
        announced = announcement(guarded, "bob", *TWO)
        guarded.send(announced, "carrier")
        guarded.refuses(NotTwinOwnerError, guardian_calls.veto_move(1), "bob", twin=1, caller=BOB)
        assert guarded.send(guardian_calls.veto_move(1), "ann").events == (MoveVetoed(1, 3),)
        guarded.refuses(StaleCounterError, announced, "carrier", named=1, present=3)

    def test_is_vetoed_by_a_message_that_anyone_carries(self, guarded: Bench) -> None:
        guarded.send(announcement(guarded, "bob", *TWO), "carrier")
        text = g.counted(guarded.deployment, "VetoMove", 1, 2, guarded.soon)
        forged = guardian_calls.veto_move_signed(1, 2, guarded.soon, who("bob").sign_digest(text))
        guarded.refuses(WrongSignatureError, forged, "carrier", signer=ANN)
        signed = guardian_calls.veto_move_signed(1, 2, forged.arguments[2], who("ann").sign_digest(text))
        guarded.send(signed, "carrier")

    def test_by_all_on_a_frozen_twin_is_binding(self, guarded: Bench) -> None:
        guarded.send(act(guarded, "Freeze", *TWO), "carrier")
        at = guarded.send(announcement(guarded, "bob", *WARDS), "carrier").at
        ready = at + DELAY
        assert guarded.view.state(1).move == AnnouncedMove(BOB, ready, binding=True)
        assert guarded.view.frozen_until(1) == ready + 30 * DAY
        guarded.refuses(MoveBindingError, guardian_calls.veto_move(1), "ann", twin=1, to=BOB)
        guarded.clock.at = ready
        guarded.send(guardian_calls.complete_move(1), "carrier")
        assert guarded.view.owner(1) == BOB


def test_an_opening_is_put_in_order_and_has_nobody_twice() -> None:
    names = [who(name).address for name in WARDS]
    assert g.Guardians.of(2, reversed(names), bytes(32)) == g.Guardians.of(2, names, bytes(32))
    for needed, several in ((0, names), (4, names), (1, [*names, names[0].lower()])):
        with pytest.raises(ValueError, match="guardian"):
            g.Guardians.of(needed, several, bytes(32))
    assert [each.guardian for each in signatures(ZERO_DIGEST, WARDS)] == list(guardians().addresses)
