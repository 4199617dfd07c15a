"""Who looked: the custodians' receipts of a twin, put together request by request.

A reader asks every custodian of a roster with one signed request, so the receipts of one request carry one hash. They
are of one look if they say the same of who asked for what: a custodian that lies about that stands alone with it.
Each custodian's list is a chain of its own; a list with a hole is an error beside the other lists, and never silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..custody import AccessReceipt
from ..errors import DtledgerError, IntegrityError
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
