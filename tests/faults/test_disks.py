"""A disk that is full or read-only: the right error, nothing half done, and everything there when it is mended."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from dtledger._backend.anvil import Anvil
from dtledger._backend.log_cache import LogCache, RawLog
from dtledger._backend.migrations import read_deployment
from dtledger.client.devnet import PROFILE
from dtledger.config import set_value
from dtledger.errors import DtledgerError, UnreachableError
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt
from dtledger.ledger import Slot
from dtledger.readings import Reading
from tests.crash.operations import CUSTODIAN, DEPLOYER, deploy
from tests.crash.scene import READINGS, TWIN, Scene, move_home, open_client, values
from tests.faults.conftest import assert_read, refusal
from tests.faults.disks import Disk

pytestmark = pytest.mark.anvil

bad = pytest.mark.parametrize("how", ["full", "read-only"])


def more(scene: Scene) -> list[Reading]:
    """One reading after the export's."""
    last = scene.readings[-1]
    return [Reading(last.seconds + 3600, 9.9, last.unit, last.offset, "")]


def assert_nothing_new(scene: Scene) -> None:
    with scene.client("patient") as patient:
        assert values(patient.read(TWIN, "glucose", "PATRQT")) == values(scene.readings)


def assert_put(scene: Scene, home: Home) -> None:
    """Put again with everything mended: there once."""
    with open_client(home, "gateway") as gateway:
        gateway.writer.put(TWIN, "glucose", more(scene))
    with open_client(home, "patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
    assert values(found) == values([*scene.readings, *more(scene)])
    assert found.snapshots == len(found) // 3 + 1


class TestTheStore:
    @bad
    def test_refuses_a_put_and_nothing_is_anchored(self, scene: Scene, disk: Disk, how: str) -> None:
        shutil.copytree(scene.devnet.blocks, disk.folder / "blocks")
        set_value(scene.home, "store", f"directory:{disk.folder / 'blocks'}", profile=PROFILE)
        with disk.bad(how, no_other=True), open_client(scene.home, "gateway") as gateway:
            with pytest.raises(DtledgerError, match="disk of the block store") as refused:
                gateway.writer.put(TWIN, "glucose", more(scene))
            assert refused.value.exit_code == 1
            assert "Free" in refused.value.hint or "right" in refused.value.hint
            assert not list((disk.folder / "blocks" / "incoming").iterdir())
        assert_nothing_new(scene)
        assert_put(scene, scene.home)

    @bad
    def test_still_gives_what_it_has(self, scene: Scene, disk: Disk, how: str) -> None:
        shutil.copytree(scene.devnet.blocks, disk.folder / "blocks")
        set_value(scene.home, "store", f"directory:{disk.folder / 'blocks'}", profile=PROFILE)
        with disk.bad(how, no_other=True):
            assert_nothing_new(scene)

    @bad
    def test_refuses_a_grant_and_none_is_given(self, scene: Scene, disk: Disk, how: str) -> None:
        shutil.copytree(scene.devnet.blocks, disk.folder / "blocks")
        set_value(scene.home, "store", f"directory:{disk.folder / 'blocks'}", profile=PROFILE)
        with open_client(scene.home, "patient") as patient:
            (record, *_) = patient.consents.records(TWIN)
            before = patient.context.ledger.head().number
            with disk.bad(how), pytest.raises(DtledgerError, match="disk of the block store"):
                patient.consents.reseal(record.slot)
            assert patient.context.ledger.head().number == before
            patient.consents.reseal(record.slot)


class TestAHome:
    """Keys, custodians, journal and cache on the bad disk; the store on a good one."""

    @pytest.fixture
    def home(self, scene: Scene, disk: Disk) -> Home:
        home = move_home(scene.home, disk.folder / "home")
        shutil.rmtree(home.root / "blocks")
        set_value(home, "store", f"directory:{scene.devnet.blocks}", profile=PROFILE)
        return home

    @bad
    def test_whose_journal_cannot_be_written_lets_nothing_be_anchored(
        self, scene: Scene, disk: Disk, home: Home, how: str
    ) -> None:
        with disk.bad(how), open_client(home, "gateway") as gateway:
            with pytest.raises(DtledgerError, match="journal") as refused:
                gateway.writer.put(TWIN, "glucose", more(scene))
            assert refused.value.exit_code == 1
        assert_nothing_new(scene)
        assert_put(scene, home)

    @bad
    def test_whose_receipt_logs_cannot_be_written_releases_no_key(self, disk: Disk, home: Home, how: str) -> None:
        with disk.bad(how), open_client(home, "cardiology") as cardiology:
            with pytest.raises(UnreachableError, match="0 of 3 custodians") as refused:
                cardiology.read(TWIN, "glucose", "TREAT")
            assert refused.value.exit_code == 6
            assert "no key is released" in refused.value.message
        with open_client(home, "cardiology") as cardiology:
            assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS

    @bad
    def test_does_not_keep_its_owner_from_revoking(self, scene: Scene, disk: Disk, home: Home, how: str) -> None:
        """Neither journal nor cache nor store is needed to take a consent back."""
        slot = Slot(scene.address("patient"), TWIN, scene.address("cardiology"), 0)
        with open_client(home, "patient") as patient:
            assert patient.context.view().grant(slot.owner, slot.twin, slot.grantee, slot.number).given
        with disk.bad(how), open_client(home, "patient") as patient:
            patient.consents.revoke(slot)
            assert not patient.context.view().grant(slot.owner, slot.twin, slot.grantee, slot.number).given

    @bad
    def test_keeps_the_key_file_as_it_was(self, disk: Disk, home: Home, how: str) -> None:
        file = KeyStore(home).open("patient")
        password = (home.keys / "devnet-password").read_text().strip()
        key, before = file.unlock(password), file.path.read_bytes()
        with disk.bad(how), pytest.raises(DtledgerError, match=r"patient\.json could not be written") as refused:
            key.update(lambda held: held.with_extra("more", b"secret"))
        assert refused.value.exit_code == 1
        assert file.path.read_bytes() == before
        key.update(lambda held: held.with_extra("more", b"secret"))
        assert file.unlock(password).secrets.extra["more"] == b"secret"

    @bad
    def test_takes_no_new_key(self, disk: Disk, home: Home, how: str) -> None:
        keys = KeyStore(home, Scrypt(n=2))
        with disk.bad(how), pytest.raises(DtledgerError, match="could not be written"):
            keys.create("late", "password")
        assert "late" not in keys.names()
        keys.create("late", "password").unlock("password")

    @bad
    def test_makes_a_command_end_with_one_sentence(
        self, scene: Scene, disk: Disk, home: Home, how: str, dtledger: Callable[..., Result]
    ) -> None:
        file = scene.home.root / "late.csv"
        file.write_text(f"time,glucose (mmol/L)\n{more(scene)[0].at.isoformat()},9.9\n")
        words = ("snapshot", "put", file, "--twin", str(TWIN))
        with disk.bad(how):
            said = refusal(dtledger(*words, key="gateway", home=home))
        assert (said.code, said.error) == (1, "DtledgerError")
        assert_read(dtledger(*words, key="gateway", home=home))


def test_one_custodian_with_a_full_disk_does_not_keep_the_others_from_answering(scene: Scene, disk: Disk) -> None:
    logs = scene.home.custodians / "custodian-2"
    shutil.move(logs, disk.folder / "custodian-2")
    logs.symlink_to(disk.folder / "custodian-2")
    with disk.full(no_other=True), scene.client("cardiology") as cardiology:
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered, found.asked) == (READINGS, 2, 3)
        (fault,) = found.faults.values()
        assert "no key is released" in fault.message
    with scene.client("cardiology") as cardiology:
        assert cardiology.read(TWIN, "glucose", "TREAT").answered == 3


