"""Receipt before key, over HTTP: a custodian that is killed has a receipt of every answer that was heard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dtledger.custodian import ReceiptDatabase, core
from dtledger.errors import DtledgerError
from dtledger.testing import World
from tests.custodian.asking import Desk


@pytest.mark.parametrize(
    ("when", "heard", "receipts"), [("after", "", 1), ("before", "", 0), ("never", "heard 1\n", 1)]
)
def test_killed_between_receipt_and_answer_it_has_the_receipt(
    tmp_path: Path, when: str, heard: str, receipts: int
) -> None:
    path = tmp_path / "receipts.db"
    command = [sys.executable, "-m", "tests.custodian_service.dying", str(path), when]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode == 0) == (heard, when == "never"), done.stderr
    log = ReceiptDatabase(path)
    assert len(log.entries) == receipts
    log.close()


def test_a_log_that_cannot_be_written_gives_no_share_and_no_word_of_why(
    world: World, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ReceiptDatabase(tmp_path / "receipts.db")
    monkeypatch.setattr(world.custodians[0], "_receipts", log)
    log._writer.execute("PRAGMA query_only=ON")
    with pytest.raises(DtledgerError, match="its own log says why") as caught:
        desk.ask()
    assert str(tmp_path) not in str(caught.value)
    log._writer.execute("PRAGMA query_only=OFF")
    assert desk.ask().receipt.number == 0
    log.close()


def test_an_answer_that_fails_after_its_receipt_can_be_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, shares = desk.request(), desk.shares()

    def fail(*_: object) -> bytes:
        raise ValueError("by order of the test")

    monkeypatch.setattr(core, "encode_release", fail)
    with pytest.raises(DtledgerError):
        desk.custodian.open(request, shares)
    monkeypatch.undo()
    release = desk.custodian.open(request, shares)
    assert (release.receipt.number, desk.opened(release)) == (0, 2), "under the first receipt"
