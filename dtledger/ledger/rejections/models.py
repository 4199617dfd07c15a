"""Why the ledger of models refused a call."""

from __future__ import annotations

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
    template = "{caller} is not of the kind that this takes (number {kind})."
    advice = "A COORDINATOR leads a model, a RESEARCHER trains it. A registrar sets kinds."


class NotCoordinatorError(Rejection):
    solidity = "ModelLedger_NotCoordinator"
    template = "{caller} does not coordinate model {model}."
    advice = "Choose the coordinator's key with --key."


class RoundStillOpenError(Rejection):
    solidity = "ModelLedger_RoundStillOpen"
    template = "Round {round} of model {model} is still open."
    advice = "Finalise it first."


class RoundNotOpenError(Rejection):
    solidity = "ModelLedger_RoundNotOpen"
    template = "Round {round} of model {model} has not been opened."


class RoundFinalisedError(Rejection):
    solidity = "ModelLedger_RoundFinalised"
    template = "Round {round} of model {model} is finalised."


class StaleParentError(Rejection):
    solidity = "ModelLedger_StaleParent"
    template = "The model has moved on: {named} was named as what to build on, {present} is there."
    advice = "Take the present aggregate and train anew."


class AlreadyCommittedError(Rejection):
    solidity = "ModelLedger_AlreadyCommitted"
    template = "{site} has committed an update in round {round} of model {model} already."


class UnderCohortError(Rejection):
    solidity = "ModelLedger_UnderCohort"
    template = "The update was trained on {cohort} twins, the model takes {minimum} at least."


class OverBudgetError(Rejection):
    solidity = "ModelLedger_OverBudget"
    template = "The update spends {epsilon} thousandths of ε, {spent} of {budget} are spent."
    advice = "A spent budget stays spent: the site can train this model no further."


class EmptyRoundError(Rejection):
    solidity = "ModelLedger_EmptyRound"
    template = "Round {round} of model {model} has no update."


class StaleUpdatesError(Rejection):
    solidity = "ModelLedger_StaleUpdates"
    template = "An update came in meanwhile: {named} were counted, there are {present}."
    advice = "Look at it, and make the aggregate's record anew."
