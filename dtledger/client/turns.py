"""Whose turn it is: what the ledger would refuse of a model's call, raised as it would, before anybody is asked to
sign. The ledger has the last word; these look at its newest block."""

from __future__ import annotations

from ..ledger import Model, Round, View
from ..ledger.rejections.models import (
    AlreadyCommittedError,
    EmptyRoundError,
    NotAMemberError,
    NotCoordinatorError,
    NotOfKindError,
    OverBudgetError,
    RoundFinalisedError,
    RoundNotFinalisedError,
    RoundStillOpenError,
    SuspendedError,
)
from ..types import Address
from ..vocabulary import Kind


def require_kind(view: View, who: Address, kind: Kind) -> None:
    """Raises:
    NotAMemberError, NotOfKindError, SuspendedError: it is no active member of that kind.
    """
    member = view.member(who)
    if member is None:
        raise NotAMemberError({"caller": who})
    if not member.is_a(kind):
        raise NotOfKindError({"caller": who, "kind": kind.value})
    organisation = view.member(member.organisation) if member.organisation else None
    if member.suspended or (organisation is not None and organisation.suspended):
        raise SuspendedError({"caller": who})


def require_coordinator(view: View, who: Address, model: Model) -> None:
    """Raises:
    NotCoordinatorError: it is another's model; and as `require_kind`.
    """
    require_kind(view, who, Kind.COORDINATOR)
    if model.coordinator != who:
        raise NotCoordinatorError({"model": model.number, "caller": who})


def to_open(view: View, who: Address, model: Model) -> None:
    """Raises:
    RoundStillOpenError: the newest round is not finalised; and as `require_coordinator`.
    """
    require_coordinator(view, who, model)
    rounds = view.rounds(model.number)
    if rounds and view.aggregate(model.number, rounds[-1].number) is None:
        raise RoundStillOpenError({"model": model.number, "round": rounds[-1].number})


def to_commit(view: View, who: Address, number: Round, model: Model, epsilon: int) -> None:
    """Whether a site may commit an update that spends `epsilon` thousandths to a round.

    Raises:
        RoundFinalisedError, AlreadyCommittedError, OverBudgetError: it may not; and as `require_kind`.
    """
    require_kind(view, who, Kind.RESEARCHER)
    _require_open(view, number)
    if any(each.site == who for each in view.updates(model.number, number.number)):
        raise AlreadyCommittedError({"model": model.number, "round": number.number, "site": who})
    spent = view.spent(model.number, who)
    if epsilon > model.budget - spent:
        raise OverBudgetError({"epsilon": epsilon, "spent": spent, "budget": model.budget})


def to_finalise(view: View, who: Address, number: Round, model: Model) -> None:
    """Raises:
    RoundFinalisedError, EmptyRoundError: there is nothing to finalise; and as `require_coordinator`.
    """
    require_coordinator(view, who, model)
    _require_open(view, number)
    if not view.updates(model.number, number.number):
        raise EmptyRoundError({"model": model.number, "round": number.number})


def to_remediate(view: View, who: Address, model: Model, first: int, retrained: bool) -> int:
    """The last round that a remediation from round `first` on is of: the newest that is finalised.

    Raises:
        RoundStillOpenError, RoundNotFinalisedError: it may not be now; and as `require_coordinator`.
    """
    require_coordinator(view, who, model)
    rounds = view.rounds(model.number)
    made = [each.number for each in rounds if view.aggregate(model.number, each.number)]
    if retrained and len(made) < len(rounds):
        raise RoundStillOpenError({"model": model.number, "round": rounds[-1].number})
    if first not in made:
        raise RoundNotFinalisedError({"model": model.number, "round": first})
    return made[-1]


def _require_open(view: View, number: Round) -> None:
    if view.aggregate(number.model, number.number) is not None:
        raise RoundFinalisedError({"model": number.model, "round": number.number})
