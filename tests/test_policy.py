"""The rule: what it permits, in which order it refuses, and that it is one rule however it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dtledger.policy import (
    EMPTY,
    MAX_EPOCH,
    MAX_REVISION,
    Grant,
    MalformedRequestError,
    Member,
    Request,
    check,
)
from dtledger.types import MAX_MINUTE, ZERO_ADDRESS, Address, Period
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests import naive_rule
from tests.contracts import rule_cases
from tests.contracts.rule_cases import Case

OWNER, ASKER, HOSPITAL, OTHER = (Address(f"0x{number:040x}") for number in range(1, 5))
TWIN = 7
NOW = 1_800_000_000

GRANT = Grant(
    categories=1 << 3,
    purposes=Purpose.TREAT.mask,
    not_before_at=NOW - 100,
    expires_at=NOW + 100,
    data=Period(1000, 2000),
    actions=Action.READ.mask,
    revision=1,
    epoch=2,
)
REQUEST = Request(TWIN, ASKER, ASKER, 0, Action.READ, Purpose.TREAT, 3, Period(1000, 2000))


@dataclass(frozen=True)
class World:
    """The facts about one twin. By default the request above is permitted."""

    owned_by: Address | None = OWNER
    is_retired: bool = False
    frozen_till: int = 0
    members: dict[Address, Member] = field(default_factory=lambda: {ASKER: Member(0, None, 1)})
    blocks: frozenset[Address] = frozenset()
    grants: dict[tuple[Address, Address, int], Grant] = field(default_factory=lambda: {(OWNER, ASKER, 0): GRANT})
    epochs: dict[Address, int] = field(default_factory=lambda: {OWNER: 2})
    openings: dict[tuple[Address, Address, int, Address], int] = field(default_factory=dict)

    def owner(self, twin: int) -> Address | None:
        return self.owned_by if twin == TWIN else None

    def retired(self, twin: int) -> bool:
        return self.is_retired

    def frozen_until(self, twin: int) -> int:
        return self.frozen_till

    def member(self, who: Address) -> Member | None:
        return self.members.get(who)

    def blocked(self, twin: int, who: Address) -> bool:
        return who in self.blocks

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        return self.grants.get((owner, grantee, number), EMPTY) if twin == TWIN else EMPTY

    def epoch(self, owner: Address, twin: int) -> int:
        return self.epochs.get(owner, 0)

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        return self.openings.get((owner, grantee, number, opener), 0) if twin == TWIN else 0

    def with_grant(self, **changes: Any) -> World:
        present = self.grants.get((OWNER, ASKER, 0), GRANT)
        return replace(self, grants={**self.grants, (OWNER, ASKER, 0): replace(present, **changes)})

    def with_member(self, **changes: Any) -> World:
        return replace(self, members={**self.members, ASKER: replace(self.members[ASKER], **changes)})


@dataclass(frozen=True)
class Question:
    """All that a verdict depends on."""

    world: World = field(default_factory=World)
    request: Request = REQUEST
    earliest: int = NOW
    latest: int = NOW

    @property
    def verdict(self) -> Reason:
        return check(self.world, self.request, self.earliest, self.latest)


Change = Callable[[Question], Question]


def world(change: Callable[[World], World]) -> Change:
    return lambda question: replace(question, world=change(question.world))


def request(**changes: Any) -> Change:
    return lambda question: replace(question, request=replace(question.request, **changes))


FAULTS: tuple[tuple[Reason, Change], ...] = (
    (Reason.TWIN_UNKNOWN, world(lambda it: replace(it, owned_by=None))),
    (Reason.RETIRED, world(lambda it: replace(it, is_retired=True))),
    (Reason.FROZEN, world(lambda it: replace(it, frozen_till=NOW + 1))),
    (Reason.NOT_ENROLLED, world(lambda it: replace(it, members={}))),
    (Reason.SUSPENDED, world(lambda it: it.with_member(suspended=True) if it.members else it)),
    (Reason.BLOCKED, world(lambda it: replace(it, blocks=frozenset({ASKER})))),
    (Reason.NO_GRANT, world(lambda it: replace(it, grants={}))),
    (Reason.REVOKED, world(lambda it: replace(it, epochs={OWNER: 3}))),
    (Reason.NOT_YET, lambda question: replace(question, earliest=NOW - 101)),
    (Reason.EXPIRED, lambda question: replace(question, latest=NOW + 100)),
    (Reason.ACTION, request(action=Action.TRAIN)),
    (Reason.CATEGORY, request(bit=4)),
    (Reason.PURPOSE, request(purpose=Purpose.HRESCH)),
    (Reason.PERIOD, request(period=Period(999, 2000))),
)
"""Each fault alone, in the order in which the rule asks. Those below need a grant of another kind."""


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


periods = st.tuples(st.integers(900, 2100), st.integers(900, 2100)).map(sorted).map(lambda ends: Period(*ends))
grants = st.builds(
    Grant,
    categories=st.integers(0, 15),
    purposes=st.integers(0, 2**15 - 1),
    not_before_at=st.integers(NOW - 2, NOW + 2),
    expires_at=st.integers(NOW - 2, NOW + 2),
    data=periods,
    actions=st.integers(0, 15),
    revision=st.sampled_from([0, 1, MAX_REVISION]),
    epoch=st.sampled_from([2, 2, 2, 1]),
)
requests = st.builds(
    Request,
    twin=st.sampled_from([TWIN, TWIN, TWIN, 8]),
    requester=st.sampled_from([ASKER, ASKER, OWNER, OTHER]),
    grantee=st.sampled_from([ASKER, ASKER, HOSPITAL]),
    number=st.sampled_from([0, 0, 1]),
    action=st.sampled_from([Action.READ, Action.TRAIN]),
    purpose=st.sampled_from([Purpose.TREAT, Purpose.ETREAT, Purpose.PATRQT]),
    bit=st.integers(0, 4),
    period=periods,
)
worlds = st.builds(
    lambda grant, kinds, organisation, suspended, blocks, number: World(
        members={ASKER: Member(kinds, organisation, 1, suspended), HOSPITAL: Member(0, None, 1)},
        blocks=frozenset(blocks),
        grants={(OWNER, grantee, number): grant for grantee in (ASKER, HOSPITAL)},
    ),
    grants,
    st.integers(0, 2**9 - 1),
    st.sampled_from([None, HOSPITAL]),
    st.sampled_from([False, False, True]),
    st.sets(st.sampled_from([ASKER, HOSPITAL, OTHER]), max_size=1),
    st.sampled_from([0, 0, 1]),
)


class TestAnyQuestion:
    @given(worlds, requests)
    def test_is_permitted_by_the_named_grant_of_the_present_owner_alone(self, facts: World, asks: Request) -> None:
        slot = (OWNER, asks.grantee, asks.number)
        without = replace(facts, grants={key: grant for key, grant in facts.grants.items() if key != slot})
        assert Question(without, asks).verdict is not Reason.PERMITTED
        present = {slot: facts.grant(OWNER, TWIN, asks.grantee, asks.number)}
        assert Question(replace(facts, grants=present), asks).verdict is Question(facts, asks).verdict
        assert Question(replace(facts, owned_by=OTHER), asks).verdict is not Reason.PERMITTED

    @given(worlds, requests, st.integers(0, 15), st.integers(0, 2**15 - 1), periods, st.integers(0, 7))
    def test_is_refused_no_earlier_by_a_wider_grant(
        self, facts: World, asks: Request, categories: int, purposes: int, data: Period, actions: int
    ) -> None:
        def widened(grant: Grant) -> Grant:
            if not grant.given:
                return grant
            return replace(
                grant,
                categories=grant.categories | categories,
                purposes=grant.purposes | purposes,
                actions=grant.actions | actions,
                data=Period(min(grant.data.start, data.start), max(grant.data.end, data.end)),
                not_before_at=grant.not_before_at - 1,
                expires_at=grant.expires_at + 1,
            )

        wider = replace(facts, grants={key: widened(grant) for key, grant in facts.grants.items()})
        before, after = Question(facts, asks).verdict, Question(wider, asks).verdict
        assert after.permits if before.permits else after.permits or after >= before

    @given(worlds, requests, st.data())
    def test_is_permitted_for_every_part_of_a_permitted_period(
        self, facts: World, asks: Request, data: st.DataObject
    ) -> None:
        start = data.draw(st.integers(asks.period.start, asks.period.end))
        part = Period(start, data.draw(st.integers(start, asks.period.end)))
        whole = Question(facts, asks).verdict
        assert not whole.permits or Question(facts, replace(asks, period=part)).verdict is whole

    @given(worlds, requests)
    def test_is_refused_after_any_denial(self, facts: World, asks: Request) -> None:
        denied = (
            replace(facts, is_retired=True),
            replace(facts, frozen_till=NOW + 1),
            replace(facts, blocks=frozenset({ASKER, HOSPITAL, OTHER})),
            replace(facts, epochs={OWNER: 3}),
            replace(facts, members={who: replace(each, suspended=True) for who, each in facts.members.items()}),
        )
        for world_ in denied:
            verdict = Question(world_, asks).verdict
            assert verdict is Reason.OWNER or not verdict.permits


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


words = st.builds(
    Grant,
    categories=st.integers(0, 2**32 - 1),
    purposes=st.integers(0, 2**32 - 1),
    not_before_at=st.integers(0, 2**40 - 1),
    expires_at=st.integers(0, 2**40 - 1),
    data=st.tuples(st.integers(0, MAX_MINUTE), st.integers(0, MAX_MINUTE)).map(sorted).map(lambda ends: Period(*ends)),
    actions=st.integers(0, 255),
    revision=st.integers(0, MAX_REVISION),
    epoch=st.integers(0, MAX_EPOCH),
)


WIDTHS = {
    "categories": 32,
    "purposes": 32,
    "not_before_at": 40,
    "expires_at": 40,
    "actions": 8,
    "revision": 16,
    "epoch": 24,
}


class TestAWord:
    @given(words)
    def test_is_the_same_after_packing(self, grant: Grant) -> None:
        assert Grant.unpack(grant.pack()) == grant
        assert 0 <= grant.pack() < 1 << 256
        assert (grant.terms.revision, grant.terms.epoch) == (0, 0)

    @pytest.mark.parametrize(("name", "bits"), WIDTHS.items())
    def test_keeps_each_field_to_its_last_bit_and_apart_from_the_others(self, name: str, bits: int) -> None:
        full = replace(EMPTY, **{name: 2**bits - 1})
        assert Grant.unpack(full.pack()) == full

    @pytest.mark.parametrize("bit", [78, 79, 110, 111])
    def test_of_minutes_that_no_key_tree_has_is_no_grant(self, bit: int) -> None:
        with pytest.raises(ValueError, match="a period must run forwards"):
            Grant.unpack(1 << bit)
        assert Grant.unpack(0) == EMPTY

    @pytest.mark.parametrize(
        "change",
        [
            {"categories": 2**32},
            {"purposes": 2**40},
            {"actions": 256},
            {"revision": 2**16},
            {"epoch": -1},
            {"expires_at": 2**40},
        ],
    )
    def test_holds_no_more_than_its_bits(self, change: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="does not fit"):
            replace(GRANT, **change).pack()
        assert GRANT.pack()


class TestValues:
    @pytest.mark.parametrize(
        ("value", "name"), [(GRANT, "actions"), (Member(0, None, 1), "kinds"), (REQUEST, "number")]
    )
    def test_are_never_changed_and_hold_nothing_else(self, value: Any, name: str) -> None:
        assert replace(value) == value
        assert len({value, replace(value)}) == 1
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 1)
        assert not hasattr(value, "__dict__")


def _word(case: Case) -> naive_rule.Word:
    return naive_rule.word(case)


BOUNDARIES: dict[str, Callable[[Case], bool]] = {
    "earliest just before the grant": lambda case: case.earliest == _word(case).not_before_at - 1,
    "earliest as the grant begins": lambda case: case.earliest == _word(case).not_before_at,
    "latest just before the end": lambda case: case.latest == _word(case).expires_at - 1,
    "latest at the end": lambda case: case.latest == _word(case).expires_at,
    "earliest just before the end of a freeze": lambda case: case.earliest == case.frozen_until - 1,
    "earliest as a freeze ends": lambda case: case.earliest == case.frozen_until,
    "earliest after latest": lambda case: case.earliest > case.latest,
    "the last epoch": lambda case: case.epoch == _word(case).epoch == MAX_EPOCH,
    "the last epoch but one": lambda case: case.epoch == _word(case).epoch == MAX_EPOCH - 1,
    "the last revision": lambda case: _word(case).revision == MAX_REVISION,
    "the last revision but one": lambda case: _word(case).revision == MAX_REVISION - 1,
    "the period's first minute": lambda case: case.start == _word(case).minutes.start,
    "one minute before it": lambda case: case.start == _word(case).minutes.start - 1,
    "the period's last minute": lambda case: case.end == _word(case).minutes.stop - 1,
    "one minute after it": lambda case: case.end == _word(case).minutes.stop,
    "the last minute of all": lambda case: case.end == MAX_MINUTE,
    "the first minute beyond all": lambda case: case.end == MAX_MINUTE + 1,
    "an emergency grant": naive_rule.sleeps,
    "an organisation's grant": lambda case: case.grantee == case.organisation != 0,
    "another organisation's grant": lambda case: case.grantee not in (case.requester, case.organisation),
    "a suspended organisation": lambda case: bool(case.flags(case.organisation) & 2),
    "a blocked organisation": lambda case: bool(case.flags(case.organisation) & 4),
    "the first category bit": lambda case: case.category == 0,
    "the last category bit": lambda case: case.category == 31,
    "the first bit beyond": lambda case: case.category == 32,
    "the last slot": lambda case: case.number == 7,
    "the first slot beyond": lambda case: case.number == 8,
    "a purpose for WRITE": lambda case: case.action == 1 and case.purpose != 0,
    "no purpose for READ": lambda case: case.action == 0 and case.purpose == 0,
}


@pytest.mark.slow
class TestTheVectors:
    """tests/vectors/rule.json, which forge puts to `ConsentRegistry.check`."""

    def test_are_judged_by_the_table_as_they_say(self) -> None:
        """Their verdicts are `dtledger.policy`'s (tests/contracts/test_rule.py): here another hand looks at each."""
        wrong = [
            (case, naive_rule.judge(case)) for case in rule_cases.committed() if naive_rule.judge(case) != case.verdict
        ]
        assert wrong == []

    def test_are_many_and_of_every_verdict(self) -> None:
        assert len(rule_cases.committed()) >= 20_000
        found = Counter(case.verdict for case in rule_cases.committed())
        assert set(found) == {*Reason, rule_cases.MALFORMED}
        assert min(found.values()) >= 200

    @pytest.mark.parametrize("boundary", BOUNDARIES)
    def test_lie_at_every_boundary(self, boundary: str) -> None:
        at = [case for case in rule_cases.committed() if BOUNDARIES[boundary](case)]
        assert len(at) >= 20
        assert len({case.verdict for case in at}) >= 2 or all(case.verdict == rule_cases.MALFORMED for case in at)
