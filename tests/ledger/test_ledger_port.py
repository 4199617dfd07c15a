"""What every `Ledger` promises: a head, a history, the state at any block, the contract's answer, and time."""

from __future__ import annotations

import pytest

from dtledger.ledger import Batch, ReceiptAnchor, Slot, calls, messages
from dtledger.ledger.events import BatchAnchored, Granted, ReceiptsAnchored, Transfer
from dtledger.ledger.rejections import (
    AlreadyAnchoredError,
    DeadlinePassedError,
    EmptyBatchError,
    LogNotGrownError,
    StaleHistoryError,
    WrongSignatureError,
)
from dtledger.policy import EMPTY, MalformedRequestError, Request, check
from dtledger.types import ZERO_ADDRESS, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests.ledger.bench import Bench, digest, terms, who

ANN, BOB, CLINICIAN, GATEWAY = (who(name).address for name in ("ann", "bob", "clinician", "gateway"))
ROOT, INDEX = digest("root"), digest("index")


def read(**changes: object) -> Request:
    fields = {
        "twin": 1,
        "requester": CLINICIAN,
        "grantee": CLINICIAN,
        "number": 0,
        "action": Action.READ,
        "purpose": Purpose.TREAT,
        "bit": 3,
        "period": Period(1000, 2000),
    }
    return Request(**{**fields, **changes})  # type: ignore[arg-type]


class TestTime:
    def test_stands_still_while_nothing_happens(self, bench: Bench) -> None:
        before = bench.ledger.head()
        bench.clock.advance(3600)
        assert bench.ledger.head() == before

    def test_is_that_of_the_transactions_block(self, bench: Bench) -> None:
        receipt = bench.send(bench.mint_call("ann"), "minter")
        head = bench.ledger.head()
        assert (receipt.block, receipt.at, head.at) == (head.number, head.at, bench.clock.at)

    def test_is_renewed_by_a_heartbeat(self, bench: Bench) -> None:
        before = bench.ledger.head()
        bench.arrange(bench.clock.advance(3600))
        receipt = bench.ledger.heartbeat(who("carrier"))
        head = bench.ledger.head()
        assert (receipt.events, receipt.block, head.number) == ((), head.number, before.number + 1)
        assert (head.at, head.hash != before.hash) == (before.at + 3600, True)

    def test_is_judged_as_of_the_block_that_takes_the_transaction(self, bench: Bench) -> None:
        """On a chain that was idle for longer than a message may live, today's message is not taken for a later one."""
        bench.clock.advance(10 * 3600)
        assert bench.mint("ann") == 1


class TestHistory:
    def test_holds_every_event_with_its_place_and_time(self, bench: Bench) -> None:
        before = len(bench.ledger.history().logged)  # a deployment remembers a block
        minted = bench.send(bench.mint_call("ann"), "minter")
        granted = bench.grant(1, "clinician")
        assert [(each.place.block, each.at, each.event) for each in bench.ledger.history().logged[before:]] == [
            (minted.block, minted.at, Transfer(ZERO_ADDRESS, ANN, 1)),
            (granted.block, granted.at, granted.the(Granted)),
        ]

    def test_grows_with_the_chain_and_never_repeats(self, bench: Bench) -> None:
        before = len(bench.ledger.history().logged)
        bench.mint("ann")
        assert len(bench.ledger.history().logged) == before + 1
        assert len(bench.ledger.history().logged) == before + 1
        bench.grant(1, "clinician")
        assert len(bench.ledger.history().logged) == before + 2

    def test_shows_any_block_as_it_was(self, bench: Bench) -> None:
        bench.mint("ann")
        marks = [bench.ledger.head().number]
        for act in (
            lambda: bench.grant(1, "clinician"),
            lambda: bench.send(calls.revoke(ANN, 1, CLINICIAN, 0), "clinician"),
            lambda: bench.grant(1, "clinician", categories=2),
            lambda: bench.send(calls.revoke_all(1), "ann"),
        ):
            act()
            marks.append(bench.ledger.head().number)
        views = [bench.ledger.view(mark) for mark in marks]
        assert [view.grant(ANN, 1, CLINICIAN, 0).categories for view in views] == [0, 8, 0, 2, 2]
        assert [view.epoch(ANN, 1) for view in views] == [0, 0, 0, 0, 1]
        assert views[0].grant(ANN, 1, CLINICIAN, 0) == EMPTY
        assert bench.ledger.view(marks[0] - 1).owner(1) is None
        assert bench.view.earlier(marks[1]).record(Slot(ANN, 1, CLINICIAN, 0)) == views[1].record(
            Slot(ANN, 1, CLINICIAN, 0)
        )


