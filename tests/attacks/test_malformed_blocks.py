"""Blocks of the right signature and the wrong kind: whatever a writer puts where something else belongs, a reader says
so by an error of its own, and a custodian too; nothing falls over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dtledger import encoding
from dtledger.client import publish_keyring
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import padding, seal
from dtledger.custody import AccessReceipt, ShareHeader, decode_release, encode_release
from dtledger.encoding import CID, block_cid
from dtledger.errors import CannotCheckError, DtledgerError, IntegrityError
from dtledger.ledger import calls
from dtledger.snapshots import index
from dtledger.snapshots.finder import Finder
from dtledger.snapshots.lines import lines
from dtledger.snapshots.locating import Located
from dtledger.snapshots.opening import Asking, open_snapshots
from dtledger.snapshots.package import BLOCK, _context, open_package
from dtledger.snapshots.roster import Roster
from dtledger.store import BlockMissingError
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Digest, Period
from dtledger.vocabulary import Action, Purpose

from .forging import Scribe, lie

pytestmark = pytest.mark.slow  # each in a world of its own

ODD: list[Any] = [
    None,
    True,
    -1,
    2**63,
    2**64 - 1,
    1.5,
    "",
    "0x" + "zz" * 20,
    b"",
    bytes(31),
    bytes(33),
    [],
    {},
    [[]],
    block_cid(b"elsewhere", "raw"),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value of lists and maps, the whole of it first."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from places(each, (*path, place))


def placed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The value with something else at one place."""
    if not path:
        return odd
    key, *rest = path
    inside = placed(value[key], tuple(rest), odd)
    if isinstance(value, dict):
        return value | {key: inside}
    return [*value[:key], inside, *value[key + 1 :]]


def variants(value: Any) -> Iterator[Any]:
    """The value with each odd thing at each place, with an entry more or less, and with each list made longer."""
    for path in places(value):
        for odd in ODD:
            yield placed(value, path, odd)
    for key in value if isinstance(value, dict) else ():
        yield {other: each for other, each in value.items() if other != key}
    if isinstance(value, dict):
        yield value | {"unknown": 1}
    if isinstance(value, list):
        yield value[:-1]
        yield [*value, 0]


# what a writer signs -------------------------------------------------------------------------------------------------


def read_stream(world: World, scribe: Scribe) -> int:
    """Open what this scribe wrote, as the owner does, and nobody else's; returns the number of snapshots."""
    view, deployment = world.ledger.view(), world.ledger.deployment
    patient = world.patient.context
    keys = owner_keys(patient.key.secrets.twin(deployment.id, world.twin))
    finder = Finder(deployment, view, world.store, world.twin, keys)
    batch, bit = view.newest_batch(scribe.address), keys.bits.bit_of("glucose")
    assert batch is not None
    label = keys.label("glucose", scribe.address)
    written = lines(world.store, view.batches(scribe.address), label)
    if not written:
        return 0
    asking = Asking(patient.key, patient.key.address, 0, Action.READ, Purpose.PATRQT, world.clock())
    located = Located(scribe.address, label, bit, batch, written)
    found = [each for group in finder.walk(located) for each in group]
    opened = open_snapshots(deployment, patient.custodians, asking, found, keys, "glucose")
    return len(opened.plaintexts)


SAMPLES = {
    "manifest": ("twin", "stream", "sequence", "from", "until", "generation", "commitment", "previous", "content"),
    "custody": ("manifest", "roster", "threshold", "shares"),
    "row": range(7),
    "stream": range(2),
}


@pytest.mark.parametrize(("kind", "entry"), [(kind, entry) for kind, entries in SAMPLES.items() for entry in entries])
def test_an_entry_of_another_kind_is_an_error_of_ours(kind: str, entry: Any, world: World) -> None:
    honest = Scribe(world, "honest")
    honest.write()
    assert read_stream(world, honest) == 2
    for number, odd in enumerate(ODD):
        scribe = Scribe(world, f"scribe-{number}")
        same = []

        def change(value: Any, odd: Any = odd, same: list[bool] = same) -> Any:
            same.append(value[entry] == odd)  # True is 1
            return placed(value, (entry,), odd)

        try:
            scribe.write(lie(kind, change))
        except (AttributeError, TypeError):
            continue  # not even a scribe can link such a thing
        if not all(same):
            with pytest.raises(DtledgerError):
                read_stream(world, scribe)


@pytest.mark.parametrize("cell", range(12))
def test_a_header_of_another_kind_opens_nothing(cell: int, world: World) -> None:
    for number, odd in enumerate(ODD):
        scribe = Scribe(world, f"scribe-{number}")
        scribe.write(lie("header", lambda cells, odd=odd: placed(cells, (cell,), odd)), scribe.groups(1))
        if odd is not True or cell not in (2, 9):  # which is 1
            with pytest.raises(DtledgerError):
                read_stream(world, scribe)


# what is parsed -------------------------------------------------------------------------------------------------------


def test_a_roster_in_any_other_form_is_refused(world: World) -> None:
    card = world.ledger.view().card(world.twin)
    assert card is not None
    block = world.store.get(CID(card.roster))
    for variant in variants(encoding.decode(block)):
        if encoding.encode(variant) != block:
            try:
                roster = Roster.decode(world.ledger.deployment, encoding.encode(variant))
            except IntegrityError:
                continue
            assert isinstance(roster.version, int)
            assert isinstance(roster.threshold, int)
    assert Roster.decode(world.ledger.deployment, block).version == 1


