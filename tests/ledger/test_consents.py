"""Grants, revocations and blocks by their owner's own calls, on both ledgers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.ledger import Call, Slot, calls
from dtledger.ledger.events import AllRevoked, Blocked, Granted, Revoked, Unblocked
from dtledger.ledger.rejections import (
    BlockSpentError,
    EpochSpentError,
    InvalidTermsError,
    NotConsentOwnerError,
    NotOwnerNorGranteeError,
    SlotSpentError,
    UnknownTwinError,
)
from dtledger.ledger.signed import SignedRevoke
from dtledger.policy import MAX_EPOCH, MAX_REVISION, Grant
from dtledger.types import MAX_MINUTE, ZERO_ADDRESS, Period
from dtledger.vocabulary import Action
from tests.ledger.bench import Bench, digest, terms, who
from tests.ledger.signing import revoke_call

ANN, BOB, CLINICIAN = (who(name).address for name in ("ann", "bob", "clinician"))
PACKAGE = digest("package")


def grant(terms_word: Grant, number: int = 0, to: str = "clinician") -> Call:
    return calls.grant(1, who(to).address, number, terms_word, PACKAGE)


class TestAGrant:
    def test_stands_in_its_slot_at_the_next_revision(self, bench: Bench) -> None:
        receipt = bench.send(grant(terms()), "ann")
        word = replace(terms(), revision=1)
        assert receipt.events == (Granted(ANN, 1, CLINICIAN, 0, word, PACKAGE),)
        bench.send(grant(terms(categories=2)), "ann")
        slot = Slot(ANN, 1, CLINICIAN, 0)
        record = bench.view.record(slot)
        assert record is not None
        assert (record.grant, record.package) == (replace(terms(categories=2), revision=2), PACKAGE)
        assert [each.slot for each in bench.view.slots_of(ANN, 1, CLINICIAN)] == [slot]

    def test_needs_no_twin_and_lies_under_its_giver(self, bench: Bench) -> None:
        bench.send(grant(terms()), "bob")
        assert bench.view.grant(BOB, 1, CLINICIAN, 0).given
        assert not bench.view.grant(ANN, 1, CLINICIAN, 0).given

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"actions": 0}, "actions"),
            ({"actions": 1 << 4 | 1}, "actions"),
            ({"purposes": 0}, "purposes"),
            ({"purposes": 0, "actions": Action.TRAIN.mask}, "purposes"),
            ({"categories": 0}, "categories"),
            ({"expires_at": 10**9}, "expiresAt"),
            ({"revision": 1}, "counters"),
            ({"epoch": 1}, "counters"),
        ],
    )
    def test_says_something_that_a_request_could_meet(self, bench: Bench, change: dict[str, int], field: str) -> None:
        bench.refuses(InvalidTermsError, grant(terms(**change)), "ann", field=field)
        bench.send(grant(terms()), "ann")

    @pytest.mark.parametrize(("start", "end"), [(2001, 2000), (0, MAX_MINUTE + 1), (2**32 - 1, 2**32 - 1)])
    def test_names_a_data_period_that_runs_forwards(self, bench: Bench, start: int, end: int) -> None:
        word = terms(data=Period(0, 0)).pack() | start << 80 | end << 48
        call = Call("ConsentRegistry", "grant", (1, CLINICIAN, 0, word, PACKAGE))
        bench.refuses(InvalidTermsError, call, "ann", field="dataUntil")
        bench.send(grant(terms(data=Period(0, MAX_MINUTE))), "ann")

    def test_needs_no_purpose_to_write(self, bench: Bench) -> None:
        bench.send(grant(terms(purposes=0, actions=Action.WRITE.mask)), "ann")

    def test_has_a_grantee_and_a_slot_of_eight(self, bench: Bench) -> None:
        to_nobody = calls.grant(1, ZERO_ADDRESS, 0, terms(), PACKAGE)
        bench.refuses(InvalidTermsError, to_nobody, "ann", field="grantee")
        for number in (8, 255):
            bench.refuses(InvalidTermsError, grant(terms(), number), "ann", field="number")
        bench.send(grant(terms(), 7), "ann")

    def test_is_refused_in_a_slot_whose_revisions_are_used_up(self, bench: Bench) -> None:
        bench.send(revoke_call(bench, SignedRevoke(ANN, 1, CLINICIAN, 0, MAX_REVISION - 3, bench.soon)), "carrier")
        last = bench.send(grant(terms()), "ann").the(Granted)
        assert last.grant.revision == MAX_REVISION - 1
        bench.refuses(SlotSpentError, grant(terms()), "ann", grantee=CLINICIAN, number=0)
        bench.send(grant(terms(), number=1), "ann")

    def test_is_refused_by_an_owner_whose_epochs_are_used_up(self, bench: Bench) -> None:
        bench.poke("epoch", (ANN, 1), MAX_EPOCH - 1)
        bench.grant(1, "clinician")
        bench.poke("epoch", (ANN, 1), MAX_EPOCH)
        spent = {"owner": ANN, "twin": 1}
        bench.refuses(EpochSpentError, grant(terms()), "ann", **spent)
        many = calls.grant_many(1, terms(), [calls.Recipient(BOB, 0, PACKAGE)])
        bench.refuses(EpochSpentError, many, "ann", **spent)


class TestSeveralGrants:
    def test_share_their_terms(self, bench: Bench) -> None:
        recipients = [calls.Recipient(BOB, 0, PACKAGE), calls.Recipient(CLINICIAN, 3, digest("another"))]
        receipt = bench.send(calls.grant_many(1, terms(), recipients), "ann")
        word = replace(terms(), revision=1)
        assert receipt.events == (
            Granted(ANN, 1, BOB, 0, word, PACKAGE),
            Granted(ANN, 1, CLINICIAN, 3, word, digest("another")),
        )

    def test_are_all_refused_with_one_of_them(self, bench: Bench) -> None:
        good, bad = calls.Recipient(BOB, 0, PACKAGE), calls.Recipient(BOB, 8, PACKAGE)
        bench.refuses(InvalidTermsError, calls.grant_many(1, terms(), [good, bad]), "ann", field="number")
        assert not bench.view.grant(ANN, 1, BOB, 0).given
        bench.send(calls.grant_many(1, terms(), [good]), "ann")

    def test_of_one_slot_raise_its_revision_each(self, bench: Bench) -> None:
        same = calls.Recipient(BOB, 0, PACKAGE)
        bench.send(calls.grant_many(1, terms(), [same, same]), "ann")
        assert bench.view.grant(ANN, 1, BOB, 0).revision == 2


class TestARevocation:
    @pytest.mark.parametrize("by", ["ann", "clinician"])
    def test_by_owner_or_grantee_leaves_the_counters_alone(self, bench: Bench, by: str) -> None:
        bench.grant(1, "clinician")
        call = calls.revoke(ANN, 1, CLINICIAN, 0)
        bench.refuses(NotOwnerNorGranteeError, call, "bob", caller=BOB)
        receipt = bench.send(call, by)
        assert receipt.events == (Revoked(ANN, 1, CLINICIAN, 0, Grant(revision=2)),)

    def test_of_an_empty_slot_raises_its_revision(self, bench: Bench) -> None:
        bench.send(calls.revoke(ANN, 1, CLINICIAN, 5), "ann")
        assert bench.view.grant(ANN, 1, CLINICIAN, 5) == Grant(revision=1)

    def test_is_of_a_slot_of_eight(self, bench: Bench) -> None:
        bench.refuses(InvalidTermsError, calls.revoke(ANN, 1, CLINICIAN, 8), "ann", field="number")
        many = calls.revoke_many(1, [(CLINICIAN, 0), (CLINICIAN, 8)])
        bench.refuses(InvalidTermsError, many, "ann", field="number")
        bench.send(calls.revoke(ANN, 1, CLINICIAN, 7), "ann")

    def test_of_several_is_the_owners(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        bench.send(calls.revoke_many(1, [(CLINICIAN, 0)]), "clinician")
        assert bench.view.grant(ANN, 1, CLINICIAN, 0).given
        receipt = bench.send(calls.revoke_many(1, [(CLINICIAN, 0), (BOB, 1)]), "ann")
        assert [event.grant for event in receipt.events] == [Grant(revision=2), Grant(revision=1)]

    def test_stops_at_the_last_revision(self, bench: Bench) -> None:
        signed = revoke_call(bench, SignedRevoke(ANN, 1, CLINICIAN, 0, MAX_REVISION, bench.soon))
        for call in (signed, calls.revoke(ANN, 1, CLINICIAN, 0)):
            assert bench.send(call, "ann").the(Revoked).grant.revision == MAX_REVISION


class TestRevokingEverything:
    def regrant(self, number: int, revision: int, **changes: int) -> calls.Regrant:
        return calls.Regrant(CLINICIAN, number, revision, terms(**changes), PACKAGE)

    def test_raises_the_epoch_and_writes_no_slot(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        assert bench.send(calls.revoke_all(1), "ann").events == (AllRevoked(ANN, 1, 1),)
        view = bench.view
        assert (view.epoch(ANN, 1), view.epoch(BOB, 1), view.grant(ANN, 1, CLINICIAN, 0).epoch) == (1, 0, 0)

    def test_may_keep_some(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        receipt = bench.send(calls.revoke_all(1, [self.regrant(0, 1)]), "ann")
        word = replace(terms(), revision=2, epoch=1)
        assert receipt.events == (AllRevoked(ANN, 1, 1), Granted(ANN, 1, CLINICIAN, 0, word, PACKAGE))

    @pytest.mark.parametrize("revision", [0, 1])
    @pytest.mark.parametrize(
        ("change", "field"),
        [({"grantee": ZERO_ADDRESS}, "grantee"), ({"number": 8}, "number"), ({"terms": Grant()}, "actions")],
    )
    def test_refuses_what_a_kept_slot_says_whatever_stands_there(
        self, bench: Bench, revision: int, change: dict[str, object], field: str
    ) -> None:
        bench.grant(1, "clinician")
        kept = self.regrant(0, revision)
        bad = replace(kept, **change)  # type: ignore[arg-type]
        bench.refuses(InvalidTermsError, calls.revoke_all(1, [bad]), "ann", field=field)
        bench.send(calls.revoke_all(1, [kept]), "ann")

    @pytest.mark.parametrize(
        ("why", "by"), [("revoked", "clinician"), ("revoked", "ann"), ("granted anew", "ann"), ("all revoked", "ann")]
    )
    def test_is_not_stopped_by_a_kept_slot_that_moved_on(self, bench: Bench, why: str, by: str) -> None:
        for number in range(2):
            bench.grant(1, "clinician", number)
        moves = {
            "revoked": calls.revoke(ANN, 1, CLINICIAN, 0),
            "granted anew": grant(terms(), 0),
            "all revoked": calls.revoke_all(1, [self.regrant(1, 1)]),
        }
        bench.send(moves[why], by)
        after = bench.view.epoch(ANN, 1) + 1
        second = bench.view.grant(ANN, 1, CLINICIAN, 1).revision
        receipt = bench.send(calls.revoke_all(1, [self.regrant(0, 1), self.regrant(1, second)]), "ann")
        word = replace(terms(), revision=second + 1, epoch=after)
        assert receipt.events == (AllRevoked(ANN, 1, after), Granted(ANN, 1, CLINICIAN, 1, word, PACKAGE))

    def test_keeps_no_empty_slot_and_each_once(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        keep = [self.regrant(0, 1), self.regrant(0, 1), self.regrant(0, 2), self.regrant(3, 0)]
        receipt = bench.send(calls.revoke_all(1, keep), "ann")
        assert [type(event) for event in receipt.events] == [AllRevoked, Granted]

    def test_passes_over_a_spent_slot(self, bench: Bench) -> None:
        signed = revoke_call(bench, SignedRevoke(ANN, 1, CLINICIAN, 0, MAX_REVISION - 4, bench.soon))
        bench.send(signed, "carrier")
        bench.send(grant(terms()), "ann")
        kept = bench.send(calls.revoke_all(1, [self.regrant(0, MAX_REVISION - 2)]), "ann")
        assert kept.the(Granted).grant.revision == MAX_REVISION - 1
        spent = bench.send(calls.revoke_all(1, [self.regrant(0, MAX_REVISION - 1)]), "ann")
        assert spent.events == (AllRevoked(ANN, 1, 2),)

    def test_stops_at_the_last_epoch_and_keeps_none_there(self, bench: Bench) -> None:
        bench.poke("epoch", (ANN, 1), MAX_EPOCH - 1)
        bench.grant(1, "clinician")
        for keep in ([self.regrant(0, 1)], []):
            assert bench.send(calls.revoke_all(1, keep), "ann").events == (AllRevoked(ANN, 1, MAX_EPOCH),)


class TestABlock:
    def test_is_the_owners_and_counts(self, bench: Bench) -> None:
        twin = bench.mint("ann")
        block, unblock = calls.block_grantee(twin, BOB), calls.unblock_grantee(twin, BOB)
        for call in (block, unblock):
            bench.refuses(NotConsentOwnerError, call, "bob", twin=twin, caller=BOB)
        told = [bench.send(call, "ann").events[0] for call in (block, block, unblock, unblock, block)]
        assert told == [
            Blocked(twin, BOB, 1),
            Blocked(twin, BOB, 3),
            Unblocked(twin, BOB, 4),
            Unblocked(twin, BOB, 6),
            Blocked(twin, BOB, 7),
        ]
        assert bench.view.blocked(twin, BOB)

    @pytest.mark.parametrize("make", [calls.block_grantee, calls.unblock_grantee])
    def test_is_on_a_twin_that_is_there(self, bench: Bench, make: type[Call]) -> None:
        bench.refuses(UnknownTwinError, make(1, BOB), "ann", tokenId=1)
        bench.mint("ann")
        bench.send(make(1, BOB), "ann")

    def test_is_for_ever_at_the_last_count(self, bench: Bench) -> None:
        twin = bench.mint("ann")
        bench.send(calls.block_grantee(twin, BOB), "ann")
        bench.poke("blocks", (twin, BOB), 2**32 - 3)
        bench.send(calls.unblock_grantee(twin, BOB), "ann")
        spent = {"twin": twin, "grantee": BOB}
        bench.refuses(BlockSpentError, calls.unblock_grantee(twin, BOB), "ann", **spent)
        for _ in range(2):
            assert bench.send(calls.block_grantee(twin, BOB), "ann").events == (Blocked(twin, BOB, 2**32 - 1),)
        bench.refuses(BlockSpentError, calls.unblock_grantee(twin, BOB), "ann", **spent)
