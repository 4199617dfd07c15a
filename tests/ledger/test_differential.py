"""The ledger in memory and the real one, told the same: they answer alike, call by call, and remember alike.

A random life of a few people, twins and grants runs on both at once. Calls are drawn so that most are near what would
succeed: counters are named as they stand or one beside, signatures are right or another's, times lie round the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dtledger.errors import LedgerRejection
from dtledger.ledger import Call, calls, guardian_calls, messages
from dtledger.ledger import guardians as g
from dtledger.ledger.signed import (
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot,
)
from dtledger.policy import Grant, Request, check
from dtledger.testing import Clock
from dtledger.testing.memory_contracts.consent_store import ConsentStore
from dtledger.types import ZERO_DIGEST, Address, Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.ledger.bench import DAY, GOVERNANCE_DELAY, RETIRE_DELAY, Bench, card, digest, memory_bench, who
from tests.ledger.conftest import Chain
from tests.ledger.guarding import OTHER_SALT, SALT, WARDS, carried, guardians, signatures
from tests.ledger.signing import (
    grant_call,
    grant_many_call,
    revoke_all_call,
    revoke_call,
    revoke_many_call,
)

pytestmark = pytest.mark.anvil

PATIENTS = ("ann", "bob")
ASKERS = ("ann", "bob", "clinician", "gateway", "hospital")
TRAINERS = ("carrier", "carrier", "clinician", "gateway")
GOVERNORS = ("registrar", "steward", "suspender", "minter", "admin")

patients = st.sampled_from(PATIENTS)
askers = st.sampled_from(ASKERS)
twins = st.sampled_from([1] * 6 + [2, 2, 3])
numbers = st.sampled_from([0] * 6 + [1, 1, 8])
models = st.sampled_from([1] * 6 + [2, 0])
beside = st.sampled_from([0, 0, 0, 0, 0, 1, -1])
"""How far a named counter lies from the present one."""
places = st.sampled_from([0, 1, 2, 3, None])
"""Which of the slots that an owner wrote; None is one that is drawn, written or not."""
rarely = st.sampled_from([False] * 9 + [True])
lives = st.sampled_from([600, 600, 600, 600, 0, 1, 3600, 3601, -1])
"""How far ahead of the next block a deadline lies, in seconds."""
wards = st.sampled_from(
    [
        ["clinician", "gateway"],
        ["clinician", "gateway"],
        list(WARDS),
        list(WARDS),
        ["hospital"],
        ["bob", "hospital"],
        [],
    ]
)
"""Which guardians sign, and who is none."""
words = st.builds(
    Grant,
    categories=st.sampled_from([1, 1, 3, 8, 0xFFFFFFFF]),
    purposes=st.sampled_from([Purpose.TREAT.mask, Purpose.TREAT.mask, 0xFFFFFFFF, Purpose.ETREAT.mask]),
    not_before_at=st.sampled_from([0, 0, 0, 2**39]),
    expires_at=st.sampled_from([2**40 - 1, 2**40 - 1, 2**40 - 1, 2**39]),
    data=st.sampled_from([Period(0, 2**30 - 1), Period(10, 20), Period(20, 20)]),
    actions=st.sampled_from([1, 1, 2, 4, 7, 8, 15]),
)
senseless = st.sampled_from(
    [{}] * 20 + [{"actions": 0}, {"actions": 16}, {"categories": 0}, {"expires_at": 0}, {"epoch": 1}]
)
words = st.builds(lambda word, change: replace(word, **change), words, senseless)
requests = st.builds(
    Request,
    twin=twins,
    requester=askers.map(lambda name: who(name).address),
    grantee=askers.map(lambda name: who(name).address),
    number=st.sampled_from([0, 0, 1]),
    action=st.sampled_from([Action.READ, Action.READ, Action.TRAIN]),
    purpose=st.sampled_from([Purpose.TREAT, Purpose.TREAT, Purpose.ETREAT, Purpose.PATRQT]),
    bit=st.sampled_from([0, 0, 1, 31]),
    period=st.sampled_from([Period(10, 20), Period(20, 20), Period(9, 20), Period(0, 2**30 - 1)]),
)


class Machine(RuleBasedStateMachine):
    """Subclassed with the chain to run on, for hypothesis makes one for each example itself."""

    chain: Chain
    outcomes: Counter[str]
    verdicts: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self._mark = self.chain.anvil.rpc("evm_snapshot")
        self.real = self.chain.bench()
        self._begun = len(self.real.ledger.history().logged)
        head = self.real.ledger.head()
        self.fake = memory_bench(Clock(head.at), self.real.deployment, head)
        self.fake.clock = self.real.clock  # one clock for both; the chain in memory is told below
        self.fake.ledger.chain.clock = self.real.clock  # type: ignore[attr-defined]

    def teardown(self) -> None:
        try:
            for request in self._about_what_stands():
                for now in (1, self.real.clock.at, 2**39):
                    self._compare_verdicts(request, now)
            assert self.real.ledger.history().logged[self._begun :] == self.fake.ledger.history().logged
        finally:
            self.real.ledger.close()
            self.chain.anvil.rpc("evm_revert", self._mark)

    # ----------------------------------------------------------------------------------------------------------

    def both(self, call: Call, by: str) -> None:
        self.real.arrange(self.real.clock.advance(1))
        outcomes = [self._outcome(bench, call, by) for bench in (self.real, self.fake)]
        assert outcomes[0] == outcomes[1], (call, by)
        self.outcomes[f"{call.function}: {outcomes[0][0]}"] += 1

    def _outcome(self, bench: Bench, call: Call, by: str) -> tuple[str, Any]:
        try:
            receipt = bench.ledger.send(call, who(by))
        except LedgerRejection as error:
            return type(error).__name__, error.evidence
        return "taken", (receipt.block, receipt.at, receipt.events)

    @property
    def view(self) -> Any:
        return self.fake.view

    def deadline(self, life: int) -> int:
        """`life` seconds after the block that is to take the message."""
        return self.real.clock.at + 1 + life

    def signature(self, message: Callable[..., Digest], signer: str, *fields: Any) -> bytes:
        return who(signer).sign_digest(message(self.real.deployment, *fields))

    def owner(self, twin: int, fallback: str) -> str:
        owner = self.view.owner(twin)
        return next((name for name in ASKERS if who(name).address == owner), fallback)

    def revision(self, owner: str, twin: int, grantee: str, number: int, off: int) -> int:
        present = self.view.grant(who(owner).address, twin, who(grantee).address, number).revision
        return max(0, present + off)

    def epoch(self, owner: str, twin: int, off: int) -> int:
        return max(0, self.view.epoch(who(owner).address, twin) + off)

    # members ---------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Most lives begin with members and a twin, so that little time goes to what fails for want of them."""
        self.enrol("hospital", "", 0, False, 0)
        for name, kind in (("clinician", Kind.RESEARCHER), ("gateway", Kind.GATEWAY)):
            self.enrol(name, "hospital" if name == "clinician" else "", kind.mask, False, 0)
        self.enrol("carrier", "", Kind.COORDINATOR.mask | Kind.RESEARCHER.mask | Kind.AUDITOR.mask, False, 0)
        self.wait_the_delay("clinician", Kind.EMERGENCY.mask, "steward", GOVERNANCE_DELAY, False, False)
        self.lead("carrier", "register", 1, 0, 0, False)
        self.lead("carrier", "open", 1, 0, 0, False)
        self.mint("ann", 0, False, 600)
        for name, actions in (("clinician", 1), ("hospital", 8), ("gateway", 2)):
            word = Grant(1, Purpose.TREAT.mask, 0, 2**40 - 1, Period(10, 20), actions)
            self.grant(1, "ann", name, 0, word)
        self.open_emergency(1, "hospital", 0, "clinician", 1)

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

    # twins -----------------------------------------------------------------------------------------------------

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

    # guardians -------------------------------------------------------------------------------------------------

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

    # consents --------------------------------------------------------------------------------------------------

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

    # models ----------------------------------------------------------------------------------------------------

    @rule(
        by=st.sampled_from(TRAINERS),
        verb=st.sampled_from(["open", "finalise", "finalise", "register", "retrain", "accept"]),
        model=models,
        off=beside,
        counted=beside,
        senseless=rarely,
    )
    def lead(self, by: str, verb: str, model: int, off: int, counted: int, senseless: bool) -> None:
        number, parent = self._newest(model)
        updates = max(0, len(self.view.updates(model, number)) + counted)
        made = ZERO_DIGEST if senseless else digest(f"made {model} {number}")
        finalising = calls.finalise_aggregate(model, max(0, number + off), made, digest("record"), updates)
        opening = calls.open_round(model, digest("stale") if off else ZERO_DIGEST if senseless else parent)
        registering = calls.register_model(8 if not senseless else 32, 1, 2, max(0, 9 * (1 + off)), digest("card"))
        remediating = (model, max(0, number - counted + off), ZERO_DIGEST if senseless else digest("reason"))
        retraining, accepting = calls.retrain(*remediating), calls.accept(*remediating)
        every = {"open": opening, "finalise": finalising, "register": registering}
        self.both((every | {"retrain": retraining, "accept": accepting})[verb], by)

    @rule(
        by=st.sampled_from(TRAINERS),
        model=models,
        off=beside,
        stale=rarely,
        cohort=st.sampled_from([2, 2, 2, 1]),
        epsilon=st.sampled_from([1, 4, 9, 10, 0]),
    )
    def commit_update(self, by: str, model: int, off: int, stale: bool, cohort: int, epsilon: int) -> None:
        number, parent = self._newest(model)
        said = calls.Contribution(model, max(0, number + off), cohort, epsilon)
        on = digest("stale") if stale else parent
        self.both(calls.commit_update(digest("update"), on, digest("consents"), digest("record"), said), by)

    def _newest(self, model: int) -> tuple[int, Digest]:
        """The newest round's number and the present aggregate."""
        rounds, present = self.view.rounds(model), self.view.present(model)
        return len(rounds), present.aggregate if present else digest("beginning")

    # emergencies -----------------------------------------------------------------------------------------------

    @rule(
        twin=twins, to=st.sampled_from(["hospital", "hospital", "clinician", "gateway"]), number=numbers,
        by=st.sampled_from(["clinician", "clinician", "gateway", "hospital"]), cause=st.sampled_from([1, 1, 5, 6, 0]),
    )  # fmt: skip
    def open_emergency(self, twin: int, to: str, number: int, by: str, cause: int) -> None:
        self.both(calls.open_emergency(twin, who(to).address, number, cause, digest("text")), by)

    @rule(
        opening=st.sampled_from([1, 1, 1, 2, 3, 0]), by=st.sampled_from(["carrier", "carrier", *ASKERS]),
        finding=st.sampled_from([1, 1, 3, 4, 0]),
    )  # fmt: skip
    def review_emergency(self, opening: int, by: str, finding: int) -> None:
        self.both(calls.review_emergency(opening, finding, digest("words")), by)

    # the rest --------------------------------------------------------------------------------------------------

    @rule(by=askers, root=st.integers(0, 2), count=st.sampled_from([1, 1, 2**32 - 1, 0]))
    def anchor(self, by: str, root: int, count: int) -> None:
        self.both(calls.anchor_batch(digest(root), count, digest("index")), by)

    @rule(by=askers, count=st.integers(0, 4))
    def anchor_receipts(self, by: str, count: int) -> None:
        self.both(calls.anchor_receipts(digest(count), count, digest("last")), by)

    @rule(seconds=st.sampled_from([0, 3600, DAY, RETIRE_DELAY]))
    def pass_time(self, seconds: int) -> None:
        self.real.clock.advance(seconds)
        self.real.arrange(self.real.clock.advance(1))
        beats = [bench.ledger.heartbeat(who("carrier")) for bench in (self.real, self.fake)]
        assert len({(beat.block, beat.at, beat.events) for beat in beats}) == 1

    @rule(request=requests, now=st.sampled_from([1, 2**39, 2**39 - 1, 2**40 - 1]))
    def ask(self, request: Request, now: int) -> None:
        self._compare_verdicts(request, now)

    def _compare_verdicts(self, request: Request, now: int) -> None:
        answers = [bench.ledger.check(request, now, now) for bench in (self.real, self.fake)]
        answers += [check(bench.view, request, now, now) for bench in (self.real, self.fake)]
        assert len(set(answers)) == 1, (request, answers)
        self.verdicts[answers[0].name] += 1

    def _about_what_stands(self) -> Iterator[Request]:
        """Questions about each slot that an owner of a twin wrote, by its grantee and by who might belong to it."""
        for twin in (1, 2):
            owner: Address | None = self.view.owner(twin)
            for record in self.view.records(owner, twin)[:4] if owner else ():
                slot = record.slot
                for action, purpose in (
                    (Action.READ, Purpose.TREAT),
                    (Action.READ, Purpose.ETREAT),
                    (Action.WRITE, None),
                ):
                    for requester in {slot.grantee, who("clinician").address}:
                        yield Request(twin, requester, slot.grantee, slot.number, action, purpose, 0, Period(20, 20))


def live(deployed: Chain, *, lives: int, **changes: Any) -> tuple[Counter[str], Counter[str]]:
    """Let the machine run; returns how often each call had each outcome, and each verdict."""
    outcomes, verdicts = Counter[str](), Counter[str]()
    machine = type("OnThisChain", (Machine,), {"chain": deployed, "outcomes": outcomes, "verdicts": verdicts})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **changes,
        ),
    )
    return outcomes, verdicts


def test_the_ledger_in_memory_does_what_the_real_one_does(deployed: Chain) -> None:
    outcomes, verdicts = live(deployed, lives=max(2, settings().max_examples // 8))  # 12, or 125 if asked to be long
    assert outcomes.total() > 100
    assert verdicts.total() > 100


def test_a_ledger_in_memory_that_errs_is_found(deployed: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConsentStore, "_require_terms", lambda self, word: None)
    with pytest.raises(AssertionError):
        live(deployed, lives=50, phases=[Phase.generate], report_multiple_bugs=False)
