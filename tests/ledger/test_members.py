"""Enrolment, cards, kinds, suspension and keyrings, on both ledgers."""

from __future__ import annotations

import pytest

from dtledger.ledger import calls, messages
from dtledger.ledger.events import Agreed, CardUpdated, Dismissed, Enrolled, KeyringSet, KindsSet, Reinstated, Suspended
from dtledger.ledger.rejections import (
    AlreadyEnrolledError,
    AlreadySuspendedError,
    DeadlinePassedError,
    GuardedKindsError,
    NotAgreedError,
    NotAnOrganisationError,
    NotEnrolledError,
    NotSuspendedError,
    StaleKeyringError,
    StaleVersionError,
    UnguardedKindsError,
    UnknownKindsError,
    WrongSignatureError,
)
from dtledger.policy import Member
from dtledger.types import ZERO_ADDRESS, ZERO_DIGEST
from dtledger.vocabulary import Kind
from tests.ledger.bench import Bench, digest, who

CLINICIAN, HOSPITAL, CLINIC = (who(name).address for name in ("clinician", "hospital", "clinic"))


class TestEnrolment:
    def test_takes_the_members_signed_card_and_its_organisations_agreement(self, bench: Bench) -> None:
        bench.enrol("hospital")
        receipt = bench.enrol("clinician", Kind.CLINICIAN, organisation="hospital")
        key = digest("key of clinician")
        assert receipt.events == (Enrolled(CLINICIAN, HOSPITAL, Kind.CLINICIAN.mask, key),)
        assert bench.view.member(CLINICIAN) == Member(Kind.CLINICIAN.mask, HOSPITAL, 1)
        assert bench.view.member(HOSPITAL) == Member(0, None, 1)
        assert bench.view.key_digest(CLINICIAN) == key

    def test_happens_once(self, bench: Bench) -> None:
        fields = bench.member_card("clinician")
        call = calls.enrol(fields, bench.signed_card(fields, "clinician"), b"", 0)
        bench.send(call, "registrar")
        bench.refuses(AlreadyEnrolledError, call, "registrar", member=CLINICIAN)

    def test_needs_the_members_own_signature_whoever_else_signs(self, bench: Bench) -> None:
        fields = bench.member_card("clinician")
        for forged in (bench.signed_card(fields, "registrar"), b"", bytes(65), b"\xff" * 65):
            call = calls.enrol(fields, forged, b"", 0)
            bench.refuses(WrongSignatureError, call, "registrar", signer=CLINICIAN)
        bench.send(calls.enrol(fields, bench.signed_card(fields, "clinician"), b"", 0), "registrar")

    def test_refuses_a_malleable_signature(self, bench: Bench) -> None:
        fields = bench.member_card("clinician")
        good = bench.signed_card(fields, "clinician")
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        flipped = good[:32] + (order - int.from_bytes(good[32:64])).to_bytes(32) + bytes([55 - good[64]])
        bench.refuses(WrongSignatureError, calls.enrol(fields, flipped, b"", 0), "registrar", signer=CLINICIAN)
        bench.send(calls.enrol(fields, good, b"", 0), "registrar")

    def test_refuses_a_card_that_names_a_version_to_come(self, bench: Bench) -> None:
        fields = bench.member_card("clinician", version=1)
        call = calls.enrol(fields, bench.signed_card(fields, "clinician"), b"", 0)
        bench.refuses(StaleVersionError, call, "registrar", named=1, present=0)
        bench.enrol("clinician")

    def test_knows_the_kinds_that_it_gives(self, bench: Bench) -> None:
        fields = bench.member_card("clinician")
        signed = bench.signed_card(fields, "clinician")
        bench.refuses(UnknownKindsError, calls.enrol(fields, signed, b"", 1 << 9), "registrar", kinds=1 << 9)
        guarded = Kind.CUSTODIAN.mask | Kind.CLINICIAN.mask
        bench.refuses(GuardedKindsError, calls.enrol(fields, signed, b"", guarded), "registrar", kinds=guarded)
        bench.send(calls.enrol(fields, signed, b"", Kind.CLINICIAN.mask), "registrar")

    def test_by_a_registrar_of_itself_needs_no_signature(self, bench: Bench) -> None:
        bench.send(calls.enrol(bench.member_card("registrar"), b"", b"", 0), "registrar")
        assert bench.view.member(who("registrar").address)


