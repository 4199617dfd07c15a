"""Grants, revocations and blocks, on two ledgers at once."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from dtledger.ledger import calls, messages
from dtledger.ledger.signed import (
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot,
)
from dtledger.policy import Grant
from tests.ledger.bench import digest, who
from tests.ledger.drawn import ASKERS, askers, beside, lives, numbers, patients, places, rarely, twins, words
from tests.ledger.signing import grant_call, grant_many_call, revoke_all_call, revoke_call, revoke_many_call
from tests.ledger.two_ledgers import TwoLedgers


class Consents(TwoLedgers):
    """They are given, ended and blocked, by a call of one's own and by a message."""

    @rule(twin=twins, by=patients, to=askers, number=numbers, word=words)
    def grant(self, twin: int, by: str, to: str, number: int, word: Grant) -> None:
        self.both(calls.grant(twin, who(to).address, number, word, digest("package")), by)

    @rule(twin=twins, by=patients, to=st.lists(st.tuples(askers, numbers), max_size=3), word=words)
    def grant_many(self, twin: int, by: str, to: list[tuple[str, int]], word: Grant) -> None:
        recipients = [calls.Recipient(who(name).address, number, digest(number)) for name, number in to]
        self.both(calls.grant_many(twin, word, recipients), by)

    @rule(
        twin=twins,
        owner=patients,
        to=askers,
        number=numbers,
        word=words,
        off=beside,
        epoch=beside,
        forged=rarely,
        life=lives,
    )
    def grant_signed(
        self, twin: int, owner: str, to: str, number: int, word: Grant, off: int, epoch: int, forged: bool, life: int
    ) -> None:
        message = SignedGrant(
            owner=who(owner).address,
            twin=twin,
            grantee=who(to).address,
            number=number,
            terms=word,
            package=digest("package"),
            revision=self.revision(owner, twin, to, number, off),
            epoch=self.epoch(owner, twin, epoch),
            deadline=self.deadline(life),
        )
        self.both(grant_call(self.real, message, "carrier" if forged else owner), "carrier")

    @rule(
        twin=twins, owner=patients, to=st.lists(st.tuples(askers, numbers, beside), max_size=3), word=words, life=lives
    )
    def grant_many_signed(self, twin: int, owner: str, to: list[tuple[str, int, int]], word: Grant, life: int) -> None:
        recipients = tuple(
            SignedRecipient(who(name).address, number, digest(off), self.revision(owner, twin, name, number, off))
            for name, number, off in to
        )
        epoch, deadline = self.epoch(owner, twin, 0), self.deadline(life)
        message = SignedGrantMany(who(owner).address, twin, word, recipients, epoch, deadline)
        self.both(grant_many_call(self.real, message), "carrier")

    @rule(twin=twins, owner=patients, to=askers, number=numbers, by=askers, honest=st.booleans())
    def revoke(self, twin: int, owner: str, to: str, number: int, by: str, honest: bool) -> None:
        self.both(calls.revoke(who(owner).address, twin, who(to).address, number), owner if honest else by)

    @rule(twin=twins, by=patients, slots=st.lists(st.tuples(askers, numbers), max_size=3))
    def revoke_many(self, twin: int, by: str, slots: list[tuple[str, int]]) -> None:
        self.both(calls.revoke_many(twin, [(who(name).address, number) for name, number in slots]), by)

    @rule(
        twin=twins, owner=patients, to=askers, number=numbers, ahead=st.sampled_from([0, 0, 1, 5, -1, 65_532, 65_535]),
        signer=askers, honest=st.booleans(), life=lives,
    )  # fmt: skip
    def revoke_signed(
        self, twin: int, owner: str, to: str, number: int, ahead: int, signer: str, honest: bool, life: int
    ) -> None:
        revision = min(self.revision(owner, twin, to, number, ahead), 65_535)
        slot = (who(owner).address, twin, who(to).address, number)
        message = SignedRevoke(*slot, revision, self.deadline(life))
        self.both(revoke_call(self.real, message, owner if honest else signer), "carrier")

    @rule(twin=twins, owner=patients, slots=st.lists(st.tuples(askers, numbers, beside), max_size=3), life=lives)
    def revoke_many_signed(self, twin: int, owner: str, slots: list[tuple[str, int, int]], life: int) -> None:
        named = tuple(
            SignedSlot(who(name).address, number, self.revision(owner, twin, name, number, off))
            for name, number, off in slots
        )
        self.both(
            revoke_many_call(self.real, SignedRevokeMany(who(owner).address, twin, named, self.deadline(life))),
            "carrier",
        )

    @rule(
        twin=twins, by=patients, keep=st.lists(st.tuples(places, askers, numbers, beside, words), max_size=2),
        signed=st.booleans(), off=beside, life=lives,
    )  # fmt: skip
    def revoke_all(
        self,
        twin: int,
        by: str,
        keep: list[tuple[int | None, str, int, int, Grant]],
        signed: bool,
        off: int,
        life: int,
    ) -> None:
        kept = tuple(self._kept(by, twin, *each) for each in keep)
        if not signed:
            self.both(calls.revoke_all(twin, kept), by)
            return
        message = SignedRevokeAll(who(by).address, twin, kept, self.epoch(by, twin, off), self.deadline(life))
        self.both(revoke_all_call(self.real, message), "carrier")

    def _kept(
        self, owner: str, twin: int, place: int | None, name: str, number: int, off: int, word: Grant
    ) -> calls.Regrant:
        written = [each.slot for each in self.view.records(who(owner).address, twin)]
        if written and place is not None:
            slot = written[place % len(written)]
            name, number = next(each for each in ASKERS if who(each).address == slot.grantee), slot.number
        return calls.Regrant(
            who(name).address, number, self.revision(owner, twin, name, number, off), word, digest("kept")
        )

    @rule(twin=twins, by=patients, to=askers, undo=st.booleans(), signed=st.booleans(), off=beside, life=lives)
    def block(self, twin: int, by: str, to: str, undo: bool, signed: bool, off: int, life: int) -> None:
        grantee = who(to).address
        if not signed:
            self.both((calls.unblock_grantee if undo else calls.block_grantee)(twin, grantee), by)
            return
        count = max(0, self.view.block_count(twin, grantee) + off)
        message, call = (messages.unblock, calls.unblock_signed) if undo else (messages.block, calls.block_signed)
        fields = (twin, grantee, count, self.deadline(life))
        self.both(call(*fields, self.signature(message, self.owner(twin, by), *fields)), "carrier")
