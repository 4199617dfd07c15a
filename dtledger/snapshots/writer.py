"""Writing: plaintexts become encrypted snapshots, a batch of them one anchor and one index.

`seal_batch` makes every block of a batch and says what to anchor; nothing is on the ledger until its caller sends
that, and an interrupted batch leaves blocks that nothing names.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from ..crypto import content
from ..crypto.merkle import MerkleTree
from ..encoding import CID, sha256
from ..ledger import Deployment
from ..types import ZERO_DIGEST, Digest, Period
from ..vocabulary import category
from . import index
from .custody_block import seal_custody
from .index import Row, Stream
from .leaf import Leaf
from .manifest import Manifest
from .package import Keys
from .roster import Roster
from .signed import Signer
from .staging import Staging


@dataclass(frozen=True, slots=True)
class Draft:
    """A snapshot to be written: its category's name, data period and plaintext, and the digest of the one that it
    corrects, if any."""

    category: str
    period: Period
    plaintext: bytes
    corrects: Digest | None = None


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The end of a stream: how many snapshots it has, digest of the last manifest, hash of the last leaf, pages."""

    count: int = 0
    manifest: Digest = ZERO_DIGEST
    leaf: Digest = ZERO_DIGEST
    pages: Stream | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One snapshot of a batch, as it will be found."""

    draft: Draft
    stream: Digest
    sequence: int
    manifest: CID
    size: int
    custody: CID


@dataclass(frozen=True, slots=True)
class Batch:
    """What to anchor, and the new ends of the streams once it is."""

    root: Digest
    index: CID
    written: tuple[Written, ...]
    heads: dict[Digest, StreamHead]


@dataclass(frozen=True, slots=True)
class Target:
    """One twin to write to: its keys (a WRITE package's, or the owner's own) and its present roster."""

    twin: int
    keys: Keys
    roster: Roster


def seal_batch(
    deployment: Deployment,
    blocks: Staging,
    writer: Signer,
    index_root: CID | None,
    before: Digest,
    heads: dict[Digest, StreamHead],
    drafts: Sequence[tuple[Target, Draft]],
) -> Batch:
    """Encrypt, sign and index the drafts, in their order. All blocks are in `blocks` afterwards, none in the store.

    `before` is the running digest of the batches that `index_root` holds (`ledger.Batch`), and `heads` are the ends of
    the streams concerned, by label; a stream not in it is new.
    """
    heads = dict(heads)
    leaves: list[Leaf] = []
    made: list[tuple[Written, CID, Digest]] = []
    for place, (target, draft) in enumerate(drafts):
        label = target.keys.label(draft.category, writer.address)
        head = heads.get(label, StreamHead())
        manifest, custody, size = _seal(deployment, blocks, writer, target, draft, label, head)
        digest = manifest.digest
        leaf = Leaf(place, target.twin, writer.address, label, head.count, digest, head.leaf)
        leaves.append(leaf)
        made.append((Written(draft, label, head.count, manifest, size, custody), custody, head.leaf))
        heads[label] = StreamHead(head.count + 1, digest, leaf.hash, head.pages)
    tree = MerkleTree([leaf.hash for leaf in leaves])
    rows: dict[Digest, list[Row]] = {}
    for leaf, (written, custody, previous) in zip(leaves, made, strict=True):
        row = Row(written.draft.period, written.manifest, custody, leaf.place, previous, tree.proof(leaf.place))
        rows.setdefault(leaf.stream, []).append(row)
    streams = {label: index.append(blocks, heads[label].pages, added) for label, added in rows.items()}
    for label, stream in streams.items():
        heads[label] = StreamHead(heads[label].count, heads[label].manifest, heads[label].leaf, stream)
    root = index.update(blocks, index_root, streams, before)
    changed = {label: heads[label] for label in streams}
    return Batch(tree.root, root, tuple(written for written, _, _ in made), changed)


def _seal(
    deployment: Deployment,
    blocks: Staging,
    writer: Signer,
    target: Target,
    draft: Draft,
    label: Digest,
    head: StreamHead,
) -> tuple[CID, CID, int]:
    """Manifest and custody block of one snapshot, and the size of its ciphertext."""
    generation = target.keys.generation
    unsigned = Manifest(
        target.twin, label, head.count, draft.period, generation, ZERO_DIGEST, head.manifest, content=b""
    )
    context = unsigned.context(deployment)
    leaf_from, leaf_until = target.keys.deriver(draft.category, generation).ends(draft.period)
    custody_secret = secrets.token_bytes(32)
    key = content.derive_key(leaf_from, leaf_until, custody_secret, context)
    chunks = content.encrypt(key, draft.plaintext, context)
    inline = len(chunks) == 1 and len(chunks[0]) <= content.MAX_INLINE
    signed = Manifest(
        target.twin,
        label,
        head.count,
        draft.period,
        generation,
        Digest(key.commitment),
        head.manifest,
        chunks[0] if inline else tuple(blocks.put(chunk, "raw") for chunk in chunks),
        draft.corrects,
    ).sign(deployment, writer)
    custody = seal_custody(
        deployment,
        target.roster,
        custody_secret,
        twin=target.twin,
        writer=writer.address,
        bit=target.keys.bits.bit_of(category(draft.category).name),
        period=draft.period,
        digest=sha256(signed),
        generation=generation,
    )
    return blocks.put(signed), blocks.put(custody.sign(deployment, writer)), sum(map(len, chunks))
