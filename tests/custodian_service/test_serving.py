"""Three custodians as processes on a real chain: what clinician, patient and operator see of them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
import requests

from dtledger.audit.taking import ProofTaker, Taken
from dtledger.client import Client
from dtledger.client.core import system_clock
from dtledger.client.services import Services
from dtledger.encoding import decode
from dtledger.errors import IntegrityError, UnreachableError
from dtledger.service.custodian import serving
from dtledger.service.custodian.serving import custodian_service
from dtledger.service.custodian.settings import load_settings
from tests.crash.scene import READINGS, TWIN, Scene, open_client, values
from tests.faults.conftest import ground, scene, stage  # noqa: F401 fixtures
from tests.postgres import Cluster

from .processes import Process, custodians

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture
def processes(scene: Scene, tmp_path: Path) -> Iterator[list[Process]]:  # noqa: F811
    with custodians(scene, tmp_path) as processes:
        yield processes


def client(scene: Scene, processes: list[Process], name: str = "cardiology") -> Client:  # noqa: F811
    urls = [each.url for each in processes]
    return open_client(scene.home, name, custodians=lambda embedded: Services(urls, embedded._ledger.deployment))


def test_a_read_and_what_all_see_of_it(scene: Scene, processes: list[Process]) -> None:  # noqa: F811
    with client(scene, processes) as cardiology:
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert values(found) == values(scene.readings)
        assert (found.answered, found.asked) == (3, 3)
    with client(scene, processes, "patient") as patient:
        assert [len(each) for each in patient.twins.access(TWIN).values()] == [1, 1, 1]
    one = processes[0]
    listed = one.command("receipts")
    assert [each["number"] for each in json.loads(listed.stdout)["receipts"]] == [0]
    assert "0x" not in listed.stdout
    looked = one.command("status")
    assert looked.exit_code == 0, looked.stdout
    assert {name for name, check in json.loads(looked.stdout)["checks"].items() if check["ok"]} == {
        "node",
        "member",
        "account",
        "receipts",
        "twin_keys",
    }
    metrics = requests.get(f"{one.url}/metrics", timeout=10).text
    assert 'dtledger_custodian_decisions_total{reason="PERMITTED"} 3.0' in metrics
    assert "dtledger_custodian_receipts 1.0" in metrics
    assert "dtledger_custodian_heartbeats_left" in metrics
    assert "dtledger_custodian_disk_free_bytes" in metrics
    said = one.log.read_text() + metrics
    for canary in ("cardiology", "0x", "mmol", str(scene.home.root)):
        assert canary not in said


def test_a_log_outlives_a_kill_and_a_stop_is_clean(scene: Scene, processes: list[Process]) -> None:  # noqa: F811
    one = processes[0]
    with client(scene, processes) as cardiology:
        cardiology.read(TWIN, "glucose", "TREAT")
        one.stop(signal.SIGKILL)
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered) == (READINGS, 2)
        assert [type(each) for each in found.faults.values()] == [UnreachableError]
        one.start()
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered) == (READINGS, 3)
    assert one.stop() == 0
    assert [each["number"] for each in json.loads(one.command("receipts").stdout)["receipts"]] == [0, 1]


def test_with_two_of_three_stopped_a_read_is_refused_in_words(scene: Scene, processes: list[Process]) -> None:  # noqa: F811
    for each in processes[:2]:
        each.stop()
    with client(scene, processes) as cardiology:
        with pytest.raises(UnreachableError, match="1 of 3 custodians answered"):
            cardiology.read(TWIN, "glucose", "TREAT")
        processes[0].start()
    with client(scene, processes) as cardiology:
        assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS


def test_a_custodian_without_its_key_pairs_is_named(scene: Scene, processes: list[Process]) -> None:  # noqa: F811
    for lost in (processes[0].folder / "data" / "twin-keys").glob(f"{TWIN}-*.key"):
        lost.unlink()
    with client(scene, processes) as cardiology:
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered) == (READINGS, 2)
        assert [type(fault) for fault in found.faults.values()] == [IntegrityError]


def test_the_key_pairs_lie_in_a_folder_that_backups_leave_out(processes: list[Process]) -> None:
    folder = processes[0].folder / "data" / "twin-keys"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"max_head_age": 0}, 2, "line 6: max_head_age must be"),
        ({"deployment": "nowhere.json"}, 2, "line 5: deployment: There is no deployment record at"),
        ({"rpc_uri": "http://a"}, 2, "There is no setting 'rpc_uri'"),
        ({"password_file": "nowhere"}, 5, "nowhere"),
    ],
)
def test_a_bad_configuration_stops_the_start(
    scene: Scene,  # noqa: F811
    tmp_path: Path,
    change: dict[str, object],
    code: int,
    said: str,
) -> None:
    one = Process(scene, "custodian-1", tmp_path)
    good = dict(one.values)
    one.write(**{**good, **change})
    result = one.command("serve")
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    one.write(**good)
    assert one.start()
    assert one.stop() == 0


def test_a_node_of_another_chain_stops_the_start(scene: Scene, tmp_path: Path) -> None:  # noqa: F811
    one = Process(scene, "custodian-1", tmp_path)
    path = Path(one.values["deployment"])
    other = tmp_path / "other.json"
    with scene.client("patient") as patient:
        genesis = patient.context.deployment.genesis.hex()
    other.write_text(path.read_text().replace(genesis, "ab" * 32))
    one.write(**{**one.values, "deployment": str(other)})
    result = one.command("serve")
    assert (result.exit_code, json.loads(result.stderr.splitlines()[-1])["error"]) == (6, "ChainMismatchError")


def test_proofs_of_new_consents_are_taken_now_and_then_and_handed_over(
    scene: Scene,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In this process, so that what its thread does is seen: nobody asks, and nothing of it is for custodians alone."""
    one, steps, step = Process(scene, "custodian-1", tmp_path), Queue[Taken](), ProofTaker.step
    one.write(**{**one.values, "proof_seconds": 1})
    monkeypatch.setattr(ProofTaker, "step", lambda taker: steps.put(step(taker)))
    monkeypatch.setattr(serving, "_take", lambda taker: taker.step())
    with custodian_service(load_settings(one.config), system_clock) as service:
        service.start()
        try:
            taken = steps.get(timeout=60)
        finally:
            service.stop()
    assert taken.blocks, "the scene's grants are in its newest blocks"
    out = tmp_path / "proofs"
    told = json.loads(one.command("proofs", "--out", str(out)).stdout)
    assert told["blocks"] == sorted(taken.blocks)
    assert decode(out.read_bytes()).keys() == {"proofs"}
    assert one.command("proofs", "--out", str(out)).exit_code == 2, "what is there is not written over"


