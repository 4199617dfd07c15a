"""Members, twins and guardians, on two ledgers at once."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from dtledger.ledger import calls, guardian_calls, messages
from dtledger.ledger import guardians as g
from dtledger.types import ZERO_DIGEST, Digest
from tests.ledger.bench import DAY, GOVERNANCE_DELAY, card, digest, who
from tests.ledger.drawn import askers, beside, lives, patients, rarely, twins, wards
from tests.ledger.guarding import OTHER_SALT, SALT, WARDS, carried, guardians, signatures
from tests.ledger.two_ledgers import TwoLedgers


class Members(TwoLedgers):
    """They are enrolled, suspended, and speak for organisations."""

    @rule(
        name=askers, organisation=st.sampled_from(["", "", "hospital", "bob"]),
        kinds=st.sampled_from([1, 2, 8, 4, 512]), forged=rarely, off=beside,
    )  # fmt: skip
    def enrol(self, name: str, organisation: str, kinds: int, forged: bool, off: int) -> None:
        fields = self._card(name, organisation, off)
        agreed = self.real.agreement(organisation, name, fields.version) if organisation and not forged else b""
        signed = self.real.signed_card(fields, "registrar" if forged else name)
        self.both(calls.enrol(fields, signed, agreed, kinds), "registrar")

    @rule(name=askers, organisation=st.sampled_from(["", "hospital", "bob"]), agrees=st.booleans(), off=beside)
    def update_card(self, name: str, organisation: str, agrees: bool, off: int) -> None:
        fields = self._card(name, organisation, off)
        agreed = self.real.agreement(organisation, name, fields.version) if organisation and agrees else b""
        self.both(calls.update_card(fields, b"", agreed), name)

    def _card(self, name: str, organisation: str, off: int) -> calls.MemberCard:
        member = self.view.member(who(name).address)
        version = max(0, (member.version if member else 0) + off)
        return self.real.member_card(name, version, organisation)

    @rule(name=askers, kinds=st.sampled_from([0, 1, 2, 8, 64, 0x44, 512]), stranger=rarely)
    def set_kinds(self, name: str, kinds: int, stranger: bool) -> None:
        self.both(calls.set_kinds(who(name).address, kinds), "ann" if stranger else "registrar")

    @rule(name=askers)
    def suspend(self, name: str) -> None:
        self.both(calls.suspend(who(name).address), "suspender")

    @rule(
        name=askers, kinds=st.sampled_from([4, 64, 1]), by=st.sampled_from(["steward", "steward", "admin"]),
        wait=st.sampled_from([GOVERNANCE_DELAY - 2, GOVERNANCE_DELAY, GOVERNANCE_DELAY, GOVERNANCE_DELAY + 7 * DAY]),
        cancelled=rarely, reinstates=st.booleans(),
    )  # fmt: skip
    def wait_the_delay(self, name: str, kinds: int, by: str, wait: int, cancelled: bool, reinstates: bool) -> None:
        address = who(name).address
        call = calls.reinstate(address) if reinstates else calls.add_guarded_kinds(address, kinds)
        self.both(calls.schedule(call), by)
        if cancelled:
            self.both(calls.cancel(who("steward").address, call), by)
        self.real.clock.advance(wait)
        self.both(call, "steward")

    @rule(name=askers, by=st.sampled_from(["hospital", "hospital", "bob"]), off=beside)
    def agree(self, name: str, by: str, off: int) -> None:
        self.both(calls.agree(who(name).address, self._card(name, "", off).version), by)

    @rule(name=askers, by=st.sampled_from(["hospital", "bob"]))
    def dismiss(self, name: str, by: str) -> None:
        self.both(calls.dismiss(who(name).address), by)

    @rule(
        by=st.sampled_from(["hospital", "bob"]), stale=rarely, signed=st.booleans(), life=lives, ring=st.integers(0, 3)
    )
    def set_keyring(self, by: str, stale: bool, signed: bool, life: int, ring: int) -> None:
        present = ZERO_DIGEST if stale else self.view.keyring(who(by).address) or ZERO_DIGEST
        if not signed:
            self.both(calls.set_keyring(digest(ring), present), by)
            return
        fields = (who(by).address, digest(ring), present, self.deadline(life))
        self.both(calls.set_keyring_signed(*fields, self.signature(messages.keyring, by, *fields)), "carrier")


class Twins(TwoLedgers):
    """They are minted, described, moved and retired."""

    @rule(patient=patients, off=beside, forged=rarely, life=lives)
    def mint(self, patient: str, off: int, forged: bool, life: int) -> None:
        count = max(0, len(self.view.twins_of(who(patient).address)) + off)
        fields = (who(patient).address, count, self.deadline(life))
        signed = self.signature(messages.mint, "minter" if forged else patient, *fields)
        self.both(calls.mint(*fields, signed), "minter")

    @rule(twin=twins, by=patients, version=st.integers(1, 4), stale=rarely, signed=st.booleans(), life=lives)
    def set_card(self, twin: int, by: str, version: int, stale: bool, signed: bool, life: int) -> None:
        present = ZERO_DIGEST if stale else self._card_digest(twin)
        if not signed:
            self.both(calls.set_card(twin, present, card(version)), by)
            return
        fields = (twin, present, card(version), self.deadline(life))
        signer = self.owner(twin, by) if life else by
        self.both(calls.set_card_signed(*fields, self.signature(messages.set_card, signer, *fields)), "carrier")

    def _card_digest(self, twin: int) -> Digest:
        """As `client.twins` works it out, from the events alone."""
        chained = ZERO_DIGEST
        for record in self.view.cards(twin):
            if record.owner == self.view.owner(twin):
                chained = messages.card_chain(chained, record.card)
        return chained

    @rule(twin=twins, to=st.sampled_from(["bob", "ann", "clinician"]), off=beside, by=askers, life=lives)
    def move(self, twin: int, to: str, off: int, by: str, life: int) -> None:
        counter = max(0, self.view.counter(twin) + off)
        fields = (twin, who(to).address, counter, self.deadline(life))
        owner = self.owner(twin, by)
        signed = (self.signature(messages.move, owner, *fields), self.signature(messages.move, to, *fields))
        self.both(calls.move(*fields, *((b"", b"") if by in (owner, to) and life == 0 else signed)), by)

    @rule(
        twin=twins,
        by=patients,
        verb=st.sampled_from(["announce", "cancel"]),
        off=beside,
        signed=st.booleans(),
        life=lives,
    )
    def retire(self, twin: int, by: str, verb: str, off: int, signed: bool, life: int) -> None:
        if not signed:
            self.both(getattr(calls, f"{verb}_retirement")(twin), by)
            return
        fields = (twin, max(0, self.view.counter(twin) + off), self.deadline(life))
        signature = self.signature(getattr(messages, f"{verb}_retirement"), self.owner(twin, by), *fields)
        self.both(getattr(calls, f"{verb}_retirement_signed")(*fields, signature), "carrier")


class Guardians(TwoLedgers):
    """They are chosen, freeze a twin, and recover it for its owner."""

    @rule(
        twin=twins, by=patients, salt=st.sampled_from([SALT, SALT, SALT, OTHER_SALT, None]), off=beside,
        days=st.sampled_from([2, 2, 30, 1, 31, 0]), signed=st.booleans(), life=lives,
    )  # fmt: skip
    def choose(self, twin: int, by: str, salt: bytes | None, off: int, days: int, signed: bool, life: int) -> None:
        chosen = guardians(salt).digest if salt else ZERO_DIGEST
        fields = (twin, chosen, days * DAY)
        if not signed:
            self.both(guardian_calls.set_guardians(*fields), self.owner(twin, by))
            return
        more = (*fields, max(0, self.view.counter(twin) + off), self.deadline(life))
        signature = self.signature(g.set_guardians, self.owner(twin, by), *more)
        self.both(guardian_calls.set_guardians_signed(*more, signature), "carrier")

    @rule(
        twin=twins, kind=st.sampled_from(["Freeze", "Freeze", "Unfreeze", "RescueTwin"]), off=beside,
        signers=wards, salt=st.sampled_from([SALT] * 6 + [OTHER_SALT]),
        life=st.sampled_from([600, 3 * DAY, 3 * DAY + 1]),
    )  # fmt: skip
    def guard(self, twin: int, kind: g.Counted, off: int, signers: list[str], salt: bytes, life: int) -> None:
        fields = (twin, max(0, self.view.counter(twin) + off), self.deadline(life))
        self.both(carried(self.real, kind, *fields, signers, salt), "carrier")

    @rule(twin=twins, to=st.sampled_from(["bob", "clinic", "ann"]), off=beside, signers=wards, forged=rarely)
    def announce_move(self, twin: int, to: str, off: int, signers: list[str], forged: bool) -> None:
        fields = (twin, who(to).address, max(0, self.view.counter(twin) + off), self.deadline(600))
        text = g.announce_move(self.real.deployment, *fields)
        recipient = who("carrier" if forged else to).sign_digest(text)
        self.both(guardian_calls.announce_move(*fields, guardians(), signatures(text, signers), recipient), "carrier")

    @rule(twin=twins, by=patients, off=beside, signed=st.booleans(), life=lives)
    def veto_move(self, twin: int, by: str, off: int, signed: bool, life: int) -> None:
        if not signed:
            self.both(guardian_calls.veto_move(twin), self.owner(twin, by))
            return
        fields = (twin, max(0, self.view.counter(twin) + off), self.deadline(life))
        text = g.counted(self.real.deployment, "VetoMove", *fields)
        signature = who(self.owner(twin, by)).sign_digest(text)
        self.both(guardian_calls.veto_move_signed(*fields, signature), "carrier")

    @rule(twin=twins, waits=st.booleans())
    def complete_move(self, twin: int, waits: bool) -> None:
        if waits:
            self.real.clock.advance(2 * DAY)
        self.both(guardian_calls.complete_move(twin), "carrier")

    @rule(seldom=st.sampled_from([0, 0, 0, 1]))
    def recover(self, seldom: int) -> None:
        """Freeze, announce by all, fail to veto, wait and complete: what chance seldom brings together."""
        if not seldom:
            return
        self.choose(1, "ann", SALT, 0, 2, False, 600)
        self.guard(1, "Freeze", 0, list(WARDS), SALT, 600)
        self.announce_move(1, "clinic", 0, list(WARDS), False)
        self.veto_move(1, "ann", 0, False, 600)
        self.complete_move(1, True)