class TestBatches:
    def test_are_kept_by_sender_and_root_with_their_block(self, bench: Bench) -> None:
        receipt = bench.send(calls.anchor_batch(ROOT, 3, INDEX), "gateway")
        assert receipt.events == (BatchAnchored(GATEWAY, ROOT, 3, INDEX),)
        batch = Batch(GATEWAY, ROOT, 3, INDEX, receipt.block, receipt.at)
        assert (bench.view.batch(GATEWAY, ROOT), bench.view.newest_batch(GATEWAY)) == (batch, batch)
        assert bench.view.batch(ANN, ROOT) is None
        assert bench.view.earlier(receipt.block - 1).batch(GATEWAY, ROOT) is None

    def test_hold_something_and_are_anchored_once(self, bench: Bench) -> None:
        bench.refuses(EmptyBatchError, calls.anchor_batch(ROOT, 0, INDEX), "gateway")
        call = calls.anchor_batch(ROOT, 1, INDEX)
        bench.send(call, "gateway")
        bench.refuses(AlreadyAnchoredError, call, "gateway", sender=GATEWAY, root=ROOT)
        bench.send(call, "bob")

    def test_are_carried_for_whoever_signed_them(self, bench: Bench) -> None:
        bench.mint("ann")
        bench.send(calls.anchor_batch(INDEX, 2, ROOT), "ann")
        history, deadline = bench.view.history_of(ANN), bench.soon
        fields = (ANN, ROOT, 3, INDEX, history, deadline)
        text = messages.anchor_batch(bench.deployment, *fields)
        forged = calls.anchor_batch_signed(*fields, who("bob").sign_digest(text))
        bench.refuses(WrongSignatureError, forged, "carrier", signer=ANN)
        call = calls.anchor_batch_signed(*fields, who("ann").sign_digest(text))
        receipt = bench.send(call, "carrier")
        assert receipt.events == (BatchAnchored(ANN, ROOT, 3, INDEX),)
        present = bench.view.history_of(ANN)
        bench.refuses(StaleHistoryError, call, "carrier", named=history, present=present)
        fields = (ANN, ROOT, 3, INDEX, present, deadline)
        again = calls.anchor_batch_signed(
            *fields, who("ann").sign_digest(messages.anchor_batch(bench.deployment, *fields))
        )
        bench.refuses(AlreadyAnchoredError, again, "carrier", sender=ANN, root=ROOT)
        bench.clock.advance(deadline - bench.clock.at)
        bench.refuses(DeadlinePassedError, again, "carrier", deadline=deadline)

    def test_count_by_those_who_could_ever_write(self, bench: Bench) -> None:
        bench.mint("ann")
        bench.enrol("hospital")
        bench.enrol("clinician", Kind.GATEWAY, organisation="hospital")
        for sender in ("gateway", "clinician", "ann", "bob"):
            bench.send(calls.anchor_batch(ROOT, 1, INDEX), sender)
        assert bench.view.writers(1) == [ANN]
        bench.grant(1, "gateway", purposes=0, actions=Action.WRITE.mask)
        bench.send(calls.revoke(ANN, 1, GATEWAY, 0), "ann")
        bench.grant(1, "hospital", purposes=0, actions=Action.WRITE.mask)
        assert set(bench.view.writers(1)) == {ANN, GATEWAY, CLINICIAN}


class TestReceiptLogs:
    def test_are_anchored_as_they_grow_each_by_its_custodian(self, bench: Bench) -> None:
        first = bench.send(calls.anchor_receipts(ROOT, 3, INDEX), "gateway")
        assert first.events == (ReceiptsAnchored(GATEWAY, ROOT, 3, INDEX),)
        bench.refuses(LogNotGrownError, calls.anchor_receipts(ROOT, 3, INDEX), "gateway", named=3, present=3)
        bench.refuses(LogNotGrownError, calls.anchor_receipts(ROOT, 0, INDEX), "ann", named=0, present=0)
        second = bench.send(calls.anchor_receipts(INDEX, 4, ROOT), "gateway")
        assert bench.view.receipt_anchor(GATEWAY) == ReceiptAnchor(GATEWAY, INDEX, 4, ROOT, second.block, second.at)
        assert bench.view.earlier(first.block).receipt_anchor(GATEWAY) == ReceiptAnchor(
            GATEWAY, ROOT, 3, INDEX, first.block, first.at
        )
        assert bench.view.receipt_anchor(ANN) is None


