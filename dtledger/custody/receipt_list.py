"""A custodian's list of a twin's receipts: whole from the first to the last, and as long as the anchored map says."""

from __future__ import annotations

from collections.abc import Sequence

from ..crypto import merkle
from ..errors import IntegrityError
from ..ledger import Deployment, ReceiptAnchor, View
from ..types import Address, Digest
from .receipt_map import ReceiptProof
from .receipts import NOTHING_BEFORE, AccessReceipt


def verify_chain(
    deployment: Deployment, receipts: Sequence[AccessReceipt], custodian: Address, twin: int
) -> Sequence[AccessReceipt]:
    """The receipts of one twin, if they are the custodian's and none is missing between the first and the last.

    Raises:
        IntegrityError: a signature is wrong or a number is missing; `.party` is the custodian.
    """
    previous = NOTHING_BEFORE
    for number, receipt in enumerate(receipts):
        receipt.verify(deployment)
        stands = (receipt.custodian, receipt.twin, receipt.twin_number, receipt.twin_previous)
        if stands != (custodian, twin, number, previous):
            raise IntegrityError(
                f"receipt {number} of a custodian is missing or changed",
                party=custodian,
                hint="Keep what it answered: it is the evidence against this custodian.",
            )
        previous = receipt.hash
    return receipts


def require_digests(receipt: AccessReceipt, digests: Sequence[Digest]) -> None:
    """Pass if these are what was asked for by the request that a receipt is of.

    Raises:
        IntegrityError: they are not, or no request is for them; `.party` is the custodian.
    """
    if not digests or merkle.root(digests) != receipt.digests:
        raise IntegrityError(
            f"the list beside receipt {receipt.twin_number} of a custodian is not the one that it signed the root of",
            party=receipt.custodian,
        )
    refused = {digest for digest, _ in receipt.refused}
    once = len(set(digests)) == len(digests) == receipt.count and len(refused) == len(receipt.refused)
    if not (once and refused <= set(digests)):
        raise IntegrityError(
            f"receipt {receipt.twin_number} of a custodian is of a request that nobody can make: its count, its "
            "refusals and what was asked for are at odds",
            party=receipt.custodian,
        )


def verify_anchored(
    view: View,
    known: ReceiptAnchor | None,
    proof: ReceiptProof | None,
    receipts: Sequence[AccessReceipt],
    custodian: Address,
    twin: int,
) -> int:
    """How many of a custodian's receipts of a twin are anchored: all that its anchor counts are in the list.

    Args:
        view: the ledger after the custodian answered.
        known: its newest anchor before it was asked; it may have anchored since, and may not go back.
        proof: what it answered for its newest anchored map.

    Raises:
        IntegrityError: the list lacks receipts that are anchored, or has others in their place, or the proof is not of
            an anchor of the custodian's that is new enough; `.party` is the custodian.
    """
    if proof is None and known is None:
        return 0
    anchor = view.receipt_anchor(custodian)
    while proof is not None and anchor is not None and anchor.count > proof.count:
        anchor = view.earlier(anchor.block - 1).receipt_anchor(custodian)
    if proof is None or anchor is None or anchor.count < (known.count if known else 0):
        raise IntegrityError("a custodian does not show its newest anchored map of receipts", party=custodian)
    try:
        count, last = proof.verify(anchor.root, anchor.count, anchor.last, twin)
    except IntegrityError as error:
        raise IntegrityError(
            f"a custodian's map of receipts is not the anchored one: {error}", party=custodian
        ) from None
    if len(receipts) < count:
        raise IntegrityError(
            f"a custodian shows {len(receipts)} receipts of the {count} that it anchored",
            party=custodian,
            hint="Keep what it answered: it is the evidence against this custodian.",
        )
    if (receipts[count - 1].hash if count else NOTHING_BEFORE) != last:
        raise IntegrityError("a custodian shows other receipts than it anchored", party=custodian)
    return count
