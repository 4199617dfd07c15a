"""Why a contract refused a call: one error for each Solidity error, with what happened and what to do next.

The names follow the contracts' (`ConsentRegistry_StaleRevision` is `StaleRevisionError`); a test compares the two.

>>> rejection("ConsentRegistry_StaleRevision", {"named": 3, "present": 4}).message
'The slot has moved on: revision 3 was named, it stands at 4.'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import LedgerRejection
from . import emergencies, guardians, models, succession
from .base import Rejection, shown

_LOOK_AGAIN = "Look at it again (`dtledger consent list`) and decide anew."
_AGAIN = "Run the command again."


class AlreadyEnrolledError(Rejection):
    solidity = "MemberRegistry_AlreadyEnrolled"
    template = "{member} is enrolled already."
    advice = "To change its card, use `dtledger member rekey`."


class NotEnrolledError(Rejection):
    solidity = "MemberRegistry_NotEnrolled"
    template = "{member} is not an enrolled member."
    advice = "A registrar enrols members: `dtledger member enrol CARD`."


class StaleVersionError(Rejection):
    solidity = "MemberRegistry_StaleVersion"
    template = "The member card names version {named}, the member stands at {present}."
    advice = "Make the card anew with `dtledger member card`."


class UnknownKindsError(Rejection):
    solidity = "MemberRegistry_UnknownKinds"
    template = "The kinds {kinds} hold a bit that has no meaning."


class GuardedKindsError(Rejection):
    solidity = "MemberRegistry_GuardedKinds"
    template = "CUSTODIAN and EMERGENCY cannot be given at once (asked: {kinds})."
    advice = "A steward adds them after the governance delay."


class UnguardedKindsError(Rejection):
    solidity = "MemberRegistry_UnguardedKinds"
    template = "Only CUSTODIAN and EMERGENCY are added this way (asked: {kinds})."
    advice = "Let a registrar set the others."


class AlreadySuspendedError(Rejection):
    solidity = "MemberRegistry_AlreadySuspended"
    template = "{member} is suspended already."


class NotSuspendedError(Rejection):
    solidity = "MemberRegistry_NotSuspended"
    template = "{member} is not suspended."


class NotAnOrganisationError(Rejection):
    solidity = "MemberRegistry_NotAnOrganisation"
    template = "{organisation} cannot be named as an organisation: it is not an active member of its own."


class NotAgreedError(Rejection):
    solidity = "MemberRegistry_NotAgreed"
    template = "The organisation {organisation} has not agreed to {member} at card version {version}."
    advice = "Let it sign an agreement, or agree by a call of its own."


class StaleKeyringError(Rejection):
    solidity = "MemberRegistry_StaleKeyring"
    template = "The keyring was changed meanwhile: {named} was named, {present} is there."
    advice = _AGAIN


class UnknownTwinError(Rejection):
    solidity = "ERC721NonexistentToken"
    template = "There is no twin {tokenId}."


class LockedError(Rejection):
    solidity = "TwinRegistry_Locked"
    template = "A twin cannot be transferred or approved."
    advice = "It is moved with both keys' signatures."


class NotTwinOwnerError(Rejection):
    solidity = "TwinRegistry_NotOwner"
    template = "{caller} does not own twin {twin}."
    advice = "Choose the owner's key with --key."


class StaleCountError(Rejection):
    solidity = "TwinRegistry_StaleCount"
    template = "The patient has {present} twins, the signature is for a patient with {named}."
    advice = _AGAIN


class StaleCardError(Rejection):
    solidity = "TwinRegistry_StaleCard"
    template = "The twin card was changed meanwhile: {named} was named, {present} is there."
    advice = _AGAIN


class StaleCounterError(Rejection):
    solidity = "TwinRegistry_StaleCounter"
    template = "The twin's state was changed meanwhile: {named} was named, it stands at {present}."
    advice = _AGAIN


class FormerOwnerError(Rejection):
    solidity = "TwinRegistry_FormerOwner"
    template = "Twin {twin} cannot go back to its former owner {to}."
    advice = "Move it to a key that never owned it."


class RetirementAnnouncedError(Rejection):
    solidity = "TwinRegistry_RetirementAnnounced"
    template = "The retirement of twin {twin} is announced (final at {retireAt})."
    advice = "Cancel it first."


class RetirementNotAnnouncedError(Rejection):
    solidity = "TwinRegistry_RetirementNotAnnounced"
    template = "No retirement of twin {twin} is announced."


class RetiredError(Rejection):
    solidity = "TwinRegistry_Retired"
    template = "Twin {twin} is retired since {retireAt}; that cannot be undone."


class InvalidTermsError(Rejection):
    solidity = "ConsentRegistry_InvalidTerms"
    template = "The grant's terms make no sense: {field}."


class ContractMalformedRequestError(Rejection):
    solidity = "ConsentRegistry_MalformedRequest"
    template = "The request makes no sense: {field}."


class NotConsentOwnerError(Rejection):
    solidity = "ConsentRegistry_NotOwner"
    template = "{caller} does not own twin {twin}."
    advice = "Choose the owner's key with --key."


class NotOwnerNorGranteeError(Rejection):
    solidity = "ConsentRegistry_NotOwnerNorGrantee"
    template = "{caller} is neither the grant's owner nor its grantee."


class StaleRevisionError(Rejection):
    solidity = "ConsentRegistry_StaleRevision"
    template = "The slot has moved on: revision {named} was named, it stands at {present}."
    advice = _LOOK_AGAIN


class StaleEpochError(Rejection):
    solidity = "ConsentRegistry_StaleEpoch"
    template = "Everything was revoked meanwhile: epoch {named} was named, it stands at {present}."
    advice = _LOOK_AGAIN


class StaleBlockCountError(Rejection):
    solidity = "ConsentRegistry_StaleBlockCount"
    template = "The block was changed meanwhile: count {named} was named, it stands at {present}."
    advice = _AGAIN


class SlotSpentError(Rejection):
    solidity = "ConsentRegistry_SlotSpent"
    template = "Slot {number} of {grantee} has been written 65,535 times and can never permit again."
    advice = "Use another slot."


class EpochSpentError(Rejection):
    solidity = "ConsentRegistry_EpochSpent"
    template = "Twin {twin} of {owner} has revoked everything 16,777,215 times and can never permit again."


class BlockSpentError(Rejection):
    solidity = "ConsentRegistry_BlockSpent"
    template = "{grantee} is blocked on twin {twin} for ever."


class EmptyBatchError(Rejection):
    solidity = "SnapshotLedger_EmptyBatch"
    template = "A batch without snapshots cannot be anchored."


class AlreadyAnchoredError(Rejection):
    solidity = "SnapshotLedger_AlreadyAnchored"
    template = "{sender} has anchored this batch already."


class StaleHistoryError(Rejection):
    solidity = "SnapshotLedger_StaleHistory"
    template = "The signed batch goes on from {named}, and its sender's history is {present} by now."
    advice = "Run it again: what was anchored meanwhile is gone on from."


class LogNotGrownError(Rejection):
    solidity = "ReceiptLedger_NotGrown"
    template = "A receipt log only grows: {named} receipts were named, {present} are anchored."


class DeadlinePassedError(Rejection):
    solidity = "TypedDomain_DeadlinePassed"
    template = "The signed message was good until {deadline}."
    advice = "Sign it anew; check the clock."


class DeadlineTooFarError(Rejection):
    solidity = "TypedDomain_DeadlineTooFar"
    template = "The signed message is good until {deadline}, which is further ahead than it may be."
    advice = "Sign it anew; check the clock."


class WrongSignatureError(Rejection):
    solidity = "TypedDomain_WrongSignature"
    template = "The signature is not {signer}'s for this message on this chain."


class UnauthorizedError(Rejection):
    solidity = "AccessManagedUnauthorized"
    template = "{caller} has no role for this."
    advice = "Choose the registrar's or governance's key with --key."


class ScheduleNeededError(Rejection):
    solidity = "AccessManagerNotScheduled"
    template = "This waits the governance delay and was not announced (operation {operationId}). Announce it first."


class NotYetDueError(Rejection):
    solidity = "AccessManagerNotReady"
    template = "This waits the governance delay, which is not over yet (operation {operationId})."


class AnnouncementExpiredError(Rejection):
    solidity = "AccessManagerExpired"
    template = "This was announced, and not done within the week after its delay (operation {operationId})."
    advice = "Announce it again."


class AlreadyAnnouncedError(Rejection):
    solidity = "AccessManagerAlreadyScheduled"
    template = "This is announced already (operation {operationId})."


class CannotAnnounceError(Rejection):
    solidity = "AccessManagerUnauthorizedCall"
    template = "{caller} has no role that waits a delay for this, or named a time before the delay is over."
    advice = "Choose governance's key with --key."


class CannotCancelError(Rejection):
    solidity = "AccessManagerUnauthorizedCancel"
    template = "{msgsender} may not take back what {caller} announced."
    advice = "It is taken back by who announced it, or by governance."


class RevertedError(LedgerRejection):
    """The node said that the call fails, and gave no error of ours."""


class InsufficientFundsError(LedgerRejection):
    """The sender cannot pay for the transaction."""


REJECTIONS: dict[str, type[Rejection]] = {
    each.solidity: each
    for each in (
        *vars().copy().values(),
        *vars(emergencies).values(),
        *vars(guardians).values(),
        *vars(models).values(),
        *vars(succession).values(),
    )
    if isinstance(each, type) and hasattr(each, "solidity")
}
"""Solidity error → its class."""

EARLY = (
    DeadlineTooFarError,
    NotYetDueError,
    guardians.FrozenError,
    guardians.FrozenBeforeError,
    guardians.MoveNotReadyError,
)
"""What time alone ends: by an old block's time a call is refused so that is good by now."""


def rejection(name: str, arguments: Mapping[str, Any], **evidence: Any) -> LedgerRejection:
    """The error for a Solidity error's name and arguments."""
    found = REJECTIONS.get(name)
    if found is not None:
        return found(arguments, **evidence)
    if name == "insufficient funds":
        return InsufficientFundsError(
            "The sender's account cannot pay for the transaction.", hint="Fund it, or use a relay."
        )
    values = ", ".join(f"{key} {shown(key, value)}" for key, value in arguments.items())
    return RevertedError(f"The contract refused the call: {name}{f' ({values})' if values else ''}.", **evidence)
