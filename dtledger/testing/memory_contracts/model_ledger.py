"""`contracts/ModelLedger.sol`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...ledger.calls import Contribution
from ...ledger.events import AggregateFinalised, ModelRegistered, Remediated, RoundOpened, UpdateCommitted
from ...ledger.rejections.models import (
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
from ...policy import Member
from ...types import ZERO_DIGEST, Address, Digest
from ...vocabulary import Kind
from .frame import Contract

_PURPOSES = 32


@dataclass(frozen=True, slots=True)
class _Model:
    coordinator: Address
    minimum_cohort: int
    budget: int
    round: int = 0
    updates: int = 0
    open: bool = False
    aggregate: Digest = ZERO_DIGEST


class ModelLedger(Contract):
    """Storage: ("models",) → how many; ("model", number) → what its next calls are judged by; ("standing", model, site)
    → the newest round that the site committed in, and what it has spent; ("parent", model, round) → what the round
    started from."""

    def register(self, purpose: int, categories: int, minimum_cohort: int, budget: int, card: Digest) -> None:
        self._require_active(Kind.COORDINATOR)
        if not 0 < purpose < _PURPOSES:
            raise InvalidModelTermsError({"field": "purpose"})
        terms = {"categories": categories, "minimumCohort": minimum_cohort, "budget": budget}
        for field, value in terms.items():
            if value == 0:
                raise InvalidModelTermsError({"field": field})
        number = self._storage["models",] = self._storage.get(("models",), 0) + 1
        self._storage["model", number] = _Model(self._sender, minimum_cohort, budget)
        self._emit(ModelRegistered(number, self._sender, purpose, categories, minimum_cohort, budget, card))

    def open_round(self, number: int, parent: Digest) -> None:
        model = self._coordinated(number)
        if model.open:
            raise RoundStillOpenError({"model": number, "round": model.round})
        if parent == ZERO_DIGEST:
            raise InvalidModelTermsError({"field": "parent"})
        if model.round:
            self._require_parent(model, parent)
        self._storage["parent", number, model.round + 1] = parent
        self._change(number, round=model.round + 1, updates=0, open=True, aggregate=parent)
        self._emit(RoundOpened(number, model.round + 1, parent))

    def commit_update(self, update: Digest, parent: Digest, consents: Digest, record: Digest, word: int) -> None:
        self._require_active(Kind.RESEARCHER)
        said = Contribution.unpack(word)
        model = self._model(said.model)
        newest, spent = self._storage.get(("standing", said.model, self._sender), (0, 0))
        self._require_open(said.model, model, said.round)
        if newest == said.round:
            raise AlreadyCommittedError({"model": said.model, "round": said.round, "site": self._sender})
        self._require_parent(model, parent)
        if said.cohort < model.minimum_cohort:
            raise UnderCohortError({"cohort": said.cohort, "minimum": model.minimum_cohort})
        if said.epsilon == 0:
            raise InvalidModelTermsError({"field": "epsilon"})
        if said.epsilon > model.budget - spent:
            raise OverBudgetError({"epsilon": said.epsilon, "spent": spent, "budget": model.budget})
        self._storage["standing", said.model, self._sender] = (said.round, spent + said.epsilon)
        self._change(said.model, updates=model.updates + 1)
        digests = (update, parent, consents, record)
        self._emit(UpdateCommitted(said.model, said.round, self._sender, *digests, said.cohort, said.epsilon))

    def finalise_aggregate(self, number: int, named: int, aggregate: Digest, record: Digest, updates: int) -> None:
        model = self._coordinated(number)
        self._require_open(number, model, named)
        if aggregate == ZERO_DIGEST:
            raise InvalidModelTermsError({"field": "aggregate"})
        if model.updates == 0:
            raise EmptyRoundError({"model": number, "round": named})
        if updates != model.updates:
            raise StaleUpdatesError({"named": updates, "present": model.updates})
        self._change(number, open=False, aggregate=aggregate)
        self._emit(AggregateFinalised(number, named, aggregate, record, updates))

    def retrain(self, number: int, first: int, record: Digest) -> None:
        model = self._coordinated(number)
        if model.open:
            raise RoundStillOpenError({"model": number, "round": model.round})
        self._remediate(number, first, model.round, True, record)
        self._change(number, aggregate=self._storage["parent", number, first])

    def accept(self, number: int, first: int, record: Digest) -> None:
        model = self._coordinated(number)
        self._remediate(number, first, model.round - model.open, False, record)

    def _remediate(self, number: int, first: int, last: int, retrained: bool, record: Digest) -> None:
        if not 0 < first <= last:
            raise RoundNotFinalisedError({"model": number, "round": first})
        if record == ZERO_DIGEST:
            raise InvalidModelTermsError({"field": "record"})
        self._emit(Remediated(number, first, last, retrained, record))

    def _require_active(self, kind: Kind) -> None:
        member: Member | None = self._storage.get(("member", self._sender))
        if member is None or member.version == 0:
            raise NotAMemberError({"caller": self._sender})
        if not member.kinds & kind.mask:
            raise NotOfKindError({"caller": self._sender, "kind": kind.value})
        organisation: Member | None = self._storage.get(("member", member.organisation))
        if member.suspended or (organisation is not None and organisation.suspended):
            raise SuspendedError({"caller": self._sender})

    def _coordinated(self, number: int) -> _Model:
        self._require_active(Kind.COORDINATOR)
        model = self._model(number)
        if model.coordinator != self._sender:
            raise NotCoordinatorError({"model": number, "caller": self._sender})
        return model

    def _model(self, number: int) -> _Model:
        found: _Model | None = self._storage.get(("model", number))
        if found is None:
            raise UnknownModelError({"model": number})
        return found

    def _change(self, number: int, **changes: Any) -> None:
        self._storage["model", number] = replace(self._model(number), **changes)

    def _require_open(self, number: int, model: _Model, named: int) -> None:
        if not 0 < named <= model.round:
            raise RoundNotOpenError({"model": number, "round": named})
        if named < model.round or not model.open:
            raise RoundFinalisedError({"model": number, "round": named})

    def _require_parent(self, model: _Model, parent: Digest) -> None:
        if parent != model.aggregate:
            raise StaleParentError({"named": parent, "present": model.aggregate})