class TestCheck:
    @pytest.fixture
    def granted(self, bench: Bench) -> Bench:
        bench.mint("ann")
        bench.enrol("clinician", Kind.CLINICIAN)
        bench.grant(1, "clinician")
        return bench

    def judged(self, bench: Bench, request: Request, earliest: int = 10**9, latest: int = 2 * 10**9 - 1) -> Reason:
        reason = bench.ledger.check(request, earliest, latest)
        assert check(bench.view, request, earliest, latest) is reason
        return reason

    def test_is_the_contracts_answer_and_the_rules(self, granted: Bench) -> None:
        assert self.judged(granted, read()) is Reason.PERMITTED
        assert self.judged(granted, read(twin=2)) is Reason.TWIN_UNKNOWN
        assert self.judged(granted, read(bit=4)) is Reason.CATEGORY
        assert self.judged(granted, read(requester=BOB)) is Reason.NOT_ENROLLED
        assert self.judged(granted, read(), latest=2 * 10**9) is Reason.EXPIRED
        assert self.judged(granted, read(requester=ANN, purpose=Purpose.PATRQT)) is Reason.OWNER
        granted.send(calls.block_grantee(1, CLINICIAN), "ann")
        assert self.judged(granted, read()) is Reason.BLOCKED

    def test_follows_every_denial_and_its_end(self, granted: Bench) -> None:
        reinstate = calls.reinstate(CLINICIAN)
        for deny, permit, reason, by in (
            (calls.block_grantee(1, CLINICIAN), calls.unblock_grantee(1, CLINICIAN), Reason.BLOCKED, "ann"),
            (calls.announce_retirement(1), calls.cancel_retirement(1), Reason.RETIRED, "ann"),
            (calls.revoke(ANN, 1, CLINICIAN, 0), calls.grant(1, CLINICIAN, 0, terms(), ROOT), Reason.REVOKED, "ann"),
            (calls.revoke_all(1), calls.grant(1, CLINICIAN, 0, terms(), ROOT), Reason.REVOKED, "ann"),
        ):
            granted.send(deny, by)
            assert self.judged(granted, read()) is reason
            granted.send(permit, by)
            assert self.judged(granted, read()) is Reason.PERMITTED
        granted.send(calls.suspend(CLINICIAN), "suspender")
        assert self.judged(granted, read()) is Reason.SUSPENDED
        granted.announced(reinstate, "steward")
        granted.send(reinstate, "steward")
        assert self.judged(granted, read()) is Reason.PERMITTED

    @pytest.mark.parametrize(
        "malformed",
        [
            {"number": 8},
            {"number": 256},
            {"action": Action.EMERGENCY},
            {"purpose": None},
            {"action": Action.WRITE},
            {"bit": 32},
            {"bit": -1},
            {"requester": ZERO_ADDRESS},
            {"grantee": ZERO_ADDRESS},
        ],
        ids=str,
    )
    def test_refuses_what_is_no_question(self, granted: Bench, malformed: dict[str, object]) -> None:
        for judge in (granted.ledger.check, lambda *question: check(granted.view, *question)):
            with pytest.raises(MalformedRequestError):
                judge(read(**malformed), 10**9, 10**9)
            assert judge(read(), 10**9, 10**9) is Reason.PERMITTED

    @pytest.mark.parametrize(("earliest", "latest"), [(10**9 + 1, 10**9), (-1, 10**9), (10**9, 2**40)])
    def test_refuses_a_time_that_runs_backwards_or_cannot_be(self, granted: Bench, earliest: int, latest: int) -> None:
        for judge in (granted.ledger.check, lambda *question: check(granted.view, *question)):
            with pytest.raises(MalformedRequestError):
                judge(read(), earliest, latest)
            assert judge(read(), 10**9, 10**9) is Reason.PERMITTED
