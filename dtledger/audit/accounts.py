"""The claims about what custodians gave account of: their lists of receipts, what each request asked for, and whether
it was permitted. Which they are says `audit.twin`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from ..custody.receipt_list import require_digests, verify_anchored, verify_chain
from ..custody.receipts import AccessReceipt
from ..errors import CannotCheckError, DtledgerError, IntegrityError, UnreachableError
from ..types import Address, Digest
from ..vocabulary.numbers import number_of
from .chain import Chain
from .claims import Claim, checked
from .consents import BEHIND, Opened, Snapshot, require_consent, time_of_block
from .gathered import Gathered
from .given import Given, Lists, Receipts


class Accounts:
    """What the custodians of a twin gave account of; `snapshots` are those that stand in its streams, by digest."""

    def __init__(
        self,
        chain: Chain,
        gathered: Gathered,
        given: Given,
        snapshots: Mapping[Digest, Snapshot],
        name: Callable[[Address], str],
    ) -> None:
        self._chain = chain
        self._gathered = gathered
        self._given = given
        self._snapshots = snapshots
        self._name = name

    def of(self, custodian: Address) -> Iterator[Claim]:
        """Every claim about one."""
        sound: list[AccessReceipt] = []
        opened: dict[int, Opened] = {}
        yield checked("receipts", self._name(custodian), partial(self._receipts, custodian, sound))
        if sound and (asked := self._asked(custodian)) is not None:
            yield checked("digests", self._name(custodian), partial(self._digests, sound, asked, opened))
        for each, since in zip(sound, self._since(custodian, sound), strict=True):
            about = f"receipt {each.twin_number} of {self._name(custodian)}"
            yield checked("consent", about, partial(self._consent, each, since, opened.get(each.twin_number)))
        if sound and not self._chain.is_whole:
            yield checked("blocks", self._name(custodian), partial(self._blocks, sound))

    def _receipts(self, custodian: Address, sound: list[AccessReceipt]) -> str:
        said, found = self._given.lists.get(custodian), self._gathered
        if isinstance(said, IntegrityError | UnreachableError):
            raise said
        if not isinstance(said, Receipts):
            raise CannotCheckError("The list is not at hand: a custodian gives it to the twin's owner alone.")
        if custodian in found.known.unreached:
            raise found.known.unreached[custodian]
        receipts = verify_chain(found.deployment, said.receipts, custodian, found.twin)
        anchor = found.view.receipt_anchor(custodian)
        count = verify_anchored(found.view, anchor, said.proof, receipts, custodian, found.twin)
        _require_places(receipts, count, anchor.count if anchor else 0, custodian)
        sound.extend(receipts)
        told = number_of(len(receipts), "receipt")
        return f"{told} in one chain, {count:,} of them anchored; what comes after is unknown"

    def _asked(self, custodian: Address) -> Lists:
        said = self._given.lists.get(custodian)
        return said.asked if isinstance(said, Receipts) else None

    def _digests(self, receipts: Sequence[AccessReceipt], asked: Lists, opened: dict[int, Opened]) -> str:
        if isinstance(asked, IntegrityError):
            raise asked
        if asked is None or isinstance(asked, DtledgerError):
            raise CannotCheckError(asked.message if asked else "They are not shown.")
        for receipt, digests in zip(receipts, asked, strict=False):
            require_digests(receipt, digests)
            refused = {digest for digest, _ in receipt.refused}
            given = [self._snapshots.get(each) for each in digests if each not in refused]
            known = [each for each in given if each is not None]
            opened[receipt.twin_number] = Opened(known, len(given) - len(known))
        if len(asked) != len(receipts):
            raise IntegrityError(f"{number_of(len(asked), 'list')} shown beside {number_of(len(receipts), 'receipt')}")
        return f"what {number_of(len(receipts), 'request')} asked for: each receipt has the root of it"

    def _since(self, custodian: Address, receipts: Sequence[AccessReceipt]) -> list[int]:
        """Since when each was written (unix seconds), whatever it says: after those before it in its list, and after
        every anchor at hand that does not count it."""
        anchors, anchor = [], self._gathered.view.receipt_anchor(custodian)
        while anchor is not None:
            anchors.append(anchor)
            anchor = self._gathered.view.earlier(anchor.block - 1).receipt_anchor(custodian)
        since, found = 0, []
        for each in receipts:
            while anchors and anchors[-1].count <= each.number:
                since = max(since, anchors.pop().at)
            found.append(since)
            since = max(since, min(each.at, self._chain.head.at))
        return found

    def _consent(self, receipt: AccessReceipt, since: int, opened: Opened | None) -> str:
        found, at = self._gathered, max(receipt.at, since) - BEHIND
        past = found.block_at(at)
        return require_consent(
            self._chain, found.view, receipt, past, found.gaps, found.unopened, self._name, opened, at
        )

    def _blocks(self, receipts: Sequence[AccessReceipt]) -> str:
        """By number and time each was judged all the same."""
        unled = sum(each.block <= self._chain.head.number and not time_of_block(self._chain, each) for each in receipts)
        if unled:
            raise CannotCheckError(
                f"Nothing leads to the blocks of {unled:,} of {number_of(len(receipts), 'receipt')}: that they are "
                "this chain's, and when they were made, is the custodian's word."
            )
        return f"the blocks of {number_of(len(receipts), 'receipt')} are this chain's"


def _require_places(receipts: Sequence[AccessReceipt], counted: int, anchored: int, custodian: Address) -> None:
    """Pass if the numbers that receipts have in their custodian's whole log rise, and those of the first `counted`
    alone are among the first `anchored` of it.

    Raises:
        IntegrityError: they do not; `.party` is the custodian.
    """
    before = -1
    for place, each in enumerate(receipts):
        if each.number <= before or (each.number < anchored) is not (place < counted):
            raise IntegrityError(
                f"receipt {place} of a custodian says that it is number {each.number} of its log, which what it "
                "anchored and the others contradict",
                party=custodian,
            )
        before = each.number
