"""Models, rounds, updates and aggregates, on both ledgers."""

from __future__ import annotations

import pytest

from dtledger.ledger import Aggregate, Call, Model, Present, Remediation, Round, Update, calls
from dtledger.ledger.calls import Contribution
from dtledger.ledger.events import AggregateFinalised, ModelRegistered, Remediated, RoundOpened, UpdateCommitted
from dtledger.ledger.rejections.models import (
    AlreadyCommittedError,
    EmptyRoundError,
    InvalidModelTermsError,
    NotAMemberError,
    NotCoordinatorError,
    NotOfKindError,
    OverBudgetError,
    RoundFinalisedError,
    RoundNotFinalisedError,
    RoundNotOpenError,
    RoundStillOpenError,
    StaleParentError,
    StaleUpdatesError,
    SuspendedError,
    UnderCohortError,
    UnknownModelError,
)
from dtledger.types import ZERO_DIGEST, Digest
from dtledger.vocabulary import Kind, Purpose
from tests.ledger.bench import Bench, digest, who

COORDINATOR, SITE, OTHER_SITE = (who(name).address for name in ("clinic", "hospital", "gateway"))
UPDATE, CONSENTS, RECORD, CARD = (digest(word) for word in ("update", "consents", "record", "card"))
BEGINNING, MADE, NEXT = digest("beginning"), digest("made"), digest("next")

REGISTER = calls.register_model(Purpose.HRESCH, 0x42, 20, 1000, CARD)


def commit(round: int = 1, parent: Digest = BEGINNING, cohort: int = 20, epsilon: int = 100, model: int = 1) -> Call:  # noqa: A002
    return calls.commit_update(UPDATE, parent, CONSENTS, RECORD, Contribution(model, round, cohort, epsilon))


def finalise(round: int = 1, updates: int = 1, aggregate: Digest = MADE) -> Call:  # noqa: A002
    return calls.finalise_aggregate(1, round, aggregate, RECORD, updates)


@pytest.fixture
def members(bench: Bench) -> Bench:
    bench.enrol("clinic", Kind.COORDINATOR)
    bench.enrol("hospital", Kind.RESEARCHER)
    bench.enrol("gateway", Kind.RESEARCHER, Kind.COORDINATOR, organisation="hospital")
    return bench


@pytest.fixture
def training(members: Bench) -> Bench:
    """With model 1, whose first round is open."""
    members.send(REGISTER, "clinic")
    members.send(calls.open_round(1, BEGINNING), "clinic")
    return members


class TestAModel:
    def test_is_registered_by_a_coordinator(self, members: Bench) -> None:
        receipt = members.send(REGISTER, "clinic")
        assert receipt.events == (ModelRegistered(1, COORDINATOR, Purpose.HRESCH, 0x42, 20, 1000, CARD),)
        model = Model(1, COORDINATOR, Purpose.HRESCH, 0x42, 20, 1000, CARD, receipt.block, receipt.at)
        assert (members.view.model(1), members.view.models()) == (model, [model])
        assert members.view.model(2) is None
        assert members.view.earlier(receipt.block - 1).model(1) is None
        assert members.view.earlier(receipt.block - 1).models() == []
        members.send(REGISTER, "gateway")
        assert [model.number for model in members.view.models()] == [1, 2]

    @pytest.mark.parametrize(
        ("field", "terms"),
        [
            ("purpose", (0, 1, 1, 1)),
            ("purpose", (32, 1, 1, 1)),
            ("categories", (8, 0, 1, 1)),
            ("minimumCohort", (8, 1, 0, 1)),
            ("budget", (8, 1, 1, 0)),
        ],
    )
    def test_has_terms_that_an_update_could_meet(
        self, members: Bench, field: str, terms: tuple[int, int, int, int]
    ) -> None:
        members.refuses(InvalidModelTermsError, calls.register_model(*terms, CARD), "clinic", field=field)
        members.send(calls.register_model(31, 1, 1, 1, CARD), "clinic")

    def test_has_a_coordinator_that_is_an_active_member_of_that_kind(self, members: Bench) -> None:
        members.refuses(NotAMemberError, REGISTER, "ann", caller=who("ann").address)
        members.refuses(NotOfKindError, REGISTER, "hospital", caller=SITE, kind=Kind.COORDINATOR.value)
        members.send(calls.suspend(COORDINATOR), "suspender")
        members.refuses(SuspendedError, REGISTER, "clinic", caller=COORDINATOR)
        members.announced(calls.reinstate(COORDINATOR), "steward")
        members.send(calls.reinstate(COORDINATOR), "steward")
        members.send(REGISTER, "clinic")


