"""Why the rule permits or refuses. In the order in which the rule asks; the first that applies is the answer."""

from __future__ import annotations

from .coded import Coded


class Reason(Coded):
    """The verdict of `check` on one request. 0 and 1 permit; every other value refuses."""

    PERMITTED = 0, "the grant permits it"
    OWNER = 1, "it is the owner's own data"
    TWIN_UNKNOWN = 2, "there is no such twin"
    RETIRED = 3, "the twin is retired, or its retirement is announced"
    FROZEN = 4, "the twin is frozen by its guardians"
    NOT_ENROLLED = 5, "the asker is not an enrolled member"
    SUSPENDED = 6, "the asker, its organisation or the grantee is suspended"
    BLOCKED = 7, "the owner blocked the asker, its organisation or the grantee"
    NO_GRANT = 8, "the owner never gave such a grant"
    REVOKED = 9, "the owner or the grantee revoked the grant"
    NOT_YET = 10, "the grant is not in force yet"
    EXPIRED = 11, "the grant has ended"
    ACTION = 12, "the grant does not allow this action"
    CATEGORY = 13, "the grant does not cover this category"
    PURPOSE = 14, "the grant is not for this purpose"
    PERIOD = 15, "the grant does not cover the whole period of the data"
    KIND = 16, "the asker is not of the kind that this action needs"
    EMERGENCY_CLOSED = 17, "no emergency has been opened on this grant"

    LIMIT = 255, "more was asked for than a custodian gives at a time"
    """A custodian's own, which no ledger gives: consent may well permit it."""

    @property
    def is_of_the_rule(self) -> bool:
        """Whether the ledger knows it; else it is a custodian's own."""
        return self is not Reason.LIMIT

    @property
    def permits(self) -> bool:
        return self in (Reason.PERMITTED, Reason.OWNER)
