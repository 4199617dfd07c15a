"""Who looked: the custodians' receipts of a twin, put together request by request.

A reader asks every custodian of a roster with one signed request, so the receipts of one request carry one hash. They
are of one look if they say the same of who asked for what: a custodian that lies about that stands alone with it.
Each custodian's list is a chain of its own; a list with a hole is an error beside the other lists, and never silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..custody import NOTHING_BEFORE, AccessReceipt, ReceiptProof
from ..errors import DtledgerError, IntegrityError
from ..ledger import Deployment, ReceiptAnchor, View
from ..types import Address, Digest
from ..vocabulary import Action, Purpose, Reason


@dataclass(frozen=True, slots=True)
class Look:
    """One request, as the custodians that took part account for it. `receipts` has one or more a custodian: a retry
    with another outcome leaves another."""

    request: Digest
    receipts: tuple[AccessReceipt, ...]

    @property
    def at(self) -> int:
        return min(each.at for each in self.receipts)

    @property
    def requester(self) -> Address:
        return self.receipts[0].requester

    @property
    def grantee(self) -> Address:
        return self.receipts[0].grantee

    @property
    def slot(self) -> int:
        return self.receipts[0].slot

    @property
    def action(self) -> Action:
        return self.receipts[0].action

    @property
    def purpose(self) -> Purpose:
        return self.receipts[0].purpose

    @property
    def count(self) -> int:
        """Snapshots asked for."""
        return self.receipts[0].count

    @property
    def opened(self) -> int:
        """Snapshots that at least one custodian opened its share of: the most that can have been read."""
        return max(each.permitted for each in self.receipts)

    @property
    def refused(self) -> dict[Reason, int]:
        """Reason → snapshots refused for it, as the custodian that refused most says."""
        strictest = max(self.receipts, key=lambda each: len(each.refused))
        return dict(Counter(reason for _, reason in strictest.refused))

    @property
    def custodians(self) -> tuple[Address, ...]:
        return tuple(dict.fromkeys(each.custodian for each in self.receipts))


@dataclass(frozen=True, slots=True)
class ReceiptList:
    """One custodian's receipts of a twin, oldest first. The first `anchored` of them it cannot take back any more."""

    receipts: list[AccessReceipt]
    anchored: int


@dataclass(frozen=True, slots=True)
class Access:
    """Everybody's looks at one twin, newest first. `lists` has each custodian's receipts, oldest first, `anchored` how
    many of them stand on the ledger, and `faults` why a custodian's list is not to be had (UnreachableError) or not to
    be believed (IntegrityError)."""

    looks: tuple[Look, ...]
    lists: Mapping[Address, Sequence[AccessReceipt]]
    anchored: Mapping[Address, int]
    faults: Mapping[Address, DtledgerError]

    def require_whole(self) -> Access:
        """Itself, if no custodian's list is broken.

        Raises:
            IntegrityError: one is; `.party` is the custodian.
        """
        for fault in self.faults.values():
            if isinstance(fault, IntegrityError):
                raise fault
        return self

    @classmethod
    def of(cls, answers: Mapping[Address, ReceiptList | DtledgerError]) -> Access:
        """What the custodians answered, request by request."""
        told = {custodian: answer for custodian, answer in answers.items() if isinstance(answer, ReceiptList)}
        lists = {custodian: answer.receipts for custodian, answer in told.items()}
        anchored = {custodian: answer.anchored for custodian, answer in told.items()}
        faults = {custodian: answer for custodian, answer in answers.items() if isinstance(answer, DtledgerError)}
        alike: dict[tuple[object, ...], list[AccessReceipt]] = {}
        for receipts in lists.values():
            for each in receipts:
                asker = (each.requester, each.grantee, each.slot, each.action, each.purpose)
                alike.setdefault((each.request, *asker, each.digests, each.count), []).append(each)
        looks = [Look(receipts[0].request, tuple(receipts)) for receipts in alike.values()]
        looks.sort(key=lambda each: (each.at, max(receipt.twin_number for receipt in each.receipts)), reverse=True)
        return cls(tuple(looks), lists, anchored, faults)


def verify_chain(
    deployment: Deployment, receipts: list[AccessReceipt], custodian: Address, twin: int
) -> list[AccessReceipt]:
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


def verify_anchored(
    view: View,
    known: ReceiptAnchor | None,
    proof: ReceiptProof | None,
    receipts: list[AccessReceipt],
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
