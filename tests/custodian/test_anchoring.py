"""Receipt logs on the ledger: anchored as they grow, proved twin by twin, and never behind what was anchored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dtledger.client import Access
from dtledger.crypto import merkle
from dtledger.custodian import Custodian, FileTwinKeys, MemoryReceipts, ReceiptLog
from dtledger.custodian.receipts import Entry
from dtledger.custody import NOTHING_BEFORE, OwnerRequest, ReceiptMap, ReceiptProof
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.ledger import calls, messages
from dtledger.ledger.rejections import LogNotGrownError
from dtledger.testing import World, WorldCustodian
from dtledger.types import Digest

from .asking import Desk


def read(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.clinician.read(world.twin, "glucose", "TREAT")


def anchored(world: World, times: int = 2) -> WorldCustodian:
    """The first custodian, once it has anchored the receipts of so many reads."""
    read(world, times)
    custodian = world.custodians[0]
    assert custodian.anchor() is not None
    return custodian


def looked(world: World) -> Access:
    return world.patient.twins.who_looked(world.twin)


def request(world: World, custodian: Custodian) -> OwnerRequest:
    owner, at = world.patient.context.key, world.clock()
    digest = messages.receipts_request(world.ledger.deployment, world.twin, owner.address, custodian.address, at)
    return OwnerRequest(world.twin, owner.address, at, owner.sign_digest(digest))


def fault(world: World, custodian: WorldCustodian) -> str:
    """What the owner is told of that custodian's list, and of no other's."""
    access = looked(world)
    assert list(access.faults) == [custodian.address]
    with pytest.raises(IntegrityError) as caught:
        access.require_whole()
    assert caught.value.party == custodian.address
    return caught.value.message


# anchors ---------------------------------------------------------------------------------------------------------


def test_a_log_is_anchored_once_it_has_grown_and_not_before(world: World) -> None:
    custodian = world.custodians[0]
    assert custodian.anchor() is None
    read(world, 2)
    assert custodian.anchor() is not None
    assert custodian.anchor() is None
    anchor = world.ledger.view().receipt_anchor(custodian.address)
    assert anchor is not None
    assert (anchor.count, anchor.last) == (2, custodian.log.entries[-1].receipt.hash)
    assert anchor.root == custodian.log.map().root


def test_another_process_may_have_anchored_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    custodian = anchored(world)
    read(world)
    stale = custodian.ledger.view()
    assert custodian.anchor() is not None
    monkeypatch.setattr(custodian.ledger, "view", lambda: stale)
    assert custodian.anchor() is None


def test_what_makes_the_chain_go_on_is_an_anchor_if_one_is_due(world: World) -> None:
    read(world)
    world.clock.advance(61)
    before = world.ledger.head().number
    read(world)
    anchors = [world.ledger.view().receipt_anchor(each.address) for each in world.custodians]
    assert [each.count for each in anchors if each is not None] == [1]
    assert world.ledger.head().number == before + 1


def test_what_is_after_the_anchor_is_not_anchored_yet(world: World) -> None:
    custodian = anchored(world)
    read(world)
    access = looked(world).require_whole()
    assert {each: (len(access.lists[each]), access.anchored[each]) for each in access.lists} == {
        each.address: (3, 2 if each is custodian else 0) for each in world.custodians
    }


def test_a_twin_that_nobody_asked_for_has_no_receipts_in_an_anchored_map(world: World) -> None:
    custodian = anchored(world)
    other = world._mint(2)
    access = world.patient.twins.who_looked(other).require_whole()
    assert (access.lists[custodian.address], access.anchored[custodian.address]) == ([], 0)


# lists that lack what is anchored ----------------------------------------------------------------------------------


def test_a_list_shorter_than_its_anchor_is_found_and_its_custodian_named(world: World) -> None:
    custodian = anchored(world)
    last = custodian.log._by_twin[world.twin].pop()
    assert "shows 1 receipts of the 2 that it anchored" in fault(world, custodian)
    custodian.log._by_twin[world.twin].append(last)
    looked(world).require_whole()


def test_a_list_with_another_end_than_its_anchor_is_found_and_its_custodian_named(world: World) -> None:
    custodian = anchored(world)
    entries = custodian.log._by_twin[world.twin]
    true = entries[-1]
    entries[-1] = _signed_anew(world, custodian, true)
    assert "other receipts than it anchored" in fault(world, custodian)
    entries[-1] = true
    looked(world).require_whole()


def _signed_anew(world: World, custodian: WorldCustodian, entry: Entry) -> Entry:
    """The same receipt for another request, signed by its custodian, which may sign anything."""
    other = replace(entry.receipt, request=Digest(bytes(32)))
    signature = custodian._key.sign_digest(other.to_sign(world.ledger.deployment))
    return replace(entry, receipt=replace(other, signature=signature))


def test_a_map_that_is_not_the_anchored_one_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the anchor's count and last hash, and leaves this twin out."""
    custodian = anchored(world)
    true = custodian.receipt_proof(request(world, custodian))
    assert true is not None
    empty = ReceiptMap({}, true.count, true.last)
    monkeypatch.setattr(custodian, "receipt_proof", lambda asked: empty.proof(world.twin))
    assert "is not the anchored one" in fault(world, custodian)
    monkeypatch.setattr(custodian, "receipt_proof", lambda asked: true)
    looked(world).require_whole()