class TestARound:
    def test_starts_from_what_the_one_before_made(self, training: Bench) -> None:
        first = training.view.round(1, 1)
        training.send(commit(), "hospital")
        training.send(finalise(), "clinic")
        training.refuses(StaleParentError, calls.open_round(1, BEGINNING), "clinic", named=BEGINNING, present=MADE)
        receipt = training.send(calls.open_round(1, MADE), "clinic")
        assert receipt.events == (RoundOpened(1, 2, MADE),)
        second = Round(1, 2, MADE, receipt.block, receipt.at, base=1)
        assert training.view.rounds(1) == [first, second]
        assert (training.view.round(1, 2), training.view.round(1, 3)) == (second, None)
        assert training.view.earlier(receipt.block - 1).rounds(1) == [first]

    def test_starts_from_something(self, members: Bench) -> None:
        members.send(REGISTER, "clinic")
        members.refuses(InvalidModelTermsError, calls.open_round(1, ZERO_DIGEST), "clinic", field="parent")
        members.send(calls.open_round(1, BEGINNING), "clinic")

    def test_waits_for_the_one_before(self, training: Bench) -> None:
        training.send(commit(), "hospital")
        training.refuses(RoundStillOpenError, calls.open_round(1, BEGINNING), "clinic", model=1, round=1)
        training.send(finalise(), "clinic")
        training.send(calls.open_round(1, MADE), "clinic")

    def test_is_its_coordinators(self, training: Bench) -> None:
        training.send(commit(), "hospital")
        training.refuses(NotCoordinatorError, finalise(), "gateway", model=1, caller=OTHER_SITE)
        training.send(finalise(), "clinic")
        opening = calls.open_round(1, MADE)
        training.refuses(NotCoordinatorError, opening, "gateway", model=1, caller=OTHER_SITE)
        training.send(opening, "clinic")

    def test_belongs_to_a_model_that_is_there(self, members: Bench) -> None:
        members.refuses(UnknownModelError, calls.open_round(1, BEGINNING), "clinic", model=1)
        members.refuses(UnknownModelError, finalise(), "clinic", model=1)
        members.refuses(UnknownModelError, commit(), "hospital", model=1)
        members.send(REGISTER, "clinic")
        members.send(calls.open_round(1, BEGINNING), "clinic")
        members.send(commit(), "hospital")


