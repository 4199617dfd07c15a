"""A gateway that writes by hand, so that it can lie at any step and still link, sign and anchor what comes of it.

`Scribe.write` goes the way of `dtledger.snapshots.writer` step by step; `change(kind, value, place)` may put something
else in the place of what is made there. Kinds: "fields" (what a snapshot is; what follows is made for the lie),
"manifest" and "custody" (bodies, to be signed), "header" (the cells of a seal, whose hash is signed) and "sealed" (what
is sealed in truth; the place of both is (snapshot, share number)), "leaf", "row", "rows" (all of the stream), "page" (a
leaf page), "node" (an inner one), "stream" (count and top page) and "index" (the streams of the sender, and which
batches it goes on from). An unchanged write is the honest sibling of each attack.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dtledger import encoding
from dtledger.client import Client, writing_terms
from dtledger.client.keyrings import granted_keys
from dtledger.crypto import content, seal, shamir
from dtledger.crypto.merkle import MerkleTree
from dtledger.custody import SHARE_CONTEXT, ShareHeader
from dtledger.encoding import CID
from dtledger.ledger import Slot, calls
from dtledger.readings import Group, Reading, encode_readings, hourly
from dtledger.snapshots.leaf import Leaf
from dtledger.snapshots.manifest import Manifest
from dtledger.snapshots.package import Keys
from dtledger.snapshots.roster import Roster
from dtledger.snapshots.signed import Signer, sign_block
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Address, Digest, Period
from dtledger.vocabulary import Kind

DAY = 86_400
FAN_OUT = 64
HONEST = [102.0, 102.5, 101.0, 101.5]
"""The values that a scribe writes."""

Change = Callable[[str, Any, Any], Any]


def honest(kind: str, value: Any, place: Any) -> Any:
    return value


def lie(kind: str, change: Callable[[Any], Any], place: Any = None) -> Change:
    """Change what is of that kind (at that place, if one is given)."""
    return lambda each, value, at: change(value) if each == kind and place in (None, at) else value


def all_of(*changes: Change) -> Change:
    """One change after the other."""

    def change(kind: str, value: Any, place: Any) -> Any:
        for each in changes:
            value = each(kind, value, place)
        return value

    return change


@dataclass(frozen=True)
class Forged:
    """One snapshot that a scribe wrote."""

    manifest: CID
    custody: CID
    leaf: Leaf
    period: Period

    @property
    def digest(self) -> Digest:
        return self.manifest.digest


class Scribe:
    """A gateway of a world, with a grant to write glucose and a stream of its own."""

    def __init__(
        self,
        world: World,
        name: str = "scribe",
        categories: Sequence[str] = ("glucose",),
        kinds: Sequence[Kind] = (Kind.GATEWAY,),
        twin: int | None = None,
    ) -> None:
        self.world = world
        self.twin = twin or world.twin
        self.client: Client = world.join(name, list(kinds))
        first = world.readings[0].minute
        terms = writing_terms(categories, world.clock(), 30 * DAY, back_to=first)
        self.slot: Slot = world.patient.consents.grant(self.twin, self.address, terms)[0]
        record = self.client.context.view().record(self.slot)
        assert record is not None
        self.keys: Keys = granted_keys(self.client.context, record)
        """What its package held at first: nobody takes that back."""
        self.written: list[Forged] = []
        self.rows: list[Any] = []

    @property
    def address(self) -> Address:
        return self.client.address

    def groups(self, count: int = 2) -> list[Group]:
        """Readings that nobody else wrote: an hour each, the last hours before now."""
        end = self.world.clock() // 3600 * 3600
        return hourly(
            Reading(end - hour * 3600 + half * 1200 + 600, 100.0 + hour + half / 2, "mmol/L", quality="forged")
            for hour in range(count, 0, -1)
            for half in range(2)
        )

    def write(
        self,
        change: Change = honest,
        groups: Sequence[Group] | None = None,
        *,
        category: str = "glucose",
        label: Digest | None = None,
        roster: Roster | None = None,
        signer: Signer | None = None,
        custody_signer: Signer | None = None,
        anchored: bool = True,
        plaintexts: Sequence[bytes] | None = None,
    ) -> list[Forged]:
        """Write a batch, after what this scribe wrote before; returns its snapshots."""
        store, key = self.world.store, self.client.context.key
        groups = self.groups() if groups is None else groups
        label = label or self.keys.label(category, self.address)
        roster = roster or self.world.patient.twins.roster(self.twin)
        batch: list[Forged] = []
        for place, group in enumerate(groups):
            plaintext = plaintexts[place] if plaintexts else encode_readings(category, group.readings)
            previous = (self.written + batch)[-1] if self.written + batch else None
            fields = {
                "twin": self.twin,
                "stream": label,
                "sequence": len(self.written) + place,
                "period": group.period,
                "generation": self.keys.generation,
                "previous": previous.digest if previous else ZERO_DIGEST,
                "leaf": previous.leaf.hash if previous else ZERO_DIGEST,
            }
            fields = change("fields", fields, place)
            custody_secret = secrets.token_bytes(32)
            block = self._manifest(fields, category, plaintext, custody_secret, change, place, signer or key)
            manifest = store.put(block, "dag-cbor")
            body = self._custody(fields, category, manifest.digest, roster, custody_secret, change, place)
            custody = store.put(
                sign_block(self.world.ledger.deployment, "Custody", body, custody_signer or key), "dag-cbor"
            )
            leaf = Leaf(place, self.twin, self.address, label, fields["sequence"], manifest.digest, fields["leaf"])
            leaf = change("leaf", leaf, place)
            batch.append(Forged(manifest, custody, leaf, fields["period"]))
        self._anchor(batch, label, change, anchored)
        self.written += batch
        return batch

    # steps ---------------------------------------------------------------------------------------------------

    def _manifest(
        self,
        fields: dict[str, Any],
        category: str,
        plaintext: bytes,
        custody_secret: bytes,
        change: Change,
        place: int,
        signer: Signer,
    ) -> bytes:
        deployment = self.world.ledger.deployment
        shape = Manifest(
            fields["twin"],
            fields["stream"],
            fields["sequence"],
            fields["period"],
            fields["generation"],
            ZERO_DIGEST,
            fields["previous"],
            b"",
        )
        leaf_from, leaf_until = self.keys.deriver(category, self.keys.generation).ends(fields["period"])
        key = content.derive_key(leaf_from, leaf_until, custody_secret, shape.context(deployment))
        chunks = content.encrypt(key, plaintext, shape.context(deployment))
        inline = len(chunks) == 1 and len(chunks[0]) <= content.MAX_INLINE
        body = {
            "twin": shape.twin,
            "stream": shape.stream,
            "sequence": shape.sequence,
            "from": shape.period.start,
            "until": shape.period.end,
            "generation": shape.generation,
            "commitment": key.commitment,
            "previous": shape.previous,
            "content": chunks[0] if inline else [self.world.store.put(chunk, "raw") for chunk in chunks],
        }
        return sign_block(deployment, "Manifest", change("manifest", body, place), signer)

    def _custody(
        self,
        fields: dict[str, Any],
        category: str,
        digest: Digest,
        roster: Roster,
        custody_secret: bytes,
        change: Change,
        place: int,
    ) -> dict[str, Any]:
        rows = []
        shares = shamir.split(custody_secret, roster.threshold, len(roster.keys))
        for key, share in zip(roster.keys, shares, strict=True):
            header = ShareHeader(
                self.world.ledger.deployment.id,
                fields["twin"],
                self.address,
                self.keys.bits.bit_of(category),
                fields["period"],
                digest,
                fields["generation"],
                roster.version,
                share.number,
            )
            at = (place, share.number)
            inside = encoding.encode(change("header", encoding.decode(header.encode(share.value)), at))
            promised = encoding.sha256(b"dtledger/share-hash/1" + inside)
            sealed = seal.seal(key.key, encoding.encode(change("sealed", encoding.decode(inside), at)), SHARE_CONTEXT)
            rows.append([key.custodian, share.number, promised, sealed])
        body = {"manifest": digest, "roster": roster.version, "threshold": roster.threshold, "shares": rows}
        changed: dict[str, Any] = change("custody", body, place)
        return changed

    # index and anchor ----------------------------------------------------------------------------------------

    def _anchor(self, batch: list[Forged], label: Digest, change: Change, anchored: bool) -> None:
        store = self.world.store
        tree = MerkleTree([each.leaf.hash for each in batch])
        for place, each in enumerate(batch):
            row = [
                each.period.start,
                each.period.end,
                each.manifest,
                each.custody,
                each.leaf.place,
                each.leaf.previous,
                list(tree.proof(place)),
            ]
            self.rows.append(change("row", row, place))
        rows = change("rows", list(self.rows), None)
        stream = change("stream", [len(rows), self._pages(rows, change)], None)
        newest = self.world.ledger.view().newest_batch(self.address)
        index = {"before": newest.after if newest else ZERO_DIGEST, "streams": [[label, *stream]]}
        root = store.put(encoding.encode(change("index", index, None)), "dag-cbor")
        if anchored:
            call = calls.anchor_batch(tree.root, len(batch), root.digest)
            self.world.ledger.send(call, self.client.context.key)

    def _pages(self, rows: list[Any], change: Change) -> CID:
        """The top of a tree over `rows`."""
        store = self.world.store
        level = []
        for place in range(0, len(rows), FAN_OUT):
            page = rows[place : place + FAN_OUT]
            cid = store.put(encoding.encode(change("page", {"rows": page}, place // FAN_OUT)), "dag-cbor")
            level.append([cid, min(row[0] for row in page), max(row[1] for row in page)])
        while len(level) > 1:
            nodes = [level[place : place + FAN_OUT] for place in range(0, len(level), FAN_OUT)]
            level = [
                [
                    store.put(encoding.encode(change("node", {"children": node}, place)), "dag-cbor"),
                    min(child[1] for child in node),
                    max(child[2] for child in node),
                ]
                for place, node in enumerate(nodes)
            ]
        top: CID = level[0][0]
        return top


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def put(**cells: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Some entries of a map put in the place of what stands there."""
    return lambda body: body | cells


def at(place: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    """One cell of a row put in the place of what stands there."""
    return lambda cells: [*cells[:place], value, *cells[place + 1 :]]