class TestAnOrganisation:
    def enrol_call(self, bench: Bench, agreement: bytes) -> calls.Call:
        fields = bench.member_card("clinician", organisation="hospital")
        return calls.enrol(fields, bench.signed_card(fields, "clinician"), agreement, 0)

    def test_agrees_by_its_signature(self, bench: Bench) -> None:
        bench.enrol("hospital")
        stolen = bench.agreement("clinic", "clinician")
        bench.refuses(WrongSignatureError, self.enrol_call(bench, stolen), "registrar", signer=HOSPITAL)
        later = bench.agreement("hospital", "clinician", version=1)
        bench.refuses(WrongSignatureError, self.enrol_call(bench, later), "registrar", signer=HOSPITAL)
        bench.send(self.enrol_call(bench, bench.agreement("hospital", "clinician")), "registrar")

    def test_agrees_by_a_call_of_its_own(self, bench: Bench) -> None:
        bench.enrol("hospital")
        receipt = bench.send(calls.agree(CLINICIAN, 0), "hospital")
        assert receipt.events == (Agreed(HOSPITAL, CLINICIAN, 0),)
        bench.send(self.enrol_call(bench, b""), "registrar")

    def test_cannot_agree_to_another_version_than_the_present(self, bench: Bench) -> None:
        bench.enrol("clinician")
        bench.refuses(StaleVersionError, calls.agree(CLINICIAN, 0), "hospital", named=0, present=1)
        bench.send(calls.agree(CLINICIAN, 1), "hospital")

    def test_takes_its_signed_agreement_back_by_dismissing(self, bench: Bench) -> None:
        bench.enrol("hospital")
        agreed = bench.agreement("hospital", "clinician")
        bench.send(calls.dismiss(CLINICIAN), "hospital")
        bench.refuses(
            NotAgreedError,
            self.enrol_call(bench, agreed),
            "registrar",
            organisation=HOSPITAL,
            member=CLINICIAN,
            version=0,
        )
        bench.send(calls.agree(CLINICIAN, 0), "hospital")
        bench.send(self.enrol_call(bench, agreed), "registrar")

    def test_must_be_enrolled_active_and_of_no_other(self, bench: Bench) -> None:
        agreed = bench.agreement("hospital", "clinician")
        call = self.enrol_call(bench, agreed)
        bench.refuses(NotAnOrganisationError, call, "registrar", organisation=HOSPITAL)
        bench.enrol("hospital")
        bench.send(calls.suspend(HOSPITAL), "suspender")
        bench.refuses(NotAnOrganisationError, call, "registrar", organisation=HOSPITAL)
        bench.announced(calls.reinstate(HOSPITAL), "steward")
        bench.send(calls.reinstate(HOSPITAL), "steward")
        bench.enrol("clinic")
        joins = bench.member_card("hospital", version=1, organisation="clinic")
        bench.send(calls.agree(HOSPITAL, 1), "clinic")
        bench.send(calls.update_card(joins), "hospital")
        bench.refuses(NotAnOrganisationError, call, "registrar", organisation=HOSPITAL)
        leaves = bench.member_card("hospital", version=2)
        bench.send(calls.update_card(leaves), "hospital")
        bench.send(call, "registrar")

    def test_is_never_a_member_of_itself(self, bench: Bench) -> None:
        bench.enrol("hospital")
        fields = bench.member_card("hospital", version=1, organisation="hospital")
        bench.refuses(NotAnOrganisationError, calls.update_card(fields), "hospital", organisation=HOSPITAL)
        bench.send(calls.update_card(bench.member_card("hospital", version=1)), "hospital")

    def test_dismisses_a_member_of_its_own(self, bench: Bench) -> None:
        bench.enrol("hospital")
        bench.enrol("clinician", organisation="hospital")
        receipt = bench.send(calls.dismiss(CLINICIAN), "hospital")
        assert receipt.events == (Dismissed(HOSPITAL, CLINICIAN),)
        assert bench.view.member(CLINICIAN) == Member(0, None, 1)

    @pytest.mark.parametrize("member", ["clinician", "ann"], ids=["another's member", "a stranger"])
    def test_moves_nobody_else_by_dismissing(self, bench: Bench, member: str) -> None:
        bench.enrol("hospital")
        bench.enrol("clinician", organisation="hospital")
        before = bench.view.member(who(member).address)
        bench.send(calls.dismiss(who(member).address), "clinic")
        assert bench.view.member(who(member).address) == before


