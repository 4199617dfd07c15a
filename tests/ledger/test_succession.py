"""A twin goes from one deployment to the next, on either ledger: what comes, what does not, and who may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger._backend.evm_reader import EvmReader
from dtledger.ledger import calls, guardian_calls, messages
from dtledger.ledger.rejections import (
    RetirementAnnouncedError,
    StaleCounterError,
    UnauthorizedError,
    WrongSignatureError,
)
from dtledger.ledger.rejections.succession import (
    BlocksMissingError,
    NotBeforeError,
    NotSuccessorError,
    NumbersSpentError,
    WrongPredecessorError,
)
from dtledger.ledger.signed import CarriedGrant, SignedCarrying
from dtledger.policy import EMPTY, Request, check
from dtledger.types import ZERO_ADDRESS, ZERO_DIGEST, Address, Head, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests.ledger.bench import Bench, card, digest, who
from tests.ledger.guarding import DELAY, guardians

Line = tuple[Bench, Bench]
ANN, CLINICIAN = who("ann").address, who("clinician").address
LAST_BEFORE = 1_000_000_000


@pytest.fixture
def twin(line: Line) -> int:
    """Ann's, with a card and a grant to the clinician; Bob has one too."""
    old, _ = line
    old.enrol("clinician", Kind.CLINICIAN)
    number = old.mint("ann")
    old.mint("bob")
    old.send(calls.set_card(number, ZERO_DIGEST, card()), "ann")
    old.grant(number, "clinician")
    return number


def luggage(old: Bench, twin: int, *slots: tuple[str, int]) -> SignedCarrying:
    """What goes with a twin: these slots of Ann's as they stand, by default the clinician's first."""
    grants = []
    for name, number in slots or (("clinician", 0),):
        word = old.view.grant(ANN, twin, who(name).address, number)
        grants.append(CarriedGrant(who(name).address, number, word, digest("package")))
    return SignedCarrying(twin, tuple(grants), old.view.counter(twin), old.soon)


def signature(line: Line, message: SignedCarrying, by: str = "ann", successor: Address | None = None) -> bytes:
    old, new = line
    to = successor or new.deployment.contracts["ConsentRegistry"]
    grants = messages.carried(message.grants)
    text = messages.depart(old.deployment, message.twin, to, grants, message.counter, message.deadline)
    return who(by).sign_digest(text)


def carry(line: Line, message: SignedCarrying, *blocked: str) -> None:
    call = calls.carry(message, [who(name).address for name in blocked], signature(line, message))
    line[1].send(call, "carrier")


def answers(line: Line, twin: int, grantee: str = "clinician") -> list[Reason]:
    """What each deployment says of reading the twin: the contract, and the fold of its events, which are one."""
    asker = who(grantee).address
    asked = Request(twin, asker, asker, 0, Action.READ, Purpose.TREAT, 3, Period(1000, 2000))
    said = []
    for bench in line:
        now = bench.ledger.head().at
        contract = bench.ledger.check(asked, now, now)
        assert check(bench.view, asked, now, now) is contract
        said.append(contract)
    return said


def test_a_twin_arrives_under_its_number_and_the_old_one_names_where_it_went(line: Line, twin: int) -> None:
    old, new = line
    carry(line, luggage(old, twin))
    assert answers(line, twin) == [Reason.RETIRED, Reason.PERMITTED]
    assert (new.view.owner(twin), new.view.card(twin)) == (ANN, card())
    assert new.view.grant(ANN, twin, CLINICIAN, 0) == old.view.grant(ANN, twin, CLINICIAN, 0)
    assert old.view.successor(twin) == new.deployment.contracts["ConsentRegistry"]
    assert old.view.ended(10**12) == []


def test_the_past_of_a_twin_that_came_is_what_it_was(line: Line, twin: int) -> None:
    old, new = line
    before = old.ledger.head().number
    former = old.view
    carry(line, luggage(old, twin))
    past = new.ledger.view(before)
    assert (past.owner(twin), past.card(twin), past.state(twin)) == (ANN, card(), former.state(twin))
    assert past.grant(ANN, twin, CLINICIAN, 0) == former.grant(ANN, twin, CLINICIAN, 0)
    assert [record.card for record in new.view.cards(twin)] == [card()]


