"""Minting, the twin card, moves and retirement, on both ledgers."""

from __future__ import annotations

import pytest

from dtledger.ledger import Call, calls, messages
from dtledger.ledger.events import CardSet, Moved, RetirementAnnounced, RetirementCancelled, Transfer
from dtledger.ledger.rejections import (
    DeadlinePassedError,
    DeadlineTooFarError,
    FormerOwnerError,
    LockedError,
    NotTwinOwnerError,
    RetiredError,
    RetirementAnnouncedError,
    RetirementNotAnnouncedError,
    StaleCardError,
    StaleCounterError,
    StaleCountError,
    UnknownTwinError,
    WrongSignatureError,
)
from dtledger.types import ZERO_ADDRESS, ZERO_DIGEST
from tests.ledger.bench import RETIRE_DELAY, Bench, card, who

ANN, BOB = who("ann").address, who("bob").address


@pytest.fixture
def twin(bench: Bench) -> int:
    return bench.mint("ann")


class TestAMint:
    def test_gives_the_patient_the_next_twin(self, bench: Bench) -> None:
        receipt = bench.send(bench.mint_call("ann"), "minter")
        assert receipt.events == (Transfer(ZERO_ADDRESS, ANN, 1),)
        assert (bench.mint("bob"), bench.mint("ann", count=1)) == (2, 3)
        assert [bench.view.twins_of(who(name).address) for name in ("ann", "bob")] == [[1, 3], [2]]

    def test_takes_the_patients_signature(self, bench: Bench) -> None:
        bench.refuses(WrongSignatureError, bench.mint_call("ann", signer="minter"), "minter", signer=ANN)
        bench.send(bench.mint_call("ann"), "minter")

    def test_is_done_once_for_a_signature(self, bench: Bench) -> None:
        call = bench.mint_call("ann")
        bench.send(call, "minter")
        bench.refuses(StaleCountError, call, "minter", named=0, present=1)

    def test_is_refused_one_second_after_its_deadline(self, bench: Bench) -> None:
        deadline = bench.soon
        call = bench.mint_call("ann", deadline=deadline)
        bench.clock.at = deadline
        bench.refuses(DeadlinePassedError, call, "minter", deadline=deadline)
        in_time = bench.mint_call("ann", deadline=bench.clock.at + 1)
        bench.send(in_time, "minter")

    def test_is_refused_if_its_deadline_is_over_an_hour_ahead(self, bench: Bench) -> None:
        deadline = bench.clock.at + 3602
        call = bench.mint_call("ann", deadline=deadline)
        bench.refuses(DeadlineTooFarError, call, "minter", deadline=deadline)
        bench.send(call, "minter")


class TestTheCard:
    def set_call(self, bench: Bench, twin: int, previous: bytes, version: int = 1, signer: str = "ann") -> Call:
        text = messages.set_card(bench.deployment, twin, previous, card(version), bench.soon)  # type: ignore[arg-type]
        signature = who(signer).sign_digest(text)
        return calls.set_card_signed(twin, previous, card(version), bench.soon, signature)  # type: ignore[arg-type]

    def test_is_set_by_the_owner_and_chained_to_the_one_before(self, bench: Bench, twin: int) -> None:
        receipt = bench.send(calls.set_card(twin, ZERO_DIGEST, card(1)), "ann")
        assert receipt.events == (CardSet(twin, ANN, ZERO_DIGEST, card(1)),)
        first = messages.card_chain(ZERO_DIGEST, card(1))
        bench.refuses(
            StaleCardError, calls.set_card(twin, ZERO_DIGEST, card(2)), "ann", named=ZERO_DIGEST, present=first
        )
        bench.send(calls.set_card(twin, first, card(2)), "ann")
        assert bench.view.card(twin) == card(2)
        assert [record.card for record in bench.view.cards(twin)] == [card(1), card(2)]

    def test_is_the_owners_alone(self, bench: Bench, twin: int) -> None:
        call = calls.set_card(twin, ZERO_DIGEST, card())
        bench.refuses(NotTwinOwnerError, call, "bob", twin=twin, caller=BOB)
        bench.send(call, "ann")

    def test_belongs_to_a_twin_that_is_there(self, bench: Bench) -> None:
        call = calls.set_card(1, ZERO_DIGEST, card())
        bench.refuses(UnknownTwinError, call, "ann", tokenId=1)
        bench.mint("ann")
        bench.send(call, "ann")

    def test_may_be_carried_by_anyone(self, bench: Bench, twin: int) -> None:
        forged = self.set_call(bench, twin, ZERO_DIGEST, signer="carrier")
        bench.refuses(WrongSignatureError, forged, "carrier", signer=ANN)
        signed = self.set_call(bench, twin, ZERO_DIGEST)
        bench.send(signed, "carrier")
        assert bench.view.card(twin) == card()
        present = messages.card_chain(ZERO_DIGEST, card())
        bench.refuses(StaleCardError, signed, "carrier", named=ZERO_DIGEST, present=present)


