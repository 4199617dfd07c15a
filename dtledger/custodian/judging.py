"""The rule as a custodian asks it: of every snapshot by its own index of the chain, of one also of the contract.

The index is folded from events. Whatever made it differ from the contract (a fault here, a node that withholds logs)
would open what consent does not cover; so before anything leaves the contract itself is asked for one that the index
permits, and what it refuses is refused for all.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from ..custody import ReadRequest, ShareHeader
from ..errors import CannotCheckError
from ..ledger import Ledger, Now
from ..policy import MalformedRequestError, Request
from ..types import Address, Period
from ..vocabulary import Reason


def question(request: ReadRequest, requester: Address, bit: int, period: Period) -> Request:
    """What is asked of the rule for one snapshot."""
    return Request(
        twin=request.twin,
        requester=requester,
        grantee=request.grantee,
        number=request.number,
        action=request.action,
        purpose=request.purpose,
        bit=bit,
        period=period,
    )


def judge(request: ReadRequest, requester: Address, bit: int, period: Period, now: Now) -> Reason:
    """What the rule says of one snapshot, whose bit and period stand in its seal."""
    return now.check(question(request, requester, bit, period))


def is_stranger(reason: Reason) -> bool:
    """Whether the rule knows nothing of a consent: this does not depend on category and period."""
    return not reason.permits and reason <= Reason.NO_GRANT


def contract_refuses(
    ledger: Ledger, request: ReadRequest, requester: Address, permitted: Sequence[ShareHeader], now: Now
) -> Reason | None:
    """Why the contract refuses one of `permitted`, drawn at random; None if it does not.

    Raises:
        CannotCheckError: it finds that the question makes no sense.
        UnreachableError: the node does not answer.
    """
    if not permitted:
        return None
    header = secrets.choice(permitted)
    try:
        said = ledger.check(question(request, requester, header.bit, header.period), now.earliest, now.latest)
    except MalformedRequestError as error:
        raise CannotCheckError("The contract takes for no question what the custodian permits.") from error
    return None if said.permits else said