class TestAnUpdate:
    def test_is_kept_with_all_that_its_site_says(self, training: Bench) -> None:
        receipt = training.send(commit(cohort=21, epsilon=7), "hospital")
        told = (1, 1, SITE, UPDATE, BEGINNING, CONSENTS, RECORD, 21, 7)
        assert receipt.events == (UpdateCommitted(*told),)
        other = training.send(commit(), "gateway")
        first = Update(*told, receipt.block, receipt.at)
        assert [update.site for update in training.view.updates(1, 1)] == [SITE, OTHER_SITE]
        assert training.view.earlier(other.block - 1).updates(1, 1) == [first]
        assert training.view.updates(1, 2) == []

    def test_is_one_a_site_and_round(self, training: Bench) -> None:
        training.send(commit(), "hospital")
        training.refuses(AlreadyCommittedError, commit(), "hospital", model=1, round=1, site=SITE)
        training.send(commit(), "gateway")

    def test_is_of_a_round_that_is_open(self, training: Bench) -> None:
        for number in (0, 2):
            training.refuses(RoundNotOpenError, commit(number), "hospital", model=1, round=number)
        training.send(commit(), "hospital")
        training.send(finalise(), "clinic")
        training.refuses(RoundFinalisedError, commit(), "gateway", model=1, round=1)
        training.send(calls.open_round(1, MADE), "clinic")
        training.refuses(RoundFinalisedError, commit(), "gateway", model=1, round=1)
        training.send(commit(2, MADE), "gateway")

    def test_builds_on_the_present_aggregate(self, training: Bench) -> None:
        stale = commit(parent=MADE)
        training.refuses(StaleParentError, stale, "hospital", named=MADE, present=BEGINNING)
        training.send(commit(), "hospital")

    def test_is_of_the_minimum_cohort_at_least(self, training: Bench) -> None:
        training.refuses(UnderCohortError, commit(cohort=19), "hospital", cohort=19, minimum=20)
        training.send(commit(cohort=20), "hospital")

    def test_spends_something_and_no_more_than_the_budget_leaves(self, training: Bench) -> None:
        training.refuses(InvalidModelTermsError, commit(epsilon=0), "hospital", field="epsilon")
        training.refuses(OverBudgetError, commit(epsilon=1001), "hospital", epsilon=1001, spent=0, budget=1000)
        training.send(commit(epsilon=900), "hospital")
        training.send(finalise(), "clinic")
        training.send(calls.open_round(1, MADE), "clinic")
        over = commit(2, MADE, epsilon=101)
        training.refuses(OverBudgetError, over, "hospital", epsilon=101, spent=900, budget=1000)
        last = training.send(commit(2, MADE, epsilon=100), "hospital")
        assert (training.view.spent(1, SITE), training.view.spent(1, OTHER_SITE)) == (1000, 0)
        assert training.view.earlier(last.block - 1).spent(1, SITE) == 900
        training.send(commit(2, MADE, epsilon=1000), "gateway")

    def test_is_an_active_researchers(self, training: Bench) -> None:
        training.refuses(NotAMemberError, commit(), "ann", caller=who("ann").address)
        training.refuses(NotOfKindError, commit(), "clinic", caller=COORDINATOR, kind=Kind.RESEARCHER.value)
        training.send(calls.suspend(SITE), "suspender")
        training.refuses(SuspendedError, commit(), "hospital", caller=SITE)
        training.refuses(SuspendedError, commit(), "gateway", caller=OTHER_SITE)
        training.announced(calls.reinstate(SITE), "steward")
        training.send(calls.reinstate(SITE), "steward")
        training.send(commit(), "hospital")
        training.send(commit(), "gateway")


class TestAnAggregate:
    def test_names_its_record_and_counts_its_rounds_updates(self, training: Bench) -> None:
        training.send(commit(), "hospital")
        training.send(commit(), "gateway")
        assert training.view.aggregate(1, 1) is None
        receipt = training.send(finalise(updates=2), "clinic")
        assert receipt.events == (AggregateFinalised(1, 1, MADE, RECORD, 2),)
        assert training.view.aggregate(1, 1) == Aggregate(MADE, RECORD, 2, receipt.block, receipt.at)
        assert training.view.earlier(receipt.block - 1).aggregate(1, 1) is None

    def test_is_made_once(self, training: Bench) -> None:
        training.refuses(RoundNotOpenError, finalise(2), "clinic", model=1, round=2)
        training.send(commit(), "hospital")
        training.send(finalise(), "clinic")
        training.refuses(RoundFinalisedError, finalise(), "clinic", model=1, round=1)

    def test_is_made_of_something_and_is_something(self, training: Bench) -> None:
        training.refuses(EmptyRoundError, finalise(updates=0), "clinic", model=1, round=1)
        training.send(commit(), "hospital")
        training.refuses(InvalidModelTermsError, finalise(aggregate=ZERO_DIGEST), "clinic", field="aggregate")
        training.send(finalise(), "clinic")

    def test_leaves_out_no_update_unseen(self, training: Bench) -> None:
        training.send(commit(), "hospital")
        training.send(commit(), "gateway")
        training.refuses(StaleUpdatesError, finalise(updates=1), "clinic", named=1, present=2)
        training.send(finalise(updates=2), "clinic")


