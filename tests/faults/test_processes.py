"""Custodians, gateway and node as processes of a hospital, killed (SIGKILL), stopped (SIGSTOP, SIGCONT) and started
again in the midst of what they do. After each: no acknowledged reading, grant, revocation or receipt is lost, and
nobody gets what the rule denies."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from dtledger.client import Client
from dtledger.client.core import system_clock
from dtledger.client.devnet import PROFILE
from dtledger.client.keyrings import granted_keys
from dtledger.client.opening import open_client as open_profile
from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.ledger import Slot
from dtledger.service.custodian.settings import load_settings
from dtledger.service.custodian.state import State
from dtledger.snapshots import at_once
from dtledger.snapshots.finder import Finder
from dtledger.snapshots.opening import Asking, Opened, open_snapshots
from dtledger.vocabulary import Action, Purpose, Reason
from tests.crash.scene import TWIN

from .disks import Disk, small_disk
from .hospital import PATIENCE, Hospital, full, hospital, stopped, until

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    with hospital(tmp_path_factory.mktemp("hospital")) as running:
        yield running


def read(running: Hospital, name: str = "cardiology") -> tuple[int, int]:
    """How many readings, and from how many custodians."""
    with running.client(name) as client:
        found = client.read(TWIN, "glucose", "TREAT" if name == "cardiology" else "PATRQT")
        return len(found), found.answered


def everything(running: Hospital) -> int:
    return len(running.scene.readings) + len(running.acknowledged)


def assert_refused(running: Hospital) -> None:
    """Cardiology, whose grant was revoked."""
    with pytest.raises(AccessDeniedError) as refused:
        read(running)
    assert refused.value.reason is Reason.REVOKED


def assert_unreachable(call: Callable[[], object]) -> None:
    with pytest.raises(UnreachableError):
        call()


class Insistent:
    """Cardiology's client, which found everything while it might and asks custodians without asking the rule."""

    def __init__(self, client: Client, slot: Slot) -> None:
        context = client.context
        record = context.view().record(slot)
        assert record is not None
        self._context, self._slot = context, slot
        self._keys = granted_keys(context, record)
        finder = Finder(context.deployment, context.view(), context.store, TWIN, self._keys)
        self._found = next(finder.find("glucose"))

    def ask(self) -> Opened:
        context, slot = self._context, self._slot
        asking = Asking(context.key, slot.grantee, slot.number, Action.READ, Purpose.TREAT, context.clock())
        return open_snapshots(context.deployment, context.custodians, asking, self._found, self._keys, "glucose")


# custodians -------------------------------------------------------------------------------------------------------


def test_a_stopped_custodian_is_not_waited_for_and_gives_nothing_that_was_revoked_meanwhile(running: Hospital) -> None:
    slot, one = running.grant(), running.custodians[0]
    with running.client("cardiology") as cardiology:
        insistent = Insistent(cardiology, slot)
        assert insistent.ask().plaintexts
        before = len(running.receipts(one))
        with stopped(one.pid):
            found = cardiology.read(TWIN, "glucose", "TREAT")
            assert (len(found), found.answered) == (everything(running), 2)
            assert [type(each) for each in found.faults.values()] == [UnreachableError]
            with running.client("patient") as patient:
                revoked = patient.consents.revoke(slot)
        said = insistent.ask()
        assert (said.plaintexts, said.answered, set(said.refused.values())) == ({}, 3, {Reason.REVOKED})
    after = running.receipts(one)[before:]
    assert after
    assert not any(each.permitted for each in after if each.block >= revoked.block)


