"""An owner that lies in its custody index, and custodians of before: what a re-share keeps shut, and who is named.

`put_index` makes a custody index by hand, and an unchanged one is read: the honest sibling of each lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client.keyrings import owner_keys
from dtledger.crypto import seal, shamir
from dtledger.custody import SHARE_CONTEXT, RetireOrder, ShareHeader
from dtledger.encoding import encode, sha256
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.ledger import calls
from dtledger.readings import Reading
from dtledger.snapshots import index
from dtledger.snapshots.custody_block import CustodyBlock, seal_custody
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.opening import Asking, custody_secrets
from dtledger.snapshots.roster import Roster
from dtledger.snapshots.staging import Staging
from dtledger.store import BlockMissingError
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Digest
from dtledger.vocabulary import Action, Purpose

from .looking import second_twin

pytestmark = pytest.mark.slow  # each in a world of its own

DAY = 86_400


@pytest.fixture
def world() -> Iterator[World]:
    """Five custodians, of whom the first three are in the roster, and two snapshots."""
    with World(hours=2, custodians=5) as world:
        yield world


def found(world: World) -> list[Found]:
    context = world.patient.context
    keys = owner_keys(context.key.secrets.twin(context.deployment.id, world.twin))
    finder = Finder(context.deployment, context.view(), context.store, world.twin, keys)
    return [each for group in finder.find("glucose") for each in group]


def secrets(world: World) -> dict[Digest, bytes]:
    context = world.patient.context
    keys = owner_keys(context.key.secrets.twin(context.deployment.id, world.twin))
    asking = Asking(context.key, context.key.address, 0, Action.READ, Purpose.PATRQT, world.clock())
    return custody_secrets(context.deployment, context.custodians, asking, found(world), keys, "glucose")[0]


def set_index(world: World, digest: Digest, **changes: Any) -> None:
    """The owner's card with that custody index."""
    context = world.patient.context
    card = context.view().card(world.twin)
    assert card is not None
    version = card.custody_index_version + 1
    changed = replace(card, custody_index=digest, custody_index_version=version, **changes)
    call = calls.set_card(world.twin, world.patient.twins.card_digest(world.twin), changed)
    context.ledger.send(call, context.key)


def put_index(
    world: World,
    change_rows: Callable[[list[Any]], list[Any]] = lambda rows: rows,
    change_secret: Callable[[bytes], bytes] = lambda secret: secret,
    signer: Any = None,
    roster: Roster | None = None,
    twin: int | None = None,
    change_block: Callable[[CustodyBlock], CustodyBlock] = lambda block: block,
) -> None:
    """Every snapshot under new custody, in a new index, in a new card."""
    context = world.patient.context
    blocks = Staging(context.store)
    roster = roster or world.patient.twins.roster(world.twin)
    keys = owner_keys(context.key.secrets.twin(context.deployment.id, world.twin))
    opened, rows, label = secrets(world), [], Digest(bytes(32))
    for each in found(world):
        label = each.manifest.stream
        custody = seal_custody(
            context.deployment,
            roster,
            change_secret(opened[each.digest]),
            twin=twin or world.twin,
            writer=each.writer,
            bit=keys.bits.bit_of("glucose"),
            period=each.manifest.period,
            digest=each.digest,
            generation=each.manifest.generation,
        )
        signed = change_block(custody).sign(context.deployment, signer or context.key)
        rows.append(replace(each.row, custody=blocks.put(signed)))
    stream = index.append(blocks, None, change_rows(rows))
    root = index.update(blocks, None, {label: stream}, ZERO_DIGEST)
    blocks.flush()
    set_index(world, root.digest)


def read(world: World) -> int:
    return len(world.clinician.read(world.twin, "glucose", "TREAT"))


def exchanged(rows: list[Any]) -> list[Any]:
    """Each with the other's custody."""
    return [replace(row, custody=other.custody) for row, other in zip(rows, rows[::-1], strict=True)]


def renamed(rows: list[Any]) -> list[Any]:
    """Each with the other's manifest and custody."""
    return [replace(row, manifest=other.manifest) for row, other in zip(rows, rows[::-1], strict=True)]


