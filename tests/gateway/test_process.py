"""A gateway as a process of its own, on a real chain: a patient whose account is empty lives by it, and a kill -9 loses
nothing that it acknowledged."""

from __future__ import annotations

import hashlib
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from dtledger._backend.http_gateway import HttpGateway
from dtledger.client import Client, Terms, writing_terms
from dtledger.client.devnet import OPERATOR, PROFILE
from dtledger.client.opening import open_client
from dtledger.device.batch import Code
from dtledger.device.enrolment import Channel
from dtledger.device.sender import Device, http_transport
from dtledger.errors import AccessDeniedError
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose
from tests.crash.scene import Scene, set_scene
from tests.postgres import Cluster

pytestmark = pytest.mark.anvil

TOKEN = "a-token-of-the-ward"
PATIENCE = 120.0


@contextmanager
def gateway(scene: Scene, *lines: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`dtledger gateway serve` with these settings besides, and its URL."""
    senders, config = scene.folder / "senders", scene.folder / "gateway.toml"
    senders.write_text(f"ward {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    config.write_text("\n".join(['bind = "127.0.0.1:0"', 'senders = "senders"', "free_bytes = 0", *lines]))
    words = ["gateway", "serve", "--home", str(scene.home.root), "--profile", PROFILE, "--key", "gateway", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dtledger", *words, "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = set_scene(tmp_path)
    yield scene
    scene.devnet.down()


def poor_patient(scene: Scene, url: str) -> Client:
    scene.devnet.key("poor")
    options = {"relays": [url], "store": f"gateway:{url}"}
    return open_client(PROFILE, "poor", home=scene.home, options=options)


def balance(scene: Scene, client: Client) -> int:
    return int(scene.devnet.anvil.rpc("eth_getBalance", client.address, "latest"), 16)


def twin_of(scene: Scene, patient: Client, first: int) -> int:
    """A new twin of the patient's, to which the gateway may write glucose from that time (unix seconds) on."""
    with scene.client(OPERATOR) as operator:
        twin, _ = operator.twins.mint(patient.twins.request_mint())
    patient.twins.set_up(twin, list(patient.context.custodians), 2)
    grant = writing_terms(["glucose"], int(time.time()), 86_400, back_to=first // 60)
    patient.consents.grant(twin, scene.address("gateway"), grant)
    return twin


def send(url: str, twin: int, readings: dict[int, float], **more: str) -> requests.Response:
    """Values by their times (unix seconds), as a hub sends them."""
    rows = [[datetime.fromtimestamp(at, UTC).isoformat(), value] for at, value in readings.items()]
    body = {"twin": twin, "category": "glucose", "unit": "mmol/L", "readings": rows, **more}
    headers = {"authorization": f"Bearer {TOKEN}"}
    return requests.post(f"{url}/v1/readings", json=body, headers=headers, timeout=PATIENCE)


def post(url: str, twin: int, first: int) -> dict[str, Any]:
    answer = send(url, twin, {first + 60 * each: 5 + each / 10 for each in range(5)}, id=f"post-{first}")
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def wait_until_anchored(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while requests.get(f"{url}/v1/status", timeout=PATIENCE).json()["unanchored"]:
        assert time.monotonic() < deadline, "it anchors nothing"


def test_a_patient_with_an_empty_account_lives_by_a_gateway_that_is_killed(scene: Scene) -> None:
    now = int(time.time())
    first = now // 3600 * 3600 - 7200
    with gateway(scene) as (url, process), poor_patient(scene, url) as patient:
        twin = twin_of(scene, patient, first)
        terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + 3600, Period(first // 60, now // 60))
        slot, receipt = patient.consents.grant(twin, scene.address("cardiology"), terms)
        assert receipt.gas == 0
        assert post(url, twin, first) == {"kept": 5, "known": 0}
        process.kill()
        process.wait()
    with gateway(scene) as (url, process):
        assert post(url, twin, first)["kept"] == 0
        assert post(url, twin, first + 3600) == {"kept": 5, "known": 0}
        wait_until_anchored(url)
        with poor_patient(scene, url) as patient, scene.client("cardiology") as cardiology:
            found = patient.read(twin, "glucose", "PATRQT")
            assert len(found) == len({each.at for each in found}) == 10
            assert len(cardiology.read(twin, "glucose", "TREAT")) == 10
            patient.consents.revoke(slot)
            with pytest.raises(AccessDeniedError):
                cardiology.read(twin, "glucose", "TREAT")
            assert balance(scene, patient) == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_a_batch_that_was_acknowledged_is_there_after_a_kill_and_its_device_goes_on(scene: Scene) -> None:
    """Killed between the answer and the anchor; and with the answer lost on the way."""
    now = int(time.time())
    since = now - 7200
    with gateway(scene) as (url, process), poor_patient(scene, url) as patient:
        twin = twin_of(scene, patient, since)
        seed, state = b"a device's own seed".ljust(32), scene.folder / "cgm.state"
        with closing(HttpGateway(url)) as asked:
            channels = [Channel("glucose", "mmol/L", 1)]
            said, block = patient.devices.enrol(twin, asked.address(), Device.public_of(seed), channels, since)
            answers_by = bytes.fromhex(asked.enrol_device(block)["answers_by"])
        Device.make(state, seed, answers_by, said.digest, twin, since, [["glucose", "mmol/L", 1, ""]])
        with closing(Device(state)) as device:
            device.sign([(0, now - 6000, 54), (0, now - 5700, 55)])
            assert device.exchange(http_transport(url)) == (Code.TAKEN, 0)
            http_transport(url)(device.sign([(0, now - 5400, 56)]), device.name)
            process.kill()
            process.wait()
    with gateway(scene) as (url, process), closing(Device(state)) as device:
        assert device.exchange(http_transport(url)) == (Code.HELD, 0)
        device.sign([(0, now - 5100, 57)])
        assert device.exchange(http_transport(url)) == (Code.TAKEN, 0)
        wait_until_anchored(url)
        with poor_patient(scene, url) as patient:
            found = [each.value for each in patient.read(twin, "glucose", "PATRQT")]
            assert found == [5.4, 5.5, 5.6, 5.7]


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.postgres)])
def cluster_or_file(request: pytest.FixtureRequest) -> Cluster | None:
    """Where the queue lies."""
    return request.getfixturevalue("cluster") if request.param == "postgresql" else None


def test_killed_in_the_midst_of_intake_it_has_each_reading_that_it_acknowledged(
    scene: Scene, cluster_or_file: Cluster | None
) -> None:
    """Hubs send without pause; the gateway is killed, and where its queue is in a database that ends too."""
    lines = [f'queue = "{cluster_or_file.url}"'] if cluster_or_file else []
    first, acknowledged = int(time.time()) // 3600 * 3600 - 7200, set[tuple[int, float]]()
    with gateway(scene, *lines) as (url, process), poor_patient(scene, url) as patient:
        twin = twin_of(scene, patient, first)
        going = threading.Event()

        def send_on(hub: int) -> None:
            for place in itertools.count():
                at, value = first + 300 * hub + place // 40, 4 + place % 40 / 10
                try:
                    answer = send(url, twin, {at: value}).status_code
                except requests.RequestException:
                    return
                if answer == 202:
                    acknowledged.add((at, value))
                elif answer != 503:
                    raise AssertionError(answer)
                if place == 20:
                    going.set()

        with ThreadPoolExecutor(3) as hubs:
            done = [hubs.submit(send_on, each) for each in range(3)]
            assert going.wait(PATIENCE)
            if cluster_or_file:
                cluster_or_file.stop()
            process.kill()
            process.wait()
            for each in done:
                each.result(PATIENCE)
        if cluster_or_file:
            cluster_or_file.start()
    assert len(acknowledged) > 20
    with gateway(scene, *lines) as (url, process):
        wait_until_anchored(url)
        with poor_patient(scene, url) as patient:
            found = [(int(each.at.timestamp()), each.value) for each in patient.read(twin, "glucose", "PATRQT")]
        assert acknowledged <= set(found)
        assert len(found) == len(set(found))
        status = requests.get(f"{url}/v1/status", timeout=PATIENCE).json()
        assert (status["queue"], status["queue_in"]) == ("ok", "PostgreSQL" if cluster_or_file else "file")
