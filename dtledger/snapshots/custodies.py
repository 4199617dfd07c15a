"""Custodies: under which custody block a snapshot stands, who signed it, and under which roster it counts."""

from __future__ import annotations

from collections.abc import Sequence

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Batch, Deployment, View
from ..ledger.records import CardRecord
from ..types import Address, Digest
from .blame import Blocks, blaming
from .custody_block import CustodyBlock
from .custody_index import CustodyIndex
from .index import PageLink, Row
from .leaf import Leaf
from .roster import Roster
from .standing import card_of_roster

Custody = tuple[CustodyBlock, Address, Digest]
"""A custody block, who signed it, and the digest of its roster."""


class Custodies:
    """The custody blocks of one twin as of one view of the ledger."""

    def __init__(self, deployment: Deployment, view: View, blocks: Blocks, twin: int) -> None:
        self._deployment = deployment
        self._view = view
        self._blocks = blocks
        self._twin = twin
        self._index = CustodyIndex(deployment, view, blocks, twin)
        self._rosters: dict[Digest, Roster] = {}

    def rows(self, label: Digest, pages: Sequence[PageLink]) -> dict[int, Row]:
        """What the owner's index has in the place of those pages. Raises as `CustodyIndex.rows`."""
        return self._index.rows(label, pages)

    def read(self, leaf: Leaf, row: Row, block: bytes, batch: Batch) -> Custody:
        """As the writer's index has it: signed by the writer, or by the present owner.

        Raises:
            IntegrityError: it is not that snapshot's, or stands under no roster that was in force.
        """
        with blaming(leaf.writer, row.custody):
            custody, signed_by = CustodyBlock.read(self._deployment, block)
            owner = self._view.owner(self._twin)
            if signed_by not in (leaf.writer, owner) or custody.digest != leaf.manifest:
                raise IntegrityError("a custody block is not its snapshot's")
            card = card_of_roster(self._view, self._twin, custody.roster, batch, by_owner=signed_by == owner)
            if card is None or not self._stands(custody, card):
                raise IntegrityError("a custody block stands under no roster that was in force", party=signed_by)
        return custody, signed_by, card.card.roster

    def reshared(self, leaf: Leaf, anew: Row) -> Custody:
        """As the owner's index has it. Raises as `CustodyIndex.read`."""
        custody, card = self._index.read(leaf, anew)
        owner = self._index.owner
        if not self._stands(custody, card):
            raise IntegrityError(
                "a custody block that was shared anew is not as its roster", block=str(anew.custody), party=owner
            )
        return custody, owner, card.card.roster

    def _stands(self, custody: CustodyBlock, card: CardRecord) -> bool:
        roster = self._roster(card)
        named = tuple(share.custodian for share in custody.shares)
        return named == roster.custodians and custody.threshold == roster.threshold

    def _roster(self, record: CardRecord) -> Roster:
        digest = record.card.roster
        if digest not in self._rosters:
            with blaming(record.owner, CID(digest)):
                roster = Roster.decode(self._deployment, self._blocks.get(CID(digest)))
                if (roster.twin, roster.owner, roster.version) != (
                    self._twin,
                    record.owner,
                    record.card.roster_version,
                ):
                    raise IntegrityError("a twin card names a roster of another twin, owner or version")
            self._rosters[digest] = roster
        return self._rosters[digest]