@pytest.fixture
def made(training: Bench) -> Bench:
    """With two rounds of model 1 finalised: the second made NEXT."""
    training.send(commit(), "hospital")
    training.send(finalise(), "clinic")
    training.send(calls.open_round(1, MADE), "clinic")
    training.send(commit(2, MADE), "hospital")
    training.send(finalise(2, aggregate=NEXT), "clinic")
    return training


class TestARemediation:
    def test_goes_back_to_what_a_round_started_from(self, made: Bench) -> None:
        assert made.view.present(1) == Present(2, NEXT)
        receipt = made.send(calls.retrain(1, 2, RECORD), "clinic")
        assert receipt.events == (Remediated(1, 2, 2, True, RECORD),)
        assert made.view.remediations(1) == [Remediation(1, 2, 2, True, RECORD, receipt.block, receipt.at)]
        assert made.view.earlier(receipt.block - 1).remediations(1) == []
        assert made.view.present(1) == Present(1, MADE)
        assert made.view.earlier(receipt.block - 1).present(1) == Present(2, NEXT)
        made.refuses(StaleParentError, calls.open_round(1, NEXT), "clinic", named=NEXT, present=MADE)
        made.send(calls.open_round(1, MADE), "clinic")
        assert [each.base for each in made.view.rounds(1)] == [0, 1, 1]
        assert made.view.spent(1, SITE) == 200, "what was spent stays spent"

    def test_goes_back_to_the_beginning(self, made: Bench) -> None:
        made.send(calls.retrain(1, 1, RECORD), "clinic")
        assert made.view.present(1) == Present(0, BEGINNING)
        made.send(calls.open_round(1, BEGINNING), "clinic")
        assert made.view.rounds(1)[-1].base == 0

    def test_accepts_what_was_made_and_changes_nothing(self, made: Bench) -> None:
        receipt = made.send(calls.accept(1, 1, RECORD), "clinic")
        assert receipt.events == (Remediated(1, 1, 2, False, RECORD),)
        assert made.view.present(1) == Present(2, NEXT)
        (told,) = made.view.remediations(1)
        assert [told.covers(number) for number in range(4)] == [False, True, True, False]

    def test_is_of_rounds_that_are_finalised(self, made: Bench) -> None:
        for number in (0, 3):
            for call in (calls.retrain(1, number, RECORD), calls.accept(1, number, RECORD)):
                made.refuses(RoundNotFinalisedError, call, "clinic", model=1, round=number)
        made.send(calls.open_round(1, NEXT), "clinic")
        made.refuses(RoundStillOpenError, calls.retrain(1, 1, RECORD), "clinic", model=1, round=3)
        made.refuses(RoundNotFinalisedError, calls.accept(1, 3, RECORD), "clinic", model=1, round=3)
        assert made.send(calls.accept(1, 2, RECORD), "clinic").events == (Remediated(1, 2, 2, False, RECORD),)

    def test_has_a_record_and_is_its_coordinators(self, made: Bench) -> None:
        for call in (calls.retrain, calls.accept):
            made.refuses(InvalidModelTermsError, call(1, 1, ZERO_DIGEST), "clinic", field="record")
            made.refuses(NotCoordinatorError, call(1, 1, RECORD), "gateway", model=1, caller=OTHER_SITE)
            made.refuses(UnknownModelError, call(2, 1, RECORD), "clinic", model=2)
            made.send(call(1, 1, RECORD), "clinic")


def test_a_contribution_is_a_word_of_four_fields() -> None:
    said = Contribution(model=1, round=2, cohort=2**32 - 1, epsilon=4)
    assert said.pack() == 1 << 96 | 2 << 64 | (2**32 - 1) << 32 | 4
    assert Contribution.unpack(said.pack()) == said


@pytest.mark.parametrize("field", ["model", "round", "cohort", "epsilon"])
@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_contribution_whose_fields_do_not_fit_is_not_packed(field: str, value: int) -> None:
    fields = {"model": 1, "round": 1, "cohort": 1, "epsilon": 1}
    with pytest.raises(ValueError, match="does not fit"):
        Contribution(**{**fields, field: value}).pack()
