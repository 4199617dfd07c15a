"""Why the registry of twins refused what guardians do, or what an owner does while they do it."""

from __future__ import annotations

from .base import Rejection


class InvalidDelayError(Rejection):
    solidity = "TwinRegistry_InvalidDelay"
    template = "A move by guardians waits 2 to 30 days, not {recoveryDelay} seconds."


class WrongGuardiansError(Rejection):
    solidity = "TwinRegistry_WrongGuardians"
    template = "These are not the twin's guardians: they open to {opened}, its owner chose {present}."
    advice = "Let the owner's file of its guardians be the newest one."


class NotAscendingError(Rejection):
    solidity = "TwinRegistry_NotAscending"
    template = "The signature of guardian {guardian} comes twice, or out of order."


class NotGuardianError(Rejection):
    solidity = "TwinRegistry_NotGuardian"
    template = "{signer} is no guardian of twin {twin}."


class TooFewGuardiansError(Rejection):
    solidity = "TwinRegistry_TooFewGuardians"
    template = "{signed} guardians signed, {needed} have to."
    advice = "Let more of them sign."


class FrozenError(Rejection):
    solidity = "TwinRegistry_Frozen"
    template = "The guardians of twin {twin} have frozen it until {frozenUntil}."
    advice = "They can end that: `dtledger twin unfreeze`."


class NotFrozenError(Rejection):
    solidity = "TwinRegistry_NotFrozen"
    template = "Twin {twin} is not frozen."


class FrozenBeforeError(Rejection):
    solidity = "TwinRegistry_FrozenBefore"
    template = "Twin {twin} was frozen at {frozenAt}, less than a year ago."
    advice = "Within a year all guardians have to sign."


class MoveNotAnnouncedError(Rejection):
    solidity = "TwinRegistry_MoveNotAnnounced"
    template = "Guardians have announced no move of twin {twin}."


class MoveNotReadyError(Rejection):
    solidity = "TwinRegistry_MoveNotReady"
    template = "The move of twin {twin} can be completed from {readyAt} on."


class MoveBindingError(Rejection):
    solidity = "TwinRegistry_MoveBinding"
    template = "All guardians together move the frozen twin {twin} to {to}: that cannot be vetoed."
