"""A leaf of a batch: what a writer anchors of one snapshot. Double-hashed, with its place inside."""

from __future__ import annotations

from dataclasses import dataclass

from ..encoding import keccak
from ..ledger.messages import word
from ..types import Address, Digest


@dataclass(frozen=True, slots=True)
class Leaf:
    """Binds place in the batch, twin, writer, stream label, sequence, manifest digest and the stream's leaf before.

    The hash equals `SnapshotLedger.leafHash`: keccak(keccak(abi.encode(...))).
    """

    place: int
    twin: int
    writer: Address
    stream: Digest
    sequence: int
    manifest: Digest
    previous: Digest

    @property
    def hash(self) -> Digest:
        fields = (self.place, self.twin, self.writer, self.stream, self.sequence, self.manifest, self.previous)
        return keccak(keccak(b"".join(word(value) for value in fields)))
