"""Every error that dtledger raises, drawn as a tree.

    DtledgerError                    exit code 1
      InputError                     2  a command, file or argument that cannot be used as it is
      AccessDeniedError              3  consent does not permit it; `.reason` says why
        LimitPassedError             3  more than a service gives in that time; `.limit` names what was passed
      IntegrityError                 4  something is not what it was when it was anchored or signed
      KeyFileError                   5  a key is missing, locked, or its password is wrong
      UnreachableError               6  ledger, store or custodian does not answer
        ChainMismatchError           6  another chain, genesis or code than the deployment's
        HeadTooOldError              6  the ledger's head stands still: time cannot be known
        CannotCheckError             6  the evidence is not to be had, so there is no verdict
        BusyError                    6  a service has as much to do as it takes; ask again
      LedgerRejection                1  a contract refused the call; one subclass a Solidity error

Attributes hold the evidence; the message says what happened and what to do next. No message holds a
reading, a name of a patient or a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DtledgerError(Exception):
    """Root of all errors of this package. `hint` says what to do next, in one sentence."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **evidence: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence = evidence

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(DtledgerError):
    """A command, file or argument that cannot be used as it is."""

    exit_code = 2


class AccessDeniedError(DtledgerError):
    """Consent does not permit it. `reason` is a `Reason`; `refused` lists the periods, if known. `as_of` is the number
    of the block by which a custodian knows of no consent."""

    exit_code = 3

    def __init__(
        self, message: str, *, reason: Any = None, as_of: int | None = None, hint: str = "", **evidence: Any
    ) -> None:
        super().__init__(message, hint=hint, **evidence)
        self.reason = reason
        self.as_of = as_of


class LimitPassedError(AccessDeniedError):
    """More than a service gives in that time. `limit` is the name of the limit that was passed."""

    def __init__(self, message: str, *, limit: str = "", reason: Any = None, hint: str = "", **evidence: Any) -> None:
        super().__init__(message, reason=reason, hint=hint, **evidence)
        self.limit = limit


class IntegrityError(DtledgerError):
    """Something is not what it was when it was anchored or signed.

    `block` names what failed (a CID or a digest in hex) and `party` who is to blame, where that is known.
    """

    exit_code = 4

    def __init__(self, message: str, *, block: str = "", party: str = "", hint: str = "", **evidence: Any) -> None:
        super().__init__(message, hint=hint, **evidence)
        self.block = block
        self.party = party


class KeyFileError(DtledgerError):
    """A key is missing, locked, damaged, or its password is wrong."""

    exit_code = 5


class UnreachableError(DtledgerError):
    """Ledger, store or custodian does not answer."""

    exit_code = 6


class ChainMismatchError(UnreachableError):
    """The node serves another chain, another genesis or other code than the deployment names."""


class HeadTooOldError(UnreachableError):
    """The ledger's head is older than allowed and no new block came: time cannot be known, so nothing is permitted."""


class CannotCheckError(UnreachableError):
    """The evidence is not to be had, so there is no verdict. Never to be read as a pass."""


class BusyError(UnreachableError):
    """A service has as much to do as it takes; it did nothing. Ask again."""


class LedgerRejection(DtledgerError):
    """A contract refused the call. Subclasses carry the Solidity error's name and arguments (see `dtledger.ledger`)."""

    def __init__(self, message: str, *, hint: str = "", **evidence: Any) -> None:
        super().__init__(message, hint=hint, **evidence)