@pytest.mark.parametrize("ended_there", [False, True])
def test_who_ends_all_in_the_new_deployment_first_ends_nothing_of_the_past(
    line: Line, twin: int, ended_there: bool
) -> None:
    """Else an owner could deny later what a writer wrote by right, while the twin lived in the old one."""
    old, new = line
    if ended_there:
        new.send(calls.revoke_all(twin), "ann")
    written, former = old.ledger.head().number, old.view
    carry(line, luggage(old, twin))
    past = new.ledger.view(written)
    assert past.epoch(ANN, twin) == former.epoch(ANN, twin) == 0
    assert past.epoch_since(ANN, twin, 0) is None
    assert answers(line, twin) == [Reason.RETIRED, Reason.NO_GRANT if ended_there else Reason.PERMITTED]


def test_what_was_granted_in_the_new_deployment_first_was_not_given_in_the_past(line: Line, twin: int) -> None:
    """Else who wrote without a right in the old one is taken for a writer afterwards."""
    old, new = line
    new.grant(twin, "clinician", number=1)
    written = old.ledger.head().number
    carry(line, luggage(old, twin))
    assert new.ledger.view(written).grant(ANN, twin, CLINICIAN, 1) == EMPTY
    assert new.view.grant(ANN, twin, CLINICIAN, 1).given


@pytest.mark.parametrize("lags", [False, True])
def test_its_past_is_whole_though_the_node_is_a_block_behind_when_asked_again(
    line: Line, twin: int, monkeypatch: pytest.MonkeyPatch, lags: bool
) -> None:
    """Several nodes may answer under one address: else a twin that came had a card for good that it has no more."""
    old, new = line
    behind, real = old.ledger.head(), EvmReader._block
    old.send(calls.set_card(twin, messages.card_chain(ZERO_DIGEST, card()), card(2)), "ann")
    carry(line, luggage(old, twin))

    def lagging(reader: EvmReader, which: object) -> Head:
        return behind if which == "latest" and reader.deployment.id == old.deployment.id else real(reader, which)

    if lags:
        monkeypatch.setattr(EvmReader, "_block", lagging)
    assert new.view.card(twin) == card(2)


def test_the_owner_goes_on_in_the_new_deployment_as_it_did_in_the_old(line: Line, twin: int) -> None:
    old, new = line
    carry(line, luggage(old, twin))
    new.send(calls.set_card(twin, messages.card_chain(ZERO_DIGEST, card()), card(2)), "ann")
    assert new.view.card(twin) == card(2)
    new.send(calls.revoke(ANN, twin, CLINICIAN, 0), "clinician")
    assert answers(line, twin) == [Reason.RETIRED, Reason.REVOKED]


def test_guardians_come_with_the_twin(line: Line, twin: int) -> None:
    old, new = line
    chosen = guardians().digest
    old.send(guardian_calls.set_guardians(twin, chosen, DELAY), "ann")
    carry(line, luggage(old, twin))
    state = new.view.state(twin)
    assert (state.guardians, state.recovery_delay) == (chosen, DELAY)


def test_who_does_not_move_is_untouched(line: Line, twin: int) -> None:
    old, new = line
    bobs = twin + 1
    old.grant(bobs, "clinician", by="bob")
    carry(line, luggage(old, twin))
    assert answers(line, bobs) == [Reason.PERMITTED, Reason.TWIN_UNKNOWN]
    assert old.view.twins() == [twin, bobs]
    assert new.view.twins() == [twin]


def test_members_and_anchors_are_the_same_in_both(line: Line, twin: int) -> None:
    old, new = line
    new.enrol("gateway", Kind.GATEWAY)
    new.send(calls.anchor_batch(digest("root"), 1, digest("index")), "gateway")
    old.send(calls.anchor_batch(digest("another root"), 1, digest("index")), "gateway")
    gateway = who("gateway").address
    assert old.view.member(gateway) == new.view.member(gateway) is not None
    assert old.view.batches(gateway) == new.view.batches(gateway)
    assert len(new.view.batches(gateway)) == 2


def test_a_successor_numbers_its_own_twins_after_all_of_its_predecessors(line: Line) -> None:
    _, new = line
    new.refuses(UnauthorizedError, new.mint_call("bob"), "bob", caller=who("bob").address)
    assert new.mint("bob") == LAST_BEFORE + 1


def test_a_deployment_gives_no_number_that_its_successor_may(line: Line) -> None:
    old, _ = line
    old.poke("twins", (), LAST_BEFORE - 1)
    assert old.mint("ann") == LAST_BEFORE
    old.refuses(NumbersSpentError, old.mint_call("bob"), "minter")


# who may ---------------------------------------------------------------------------------------------------------