def test_with_two_custodians_stopped_a_read_is_refused_in_time_and_works_when_they_go_on(
    running: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.grant()
    with running.client("cardiology") as cardiology:
        assert cardiology.read(TWIN, "glucose", "TREAT").answered == 3
        with monkeypatch.context() as impatient, stopped(*(each.pid for each in running.custodians[:2])):
            impatient.setattr(at_once, "SECONDS", 2.0)
            with pytest.raises(UnreachableError, match="1 of 3 custodians answered, 2 are needed"):
                cardiology.read(TWIN, "glucose", "TREAT")
        assert cardiology.read(TWIN, "glucose", "TREAT").answered == 3


def test_an_old_copy_of_a_custodian_serves_nobody_until_its_log_is_whole(running: Hospital, tmp_path: Path) -> None:
    running.grant()
    one = running.custodians[0]
    data = one.folder / "data"
    assert one.stop() == 0
    shutil.copytree(data, tmp_path / "backup")
    one.start()
    assert read(running) == (everything(running), 3)
    assert one.stop() == 0
    with State.open(load_settings(one.config, {}), system_clock) as state:
        assert state.custodian.anchor() is not None
    shutil.move(data, tmp_path / "whole")
    shutil.copytree(tmp_path / "backup", data)
    one.start()
    looked = one.command("status")
    assert looked.exit_code == 6
    assert [name for name, each in json.loads(looked.stdout)["checks"].items() if not each["ok"]] == ["receipts"]
    assert read(running) == (everything(running), 2)
    one.stop()
    shutil.rmtree(data)
    shutil.move(tmp_path / "whole", data)
    one.start()
    assert read(running) == (everything(running), 3)


def test_a_custodian_whose_disk_is_full_gives_no_share_and_loses_no_receipt(running: Hospital, disk: Disk) -> None:
    running.grant()
    one = running.custodians[0]
    assert one.stop() == 0
    data = one.folder / "data"
    shutil.copytree(data, disk.folder / "data")
    one.write(**{**one.values, "data": str(disk.folder / "data")})
    one.start()
    before = len(running.receipts(one))
    with full(one.pid, disk):
        found = read(running)
        assert found == (everything(running), 2)
    assert len(running.receipts(one)) == before
    assert read(running) == (everything(running), 3)
    assert len(running.receipts(one)) == before + 1
    assert one.stop() == 0
    shutil.rmtree(data)
    shutil.copytree(disk.folder / "data", data)
    one.write(**{**one.values, "data": "data"})
    one.start()


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk() as disk:
        yield disk


# the gateway ------------------------------------------------------------------------------------------------------


def test_a_post_that_a_stopped_gateway_did_not_answer_is_kept_once_when_it_is_sent_again(running: Hospital) -> None:
    first = running.next()
    with stopped(running.gateway.pid):
        send_unheard(running, first)
    assert running.gateway.post(first).status_code == 202
    running.remember(first)
    running.assert_nothing_lost()


def send_unheard(running: Hospital, first: int) -> None:
    with pytest.raises(requests.Timeout):
        running.gateway.post(first, timeout=1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_gateway_that_ends_with_readings_in_its_queue_goes_on_with_them(
    running: Hospital, how: signal.Signals
) -> None:
    running.post()
    assert running.gateway.stop(how) == (0 if how is signal.SIGTERM else -how)
    running.gateway.start()
    running.assert_nothing_lost()


def test_a_second_process_on_the_queue_of_a_gateway_does_not_start(running: Hospital) -> None:
    second = running.gateway.launch()
    assert second.wait(PATIENCE) == 2
    assert second.stdout is not None
    second.stdout.close()
    assert "another process" in running.gateway.log.read_text()
    running.post()
    running.assert_nothing_lost()


def test_a_gateway_whose_disk_is_full_takes_nothing_loses_nothing_and_goes_on(running: Hospital, disk: Disk) -> None:
    gateway = running.gateway
    assert gateway.stop() == 0
    state = gateway.config.parent / "state"
    shutil.move(state, disk.folder / "state")
    state.symlink_to(disk.folder / "state")
    gateway.start()
    running.post()
    first = running.next()
    with full(gateway.pid, disk):
        assert gateway.post(first).status_code == 507
    assert gateway.post(first).status_code == 202
    running.remember(first)
    running.assert_nothing_lost()
    assert gateway.stop() == 0
    state.unlink()
    shutil.move(disk.folder / "state", state)
    gateway.start()


def test_a_revocation_that_its_relay_died_of_is_in_force(running: Hospital) -> None:
    """The gateway is killed when it has sent it and before a block took it; the client goes on by itself."""
    slot, anvil = running.grant(), running.scene.devnet.anvil
    assert read(running)[0] == everything(running)
    options = {"relays": [running.gateway.url]}
    anvil.rpc("evm_setAutomine", False)
    try:
        with (
            open_profile(PROFILE, "patient", home=running.scene.home, options=options) as patient,
            ThreadPoolExecutor(1) as pool,
        ):
            revoking = pool.submit(patient.consents.revoke, slot)
            until(lambda: anvil.rpc("txpool_status")["pending"] != "0x0", "the relay sends nothing")
            running.gateway.stop(signal.SIGKILL)
            anvil.rpc("evm_setAutomine", True)
            anvil.rpc("evm_mine")
            revoking.result(PATIENCE)
    finally:
        anvil.rpc("evm_setAutomine", True)
        running.gateway.start()
    assert_refused(running)


# the node ---------------------------------------------------------------------------------------------------------


def test_while_the_node_is_stopped_readings_are_taken_and_no_revocation_is_said_to_be_done(running: Hospital) -> None:
    slot = running.grant()
    running.post()
    running.wait_until_anchored()
    with running.client("patient") as patient:
        with stopped(running.scene.devnet.anvil.pid):
            running.post()
            assert_unreachable(lambda: patient.consents.revoke(slot))
        patient.consents.revoke(slot)
    assert_refused(running)
    running.assert_nothing_lost()


def test_a_node_that_was_killed_comes_back_and_everybody_goes_on_with_all_that_was_acknowledged(
    running: Hospital,
) -> None:
    anvil, ended = running.scene.devnet.anvil, running.grant("hospital")
    with running.client("patient") as patient:
        patient.consents.revoke(ended)
    slot = running.grant()
    running.post()
    running.wait_until_anchored()
    height = int(anvil.rpc("eth_blockNumber"), 16)
    until(lambda: _written(anvil.folder / "state.json") >= height, "Anvil does not write its state")
    pid = anvil.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: anvil.pid is None, "Anvil outlives SIGKILL")
    running.post()
    assert_unreachable(lambda: read(running))
    anvil.start()
    running.assert_nothing_lost()
    assert read(running) == (everything(running), 3)
    with running.client("patient") as patient:
        assert not patient.context.view().grant(patient.address, TWIN, ended.grantee, ended.number).given
        patient.consents.revoke(slot)
    assert_refused(running)


def _written(state: Path) -> int:
    """The height of the state that Anvil wrote last; 0 while it writes."""
    try:
        return int(json.loads(state.read_text())["block"]["number"], 16)
    except (FileNotFoundError, ValueError):
        return 0
