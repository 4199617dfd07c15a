"""Who may do what, and what waits a delay, on both ledgers."""

from __future__ import annotations

import pytest

from dtledger.ledger import Call, calls
from dtledger.ledger.rejections import (
    AlreadyAnnouncedError,
    AnnouncementExpiredError,
    CannotAnnounceError,
    CannotCancelError,
    NotYetDueError,
    ScheduleNeededError,
    UnauthorizedError,
)
from dtledger.vocabulary import Kind
from tests.ledger.bench import DAY, GOVERNANCE_DELAY, PEOPLE, Bench, who

CLINICIAN = who("clinician").address


@pytest.fixture
def suspended(bench: Bench) -> Bench:
    bench.enrol("clinician", Kind.CLINICIAN)
    bench.send(calls.suspend(CLINICIAN), "suspender")
    return bench


def operation(bench: Bench, call: Call, by: str) -> bytes:
    """The AccessManager's name for what `by` announces: keccak256(abi.encode(caller, target, data))."""
    from eth_abi.abi import encode

    from dtledger._backend.artifacts import spelled_out
    from dtledger.encoding import keccak

    return keccak(encode(["address", "address", "bytes"], [who(by).address, *spelled_out(bench.deployment, call)]))


class TestARole:
    def test_is_asked_of_everyone(self, bench: Bench) -> None:
        bench.enrol("hospital")
        fields = bench.member_card("clinician")
        restricted = {
            "registrar": [
                calls.enrol(fields, bench.signed_card(fields, "clinician"), b"", 0),
                calls.set_kinds(who("hospital").address, 1),
            ],
            "suspender": [calls.suspend(who("hospital").address)],
            "minter": [bench.mint_call("ann")],
        }
        for role, role_calls in restricted.items():
            for call in role_calls:
                for other in set(PEOPLE) - {role}:
                    bench.refuses(UnauthorizedError, call, other, caller=who(other).address)
                bench.send(call, role)

    def test_of_a_steward_is_not_anyone_elses(self, suspended: Bench) -> None:
        for call in (calls.reinstate(CLINICIAN), calls.add_guarded_kinds(CLINICIAN, 4)):
            for other in ("admin", "registrar", "suspender", "ann"):
                suspended.refuses(UnauthorizedError, call, other, caller=who(other).address)
            suspended.announced(call, "steward")
            suspended.send(call, "steward")


class TestADelay:
    def test_passes_between_the_announcement_and_the_call(self, suspended: Bench) -> None:
        call = calls.reinstate(CLINICIAN)
        named = {"operationId": operation(suspended, call, "steward")}
        suspended.refuses(ScheduleNeededError, call, "steward", **named)
        announced = suspended.send(calls.schedule(call), "steward").at
        suspended.clock.at = announced + GOVERNANCE_DELAY - 2
        suspended.refuses(NotYetDueError, call, "steward", **named)
        assert suspended.clock.at == announced + GOVERNANCE_DELAY - 1
        suspended.send(call, "steward")

    def test_is_over_for_one_call_alone(self, suspended: Bench) -> None:
        call = calls.add_guarded_kinds(CLINICIAN, 4)
        suspended.announced(call, "steward")
        other = calls.add_guarded_kinds(CLINICIAN, 64)
        suspended.refuses(ScheduleNeededError, other, "steward", operationId=operation(suspended, other, "steward"))
        suspended.send(call, "steward")
        suspended.refuses(ScheduleNeededError, call, "steward", operationId=operation(suspended, call, "steward"))

    def test_is_followed_by_a_week(self, suspended: Bench) -> None:
        call = calls.reinstate(CLINICIAN)
        announced = suspended.send(calls.schedule(call), "steward").at
        named = {"operationId": operation(suspended, call, "steward")}
        suspended.clock.at = announced + GOVERNANCE_DELAY + 7 * DAY - 2
        suspended.refuses(AlreadyAnnouncedError, calls.schedule(call), "steward", **named)
        assert suspended.clock.at == announced + GOVERNANCE_DELAY + 7 * DAY - 1
        suspended.refuses(AnnouncementExpiredError, call, "steward", **named)
        suspended.announced(call, "steward")
        suspended.send(call, "steward")

    def test_lasts_longer_if_the_announcement_says_so(self, suspended: Bench) -> None:
        call = calls.reinstate(CLINICIAN)
        when = suspended.clock.at + GOVERNANCE_DELAY + 500
        suspended.send(calls.schedule(call, when), "steward")
        suspended.clock.at = when - 2
        suspended.refuses(NotYetDueError, call, "steward", operationId=operation(suspended, call, "steward"))
        suspended.send(call, "steward")

    def test_cannot_be_cut_short(self, suspended: Bench) -> None:
        call = calls.reinstate(CLINICIAN)
        early = suspended.clock.at + GOVERNANCE_DELAY
        target = suspended.deployment.contracts["MemberRegistry"]
        with pytest.raises(CannotAnnounceError) as caught:
            suspended.send(calls.schedule(call, early), "steward")
        selector = caught.value.evidence["selector"]
        named = {"caller": who("steward").address, "target": target, "selector": selector}
        suspended.refuses(CannotAnnounceError, calls.schedule(call, early), "steward", **named)
        suspended.send(calls.schedule(call, early + 10), "steward")

    @pytest.mark.parametrize("stranger", ["ann", "registrar", "admin"])
    def test_is_begun_by_who_has_the_role(self, suspended: Bench, stranger: str) -> None:
        call = calls.reinstate(CLINICIAN)
        with pytest.raises(CannotAnnounceError):
            suspended.send(calls.schedule(call), stranger)
        suspended.send(calls.schedule(call), "steward")

    def test_is_not_begun_for_a_role_that_has_none(self, suspended: Bench) -> None:
        with pytest.raises(CannotAnnounceError):
            suspended.send(calls.schedule(calls.set_kinds(CLINICIAN, 0)), "registrar")
        suspended.send(calls.set_kinds(CLINICIAN, 0), "registrar")

    @pytest.mark.parametrize("by", ["steward", "admin"])
    def test_is_taken_back_by_who_began_it_or_governs(self, suspended: Bench, by: str) -> None:
        call = calls.reinstate(CLINICIAN)
        cancel = calls.cancel(who("steward").address, call)
        named = {"operationId": operation(suspended, call, "steward")}
        suspended.refuses(ScheduleNeededError, cancel, by, **named)
        suspended.announced(call, "steward")
        with pytest.raises(CannotCancelError) as caught:
            suspended.send(cancel, "suspender")
        assert caught.value.evidence["msgsender"] == who("suspender").address
        suspended.send(cancel, by)
        suspended.refuses(ScheduleNeededError, call, "steward", **named)