def test_only_the_owner_lets_a_twin_go_and_only_to_where_it_said(line: Line, twin: int) -> None:
    old, new = line
    message = luggage(old, twin)
    for wrong in (signature(line, message, by="clinician"), signature(line, message, successor=CLINICIAN)):
        new.refuses(WrongSignatureError, calls.carry(message, [], wrong), "carrier", signer=ANN)
    grants = messages.carried(message.grants)
    mine = calls.depart(twin, grants, message.counter, message.deadline, signature(line, message))
    old.refuses(WrongSignatureError, mine, "carrier", signer=ANN)
    carry(line, message)


def test_grants_that_were_not_signed_for_do_not_come(line: Line, twin: int) -> None:
    old, new = line
    message = luggage(old, twin)
    other = replace(message, grants=(replace(message.grants[0], package=digest("another package")),))
    new.refuses(WrongSignatureError, calls.carry(other, [], signature(line, message)), "carrier", signer=ANN)
    carry(line, message)


def test_a_twin_does_not_arrive_for_whom_it_did_not_leave(line: Line, twin: int) -> None:
    old, new = line
    carrier = who("carrier").address
    new.refuses(NotSuccessorError, calls.arrive(twin), "carrier", twin=twin, caller=carrier)
    new.refuses(NotBeforeError, calls.arrive(LAST_BEFORE + 1), "carrier", twin=LAST_BEFORE + 1)
    old.refuses(NotBeforeError, calls.arrive(twin), "carrier", twin=twin)


def test_nothing_is_carried_to_a_first_deployment(line: Line, twin: int) -> None:
    old, _ = line
    message = luggage(old, twin)
    call = calls.carry(message, [], signature(line, message))
    old.refuses(WrongPredecessorError, call, "carrier", predecessor=ZERO_ADDRESS)


def test_a_twin_is_carried_once(line: Line, twin: int) -> None:
    old, new = line
    message = luggage(old, twin)
    carry(line, message)
    left_at = new.ledger.head().at
    again = calls.carry(message, [], signature(line, message))
    new.refuses(StaleCounterError, again, "carrier", named=message.counter, present=message.counter + 1)
    message = replace(message, counter=message.counter + 1)
    again = calls.carry(message, [], signature(line, message))
    new.refuses(RetirementAnnouncedError, again, "carrier", twin=twin, retireAt=left_at)


# what was denied -------------------------------------------------------------------------------------------------


def test_what_was_revoked_after_the_owner_signed_does_not_come(line: Line, twin: int) -> None:
    old, new = line
    old.grant(twin, "hospital")
    message = luggage(old, twin, ("clinician", 0), ("hospital", 0))
    old.send(calls.revoke(ANN, twin, who("hospital").address, 0), "hospital")
    carry(line, message)
    assert new.view.grant(ANN, twin, who("hospital").address, 0) == EMPTY
    assert answers(line, twin) == [Reason.RETIRED, Reason.PERMITTED]


def test_nothing_comes_of_an_epoch_that_ended(line: Line, twin: int) -> None:
    old, new = line
    message = luggage(old, twin)
    old.send(calls.revoke_all(twin), "ann")
    carry(line, message)
    assert new.view.epoch(ANN, twin) == 1
    assert answers(line, twin) == [Reason.RETIRED, Reason.NO_GRANT]


def test_a_block_comes_or_nothing_does(line: Line, twin: int) -> None:
    old, new = line
    message = luggage(old, twin)
    old.send(calls.block_grantee(twin, CLINICIAN), "ann")
    call = calls.carry(message, [], signature(line, message))
    new.refuses(BlocksMissingError, call, "carrier", came=0, present=1)
    carry(line, message, "clinician")
    assert answers(line, twin) == [Reason.RETIRED, Reason.BLOCKED]
    assert new.view.blocked_on(twin) == [CLINICIAN]
    new.send(calls.unblock_grantee(twin, CLINICIAN), "ann")
    assert answers(line, twin) == [Reason.RETIRED, Reason.PERMITTED]


def test_what_was_revoked_in_the_new_deployment_before_stays_revoked(line: Line, twin: int) -> None:
    old, new = line
    new.send(calls.revoke(ANN, twin, CLINICIAN, 0), "clinician")
    carry(line, luggage(old, twin))
    assert answers(line, twin) == [Reason.RETIRED, Reason.REVOKED]


def test_nothing_is_granted_where_everything_was_revoked_before(line: Line, twin: int) -> None:
    old, new = line
    new.send(calls.revoke_all(twin), "ann")
    carry(line, luggage(old, twin))
    assert answers(line, twin) == [Reason.RETIRED, Reason.NO_GRANT]