def test_a_package_in_any_other_form_is_refused(world: World) -> None:
    record = world.ledger.view().record(world.consent)
    assert record is not None
    key, deployment = world.clinician.context.key.seal_key, world.ledger.deployment
    bound = _context(deployment, world.consent)
    sealed = encoding.decode(world.store.get(CID(record.package)))["package"]
    inside = encoding.decode(padding.unpad(seal.open_(key, sealed, bound)))
    inside["covers"][0][2] = inside["covers"][0][2][:2]
    inside["bits"]["leaves"] = inside["bits"]["leaves"][:32]
    for variant in variants(inside):
        block = encoding.encode({"package": seal.seal(key.public, padding.pad(encoding.encode(variant), BLOCK), bound)})
        try:
            keys = open_package(deployment, world.consent, block, key)
        except IntegrityError:
            continue
        assert keys.generation >= 0
        assert all(len(tag) == 32 for tag in keys.tags.values())
    for variant in variants({"package": sealed}):
        if variant != {"package": sealed}:
            with pytest.raises(IntegrityError):
                open_package(deployment, world.consent, encoding.encode(variant), key)
    assert open_package(deployment, world.consent, encoding.encode({"package": sealed}), key).tags


def test_a_seal_s_content_a_receipt_and_an_answer_in_any_other_form_are_refused(world: World) -> None:
    readings = world.clinician.read(world.twin, "glucose", "TREAT")
    receipt = readings.receipts[0]
    header = ShareHeader("1-x", 1, world.gateway.address, 3, Period(5, 9), Digest(bytes(32)), 0, 1, 1)
    share = bytes(range(32))
    for data, read in (
        (header.encode(share), ShareHeader.decode),
        (receipt.encode(), AccessReceipt.decode),
        (encode_release([(header, share)]), decode_release),
    ):
        assert read(data)
        for variant in variants(encoding.decode(data)):
            try:
                again = read(encoding.encode(variant))
            except IntegrityError:
                continue
            if isinstance(again, AccessReceipt) and again != receipt:
                with pytest.raises(IntegrityError):
                    again.verify(world.ledger.deployment)


def test_an_index_in_any_other_form_is_refused(world: World) -> None:
    batch = world.ledger.view().newest_batch(world.gateway.address)
    assert batch is not None
    root = CID(batch.index)
    value = encoding.decode(world.store.get(root))
    for variant in [*variants(value), *variants({"children": [root] * 16})]:
        cid = world.store.put(encoding.encode(variant), "dag-cbor")
        for look in (
            lambda cid=cid: index.find(world.store, cid, Digest(bytes(32))),
            lambda cid=cid: list(index.streams(world.store, cid)),
        ):
            try:
                look()
            except (IntegrityError, BlockMissingError):
                continue


def test_an_index_that_names_one_block_over_and_over_is_refused_at_once(world: World) -> None:
    """Sixteen children each, ten deep, are ten blocks and a million million streams."""
    batch = world.ledger.view().newest_batch(world.gateway.address)
    assert batch is not None
    root = CID(batch.index)
    for _ in range(10):
        root = world.store.put(encoding.encode({"children": [root] * 16}), "dag-cbor")
    with pytest.raises(IntegrityError, match="in two places"):
        list(index.streams(world.store, root))
    page = root
    for _ in range(9):
        page = world.store.put(encoding.encode({"children": [[page, 0, 9]] * 64}), "dag-cbor")
    with pytest.raises(IntegrityError, match="in two places"):
        list(index.links(world.store, index.Stream(64**10, page)))


# what an organisation signs for --------------------------------------------------------------------------------------


def test_whatever_stands_in_a_keyring_is_the_organisation_s_fault_or_no_matter() -> None:
    with World(hours=1) as world:
        hospital, consents = world.hospital.context, world.patient.consents
        publish_keyring(hospital, [world.clinician.address])
        terms = consents.terms_of(world.ledger.view().record(world.consent))
        consents.revoke(world.consent)
        consents.grant(world.twin, world.hospital.address, terms)

        def read_with(keyring: Any) -> int:
            before = world.ledger.view().keyring(world.hospital.address)
            cid = world.store.put(encoding.encode(keyring), "dag-cbor")
            world.ledger.send(calls.set_keyring(cid.digest, before or ZERO_DIGEST), hospital.key)
            return len(world.clinician.read(world.twin, "glucose", "TREAT"))

        digest = world.ledger.view().keyring(world.hospital.address)
        assert digest is not None
        honest = encoding.decode(world.store.get(CID(digest)))
        assert read_with(honest) == 12
        blamed = set()
        bound = encoding.encode(["dtledger/keyring/1", world.ledger.deployment.id, world.hospital.address])
        short = seal.seal(hospital.public_key(world.clinician.address), b"no seed", bound)
        for keyring in (*variants(honest), {"members": [[world.clinician.address, short]]}):
            try:
                assert read_with(keyring) == 12
            except IntegrityError as error:
                blamed.add(error.party)
            except CannotCheckError:
                pass  # a well-formed keyring that does not hold this member
        assert blamed == {world.hospital.address}
        assert read_with(honest) == 12