class TestACard:
    def test_is_replaced_by_its_members_message_alone(self, bench: Bench) -> None:
        bench.enrol("clinician", Kind.CLINICIAN)
        fields = bench.member_card("clinician", version=1, key="a new key")
        forged = calls.update_card(fields, bench.signed_card(fields, "registrar"))
        bench.refuses(WrongSignatureError, forged, "registrar", signer=CLINICIAN)
        receipt = bench.send(calls.update_card(fields, bench.signed_card(fields, "clinician")), "carrier")
        assert receipt.events == (CardUpdated(CLINICIAN, ZERO_ADDRESS, digest("a new key"), 2),)
        assert bench.view.member(CLINICIAN) == Member(Kind.CLINICIAN.mask, None, 2)
        assert bench.view.key_digest(CLINICIAN) == digest("a new key")

    def test_is_void_once_its_version_has_passed(self, bench: Bench) -> None:
        bench.enrol("clinician")
        fields = bench.member_card("clinician", version=1)
        call = calls.update_card(fields, bench.signed_card(fields, "clinician"))
        bench.send(call, "carrier")
        bench.refuses(StaleVersionError, call, "carrier", named=1, present=2)

    def test_belongs_to_an_enrolled_member(self, bench: Bench) -> None:
        call = calls.update_card(bench.member_card("clinician"))
        bench.refuses(NotEnrolledError, call, "clinician", member=CLINICIAN)
        bench.enrol("clinician")
        bench.send(calls.update_card(bench.member_card("clinician", version=1)), "clinician")

    def test_needs_no_new_agreement_while_the_organisation_stays(self, bench: Bench) -> None:
        bench.enrol("hospital")
        bench.enrol("clinician", organisation="hospital")
        bench.send(calls.update_card(bench.member_card("clinician", 1, "hospital")), "clinician")
        assert bench.view.member(CLINICIAN) == Member(0, HOSPITAL, 2)

    def test_may_be_changed_by_a_suspended_member(self, bench: Bench) -> None:
        bench.enrol("clinician")
        bench.send(calls.suspend(CLINICIAN), "suspender")
        bench.send(calls.update_card(bench.member_card("clinician", version=1)), "clinician")
        assert bench.view.member(CLINICIAN) == Member(0, None, 2, suspended=True)


class TestKinds:
    def test_are_set_by_a_registrar(self, bench: Bench) -> None:
        bench.enrol("gateway", Kind.CLINICIAN)
        receipt = bench.send(calls.set_kinds(who("gateway").address, Kind.GATEWAY.mask), "registrar")
        assert receipt.events == (KindsSet(who("gateway").address, Kind.GATEWAY.mask),)

    def test_are_of_a_member(self, bench: Bench) -> None:
        bench.refuses(NotEnrolledError, calls.set_kinds(CLINICIAN, 1), "registrar", member=CLINICIAN)
        bench.announced(calls.add_guarded_kinds(CLINICIAN, 4), "steward")
        bench.refuses(NotEnrolledError, calls.add_guarded_kinds(CLINICIAN, 4), "steward", member=CLINICIAN)
        bench.enrol("clinician")
        bench.send(calls.set_kinds(CLINICIAN, 1), "registrar")
        bench.send(calls.add_guarded_kinds(CLINICIAN, 4), "steward")

    def test_that_are_guarded_are_added_by_a_steward_after_the_delay(self, bench: Bench) -> None:
        bench.enrol("clinician", Kind.CLINICIAN)
        both = Kind.CLINICIAN.mask | Kind.CUSTODIAN.mask
        bench.refuses(GuardedKindsError, calls.set_kinds(CLINICIAN, both), "registrar", kinds=both)
        bench.refuses(UnknownKindsError, calls.set_kinds(CLINICIAN, 0xFFFF), "registrar", kinds=0xFFFF)
        adding = calls.add_guarded_kinds(CLINICIAN, Kind.CUSTODIAN.mask)
        bench.announced(adding, "steward")
        assert bench.send(adding, "steward").events == (KindsSet(CLINICIAN, both),)
        bench.send(calls.set_kinds(CLINICIAN, both), "registrar")
        bench.send(calls.set_kinds(CLINICIAN, 0), "registrar")
        bench.refuses(GuardedKindsError, calls.set_kinds(CLINICIAN, both), "registrar", kinds=both)

    def test_that_are_not_guarded_do_not_come_that_way(self, bench: Bench) -> None:
        bench.enrol("clinician")
        bench.announced(calls.add_guarded_kinds(CLINICIAN, 1), "steward")
        bench.refuses(UnguardedKindsError, calls.add_guarded_kinds(CLINICIAN, 1), "steward", kinds=1)
        bench.announced(calls.add_guarded_kinds(CLINICIAN, 64), "steward")
        bench.send(calls.add_guarded_kinds(CLINICIAN, 64), "steward")


