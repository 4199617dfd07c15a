"""kubo as a process under a gateway's: killed, stopped, short of a block, on a full disk. No acknowledged reading is
lost, and what is missing or wrong is named."""

from __future__ import annotations

import base64
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.kubo_node import LocalKubo
from dtledger._backend.kubo_store import KuboStore
from dtledger.client.devnet import PROFILE
from dtledger.config import set_value
from dtledger.encoding import CID
from dtledger.errors import DtledgerError, IntegrityError, UnreachableError
from dtledger.service.local import free_port
from dtledger.store import BlockMissingError
from scripts.benchmarks.figures import NotMeasuredError
from scripts.benchmarks.kubo import find
from tests.crash.operations import import_file
from tests.crash.scene import TWIN, set_scene

from .disks import small_disk
from .hospital import Gateway, Hospital, stopped, until

pytestmark = [pytest.mark.anvil, pytest.mark.kubo, pytest.mark.slow]


@contextmanager
def kubo(folder: Path) -> Iterator[LocalKubo]:
    """One that comes back at its own port."""
    try:
        running = LocalKubo(folder, find(), offline=True)
    except NotMeasuredError as error:
        pytest.skip(str(error))
    folder.mkdir(exist_ok=True)
    if not running.repository.exists():
        running._make()
    running._run("config", "--json", "Addresses.API", f'"/ip4/127.0.0.1/tcp/{free_port()}"')
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKubo]:
    with kubo(tmp_path_factory.mktemp("kubo") / "node") as running:
        yield running


@pytest.fixture(scope="module")
def running(node: LocalKubo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A hospital whose custodians are embedded and whose blocks lie in kubo."""
    folder = tmp_path_factory.mktemp("hospital")
    with ExitStack() as stack:
        scene = set_scene(folder)
        stack.callback(scene.devnet.down)
        move_blocks(scene.devnet.blocks, node)
        set_value(scene.home, "store", node.address, profile=PROFILE)
        import_file(scene.home.root)
        gateway = Gateway(scene, folder / "gateway")
        stack.callback(gateway.end)
        gateway.start()
        yield Hospital(scene, gateway)


def move_blocks(folder: Path, node: LocalKubo) -> None:
    cids = [CID.decode(path.name) for path in (folder / "blocks").rglob("*") if path.is_file()]
    with DirectoryStore(folder) as here, KuboStore(node.address) as there:
        there.put_many([(data, cid.codec) for cid, data in here.get_many(cids)])


def file_of(node: LocalKubo, cid: CID) -> Path:
    """Where kubo keeps a block."""
    key = base64.b32encode(bytes(cid)[2:]).decode().rstrip("=")
    return node.repository / "blocks" / key[-3:-1] / f"{key}.data"


def a_manifest(running: Hospital) -> CID:
    with running.client("patient") as patient:
        return next(patient.snapshots.list(TWIN, "glucose"))[0].found.row.manifest


def assert_unreachable(running: Hospital) -> None:
    with pytest.raises(UnreachableError):
        a_manifest(running)


def assert_named(running: Hospital, cid: CID, error: type[DtledgerError]) -> None:
    """A read says which block it is."""
    with running.client("patient") as patient, pytest.raises(error) as refused:
        patient.read(TWIN, "glucose", "PATRQT")
    assert str(cid) in f"{refused.value} {getattr(refused.value, 'block', '')}"


def test_killed_it_is_waited_for_and_come_back_it_has_everything(running: Hospital, node: LocalKubo) -> None:
    running.post()
    running.wait_until_anchored()
    pid = node._process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not node._process.is_held(), "kubo outlives SIGKILL")
    running.post()
    until(lambda: running.gateway.status()["failures"] > 0, "the gateway does not notice")
    assert_unreachable(running)
    node.start()
    running.assert_nothing_lost()


def test_stopped_it_is_waited_for(running: Hospital, node: LocalKubo) -> None:
    with stopped(node._process.pid):
        running.post()
        assert running.gateway.status()["unanchored"] > 0
    running.assert_nothing_lost()


@pytest.mark.parametrize("fault", ["lost", "wrong"])
def test_a_block_that_it_lost_or_changed_is_named_and_put_back_it_is_read(
    running: Hospital, node: LocalKubo, fault: str
) -> None:
    cid = a_manifest(running)
    file = file_of(node, cid)
    whole = file.read_bytes()
    if fault == "lost":
        file.unlink()
    else:
        file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert_named(running, cid, BlockMissingError if fault == "lost" else IntegrityError)
    if fault == "lost":
        with KuboStore(node.address) as store:  # a running kubo remembers what it did not find
            store.put(whole, cid.codec)
    else:
        file.write_bytes(whole)
    running.post()
    running.assert_nothing_lost()


def test_on_a_full_disk_it_takes_nothing_and_readings_wait(running: Hospital, node: LocalKubo) -> None:
    with small_disk(megabytes=64) as disk:
        if not disk.mounted:
            pytest.skip("kubo is not told how much it may write")
        node.stop()
        shutil.copytree(node.repository, disk.folder / "kubo" / "repository")
        node.start()
        (disk.folder / "kubo" / "made").touch()
        with kubo(disk.folder / "kubo") as small:
            running.gateway.stop()
            set_value(running.scene.home, "store", small.address, profile=PROFILE)
            running.gateway.start()
            with disk.full():
                running.post()
                until(lambda: running.gateway.status()["failures"] > 0, "the gateway does not notice")
            running.assert_nothing_lost()
            running.gateway.stop()