def test_a_custodian_without_a_synced_receipt_gives_no_share(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line was written, and the disk says of the sync that it failed: no answer, and none to a retry either."""
    with scene.client("cardiology") as cardiology:
        with monkeypatch.context() as failing:

            def fail(descriptor: int) -> None:
                raise OSError(5, "Input/output error")

            failing.setattr("os.fsync", fail)
            with pytest.raises(UnreachableError, match="Input/output error"):
                cardiology.read(TWIN, "glucose", "TREAT")
        assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS


@bad
def test_a_deployment_whose_record_cannot_be_written_goes_on_later(tmp_path: Path, disk: Disk, how: str) -> None:
    with Anvil(tmp_path / "anvil") as anvil:
        anvil.fund(DEPLOYER.address)
        site = disk.folder / "site"
        (site / "deployments").mkdir(parents=True)
        (site / "url").write_text(anvil.url)
        with disk.bad(how), pytest.raises(DtledgerError, match="could not be written") as refused:
            deploy(site)
        assert refused.value.exit_code == 1
        assert int(anvil.rpc("eth_getTransactionCount", DEPLOYER.address, "latest"), 16) == 0, "nothing sent unnoted"
        journal = deploy(site)
        assert read_deployment(journal.path).contracts == journal.contracts
        assert CUSTODIAN.address in "".join(journal.steps)


class TestTheLogCache:
    @bad
    def test_goes_on_in_memory(self, disk: Disk, how: str) -> None:
        file = disk.folder / "cache" / "logs.db"
        first, second = (RawLog(block, 0, 0, bytes(32), b"x" * 9000) for block in (1, 2))
        cache = LogCache(file)
        cache.extend([first], 1, b"one")
        cache.close()
        with disk.bad(how):
            cache = LogCache(file)
            cache.extend([second], 2, b"two")
            assert cache.seen() == (2, b"two")
            assert second in list(cache.since(-1))
            cache.close()
        again = LogCache(file)
        assert again.seen() == (1, b"one")
        assert list(again.since(-1)) == [first]
        again.close()

    def test_goes_on_in_memory_if_the_disk_fills_up_meanwhile(self, disk: Disk) -> None:
        file = disk.folder / "cache" / "logs.db"
        first, second = (RawLog(block, 0, 0, bytes(32), b"x" * 9000) for block in (1, 2))
        cache = LogCache(file)
        cache.extend([first], 1, b"one")
        with disk.full():
            cache.extend([second], 2, b"two")
            assert cache.seen() == (2, b"two")
            assert list(cache.since(-1)) == [first, second]
        cache.close()
        again = LogCache(file)
        assert again.seen() == (1, b"one")
        again.close()

    def test_that_is_no_database_says_what_to_do(self, tmp_path: Path) -> None:
        file = tmp_path / "logs.db"
        file.write_bytes(b"not a database, and long enough to be looked at" * 100)
        with pytest.raises(DtledgerError, match="cannot be read") as refused:
            LogCache(file)
        assert str(file) in refused.value.hint
        file.unlink()
        LogCache(file).close()

    def test_with_damaged_pages_says_what_to_do(self, tmp_path: Path) -> None:
        """They are found when they are come to, long after the file was opened."""
        file = tmp_path / "logs.db"
        logs = [RawLog(block, 0, block, bytes(64), bytes(500)) for block in range(500)]
        with closing(LogCache(file)) as cache:
            cache.extend(logs, 500, bytes(32))
            assert list(cache.since(-1)) == logs
        whole = file.read_bytes()
        file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
        with closing(LogCache(file)) as cache, pytest.raises(DtledgerError, match="cannot be read") as refused:
            list(cache.since(-1))
        assert str(file) in refused.value.hint


def test_a_journal_that_is_no_database_is_one_error(scene: Scene) -> None:
    (journal,) = scene.home.journal.glob(f"*{scene.address('gateway')}.db")
    kept = journal.read_bytes()
    for each in scene.home.journal.glob(f"*{scene.address('gateway')}*"):
        each.unlink()
    journal.write_bytes(b"not a database, and long enough to be looked at" * 100)
    with scene.client("gateway") as gateway, pytest.raises(DtledgerError, match="journal"):
        gateway.writer.put(TWIN, "glucose", more(scene))
    journal.write_bytes(kept)
    assert sqlite3.connect(journal).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert_put(scene, scene.home)
