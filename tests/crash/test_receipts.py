"""A custodian that dies at any write of a read has a receipt of every key that left it, and its log stays one chain."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dtledger.client import Client
from dtledger.custodian import Custodian, ReceiptLog
from dtledger.custody import AccessReceipt, ReadRequest, Release, SealedShare
from dtledger.errors import DtledgerError, IntegrityError
from dtledger.types import Address
from tests.crash.deaths import survived
from tests.crash.operations import grant, import_file, read
from tests.crash.scene import READINGS, TWIN, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings, a grant, and one read."""
    import_file(stage.home.root)
    grant(stage.home.root)
    read(stage.home.root)
    stage.keep()
    return stage


def heard_file(home: Path) -> Path:
    """What the reader heard. It lies outside the home: the reader's machine outlives the custodian's."""
    return home.with_name("heard")


def read_and_tell(home: Path) -> None:
    """Cardiology reads, and writes down which custodian answered before it listens to the next."""
    opened = Custodian.open

    def told(custodian: Custodian, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        release = opened(custodian, request, shares)
        with heard_file(home).open("a") as heard:
            heard.write(f"{custodian.address}\n")
        return release

    Custodian.open = told  # type: ignore[method-assign]
    try:
        read(home)
    finally:
        Custodian.open = opened  # type: ignore[method-assign]


def chains(scene: Scene) -> dict[Address, list[AccessReceipt]]:
    """Each custodian's receipts, verified to be one chain."""
    with scene.client("patient") as patient:
        return receipts_of(patient)


def receipts_of(patient: Client) -> dict[Address, list[AccessReceipt]]:
    found = {}
    for custodian, receipts in patient.twins.access(TWIN).items():
        if isinstance(receipts, DtledgerError):
            raise receipts
        found[custodian] = list(receipts)
    return found


def survive(scene: Scene, **how: Any) -> int:
    """After each death every answer that was heard has a receipt (and so has the read on the stage); the next read adds
    one to each chain."""

    def restore() -> None:
        scene.restore()
        heard_file(scene.home.root).write_text("")

    def whole() -> None:
        heard = heard_file(scene.home.root).read_text().split()
        before = {custodian: len(receipts) for custodian, receipts in chains(scene).items()}
        assert all(count >= 1 + heard.count(custodian) for custodian, count in before.items())
        assert read(scene.home.root) == READINGS
        for custodian, receipts in chains(scene).items():
            assert [receipt.number for receipt in receipts] == list(range(before[custodian] + 1))

    return len(survived(read_and_tell, scene.home.root, restore, whole, **how))


@pytest.mark.parametrize(
    "power_cut", [pytest.param(False, id="killed", marks=pytest.mark.slow), pytest.param(True, id="power cut")]
)
def test_dead_at_any_write_of_a_read_no_key_left_without_a_receipt(scene: Scene, power_cut: bool) -> None:
    assert survive(scene, power_cut=power_cut) >= 4


def test_a_custodian_that_answers_before_the_receipt_does_not_survive(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="answers_before_the_receipt")


def test_a_custodian_that_does_not_sync_does_not_survive_a_power_cut(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="power cut at write"):
        survive(scene, broken="does_not_sync_receipts", power_cut=True)


def log_file(scene: Scene) -> Path:
    return next(scene.home.custodians.glob("custodian-1/receipts-*.log"))


def test_a_line_torn_anywhere_is_written_over_and_the_chain_goes_on(scene: Scene, tmp_path: Path) -> None:
    read(scene.home.root)
    whole = log_file(scene).read_bytes()
    first, second, rest = whole.split(b"\n")
    assert not rest
    entry = ReceiptLog(log_file(scene)).of_twin(TWIN)[1]
    torn = tmp_path / "torn.log"
    for length in (*range(0, len(second), 97), len(second)):
        torn.write_bytes(first + b"\n" + second[:length])
        log = ReceiptLog(torn)
        assert [each.receipt.number for each in log.of_twin(TWIN)] == [0]
        log.append(TWIN, lambda last, of_twin: entry)
        assert torn.read_bytes() == whole
        assert [each.receipt.number for each in ReceiptLog(torn).of_twin(TWIN)] == [0, 1]


@pytest.mark.parametrize("fault", ["the first is removed", "a byte is changed", "two change places"])
def test_a_log_that_somebody_changed_is_refused_and_put_back_is_not(scene: Scene, tmp_path: Path, fault: str) -> None:
    read(scene.home.root)
    first, second, _ = log_file(scene).read_bytes().split(b"\n")
    changed = {
        "the first is removed": [second],
        "a byte is changed": [first, second[:-9] + b"*" + second[-8:]],
        "two change places": [second, first],
    }[fault]
    log = tmp_path / "changed.log"
    log.write_bytes(b"\n".join([*changed, b""]))
    with pytest.raises(IntegrityError):
        ReceiptLog(log)
    shutil.copy(log_file(scene), log)
    assert len(ReceiptLog(log).of_twin(TWIN)) == 2
