"""The rule: what it permits, and in which order it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dtledger.policy import EMPTY, MAX_EPOCH, MAX_REVISION, Grant, MalformedRequestError, Member, Request
from dtledger.types import ZERO_ADDRESS
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests.questions import ASKER, FAULTS, GRANT, HOSPITAL, NOW, OTHER, OWNER, REQUEST, Change, Question, World, request


class TestTheOrder:
    def test_a_request_without_a_fault_is_permitted(self) -> None:
        assert Question().verdict is Reason.PERMITTED

    @pytest.mark.parametrize(("reason", "fault"), FAULTS, ids=lambda each: getattr(each, "name", ""))
    def test_one_fault_is_the_answer(self, reason: Reason, fault: Change) -> None:
        assert fault(Question()).verdict is reason

    @given(st.sets(st.integers(0, len(FAULTS) - 1), min_size=1))
    def test_of_several_the_first_is_the_answer_and_mending_it_gives_a_later_one(self, chosen: set[int]) -> None:
        remaining = sorted(chosen)
        verdicts = []
        while remaining:
            question = Question()
            for place in remaining:
                question = FAULTS[place][1](question)
            assert question.verdict is FAULTS[remaining[0]][0]
            verdicts.append(question.verdict)
            remaining = remaining[1:]
        assert verdicts == sorted(verdicts)

    def test_the_reasons_are_numbered_as_they_are_asked(self) -> None:
        assert [reason for reason, _ in FAULTS] == sorted(reason for reason, _ in FAULTS)


class TestTheOwner:
    @pytest.mark.parametrize("fault", [fault for _, fault in FAULTS[3:]])
    def test_reads_their_own_data_whatever_else_holds(self, fault: Change) -> None:
        question = request(requester=OWNER, purpose=Purpose.PATRQT, action=Action.READ)(fault(Question()))
        assert question.verdict is Reason.OWNER

    @pytest.mark.parametrize("fault", [fault for _, fault in FAULTS[:3]])
    def test_does_not_read_a_twin_that_is_gone_or_frozen(self, fault: Change) -> None:
        asks = request(requester=OWNER, purpose=Purpose.PATRQT)
        assert not fault(asks(Question())).verdict.permits
        assert asks(Question()).verdict.permits

    @pytest.mark.parametrize("change", [{"purpose": Purpose.TREAT}, {"action": Action.TRAIN}])
    def test_is_like_anyone_for_anything_else(self, change: dict[str, Any]) -> None:
        asks = {"requester": OWNER, "purpose": Purpose.PATRQT}
        assert request(**{**asks, **change})(Question()).verdict is Reason.NOT_ENROLLED
        assert request(**asks)(Question()).verdict is Reason.OWNER


class TestOrganisations:
    THEIRS = World(
        members={ASKER: Member(0, HOSPITAL, 1), HOSPITAL: Member(0, None, 1)}, grants={(OWNER, HOSPITAL, 0): GRANT}
    )
    ASKS = replace(REQUEST, grantee=HOSPITAL)

    def judged(self, facts: World, asks: Request = ASKS) -> Reason:
        return Question(facts, asks).verdict

    def test_share_their_grants_with_their_members_alone(self) -> None:
        assert self.judged(self.THEIRS) is Reason.PERMITTED
        left = replace(self.THEIRS, members={**self.THEIRS.members, ASKER: Member(0, None, 1)})
        assert self.judged(left) is Reason.NO_GRANT
        moved = replace(self.THEIRS, members={**self.THEIRS.members, ASKER: Member(0, OTHER, 1)})
        assert self.judged(moved) is Reason.NO_GRANT

    def test_share_their_suspension_and_their_blocks(self) -> None:
        shut = replace(self.THEIRS, members={**self.THEIRS.members, HOSPITAL: Member(0, None, 1, suspended=True)})
        assert self.judged(shut) is Reason.SUSPENDED
        blocked = replace(self.THEIRS, blocks=frozenset({HOSPITAL}))
        assert self.judged(blocked) is Reason.BLOCKED
        own = {(OWNER, ASKER, 0): GRANT}
        for facts, reason in ((shut, Reason.SUSPENDED), (blocked, Reason.BLOCKED), (self.THEIRS, Reason.PERMITTED)):
            assert self.judged(replace(facts, grants=own), REQUEST) is reason

    def test_of_others_matter_to_nobody(self) -> None:
        other = replace(World(), members={**World().members, OTHER: Member(0, None, 1, suspended=True)})
        assert self.judged(other, REQUEST) is Reason.PERMITTED
        assert self.judged(replace(other, blocks=frozenset({OTHER, HOSPITAL})), REQUEST) is Reason.PERMITTED


class TestKinds:
    @pytest.mark.parametrize(("action", "kind"), [(Action.WRITE, Kind.GATEWAY), (Action.TRAIN, Kind.RESEARCHER)])
    def test_take_away_and_never_add(self, action: Action, kind: Kind) -> None:
        purpose = None if action is Action.WRITE else Purpose.TREAT
        asks = replace(REQUEST, action=action, purpose=purpose)
        facts = World().with_grant(actions=action.mask)
        assert Question(facts, asks).verdict is Reason.KIND
        every_other = sum(each.mask for each in Kind) & ~kind.mask
        assert Question(facts.with_member(kinds=every_other), asks).verdict is Reason.KIND
        assert Question(facts.with_member(kinds=kind.mask), asks).verdict is Reason.PERMITTED
        ungranted = World().with_member(kinds=kind.mask)
        assert Question(ungranted, asks).verdict is Reason.ACTION

    @given(st.integers(0, 2**9 - 1))
    def test_are_not_asked_of_a_reader(self, kinds: int) -> None:
        assert Question(World().with_member(kinds=kinds)).verdict is Reason.PERMITTED


class TestEmergency:
    ASKS = replace(REQUEST, purpose=Purpose.ETREAT)

    @given(st.integers(0, 7), st.integers(0, 2**32 - 1))
    def test_sleeps_whatever_else_the_grant_says(self, actions: int, purposes: int) -> None:
        facts = World().with_grant(actions=actions | Action.EMERGENCY.mask, purposes=purposes)
        assert Question(facts, self.ASKS).verdict is Reason.KIND
        member = facts.with_member(kinds=Kind.EMERGENCY.mask)
        assert Question(member, self.ASKS).verdict is Reason.EMERGENCY_CLOSED

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"purpose": Purpose.TREAT}, Reason.PURPOSE),
            ({"action": Action.TRAIN}, Reason.ACTION),
            ({"action": Action.WRITE, "purpose": None}, Reason.ACTION),
        ],
    )
    def test_is_for_reading_in_an_emergency_alone(self, change: dict[str, Any], reason: Reason) -> None:
        every_kind = sum(each.mask for each in Kind)
        facts = World().with_grant(actions=15, purposes=2**32 - 1).with_member(kinds=every_kind)
        assert Question(facts, replace(self.ASKS, **change)).verdict is reason
        assert Question(facts, self.ASKS).verdict is Reason.EMERGENCY_CLOSED


class TestActions:
    @given(st.integers(1, 15))
    def test_that_the_vocabulary_does_not_know_permit_nothing_and_take_nothing_away(self, unknown: int) -> None:
        assert Question(World().with_grant(actions=unknown << 4)).verdict is Reason.ACTION
        assert Question(World().with_grant(actions=unknown << 4 | Action.READ.mask)).verdict is Reason.PERMITTED


class TestCounters:
    @pytest.mark.parametrize(
        ("revision", "epoch", "reason"),
        [
            (MAX_REVISION - 1, 2, Reason.PERMITTED),
            (MAX_REVISION, 2, Reason.REVOKED),
            (1, MAX_EPOCH - 1, Reason.PERMITTED),
            (1, MAX_EPOCH, Reason.REVOKED),
        ],
    )
    def test_that_are_used_up_deny(self, revision: int, epoch: int, reason: Reason) -> None:
        facts = replace(World(), epochs={OWNER: epoch}).with_grant(revision=revision, epoch=epoch)
        assert Question(facts).verdict is reason

    def test_of_a_revoked_slot_are_no_grant(self) -> None:
        gone = World().with_grant(**{name: getattr(EMPTY, name) for name in ("categories", "purposes", "actions")})
        assert Question(gone).verdict is Reason.REVOKED
        assert Question(replace(World(), grants={(OWNER, ASKER, 0): Grant(revision=1)})).verdict is Reason.REVOKED


class TestTime:
    def test_is_judged_at_both_ends(self) -> None:
        inside = Question(earliest=GRANT.not_before_at, latest=GRANT.expires_at - 1)
        assert inside.verdict is Reason.PERMITTED
        assert replace(inside, earliest=GRANT.not_before_at - 1).verdict is Reason.NOT_YET
        assert replace(inside, latest=GRANT.expires_at).verdict is Reason.EXPIRED

    @given(st.integers(NOW - 150, NOW + 150), st.integers(NOW - 150, NOW + 150), st.integers(0, 300))
    def test_that_is_doubtful_permits_only_what_all_of_it_permits(self, earliest: int, latest: int, at: int) -> None:
        assume(earliest <= latest)
        now = earliest + at % (latest - earliest + 1)
        certain, doubtful = Question(earliest=now, latest=now), Question(earliest=earliest, latest=latest)
        assert certain.verdict.permits or not doubtful.verdict.permits


class TestMalformed:
    @pytest.mark.parametrize(
        "change",
        [
            {"number": 8},
            {"number": -1},
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
    def test_is_no_question(self, change: dict[str, Any]) -> None:
        for facts in (World(), World(owned_by=None)):
            with pytest.raises(MalformedRequestError):
                _ = Question(facts, replace(REQUEST, **change)).verdict
        assert Question().verdict.permits

    def test_says_which_slots_there_are(self) -> None:
        with pytest.raises(MalformedRequestError, match="runs from 0 to 7: 8"):
            _ = Question(request=replace(REQUEST, number=8)).verdict

    @pytest.mark.parametrize(("earliest", "latest"), [(NOW + 1, NOW), (-1, NOW), (NOW, 2**40), (NOW, 2**41)])
    def test_are_times_that_run_backwards_or_cannot_be(self, earliest: int, latest: int) -> None:
        with pytest.raises(MalformedRequestError):
            _ = Question(earliest=earliest, latest=latest).verdict
        assert Question().verdict.permits

    def test_are_no_times_from_the_first_to_the_last_that_a_grant_can_name(self) -> None:
        ever = World().with_grant(not_before_at=0, expires_at=2**40 - 1)
        assert Question(ever, earliest=0, latest=2**40 - 2).verdict is Reason.PERMITTED
        assert Question(ever, earliest=0, latest=2**40 - 1).verdict is Reason.EXPIRED
