"""Erasing: every block of a twin's snapshots out of one store.

Found by the indexes alone, the writers' and those of custody that was shared anew, so that it goes on where it was cut
short: the indexes stay, and say no more than CIDs and periods. Of each snapshot the ciphertext and the custody block go
before the manifest that leads to them, and of each stream the manifest by which it is known for this twin's goes last.

Warning: other stores may hold copies. Without the custodians' keys nobody opens them.

Warning: that chunks are no other snapshot's is for their writer to say: nobody sees what else links to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..encoding import CID
from ..errors import DtledgerError, IntegrityError
from ..ledger import Deployment, View
from ..store import BlockMissingError, BlockStore
from ..types import ZERO_DIGEST, Address
from . import index
from .blame import Blocks
from .custody_block import CustodyBlock
from .locating import Located, Locator
from .manifest import Manifest
from .package import NO_KEYS, Keys
from .pages import Page, Row


@dataclass(slots=True)
class Erased:
    """What went: `snapshots` were listed, `blocks` were in the store. `left` are still there, and `faults` say whose
    index could not be followed, so that something of theirs may be there, too."""

    snapshots: int = 0
    blocks: int = 0
    left: list[CID] = field(default_factory=list)
    faults: dict[Address, DtledgerError] = field(default_factory=dict)


class Eraser:
    """Erases the snapshots of one twin, whose owner's `keys` name its streams; others are found by looking.

    With `writer` only what that writer wrote: who acts on nobody's word but its own keeps to this, for a manifest can
    list chunks that are another twin's.
    """

    def __init__(
        self,
        deployment: Deployment,
        view: View,
        store: BlockStore,
        twin: int,
        keys: Keys = NO_KEYS,
        writer: Address | None = None,
    ) -> None:
        self._deployment = deployment
        self._view = view
        self._store = store
        self._blocks = Blocks(store)
        self._twin = twin
        self._keys = keys
        self._writer = writer

    def erase(self, progress: Callable[[int, int], None] | None = None) -> Erased:
        """Remove them all; `progress` is told snapshots done and snapshots in all.

        Raises:
            UnreachableError: the store does not answer; do it again.
        """
        erased = Erased()
        streams = [each for each in self._streams(erased) if self._writer in (None, each.writer)]
        total = sum(each.count for each in streams)
        for located in streams:
            try:
                pages = self._pages(located)
            except (IntegrityError, BlockMissingError) as fault:
                erased.faults.setdefault(located.writer, fault)
                continue
            foreign: set[CID] = set()
            for page in pages:
                below: list[CID] = []
                for row in page.rows:
                    try:
                        below += self._below(located, row)
                    except IntegrityError as fault:
                        foreign.add(row.manifest)
                        erased.faults.setdefault(located.writer, fault)
                self.remove(below, erased)
                erased.snapshots += len(page.rows)
                if progress:
                    progress(erased.snapshots, total)
            for page in reversed(pages):
                self.remove([row.manifest for row in reversed(page.rows) if row.manifest not in foreign], erased)
        for custody in self._reshared(erased):
            self.remove(custody, erased)
        return erased

    def _reshared(self, erased: Erased) -> Iterator[list[CID]]:
        """The custody blocks that any of the twin's custody indexes ever named, as far as its owner sealed them."""
        cards = self._view.cards(self._twin)
        owners = {card.card.custody_index: card.owner for card in cards if self._writer in (None, card.owner)}
        for digest, owner in owners.items():
            try:
                for _, stream in index.streams(self._blocks, CID(digest)) if digest != ZERO_DIGEST else ():
                    for link in index.links(self._blocks, stream):
                        rows = link.read(self._blocks.get(link.cid)).rows
                        yield [row.custody for row in rows if self._is_sealed_by(owner, row.custody)]
            except (IntegrityError, BlockMissingError) as fault:
                erased.faults.setdefault(owner, fault)

    def _is_sealed_by(self, owner: Address, cid: CID) -> bool:
        """Whether a custody block is that owner's, if it is there and can be read at all."""
        try:
            return (block := self._block(cid)) is None or CustodyBlock.read(self._deployment, block)[1] == owner
        except IntegrityError:
            return False

    def _pages(self, located: Located) -> list[Page]:
        """Every leaf page of the stream, of lines beside each other too: what does not count is erased as well."""
        links = {link.cid: link for line in located.lines for link in index.links(self._blocks, line.stream)}
        return [link.read(self._blocks.get(cid)) for cid, link in links.items()]

    def remove(self, cids: list[CID], erased: Erased) -> None:
        """Take these blocks out of the store, in their order, and see whether they are gone."""
        there = [cid for cid in cids if self._store.has(cid)]
        self._store.remove(there)
        left = [cid for cid in there if self._store.has(cid)]
        erased.left += left
        erased.blocks += len(there) - len(left)

    def _streams(self, erased: Erased) -> Iterator[Located]:
        seen = set()
        named = Locator(self._deployment, self._view, self._blocks, self._twin, self._keys)
        for writer in named.writers():
            try:
                for each in self._keys.categories():
                    located = named.newest(writer, each.name)
                    if located is not None:
                        seen.add((writer, located.label))
                        yield located
            except (IntegrityError, BlockMissingError) as fault:
                erased.faults.setdefault(writer, fault)
        unnamed = Locator(self._deployment, self._view, self._blocks, self._twin, NO_KEYS).every_stream()
        try:
            yield from (each for each in unnamed if (each.writer, each.label) not in seen)
        except (IntegrityError, BlockMissingError) as fault:
            erased.faults.setdefault(Address(getattr(fault, "party", "")), fault)

    def _below(self, located: Located, row: Row) -> list[CID]:
        """What a snapshot has besides its manifest: nothing that can be found, where that is gone or damaged.

        Raises:
            IntegrityError: it is none of the writer's of this twin. Whoever may write here could list what is
                another's, to have it removed.
        """
        custody = [row.custody]
        if (block := self._block(row.custody)) is not None:
            read, _ = CustodyBlock.read(self._deployment, block)
            if read.digest != row.manifest.digest:
                raise IntegrityError("a custody block is another snapshot's", party=located.writer)
        if (block := self._block(row.manifest)) is None:
            return custody
        manifest, writer = Manifest.read(self._deployment, block)
        if (manifest.twin, writer) != (self._twin, located.writer):
            raise IntegrityError("a snapshot is another twin's or writer's", party=located.writer)
        return [*custody, *(() if isinstance(manifest.content, bytes) else manifest.content)]

    def _block(self, cid: CID) -> bytes | None:
        """None where it is gone or damaged."""
        try:
            return self._blocks.get(cid) if self._store.has(cid) else None
        except IntegrityError:
            return None
