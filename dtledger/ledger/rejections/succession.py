"""Why a twin does not leave for another deployment, or does not arrive in it."""

from __future__ import annotations

from .base import Rejection


class NotBeforeError(Rejection):
    solidity = "TwinRegistry_NotBefore"
    template = "No deployment before this one numbers a twin {twin}."


class NotSuccessorError(Rejection):
    solidity = "TwinRegistry_NotSuccessor"
    template = "Twin {twin} did not leave for {caller}."


class NumbersSpentError(Rejection):
    solidity = "TwinRegistry_NumbersSpent"
    template = "This deployment has no number left for another twin."


class WrongPredecessorError(Rejection):
    solidity = "ConsentRegistry_WrongPredecessor"
    template = "Nothing comes over from {predecessor}: there is no such deployment before this one."


class BlocksMissingError(Rejection):
    solidity = "ConsentRegistry_BlocksMissing"
    template = "Of {present} who are blocked on the twin {came} were named."
    advice = "Run the command again."
