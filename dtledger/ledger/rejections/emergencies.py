"""Why the consent registry refused an opening or a review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...vocabulary import Reason
from .base import Rejection


class CannotOpenError(Rejection):
    solidity = "ConsentRegistry_CannotOpen"
    template = "The emergency cannot be opened: {reason}."
    advice = "See what the patient granted: `dtledger consent list`."

    def __init__(self, arguments: Mapping[str, Any], **evidence: Any) -> None:
        found = Reason(arguments["reason"])
        text = "it is open already" if found is Reason.PERMITTED else f"{found.text} ({found.name})"
        super().__init__({**arguments, "reason": text}, **evidence)
        self.evidence["reason"] = arguments["reason"]


class UnreviewedError(Rejection):
    solidity = "ConsentRegistry_Unreviewed"
    template = "{opener} has {openings} openings that nobody has reviewed, and one may have no more."
    advice = "An auditor of another organisation reviews them: `dtledger emergency review`."


class UnknownOpeningError(Rejection):
    solidity = "ConsentRegistry_UnknownOpening"
    template = "There is no opening {opening}."
    advice = "See `dtledger emergency list`."


class AlreadyReviewedError(Rejection):
    solidity = "ConsentRegistry_AlreadyReviewed"
    template = "Opening {opening} is reviewed already."


class NotReviewerError(Rejection):
    solidity = "ConsentRegistry_NotReviewer"
    template = "{caller} may not review it: that takes an active AUDITOR of another organisation than the opener's."
    advice = "Choose the auditor's key with --key."


class UnknownCodeError(Rejection):
    solidity = "ConsentRegistry_UnknownCode"
    template = "The code is none: {field}."
