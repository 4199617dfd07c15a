"""What holds of the rule's verdict whatever is asked, and whatever the facts are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dtledger.policy import MAX_REVISION, Grant, Member, Request
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason
from tests.questions import ASKER, HOSPITAL, NOW, OTHER, OWNER, TWIN, Question, World

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