def test_an_older_anchor_is_not_shown_for_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    custodian = anchored(world)
    old = custodian.receipt_proof(request(world, custodian))
    looked(world).require_whole()
    read(world)
    custodian.anchor()
    new = custodian.receipt_proof(request(world, custodian))
    for proof in (old, None):
        monkeypatch.setattr(custodian, "receipt_proof", lambda asked, proof=proof: proof)
        assert "does not show its newest" in fault(world, custodian)
    monkeypatch.setattr(custodian, "receipt_proof", lambda asked: new)
    looked(world).require_whole()


def test_what_is_anchored_while_the_owner_asks_is_no_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    custodian = anchored(world)
    true = custodian.log.of_twin

    def of_twin(twin: int, *pages: int | None) -> object:
        read(world)
        custodian.anchor()
        return true(twin)

    monkeypatch.setattr(custodian.log, "of_twin", of_twin)
    access = looked(world).require_whole()
    assert (len(access.lists[custodian.address]), access.anchored[custodian.address]) == (3, 2)


def test_only_the_present_owner_hears_a_proof(world: World) -> None:
    custodian = anchored(world)
    asked = request(world, custodian)
    assert custodian.receipt_proof(asked) is not None
    with pytest.raises(AccessDeniedError):
        custodian.receipt_proof(replace(asked, signature=world.clinician.context.key.sign_digest(Digest(bytes(32)))))


# a custodian that is behind ------------------------------------------------------------------------------------------


def test_a_custodian_that_is_behind_its_anchor_serves_nobody_until_its_log_is_whole(world: World) -> None:
    """As when an old copy of it returns: what it lost would be told to nobody."""
    desk = Desk(world)
    custodian = anchored(world)
    lost = custodian.log.entries.pop()
    for ask in (desk.ask, lambda: custodian.twin_key(_key_request(world, custodian)), custodian.anchor):
        with pytest.raises(IntegrityError, match="does not reach the 2 receipts that are anchored") as caught:
            ask()
        assert caught.value.party == custodian.address
    assert len(custodian.log.entries) == 1, "nothing was written either"
    assert custodian.turned_away["behind"] == 2
    custodian.log.entries.append(lost)
    assert desk.opened(desk.ask()) == len(desk.found)
    custodian.twin_key(_key_request(world, custodian))


def test_a_custodian_whose_log_went_another_way_serves_nobody(world: World) -> None:
    desk = Desk(world)
    custodian = anchored(world)
    true = custodian.log.entries[-1]
    custodian.log.entries[-1] = _signed_anew(world, custodian, true)
    with pytest.raises(IntegrityError, match="does not reach"):
        desk.ask()
    custodian.log.entries[-1] = true
    assert desk.opened(desk.ask()) == len(desk.found)


