"""An attacker with everything that somebody knows: what it can open with that, and no further.

It has the store and the ledger whole, as everybody does who runs a node. Besides, it may have the secrets of any set of
parties. It does what can be done with them: opens packages with every key, in every slot that the ledger ever named;
opens shares with every pair; combines shares, also of a recovery package; derives leaves, decrypts. It asks nobody for
anything; what custodians gave to whoever asked (`insiders`) may be among what it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dtledger import encoding
from dtledger.client import Client
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import content, seal, shamir
from dtledger.crypto.seal import SEED_BYTES, SealKey
from dtledger.custody import RELEASE_CONTEXT, SHARE_CONTEXT, RecoveryHeader, ShareHeader, decode_release
from dtledger.encoding import CID
from dtledger.errors import DtledgerError
from dtledger.keys import TwinSecrets
from dtledger.ledger import Deployment, Slot
from dtledger.ledger.events import Granted
from dtledger.snapshots import recovery
from dtledger.snapshots.custody_block import CustodyBlock
from dtledger.snapshots.manifest import Manifest
from dtledger.snapshots.package import Keys, open_package
from dtledger.snapshots.recovery import RecoveryPackage
from dtledger.testing import World, WorldCustodian
from dtledger.types import Digest, Period
from dtledger.vocabulary import CATEGORIES


@dataclass(frozen=True)
class Loot:
    """Secrets of one party, or of several together."""

    keys: tuple[SealKey, ...] = field(default=(), repr=False)
    pairs: tuple[SealKey, ...] = field(default=(), repr=False)
    twins: tuple[TwinSecrets, ...] = field(default=(), repr=False)
    shares: tuple[tuple[ShareHeader, bytes], ...] = field(default=(), repr=False)
    """What custodians gave, opened."""
    answers: tuple[bytes, ...] = field(default=(), repr=False)
    """What custodians gave, sealed, as it went over the wire."""
    fetched: frozenset[Digest] = frozenset()
    """What a party had read, and kept."""

    def __add__(self, other: Loot) -> Loot:
        return Loot(
            self.keys + other.keys,
            self.pairs + other.pairs,
            self.twins + other.twins,
            self.shares + other.shares,
            self.answers + other.answers,
            self.fetched | other.fetched,
        )


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
    twins = [*loot.twins, *_recovered(world, blocks, loot)]
    bunches = [_of_owner(each) for each in twins] + list(_packages(world, blocks, loot))
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


def _packages(world: World, blocks: dict[CID, Any], loot: Loot) -> Iterable[Bunch]:
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
                found = _package(world.ledger.deployment, slot, package, key)
                if found is not None:
                    yield found


def _keyring(world: World, rows: list[Any], keys: Iterable[SealKey]) -> list[SealKey]:
    found = []
    for organisation in world.ledger.view().members():
        bound = encoding.encode(["dtledger/keyring/1", world.ledger.deployment.id, organisation])
        for _, sealed in rows:
            for key in keys:
                seeds = _unsealed(key, sealed, bound) or b""
                found += [SealKey(seeds[at : at + SEED_BYTES]) for at in range(0, len(seeds), SEED_BYTES)]
    return found


Shares = dict[int, dict[int, bytes]]
"""Version of a roster → number → share: each roster has a polynomial of its own."""


def _shares(world: World, blocks: dict[CID, Any], loot: Loot) -> dict[Digest, Shares]:
    """By manifest digest."""
    found: dict[Digest, Shares] = {}
    for header, share in [*loot.shares, *_sealed_shares(world, blocks, loot), *_overheard(loot)]:
        found.setdefault(header.digest, {}).setdefault(header.roster, {})[header.number] = share
    return found


def _sealed_shares(world: World, blocks: dict[CID, Any], loot: Loot) -> Iterable[tuple[ShareHeader, bytes]]:
    for cid, value in blocks.items():
        if _is_signed(value, "threshold"):
            block, _ = CustodyBlock.read(world.ledger.deployment, world.store.get(cid))
            for share in block.shares:
                for pair in loot.pairs:
                    inside = _unsealed(pair, share.sealed, SHARE_CONTEXT)
                    if inside is not None:
                        yield ShareHeader.decode(inside)


def _overheard(loot: Loot) -> Iterable[tuple[ShareHeader, bytes]]:
    for answer in loot.answers:
        for key in (*loot.keys, *loot.pairs):
            inside = _unsealed(key, answer, RELEASE_CONTEXT)
            if inside is not None:
                yield from decode_release(inside)


def _secrets(shares: Shares) -> Iterable[bytes]:
    """What the shares may make, and the secrets that a careless writer might have drawn."""
    yield from (bytes(32), b"\xff" * 32)
    for each in shares.values():
        yield from guesses(each)
    if len(shares) > 1:
        yield from guesses({number: share for each in shares.values() for number, share in each.items()})


def guesses(shares: dict[int, bytes]) -> Iterable[bytes]:
    """The secret, if these are enough; and each of them, in case one is the secret itself."""
    if shares:
        yield shamir.combine(shares)
        yield from shares.values()


def _decrypt(world: World, manifest: Manifest, secret: bytes, bunches: list[Bunch]) -> bytes | None:
    context = manifest.context(world.ledger.deployment)
    chunks = (
        [manifest.content] if isinstance(manifest.content, bytes) else [world.store.get(c) for c in manifest.content]
    )
    leaves = {(bytes(32), bytes(32))}
    for bunch in bunches:
        leaves |= bunch.ends(manifest.generation, manifest.period)
    for leaf_from, leaf_until in leaves:
        key = content.derive_key(leaf_from, leaf_until, secret, context)
        if key.commitment == manifest.commitment:
            return content.decrypt(key, chunks, context)
    return None


# recovery packages ----------------------------------------------------------------------------------------------------


def _recovered(world: World, blocks: dict[CID, Any], loot: Loot) -> Iterable[TwinSecrets]:
    for cid, value in blocks.items():
        if isinstance(value, dict) and "guardians_needed" in value:
            package = RecoveryPackage.decode(world.ledger.deployment, world.store.get(cid))
            secrets = recovered(package, loot)
            if secrets is not None:
                yield secrets


def recovered(package: RecoveryPackage, loot: Loot) -> TwinSecrets | None:
    """What the loot opens of a recovery package: whatever combines, and guesses where there is nothing."""
    guardians, custodians = dict(_of_guardians(package, loot)), dict(_of_custodians(package, loot))
    context = package._context()
    for ours in (bytes(32), *guesses(guardians)):
        for theirs in (bytes(32), *guesses(custodians)):
            key = recovery._key(ours, theirs, context)
            try:
                key.check(package.commitment)
                plain = content.decrypt(key, [package.content], context)
            except DtledgerError:
                continue
            return TwinSecrets.from_dict(encoding.decode(plain))
    return None


def _of_guardians(package: RecoveryPackage, loot: Loot) -> Iterable[tuple[int, bytes]]:
    for key in loot.keys:
        found = _guardians_share(package, key)
        if found is not None:
            yield found


def _of_custodians(package: RecoveryPackage, loot: Loot) -> Iterable[tuple[int, bytes]]:
    for part in package.custodians:
        for pair in (*loot.pairs, *loot.keys):
            inside = _unsealed(pair, part.sealed, SHARE_CONTEXT)
            if inside is not None:
                header, share = RecoveryHeader.decode(inside, "RECOVERY")
                yield header.number, share


# each seal is tried once with each key, however many attackers have both ----------------------------------------------


@lru_cache(maxsize=2**15)
def _unsealed(key: SealKey, sealed: bytes, context: bytes) -> bytes | None:
    with suppress(DtledgerError):
        return seal.open_(key, sealed, context)
    return None


class Bunch:
    """Keys, and the leaves that were derived with them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._ends: dict[tuple[int, Period], frozenset[tuple[bytes, bytes]]] = {}

    def ends(self, generation: int, period: Period) -> frozenset[tuple[bytes, bytes]]:
        """The two leaves of a period, of every category whose they have."""
        if (generation, period) not in self._ends:
            self._ends[generation, period] = frozenset(self._derived(generation, period))
        return self._ends[generation, period]

    def _derived(self, generation: int, period: Period) -> Iterable[tuple[bytes, bytes]]:
        for each in CATEGORIES:
            with suppress(DtledgerError):
                yield self._keys.deriver(each.name, generation).ends(period)


_BUNCHES: dict[Any, Bunch | None] = {}


def _package(deployment: Deployment, slot: Slot, package: bytes, key: SealKey) -> Bunch | None:
    """No two worlds have one package."""
    tried = slot, package, key
    if tried not in _BUNCHES:
        _BUNCHES[tried] = None
        with suppress(DtledgerError):
            _BUNCHES[tried] = Bunch(open_package(deployment, slot, package, key))
    return _BUNCHES[tried]


def _of_owner(twin: TwinSecrets) -> Bunch:
    generations = tuple(sorted(twin.generations.items()))
    bunch = _BUNCHES.get(generations)
    if bunch is None:
        bunch = _BUNCHES[generations] = Bunch(owner_keys(twin))
    return bunch


@lru_cache(maxsize=2**15)
def _guardians_share(package: RecoveryPackage, key: SealKey) -> tuple[int, bytes] | None:
    with suppress(DtledgerError):
        return package.open_as_guardian([key])
    return None