class TestAMove:
    def call(self, bench: Bench, twin: int, to: str = "bob", counter: int = 0, owner: str = "ann") -> Call:
        text = messages.move(bench.deployment, twin, who(to).address, counter, bench.soon)
        signatures = (who(owner).sign_digest(text), who(to).sign_digest(text))
        return calls.move(twin, who(to).address, counter, bench.soon, *signatures)

    def test_takes_both_keys_and_clears_the_card(self, bench: Bench, twin: int) -> None:
        bench.send(calls.set_card(twin, ZERO_DIGEST, card()), "ann")
        receipt = bench.send(self.call(bench, twin), "carrier")
        assert receipt.events == (Transfer(ANN, BOB, twin), Moved(twin, ANN, BOB, 1))
        view = bench.view
        assert (view.owner(twin), view.card(twin), view.counter(twin)) == (BOB, None, 1)
        bench.send(calls.set_card(twin, ZERO_DIGEST, card(2)), "bob")

    def test_needs_no_signature_of_the_caller(self, bench: Bench, twin: int) -> None:
        full = self.call(bench, twin)
        *fields, of_owner, of_recipient = full.arguments
        for by, wrong, signatures in (
            ("carrier", ANN, (b"", of_recipient)),
            ("carrier", BOB, (of_owner, b"")),
            ("bob", ANN, (b"", b"")),
            ("ann", BOB, (b"", of_owner)),
        ):
            bench.refuses(WrongSignatureError, calls.move(*fields, *signatures), by, signer=wrong)
        bench.send(calls.move(*fields, b"", of_recipient), "ann")

    def test_names_the_counter(self, bench: Bench, twin: int) -> None:
        bench.refuses(StaleCounterError, self.call(bench, twin, counter=1), "carrier", named=1, present=0)
        bench.send(self.call(bench, twin), "carrier")

    def test_never_goes_back(self, bench: Bench, twin: int) -> None:
        bench.refuses(FormerOwnerError, self.call(bench, twin, to="ann"), "carrier", twin=twin, to=ANN)
        bench.send(self.call(bench, twin), "carrier")
        back = self.call(bench, twin, to="ann", counter=1, owner="bob")
        bench.refuses(FormerOwnerError, back, "carrier", twin=twin, to=ANN)
        bench.send(self.call(bench, twin, to="carrier", counter=1, owner="bob"), "carrier")

    def test_waits_for_no_retirement(self, bench: Bench, twin: int) -> None:
        at = bench.send(calls.announce_retirement(twin), "ann").at
        moving = self.call(bench, twin, counter=1)
        bench.refuses(RetirementAnnouncedError, moving, "carrier", twin=twin, retireAt=at + RETIRE_DELAY)
        bench.send(calls.cancel_retirement(twin), "ann")
        bench.send(self.call(bench, twin, counter=2), "carrier")

    def test_changes_how_many_twins_a_patient_has(self, bench: Bench, twin: int) -> None:
        bench.send(self.call(bench, twin), "carrier")
        bench.refuses(StaleCountError, bench.mint_call("ann", count=1), "minter", named=1, present=0)
        assert bench.mint("ann") == 2
        assert bench.view.twins_of(BOB) == [1]