def test_an_old_copy_of_a_log_on_disk_is_behind_too(world: World, tmp_path: Path) -> None:
    desk = Desk(world)
    keys = FileTwinKeys(tmp_path / "twins", bytes(32))
    (tmp_path / "twins").mkdir()
    path = tmp_path / "receipts.log"
    first = world.custodians[0]

    def started() -> Custodian:
        return Custodian(first._key, first.ledger, keys, ReceiptLog(path), world.clock)

    keys._open[tmp_path / "twins" / "1-0x.key"] = first._twin_keys.obtain(world.twin, world.patient.address)
    keys.all_of = lambda twin: list(keys._open.values())  # type: ignore[method-assign]
    started().open(desk.request(), desk.shares())
    old = path.read_bytes()
    served = started()
    served.open(desk.request(), desk.shares())
    served.anchor()
    whole = path.read_bytes()
    path.write_bytes(old)
    with pytest.raises(IntegrityError, match="does not reach the 2 receipts"):
        started().open(desk.request(), desk.shares())
    path.write_bytes(whole)
    started().open(desk.request(), desk.shares())


def _key_request(world: World, custodian: Custodian) -> OwnerRequest:
    owner, at = world.patient.context.key, world.clock()
    digest = messages.key_request(world.ledger.deployment, world.twin, owner.address, custodian.address, at)
    return OwnerRequest(world.twin, owner.address, at, owner.sign_digest(digest))


# the map ---------------------------------------------------------------------------------------------------------


def hashed(number: int) -> Digest:
    return merkle.leaf(bytes([number]))


ENTRIES = [(7, 0, hashed(0)), (9, 0, hashed(1)), (7, 1, hashed(2)), (12, 0, hashed(3))]


@pytest.mark.parametrize(
    ("twin", "told"),
    [
        (7, (2, hashed(2))), (9, (1, hashed(1))), (12, (1, hashed(3))),
        (1, (0, NOTHING_BEFORE)), (8, (0, NOTHING_BEFORE)), (2**255, (0, NOTHING_BEFORE)),
    ],
)  # fmt: skip
def test_the_map_proves_each_twin_s_receipts_and_that_others_have_none(twin: int, told: tuple[int, Digest]) -> None:
    made = ReceiptMap.of(ENTRIES)
    proof = ReceiptProof.decode(made.proof(twin).encode())
    assert proof.verify(made.root, 4, hashed(3), twin) == told


def test_a_proof_of_another_twin_log_or_leaf_is_refused() -> None:
    made = ReceiptMap.of(ENTRIES)
    proof = made.proof(7)
    anchor = (made.root, 4, hashed(3))
    assert proof.verify(*anchor, 7) == (2, hashed(2))
    wrong = [
        (made.proof(9), anchor, 7),
        (made.proof(1), anchor, 7),
        (proof, anchor, 9),
        (proof, (made.root, 5, hashed(3)), 7),
        (proof, (made.root, 4, hashed(2)), 7),
        (proof, (ReceiptMap.of(ENTRIES[:3]).root, 4, hashed(3)), 7),
        (replace(proof, leaf=replace(proof.leaf, count=1)), anchor, 7),
        (replace(proof, leaf=replace(proof.leaf, last=hashed(0))), anchor, 7),
        (replace(made.proof(1), leaf=replace(made.proof(1).leaf, following=0)), anchor, 7),
        (replace(proof, siblings=proof.siblings[1:]), anchor, 7),
    ]
    for each, told, twin in wrong:
        with pytest.raises(IntegrityError):
            each.verify(*told, twin)


PROOF = ReceiptMap.of(ENTRIES).proof(7)
NEGATIVE = replace(PROOF, count=-1).encode()


@pytest.mark.parametrize(
    "data", [b"", b"\x80", PROOF.encode()[:-1], NEGATIVE], ids=["nothing", "empty", "cut", "negative"]
)
def test_what_is_no_proof_is_not_read_as_one(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        ReceiptProof.decode(data)


def test_an_empty_log_has_a_map(world: World) -> None:
    made = MemoryReceipts().map()
    assert made.proof(7).verify(made.root, 0, NOTHING_BEFORE, 7) == (0, NOTHING_BEFORE)


def test_the_ledger_takes_no_older_map(world: World) -> None:
    custodian = anchored(world)
    made = custodian.log.map(1)
    with pytest.raises(LogNotGrownError):
        world.ledger.send(calls.anchor_receipts(made.root, made.count, made.last), custodian._key)
