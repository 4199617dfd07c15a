"""What a search gives: one snapshot, its blocks, and whether it counts."""

from __future__ import annotations

from dataclasses import dataclass

from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Batch
from ..types import Address, Digest
from .custody_block import CustodyBlock
from .index import Row
from .manifest import Manifest
from .standing import DAY


@dataclass(frozen=True, slots=True)
class Found:
    """One snapshot that is anchored and whose blocks agree; `counts` is False if its writer had no right to write,
    and None if no key at hand tells the category that the right would be for. `custody` was signed by `sealed_by`, its
    writer or an owner, under the roster of that digest; `row` names it, and `reshared` says whether it stands in the
    owner's custody index."""

    manifest: Manifest
    digest: Digest
    writer: Address
    custody: CustodyBlock
    batch: Batch
    counts: bool | None
    blocks: dict[CID, bytes]
    row: Row
    sealed_by: Address
    roster: Digest
    reshared: bool

    @property
    def late(self) -> bool:
        """Anchored over a day after its data ended."""
        return self.batch.at > (self.manifest.period.end + 1) * 60 + DAY

    @property
    def size(self) -> int:
        """Bytes of ciphertext, padding and tags included, as the manifest's content has them.

        Raises:
            IntegrityError: a chunk is missing.
        """
        return sum(map(len, self.chunks()))

    def chunks(self) -> list[bytes]:
        """The content's ciphertext.

        Raises:
            IntegrityError: a chunk is missing.
        """
        content = self.manifest.content
        if isinstance(content, bytes):
            return [content]
        missing = [link for link in content if link not in self.blocks]
        if missing:
            raise IntegrityError("a chunk of a snapshot is missing", block=str(missing[0]), party=self.writer)
        return [self.blocks[link] for link in content]