class TestRetirement:
    def signed(self, bench: Bench, verb: str, twin: int, counter: int, signer: str = "ann") -> Call:
        text = getattr(messages, f"{verb}_retirement")(bench.deployment, twin, counter, bench.soon)
        made: Call = getattr(calls, f"{verb}_retirement_signed")(
            twin, counter, bench.soon, who(signer).sign_digest(text)
        )
        return made

    def test_is_announced_and_can_be_cancelled_until_it_is_final(self, bench: Bench, twin: int) -> None:
        bench.refuses(RetirementNotAnnouncedError, calls.cancel_retirement(twin), "ann", twin=twin)
        receipt = bench.send(calls.announce_retirement(twin), "ann")
        ends = receipt.at + RETIRE_DELAY
        assert receipt.events == (RetirementAnnounced(twin, ends, 1),)
        assert (bench.view.retired(twin), bench.view.retire_at(twin)) == (True, ends)
        bench.refuses(RetirementAnnouncedError, calls.announce_retirement(twin), "ann", twin=twin, retireAt=ends)
        bench.clock.at = ends - 2
        assert bench.send(calls.cancel_retirement(twin), "ann").events == (RetirementCancelled(twin, 2),)
        assert not bench.view.retired(twin)

    def test_is_final_after_the_delay(self, bench: Bench, twin: int) -> None:
        ends = bench.send(calls.announce_retirement(twin), "ann").at + RETIRE_DELAY
        bench.clock.at = ends - 2
        bench.send(calls.set_card(twin, ZERO_DIGEST, card()), "ann")
        final = {"twin": twin, "retireAt": ends}
        bench.refuses(RetiredError, calls.cancel_retirement(twin), "ann", **final)
        present = messages.card_chain(ZERO_DIGEST, card())
        bench.refuses(RetiredError, calls.set_card(twin, present, card(2)), "ann", **final)
        bench.refuses(RetirementAnnouncedError, calls.announce_retirement(twin), "ann", **final)

    @pytest.mark.parametrize("verb", ["announce", "cancel"])
    def test_is_the_owners(self, bench: Bench, twin: int, verb: str) -> None:
        if verb == "cancel":
            bench.send(calls.announce_retirement(twin), "ann")
        call = calls.announce_retirement(twin) if verb == "announce" else calls.cancel_retirement(twin)
        bench.refuses(NotTwinOwnerError, call, "bob", twin=twin, caller=BOB)
        bench.send(call, "ann")

    def test_may_be_carried_by_anyone(self, bench: Bench, twin: int) -> None:
        forged = self.signed(bench, "announce", twin, 0, signer="carrier")
        bench.refuses(WrongSignatureError, forged, "carrier", signer=ANN)
        announced = self.signed(bench, "announce", twin, 0)
        bench.send(announced, "carrier")
        bench.refuses(StaleCounterError, announced, "carrier", named=0, present=1)
        bench.refuses(StaleCounterError, self.signed(bench, "cancel", twin, 0), "carrier", named=0, present=1)
        bench.send(self.signed(bench, "cancel", twin, 1), "carrier")
        assert bench.view.counter(twin) == 2


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("transferFrom", (ANN, BOB, 1)),
        ("approve", (BOB, 1)),
        ("setApprovalForAll", (BOB, True)),
    ],
)
def test_no_call_of_erc_721_moves_a_twin(bench: Bench, twin: int, function: str, arguments: tuple[object, ...]) -> None:
    bench.refuses(LockedError, Call("TwinRegistry", function, arguments), "ann")
    assert bench.view.owner(twin) == ANN
