"""An attacker with everything that somebody knows: what it can open with that, and no further.

It has the store and the ledger whole, as everybody does who runs a node. Besides, it may have the secrets of any set of
parties. It does what can be done with them: opens packages with every key, in every slot that the ledger ever named;
opens shares with every pair; combines shares, derives leaves, decrypts. It asks nobody for anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dtledger import encoding
from dtledger.client import Client
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import content, seal, shamir
from dtledger.crypto.seal import SEED_BYTES, SealKey
from dtledger.custody import SHARE_CONTEXT, ShareHeader
from dtledger.encoding import CID
from dtledger.errors import DtledgerError
from dtledger.keys import TwinSecrets
from dtledger.ledger import Slot
from dtledger.ledger.events import Granted
from dtledger.snapshots.custody_block import CustodyBlock
from dtledger.snapshots.manifest import Manifest
from dtledger.snapshots.package import Keys, open_package
from dtledger.testing import World, WorldCustodian
from dtledger.types import Digest
from dtledger.vocabulary import CATEGORIES


@dataclass(frozen=True)
class Loot:
    """Secrets of one party, or of several together."""

    keys: tuple[SealKey, ...] = field(default=(), repr=False)
    pairs: tuple[SealKey, ...] = field(default=(), repr=False)
    twins: tuple[TwinSecrets, ...] = field(default=(), repr=False)

    def __add__(self, other: Loot) -> Loot:
        return Loot(self.keys + other.keys, self.pairs + other.pairs, self.twins + other.twins)


NOTHING = Loot()
"""What everybody has: the store and the ledger."""


def of_member(client: Client) -> Loot:
    """The key file of a patient, a clinician, a gateway, an organisation: all in it."""
    secrets = client.context.key.secrets
    twins = tuple(twin for by_number in secrets.twins.values() for twin in by_number.values())
    return Loot(keys=secrets.seal_keys, twins=twins)


def of_custodian(custodian: WorldCustodian, world: World) -> Loot:
    """A custodian's key pairs for every twin, and its own key file."""
    return Loot(custodian._key.secrets.seal_keys, tuple(custodian._twin_keys.all_of(world.twin)))


def together(parties: Iterable[Loot]) -> Loot:
    return sum(parties, NOTHING)


def opened(world: World, loot: Loot) -> dict[Digest, bytes]:
    """Manifest digest → plaintext of every snapshot in the store that the loot opens."""
    blocks = {cid: _decoded(data) for cid, data in world.store._blocks.items() if cid.codec == "dag-cbor"}
    bunches = [owner_keys(each) for each in loot.twins] + list(_packages(world, blocks, loot))
    shares = _shares(world, blocks, loot)
    found: dict[Digest, bytes] = {}
    for cid, value in blocks.items():
        if _is_signed(value, "commitment"):
            manifest, _ = Manifest.read(world.ledger.deployment, world.store.get(cid))
            for secret in _secrets(shares.get(cid.digest, {})):
                plaintext = _decrypt(world, manifest, secret, bunches)
                if plaintext is not None:
                    found[cid.digest] = plaintext
    return found


def _decoded(data: bytes) -> Any:
    return encoding.decode(data)


def _is_signed(value: Any, entry: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get("body"), dict) and entry in value["body"]


def _packages(world: World, blocks: dict[CID, Any], loot: Loot) -> Iterable[Keys]:
    """Every package that a key opens, in whatever slot; an organisation's keyring may hold another key to try."""
    keys = list(loot.keys)
    for value in blocks.values():
        if isinstance(value, dict) and "members" in value:
            keys += _keyring(world, value["members"], loot.keys)
    slots = {
        Slot(each.event.owner, each.event.twin, each.event.grantee, each.event.number)
        for each in world.ledger.history().logged
        if isinstance(each.event, Granted)
    }
    packages = [world.store.get(cid) for cid, value in blocks.items() if isinstance(value, dict) and "package" in value]
    for package in packages:
        for slot in slots:
            for key in keys:
                try:
                    yield open_package(world.ledger.deployment, slot, package, key)
                except DtledgerError:
                    continue


def _keyring(world: World, rows: list[Any], keys: Iterable[SealKey]) -> list[SealKey]:
    found = []
    for organisation in world.ledger.view().members():
        bound = encoding.encode(["dtledger/keyring/1", world.ledger.deployment.id, organisation])
        for _, sealed in rows:
            for key in keys:
                try:
                    seeds = seal.open_(key, sealed, bound)
                except DtledgerError:
                    continue
                found += [SealKey(seeds[at : at + SEED_BYTES]) for at in range(0, len(seeds), SEED_BYTES)]
    return found


def _shares(world: World, blocks: dict[CID, Any], loot: Loot) -> dict[Digest, dict[int, bytes]]:
    """Manifest digest → share number → share."""
    found: dict[Digest, dict[int, bytes]] = {}
    for cid, value in blocks.items():
        if _is_signed(value, "threshold"):
            block, _ = CustodyBlock.read(world.ledger.deployment, world.store.get(cid))
            for share in block.shares:
                for pair in loot.pairs:
                    try:
                        header, secret = ShareHeader.decode(seal.open_(pair, share.sealed, SHARE_CONTEXT))
                    except DtledgerError:
                        continue
                    found.setdefault(header.digest, {})[share.number] = secret
    return found


def _secrets(shares: dict[int, bytes]) -> Iterable[bytes]:
    """What the shares may make, and the secrets that a careless writer might have drawn."""
    yield from (bytes(32), b"\xff" * 32)
    if shares:
        yield shamir.combine(shares)
        yield from shares.values()


def _decrypt(world: World, manifest: Manifest, secret: bytes, bunches: list[Keys]) -> bytes | None:
    context = manifest.context(world.ledger.deployment)
    chunks = (
        [manifest.content] if isinstance(manifest.content, bytes) else [world.store.get(c) for c in manifest.content]
    )
    leaves = {(bytes(32), bytes(32))}
    for keys in bunches:
        for each in CATEGORIES:
            try:
                leaves.add(keys.deriver(each.name, manifest.generation).ends(manifest.period))
            except DtledgerError:
                continue
    for leaf_from, leaf_until in leaves:
        key = content.derive_key(leaf_from, leaf_until, secret, context)
        if key.commitment == manifest.commitment:
            return content.decrypt(key, chunks, context)
    return None
