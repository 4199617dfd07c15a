"""Why the ledger of models refused a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...vocabulary import Kind
from .base import Rejection


class InvalidModelTermsError(Rejection):
    solidity = "ModelLedger_InvalidTerms"
    template = "The model's terms, or the update's, make no sense: {field}."


class UnknownModelError(Rejection):
    solidity = "ModelLedger_UnknownModel"
    template = "There is no model {model}."


class NotAMemberError(Rejection):
    solidity = "ModelLedger_NotEnrolled"
    template = "{caller} is not an enrolled member."
    advice = "A registrar enrols members: `dtledger member enrol CARD`."


class SuspendedError(Rejection):
    solidity = "ModelLedger_Suspended"
    template = "{caller} is suspended, or its organisation is."


class NotOfKindError(Rejection):
    solidity = "ModelLedger_NotOfKind"
    template = "{caller} is no {kind}, which this takes."
    advice = "Choose the key with --key; a registrar sets kinds: `dtledger member kinds WHO --add KIND`."

    def __init__(self, arguments: Mapping[str, Any], **evidence: Any) -> None:
        names = {each.value: each.name for each in Kind}
        kind = arguments["kind"]
        super().__init__({**arguments, "kind": names.get(kind, f"member of kind {kind}")}, **evidence)
        self.evidence["kind"] = kind


class NotCoordinatorError(Rejection):
    solidity = "ModelLedger_NotCoordinator"
    template = "{caller} does not coordinate model {model}."
    advice = "Choose the coordinator's key with --key."


class RoundStillOpenError(Rejection):
    solidity = "ModelLedger_RoundStillOpen"
    template = "Round {round} of model {model} is still open."
    advice = "Finalise it first: `dtledger model round finalise`."


class RoundNotOpenError(Rejection):
    solidity = "ModelLedger_RoundNotOpen"
    template = "Round {round} of model {model} has not been opened."


class RoundFinalisedError(Rejection):
    solidity = "ModelLedger_RoundFinalised"
    template = "Round {round} of model {model} is finalised."
    advice = "Its coordinator opens the next one: `dtledger model round open`."


class RoundNotFinalisedError(Rejection):
    solidity = "ModelLedger_RoundNotFinalised"
    template = "Round {round} of model {model} is not finalised."
    advice = "What is made of a round can be remediated once it is there: `dtledger model show`."


class StaleParentError(Rejection):
    solidity = "ModelLedger_StaleParent"
    template = "The model has moved on: {named} was named as what to build on, {present} is there."
    advice = "Take the present aggregate and train anew."


class AlreadyCommittedError(Rejection):
    solidity = "ModelLedger_AlreadyCommitted"
    template = "{site} has committed an update in round {round} of model {model} already."
    advice = "A round takes one update of a site; the next one takes another."


class UnderCohortError(Rejection):
    solidity = "ModelLedger_UnderCohort"
    template = "The update was trained on {cohort} twins, the model takes {minimum} at least."
    advice = "More owners have to consent before the next round is opened."


class OverBudgetError(Rejection):
    solidity = "ModelLedger_OverBudget"
    template = "The update spends {epsilon} thousandths of ε, and {spent} of {budget} are spent."
    advice = "What is spent stays spent: train with less, or train this model no further."


class EmptyRoundError(Rejection):
    solidity = "ModelLedger_EmptyRound"
    template = "Round {round} of model {model} has no update."
    advice = "Wait until a site commits one: `dtledger model commit`."


class StaleUpdatesError(Rejection):
    solidity = "ModelLedger_StaleUpdates"
    template = "An update came in meanwhile: {named} were counted, there are {present}."
    advice = "Look at it, and make the aggregate's record anew."