def test_an_index_made_by_hand_without_a_lie_is_read(world: World) -> None:
    put_index(world)
    assert read(world) == 24
    assert all(each.reshared and each.sealed_by == world.patient.address for each in found(world))


LIES: dict[str, tuple[Callable[[World], dict[str, Any]], str]] = {
    "custody of another snapshot": (lambda world: {"change_rows": exchanged}, "is not its snapshot's"),
    "another snapshot": (lambda world: {"change_rows": renamed}, "is not its snapshot's"),
    "signed by another": (lambda world: {"signer": world.gateway.context.key}, "not its owner's"),
    "another secret": (lambda world: {"change_secret": lambda secret: bytes(32)}, "commit"),
    "sealed as of another twin": (lambda world: {"twin": second_twin(world)}, "not what was asked for"),
    "a roster that no card names": (
        lambda world: {"change_block": lambda block: replace(block, roster=9)},
        "under no roster",
    ),
    "fewer shares are needed": (
        lambda world: {"change_block": lambda block: replace(block, threshold=1)},
        "not as its roster",
    ),
    "fewer custodians": (
        lambda world: {"change_block": lambda block: replace(block, shares=block.shares[:2])},
        "not as its roster",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lying_custody_index_is_refused_and_its_owner_is_named(name: str, world: World) -> None:
    lie, says = LIES[name]
    put_index(world, **lie(world))
    with pytest.raises(IntegrityError, match=says) as refused:
        read(world)
    assert refused.value.party == world.patient.address
    set_index(world, empty(world))
    assert read(world) == 24, "as the writers left it"


def empty(world: World) -> Digest:
    return world.store.put(encode({"before": ZERO_DIGEST, "streams": []}), "dag-cbor").digest


def test_a_card_that_names_no_index_is_refused_and_its_owner_is_named(world: World) -> None:
    card = world.ledger.view().card(world.twin)
    assert card is not None
    set_index(world, card.roster)
    with pytest.raises(IntegrityError) as refused:
        read(world)
    assert refused.value.party == world.patient.address
    set_index(world, sha256(b"nothing"))
    with pytest.raises(BlockMissingError):
        read(world)
    set_index(world, empty(world))
    assert read(world) == 24


# who held shares before -----------------------------------------------------------------------------------------------


def opened_by(world: World, pairs: dict[int, seal.SealKey], blocks: list[CustodyBlock]) -> list[ShareHeader]:
    """What these key pairs open of custody blocks."""
    opened = []
    for block in blocks:
        for share in block.shares:
            for pair in pairs.values():
                try:
                    opened.append(ShareHeader.decode(seal.open_(pair, share.sealed, SHARE_CONTEXT))[0])
                except IntegrityError:
                    continue
    return opened


def pairs_of(world: World, *places: int) -> dict[int, seal.SealKey]:
    return {place: world.custodians[place]._twin_keys.all_of(world.twin)[0] for place in places}


def reshare(world: World, *places: int) -> None:
    world.patient.resharing.reshare(world.twin, [world.custodians[place].address for place in places], 2)


def test_the_secrets_of_a_former_roster_open_nothing_that_was_shared_anew(world: World) -> None:
    world.patient.twins.set_up(world.twin, [each.address for each in world.custodians[:3]], 2)
    former = pairs_of(world, 0, 1, 2)
    assert len(opened_by(world, former, [each.custody for each in found(world)])) == 6, "they held it before"
    reshare(world, 3, 4)
    world.gateway.writer.put(world.twin, "glucose", [Reading(world.clock.at - 30, 5.0, "mmol/L")])
    assert opened_by(world, former, [each.custody for each in found(world)]) == []
    assert len(opened_by(world, pairs_of(world, 3, 4), [each.custody for each in found(world)])) == 6


def test_a_former_share_and_a_new_one_make_no_secret(world: World) -> None:
    """The polynomial is fresh: fewer than the threshold of each roster open nothing together."""

    def share(place: int) -> tuple[int, bytes]:
        block = found(world)[0].custody
        number = next(each.number for each in block.shares if each.custodian == world.custodians[place].address)
        _, value = ShareHeader.decode(
            seal.open_(pairs_of(world, place)[place], block.shares[number - 1].sealed, SHARE_CONTEXT)
        )
        return number, value

    true = secrets(world)[found(world)[0].digest]
    before = share(0)
    reshare(world, 2, 3, 4)
    after, beside = share(3), share(4)
    assert shamir.combine(dict([after, beside])) == true
    assert shamir.combine(dict([before, after])) != true
    assert shamir.combine(dict([before, beside])) != true


# the end of former pairs ----------------------------------------------------------------------------------------------


def order(world: World, **changes: Any) -> RetireOrder:
    """The owner's, to the first custodian, of its pair of before; signed by the owner unless `key` says otherwise."""
    key = changes.pop("key", world.patient.context.key)
    pair = changes.pop("pair")
    roster = world.patient.twins.roster(world.twin).encode()
    fields = {
        "twin": world.twin,
        "owner": world.patient.address,
        "custodian": world.custodians[0].address,
        "keys": (sha256(pair.public),),
        "roster": roster,
        "at": world.clock(),
    } | changes
    unsigned = RetireOrder(**fields)
    return unsigned.signed(key.sign_digest(unsigned.to_sign(world.ledger.deployment)))


ORDERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "signed by another": lambda world: {"key": world.clinician.context.key},
    "another's in its own name": lambda world: {
        "key": world.clinician.context.key,
        "owner": world.clinician.address,
    },
    "for another custodian": lambda world: {"custodian": world.custodians[1].address},
    "of yesterday": lambda world: {"at": world.clock() - DAY},
    "of nothing": lambda world: {"keys": ()},
    "of what is no name": lambda world: {"keys": (b"short",)},
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_pair_ends_only_at_its_owners_order(name: str, world: World) -> None:
    (pair,) = pairs_of(world, 0).values()
    reshare(world, 2, 3, 4)
    with pytest.raises(AccessDeniedError):
        world.custodians[0].retire(order(world, pair=pair, **ORDERS[name](world)))
    assert world.custodians[0]._twin_keys.all_of(world.twin) == [pair]
    said = world.custodians[0].retire(order(world, pair=pair))
    assert said.covers([pair.public])
    assert world.custodians[0]._twin_keys.all_of(world.twin) == []


def test_a_pair_ends_only_if_the_roster_in_force_is_shown(world: World) -> None:
    """A former one does not name what a later one needs."""
    world.patient.twins.set_up(world.twin, [each.address for each in world.custodians[:3]], 2)
    former, custodian = world.patient.twins.roster(world.twin).encode(), world.custodians[3]
    (old,) = pairs_of(world, 3).values()
    custodian._twin_keys.destroy(world.twin)  # it lost its pair, and comes back with another
    reshare(world, 2, 3, 4)
    (pair,) = pairs_of(world, 3).values()
    with pytest.raises(AccessDeniedError, match="not the roster in force"):
        custodian.retire(order(world, pair=pair, custodian=custodian.address, roster=former))
    assert custodian._twin_keys.all_of(world.twin) == [pair]
    assert custodian.retire(order(world, pair=old, custodian=custodian.address)).covers([old.public])
    assert read(world) == 24


def test_a_pair_that_the_roster_in_force_names_never_ends(world: World) -> None:
    """Whatever roster its owner shows."""
    (pair,) = pairs_of(world, 0).values()
    with pytest.raises(AccessDeniedError, match="names a key"):
        world.custodians[0].retire(order(world, pair=pair))
    assert read(world) == 24
    reshare(world, 2, 3, 4)
    world.custodians[0].retire(order(world, pair=pair))


def test_a_pair_out_of_an_old_copy_is_destroyed_before_it_serves(world: World) -> None:
    custodian, (pair,) = world.custodians[0], pairs_of(world, 0).values()
    before = [each.custody for each in found(world)]
    reshare(world, 2, 3, 4)
    custodian._twin_keys._pairs[world.twin, world.patient.address] = pair  # type: ignore[attr-defined]
    assert custodian._twin_keys.all_of(world.twin) == [pair], "nothing was ordered yet"
    custodian.retire(order(world, pair=pair))
    custodian._twin_keys._pairs[world.twin, world.patient.address] = pair  # type: ignore[attr-defined]
    assert custodian._twin_keys.all_of(world.twin) == []
    assert len(opened_by(world, {0: pair}, before)) == 2, "what was copied elsewhere nobody can take back"