@pytest.mark.postgres
def test_with_its_index_in_a_database_that_goes_away_it_gives_nothing_and_recovers(
    scene: Scene,  # noqa: F811
    processes: list[Process],
    cluster: Cluster,
) -> None:
    one = processes[0]
    one.stop()
    one.write(**{**one.values, "index": cluster.url})
    one.start()
    with client(scene, processes) as cardiology:
        assert cardiology.read(TWIN, "glucose", "TREAT").answered == 3
        cluster.stop()
        scene.devnet.anvil.rpc("evm_mine")  # what was folded already is at hand without a database
        found = cardiology.read(TWIN, "glucose", "TREAT")
        assert (len(found), found.answered) == (READINGS, 2)
        assert [type(each) for each in found.faults.values()] == [UnreachableError]
        looked = one.command("status")
        assert looked.exit_code == 6
        assert not json.loads(looked.stdout)["checks"]["index"]["ok"]
        cluster.start()
        assert cardiology.read(TWIN, "glucose", "TREAT").answered == 3
    looked = one.command("status")
    assert (looked.exit_code, json.loads(looked.stdout)["checks"]["index"]["ok"]) == (0, True)
    names = {name for (name,) in cluster.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dtledger%'")}
    assert {each.split("_")[1] for each in names} == {"index", "proofs"}, "and neither receipts nor key pairs"
    assert list((one.folder / "data").glob("receipts-*"))
