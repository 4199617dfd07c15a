"""Consents as signed messages that anyone carries, on both ledgers: none sent late permits what a newer one denies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dtledger.ledger import Call, calls
from dtledger.ledger.events import AllRevoked, Blocked, Granted, Revoked, Unblocked
from dtledger.ledger.rejections import (
    BlockSpentError,
    DeadlinePassedError,
    DeadlineTooFarError,
    EpochSpentError,
    InvalidTermsError,
    NotOwnerNorGranteeError,
    SlotSpentError,
    StaleBlockCountError,
    StaleEpochError,
    StaleRevisionError,
    UnknownTwinError,
    WrongSignatureError,
)
from dtledger.ledger.signed import (
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot,
)
from dtledger.policy import MAX_EPOCH, MAX_REVISION, Grant
from tests.ledger.bench import Bench, digest, terms, who
from tests.ledger.signing import (
    block_call,
    grant_call,
    grant_many_call,
    revoke_all_call,
    revoke_call,
    revoke_many_call,
)

ANN, BOB, CLINICIAN = (who(name).address for name in ("ann", "bob", "clinician"))
PACKAGE = digest("package")


def a_grant(bench: Bench, **changes: object) -> SignedGrant:
    message = SignedGrant(ANN, 1, CLINICIAN, 0, terms(), PACKAGE, 0, 0, bench.soon)
    return replace(message, **changes)  # type: ignore[arg-type]


def a_grant_to_many(bench: Bench, *revisions: int, **changes: object) -> SignedGrantMany:
    recipients = tuple(SignedRecipient(BOB, number, PACKAGE, each) for number, each in enumerate(revisions))
    return replace(SignedGrantMany(ANN, 1, terms(), recipients, 0, bench.soon), **changes)  # type: ignore[arg-type]


def a_revocation(bench: Bench, **changes: object) -> SignedRevoke:
    return replace(SignedRevoke(ANN, 1, CLINICIAN, 0, 0, bench.soon), **changes)  # type: ignore[arg-type]


def a_revocation_of_many(bench: Bench, *revisions: int) -> SignedRevokeMany:
    slots = tuple(SignedSlot(CLINICIAN, number, each) for number, each in enumerate(revisions))
    return SignedRevokeMany(ANN, 1, slots, bench.soon)


def a_revocation_of_all(bench: Bench, *keep: calls.Regrant, **changes: object) -> SignedRevokeAll:
    return replace(SignedRevokeAll(ANN, 1, keep, 0, bench.soon), **changes)  # type: ignore[arg-type]


class TestEveryMessage:
    MAKERS: tuple[Callable[[Bench, str], Call], ...] = (
        lambda bench, signer: grant_call(bench, a_grant(bench), signer),
        lambda bench, signer: grant_many_call(bench, a_grant_to_many(bench, 0), signer),
        lambda bench, signer: revoke_call(bench, a_revocation(bench), signer, claimed="ann"),
        lambda bench, signer: revoke_many_call(bench, a_revocation_of_many(bench, 0), signer),
        lambda bench, signer: revoke_all_call(bench, a_revocation_of_all(bench), signer),
        lambda bench, signer: block_call(bench, 1, BOB, 0, signer),
        lambda bench, signer: block_call(bench, 1, BOB, 0, signer, undo=True),
    )
    KINDS = ("grant", "grantMany", "revoke", "revokeMany", "revokeAll", "block", "unblock")

    @pytest.mark.parametrize("make", MAKERS, ids=KINDS)
    def test_is_the_owners_and_carried_by_anyone(self, bench: Bench, make: Callable[[Bench, str], Call]) -> None:
        bench.mint("ann")
        bench.refuses(WrongSignatureError, make(bench, "carrier"), "carrier", signer=ANN)
        bench.send(make(bench, "ann"), "carrier")

    @pytest.mark.parametrize("make", MAKERS, ids=KINDS)
    def test_lives_until_its_deadline_and_for_an_hour_at_most(
        self, bench: Bench, make: Callable[[Bench, str], Call]
    ) -> None:
        bench.mint("ann")
        call, deadline, now = make(bench, "ann"), bench.soon, bench.clock.at
        bench.clock.at = deadline
        bench.refuses(DeadlinePassedError, call, "carrier", deadline=deadline)
        bench.clock.at = now + 3002  # a deadline is 600 s after the clock
        ahead = make(bench, "ann")
        bench.clock.at = now
        bench.refuses(DeadlineTooFarError, ahead, "carrier", deadline=now + 3602)
        bench.send(ahead, "carrier")

    @pytest.mark.parametrize("make", MAKERS[5:], ids=KINDS[5:])
    def test_about_a_block_is_on_a_twin_that_is_there(self, bench: Bench, make: Callable[[Bench, str], Call]) -> None:
        bench.refuses(UnknownTwinError, make(bench, "ann"), "carrier", tokenId=1)
        bench.mint("ann")
        bench.send(make(bench, "ann"), "carrier")


class TestASignedGrant:
    def test_names_revision_and_epoch_exactly(self, bench: Bench) -> None:
        for revision in (1, 2):
            late = grant_call(bench, a_grant(bench, revision=revision))
            bench.refuses(StaleRevisionError, late, "carrier", named=revision, present=0)
        other = grant_call(bench, a_grant(bench, epoch=1))
        bench.refuses(StaleEpochError, other, "carrier", named=1, present=0)
        call = grant_call(bench, a_grant(bench))
        word = replace(terms(), revision=1)
        assert bench.send(call, "carrier").events == (Granted(ANN, 1, CLINICIAN, 0, word, PACKAGE),)
        bench.refuses(StaleRevisionError, call, "carrier", named=0, present=1)

    def test_does_not_outlive_a_revocation_of_everything(self, bench: Bench) -> None:
        call = grant_call(bench, a_grant(bench))
        bench.send(calls.revoke_all(1), "ann")
        bench.refuses(StaleEpochError, call, "carrier", named=0, present=1)
        bench.send(grant_call(bench, a_grant(bench, epoch=1)), "carrier")

    def test_is_judged_like_any_other(self, bench: Bench) -> None:
        for change, field in (({"categories": 0}, "categories"), ({"actions": 16}, "actions")):
            bad = grant_call(bench, a_grant(bench, terms=terms(**change)))
            bench.refuses(InvalidTermsError, bad, "carrier", field=field)
        for number in (8, 255):
            bad = grant_call(bench, a_grant(bench, number=number))
            bench.refuses(InvalidTermsError, bad, "carrier", field="number")
        bench.send(grant_call(bench, a_grant(bench, number=7)), "carrier")

    def test_is_refused_where_the_counters_are_used_up(self, bench: Bench) -> None:
        bench.send(revoke_call(bench, a_revocation(bench, revision=MAX_REVISION - 2)), "carrier")
        spent = grant_call(bench, a_grant(bench, revision=MAX_REVISION - 1))
        bench.refuses(SlotSpentError, spent, "carrier", grantee=CLINICIAN, number=0)
        bench.send(grant_call(bench, a_grant(bench, number=1)), "carrier")
        bench.poke("epoch", (ANN, 1), MAX_EPOCH)
        spent = grant_call(bench, a_grant(bench, number=2, epoch=MAX_EPOCH))
        bench.refuses(EpochSpentError, spent, "carrier", owner=ANN, twin=1)
        many = grant_many_call(bench, a_grant_to_many(bench, 0, epoch=MAX_EPOCH))
        bench.refuses(EpochSpentError, many, "carrier", owner=ANN, twin=1)

    def test_of_many_names_each_revision(self, bench: Bench) -> None:
        bench.send(calls.revoke(ANN, 1, BOB, 1), "ann")
        bench.refuses(
            StaleRevisionError, grant_many_call(bench, a_grant_to_many(bench, 0, 0)), "carrier", named=0, present=1
        )
        bench.refuses(
            StaleEpochError,
            grant_many_call(bench, a_grant_to_many(bench, 0, 1, epoch=2)),
            "carrier",
            named=2,
            present=0,
        )
        bad = grant_many_call(bench, a_grant_to_many(bench, 0, 1, terms=terms(actions=0)))
        bench.refuses(InvalidTermsError, bad, "carrier", field="actions")
        receipt = bench.send(grant_many_call(bench, a_grant_to_many(bench, 0, 1)), "carrier")
        assert [event.grant.revision for event in receipt.events] == [1, 2]


class TestASignedRevocation:
    def test_moves_the_slot_past_every_revision_that_it_names(self, bench: Bench) -> None:
        receipt = bench.send(revoke_call(bench, a_revocation(bench, revision=5)), "carrier")
        assert receipt.events == (Revoked(ANN, 1, CLINICIAN, 0, Grant(revision=6)),)
        withheld = grant_call(bench, a_grant(bench, revision=5))
        bench.refuses(StaleRevisionError, withheld, "carrier", named=5, present=6)

    def test_ends_a_withheld_grant_that_lands_first(self, bench: Bench) -> None:
        grant, revocation = grant_call(bench, a_grant(bench)), revoke_call(bench, a_revocation(bench, revision=1))
        bench.send(grant, "carrier")
        bench.send(revocation, "carrier")
        assert not bench.view.grant(ANN, 1, CLINICIAN, 0).given

    def test_is_void_above_what_it_names(self, bench: Bench) -> None:
        for _ in range(2):
            bench.grant(1, "clinician")
        bench.refuses(
            StaleRevisionError,
            revoke_call(bench, a_revocation(bench, revision=1)),
            "carrier",
            named=1,
            present=2,
        )
        bench.send(revoke_call(bench, a_revocation(bench, revision=2)), "carrier")

    def test_may_be_the_grantees(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        message = a_revocation(bench, revision=1)
        bench.refuses(NotOwnerNorGranteeError, revoke_call(bench, message, "bob"), "carrier", caller=BOB)
        posing = revoke_call(bench, message, "bob", claimed="clinician")
        bench.refuses(WrongSignatureError, posing, "carrier", signer=CLINICIAN)
        bench.send(revoke_call(bench, message, "clinician"), "carrier")
        assert not bench.view.grant(ANN, 1, CLINICIAN, 0).given

    def test_is_of_a_slot_of_eight(self, bench: Bench) -> None:
        bad = revoke_call(bench, a_revocation(bench, number=8))
        bench.refuses(InvalidTermsError, bad, "carrier", field="number")
        bench.send(revoke_call(bench, a_revocation(bench, number=7)), "carrier")

    def test_of_many_passes_over_what_has_moved_on(self, bench: Bench) -> None:
        bench.grant(1, "clinician", 0)
        for _ in range(2):
            bench.grant(1, "clinician", 1)
        receipt = bench.send(revoke_many_call(bench, a_revocation_of_many(bench, 1, 1)), "carrier")
        assert receipt.events == (Revoked(ANN, 1, CLINICIAN, 0, Grant(revision=2)),)
        bench.send(revoke_many_call(bench, a_revocation_of_many(bench, 1, 2)), "carrier")
        assert not bench.view.grant(ANN, 1, CLINICIAN, 1).given

    def test_of_many_is_of_slots_of_eight(self, bench: Bench) -> None:
        bad = SignedRevokeMany(ANN, 1, (SignedSlot(CLINICIAN, 8, 0),), bench.soon)
        bench.refuses(InvalidTermsError, revoke_many_call(bench, bad), "carrier", field="number")
        bench.send(revoke_many_call(bench, a_revocation_of_many(bench, 0)), "carrier")

    def test_of_everything_moves_the_epoch_past_the_one_that_it_names(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        kept = calls.Regrant(CLINICIAN, 0, 1, terms(), PACKAGE)
        older = revoke_all_call(bench, a_revocation_of_all(bench))
        call = revoke_all_call(bench, a_revocation_of_all(bench, kept, epoch=1))
        word = replace(terms(), revision=2, epoch=2)
        assert bench.send(call, "carrier").events == (
            AllRevoked(ANN, 1, 2),
            Granted(ANN, 1, CLINICIAN, 0, word, PACKAGE),
        )
        bench.refuses(StaleEpochError, call, "carrier", named=1, present=2)
        bench.refuses(StaleEpochError, older, "carrier", named=0, present=2)
        last = revoke_all_call(bench, a_revocation_of_all(bench, epoch=MAX_EPOCH))
        assert bench.send(last, "carrier").events == (AllRevoked(ANN, 1, MAX_EPOCH),)

    def test_of_everything_is_not_stopped_by_what_it_would_keep(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        kept = calls.Regrant(CLINICIAN, 0, 1, terms(), PACKAGE)
        call = revoke_all_call(bench, a_revocation_of_all(bench, kept))
        bench.send(calls.revoke(ANN, 1, CLINICIAN, 0), "clinician")
        assert bench.send(call, "carrier").events == (AllRevoked(ANN, 1, 1),)

    def test_of_everything_is_not_stopped_by_an_older_one_that_kept_something(self, bench: Bench) -> None:
        bench.grant(1, "clinician")
        kept = calls.Regrant(CLINICIAN, 0, 1, terms(), PACKAGE)
        older = revoke_all_call(bench, a_revocation_of_all(bench, kept))
        newer = revoke_all_call(bench, a_revocation_of_all(bench, epoch=1))
        bench.send(older, "carrier").the(Granted)
        assert bench.send(newer, "carrier").events == (AllRevoked(ANN, 1, 2),)


class TestASignedBlock:
    def test_moves_the_count_past_every_one_that_it_names(self, bench: Bench) -> None:
        bench.mint("ann")
        ahead = block_call(bench, 1, BOB, 4, "ann")
        assert bench.send(ahead, "carrier").events == (Blocked(1, BOB, 5),)
        withheld = block_call(bench, 1, BOB, 3, "ann", undo=True)
        bench.refuses(StaleBlockCountError, withheld, "carrier", named=3, present=5)

    def test_is_void_above_what_it_names(self, bench: Bench) -> None:
        bench.mint("ann")
        first = block_call(bench, 1, BOB, 0, "ann")
        bench.send(first, "carrier")
        bench.refuses(StaleBlockCountError, first, "carrier", named=0, present=1)
        bench.send(block_call(bench, 1, BOB, 1, "ann"), "carrier")

    def test_is_undone_by_a_message_that_names_its_count_exactly(self, bench: Bench) -> None:
        bench.mint("ann")
        bench.send(block_call(bench, 1, BOB, 0, "ann"), "carrier")
        withheld = block_call(bench, 1, BOB, 1, "ann", undo=True)
        bench.send(calls.block_grantee(1, BOB), "ann")
        for count in (1, 5):
            stale = block_call(bench, 1, BOB, count, "ann", undo=True)
            bench.refuses(StaleBlockCountError, stale, "carrier", named=count, present=3)
        bench.refuses(StaleBlockCountError, withheld, "carrier", named=1, present=3)
        assert bench.send(block_call(bench, 1, BOB, 3, "ann", undo=True), "carrier").events == (Unblocked(1, BOB, 4),)

    def test_is_for_ever_at_the_last_count(self, bench: Bench) -> None:
        bench.mint("ann")
        bench.poke("blocks", (1, BOB), 2**32 - 1)
        undone = block_call(bench, 1, BOB, 2**32 - 1, "ann", undo=True)
        bench.refuses(BlockSpentError, undone, "carrier", twin=1, grantee=BOB)
        bench.send(block_call(bench, 1, BOB, 2**32 - 1, "ann"), "carrier")