class TestSuspension:
    def test_is_immediate_and_ended_by_a_steward_after_the_delay(self, bench: Bench) -> None:
        bench.enrol("clinician")
        assert bench.send(calls.suspend(CLINICIAN), "suspender").events == (Suspended(CLINICIAN),)
        assert bench.view.member(CLINICIAN) == Member(0, None, 1, suspended=True)
        bench.announced(calls.reinstate(CLINICIAN), "steward")
        assert bench.send(calls.reinstate(CLINICIAN), "steward").events == (Reinstated(CLINICIAN),)
        assert bench.view.member(CLINICIAN) == Member(0, None, 1)

    def test_happens_to_active_members_and_its_end_to_suspended_ones(self, bench: Bench) -> None:
        bench.refuses(NotEnrolledError, calls.suspend(CLINICIAN), "suspender", member=CLINICIAN)
        bench.enrol("clinician")
        bench.announced(calls.reinstate(CLINICIAN), "steward")
        bench.refuses(NotSuspendedError, calls.reinstate(CLINICIAN), "steward", member=CLINICIAN)
        bench.send(calls.suspend(CLINICIAN), "suspender")
        bench.refuses(AlreadySuspendedError, calls.suspend(CLINICIAN), "suspender", member=CLINICIAN)
        bench.send(calls.reinstate(CLINICIAN), "steward")


class TestAKeyring:
    def test_is_replaced_by_its_organisation(self, bench: Bench) -> None:
        first, second = digest("first ring"), digest("second ring")
        bench.refuses(NotEnrolledError, calls.set_keyring(first, ZERO_DIGEST), "hospital", member=HOSPITAL)
        bench.enrol("hospital")
        receipt = bench.send(calls.set_keyring(first, ZERO_DIGEST), "hospital")
        assert receipt.events == (KeyringSet(HOSPITAL, first),)
        stale = calls.set_keyring(second, ZERO_DIGEST)
        bench.refuses(StaleKeyringError, stale, "hospital", named=ZERO_DIGEST, present=first)
        bench.send(calls.set_keyring(second, first), "hospital")
        assert bench.view.keyring(HOSPITAL) == second

    def test_may_be_carried_by_anyone_while_the_message_lives(self, bench: Bench) -> None:
        bench.enrol("hospital")
        ring, deadline = digest("ring"), bench.soon
        text = messages.keyring(bench.deployment, HOSPITAL, ring, ZERO_DIGEST, deadline)
        forged = calls.set_keyring_signed(HOSPITAL, ring, ZERO_DIGEST, deadline, who("clinic").sign_digest(text))
        bench.refuses(WrongSignatureError, forged, "carrier", signer=HOSPITAL)
        call = calls.set_keyring_signed(HOSPITAL, ring, ZERO_DIGEST, deadline, who("hospital").sign_digest(text))
        bench.clock.advance(deadline - bench.clock.at)
        bench.refuses(DeadlinePassedError, call, "carrier", deadline=deadline)
        fresh = bench.soon
        text = messages.keyring(bench.deployment, HOSPITAL, ring, ZERO_DIGEST, fresh)
        signed = calls.set_keyring_signed(HOSPITAL, ring, ZERO_DIGEST, fresh, who("hospital").sign_digest(text))
        bench.send(signed, "carrier")
        bench.refuses(StaleKeyringError, signed, "carrier", named=ZERO_DIGEST, present=ring)
