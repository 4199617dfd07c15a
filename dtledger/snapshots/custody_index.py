"""The custody index: custody blocks that a twin's owner made in the place of the writers'.

It has the form of a writer's index, and stands in the twin card: by label and number a row that names the same manifest
and another custody block, which the owner signed under the roster of the card that brought the index, or of a later one
of the same owner's. Readers look into it first; what it does not reach is under custody as its writer left it. After a
move the former owner's stands until the new one has made another.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Deployment, View
from ..ledger.records import CardRecord
from ..types import ZERO_DIGEST, Address, Digest
from . import index
from .blame import Blocks, blaming
from .custody_block import CustodyBlock
from .index import PageLink, Row, Stream
from .leaf import Leaf


class CustodyIndex:
    """The newest custody index of one twin as of one view of the ledger; without one it has no rows."""

    def __init__(self, deployment: Deployment, view: View, blocks: Blocks, twin: int) -> None:
        self._deployment = deployment
        self._cards = view.cards(twin)
        self._blocks = blocks
        self._card = brought(self._cards)
        self._links: dict[Digest, dict[int, PageLink]] = {}
        self._custody: dict[CID, bytes] = {}

    @property
    def owner(self) -> Address:
        """Whose it is."""
        assert self._card is not None, "no index, no owner"
        return self._card.owner

    def rows(self, label: Digest, pages: Sequence[PageLink]) -> dict[int, Row]:
        """What it has in the place of those pages of a stream, by number.

        Raises:
            IntegrityError: it is malformed; `.block` and `.party`, its owner, name it.
            BlockMissingError: the store lacks a block of it.
        """
        if self._card is None:
            return {}
        with blaming(self.owner):
            links = self._pages(label)
            wanted = [links[page.first] for page in pages if page.first in links]
            blocks = self._blocks.get_many([link.cid for link in wanted])
            found = [(link.first, link.read(blocks[link.cid]).rows) for link in wanted]
        by_number = {number: row for first, rows in found for number, row in enumerate(rows, start=first)}
        self._custody = self._blocks.get_many([row.custody for row in by_number.values()])
        return by_number

    def read(self, leaf: Leaf, row: Row) -> tuple[CustodyBlock, CardRecord]:
        """The custody block of a row, and the card under whose roster it says that it stands.

        Raises:
            IntegrityError: it is not that snapshot's, the owner's and under such a roster; `.party` is the owner.
            BlockMissingError: the store lacks it.
        """
        with blaming(self.owner, row.custody):
            custody, signed_by = CustodyBlock.read(self._deployment, self._custody[row.custody])
            if row.manifest.digest != leaf.manifest or custody.digest != leaf.manifest or signed_by != self.owner:
                raise IntegrityError("a custody block that was shared anew is not its snapshot's, or not its owner's")
            card = self._card_of(custody.roster)
            if card is None:
                raise IntegrityError("a custody block that was shared anew stands under no roster of its index")
        return custody, card

    def _card_of(self, version: int) -> CardRecord | None:
        """The card that brought the index, or a later one of its owner's, if its roster has that version."""
        assert self._card is not None
        later = self._cards[self._cards.index(self._card) :]
        cards = (each for each in later if each.owner == self.owner)
        return next((each for each in cards if each.card.roster_version == version), None)

    def _pages(self, label: Digest) -> dict[int, PageLink]:
        """By first number: pages of one fan-out begin alike in every index."""
        if label not in self._links:
            assert self._card is not None
            stream: Stream | None = index.find(self._blocks, CID(self._card.card.custody_index), label)
            links = index.links(self._blocks, stream) if stream else ()
            self._links[label] = {link.first: link for link in links}
        return self._links[label]


def brought(cards: Sequence[CardRecord]) -> CardRecord | None:
    """The card that brought the newest custody index, if any did."""
    named = [record for record in cards if record.card.custody_index != ZERO_DIGEST]
    return next((each for each in named if each.card.custody_index == named[-1].card.custody_index), None)
