"""Devices over HTTP: enrolled, heard, refused and listed; and a service that stays up whatever is sent."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger._backend.http_gateway import HttpGateway
from dtledger.device.batch import MOST_BYTES, Code
from dtledger.device.enrolment import Channel
from dtledger.device.sender import Device, http_transport
from dtledger.encoding import encode
from dtledger.errors import AccessDeniedError, InputError
from dtledger.ledger import messages
from tests.device.signing import forged
from tests.gateway.conftest import Served, serving

CHANNELS = [Channel("glucose", "mmol/L", 1)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("gateway")) as served:
        yield served


@pytest.fixture
def device(served: Served, tmp_path: Path) -> Iterator[Device]:
    with closing(HttpGateway(served.url)) as gateway:
        yield from enrolled(served, gateway, tmp_path / "device.state")


def enrolled(served: Served, gateway: HttpGateway, path: Path) -> Iterator[Device]:
    world, seed = served.world, str(path).encode()[-32:].rjust(32)
    since = world.clock.at - 3600
    said, block = world.patient.devices.enrol(world.twin, gateway.address(), Device.public_of(seed), CHANNELS, since)
    answers_by = bytes.fromhex(gateway.enrol_device(block)["answers_by"])
    Device.make(path, seed, answers_by, said.digest, world.twin, since, [["glucose", "mmol/L", 1, ""]])
    with closing(Device(path)) as device:
        yield device


def post(served: Served, message: bytes) -> requests.Response:
    return served.session.post(f"{served.url}/v1/batches", data=message, timeout=30)


def test_a_batch_is_taken_held_and_refused_by_its_status(served: Served, device: Device) -> None:
    now = served.world.clock.at
    message = device.sign([(0, now - 300, 54), (0, now, 55)], now)
    before = served.gateway.queue.totals().rows
    assert [post(served, message).status_code for _ in range(2)] == [202, 202]
    assert served.gateway.queue.totals().rows == before + 2
    assert device.exchange(http_transport(served.url)) == (Code.HELD, 0)
    assert post(served, forged(message)).status_code == 403
    assert post(served, b"no batch").status_code == 400
    assert post(served, bytes(MOST_BYTES + 1)).status_code == 413


def test_there_is_no_token_for_it_and_none_is_needed(served: Served, device: Device) -> None:
    device.sign([(0, served.world.clock.at, 54)], served.world.clock.at)
    assert device.exchange(http_transport(served.url)) == (Code.TAKEN, 0)


def test_a_full_queue_says_later(served: Served, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.sign([(0, served.world.clock.at, 54)], served.world.clock.at)
    with monkeypatch.context() as full:
        full.setattr(served.gateway.queue, "_free", lambda _: -1)
        answer = post(served, device.pending)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert device.exchange(http_transport(served.url)) == (Code.LATER, 0)
    assert device.exchange(http_transport(served.url)) == (Code.TAKEN, 0)


def test_a_low_in_a_batch_alarms_at_once(served: Served, device: Device) -> None:
    rung: list[bool] = []
    assert served.gateway.twins is not None
    served.gateway.twins.alarms.heard.append(rung.append)
    now = served.world.clock.at
    for value, alarms in ((54, 0), (33, 1)):
        device.sign([(0, now - 60 + alarms, value)], now)
        assert device.exchange(http_transport(served.url)) == (Code.TAKEN, 0)
        assert len(rung) == alarms


def test_a_device_is_enrolled_and_suspended_by_its_owner_alone(served: Served, device: Device) -> None:
    world, now = served.world, served.world.clock.at
    with closing(HttpGateway(served.url)) as gateway:
        with pytest.raises(AccessDeniedError):
            world.clinician.devices.enrol(world.twin, gateway.address(), bytes(32), CHANNELS)
        with pytest.raises(InputError):
            gateway.enrol_device(b"no word")
        gateway.suspend_device(world.patient.devices.suspend(world.twin, gateway.address(), bytes.fromhex(device.name)))
        device.sign([(0, now, 54)], now)
        assert device.exchange(http_transport(served.url)) == (Code.SUSPENDED, 0)
        found = gateway.devices(world.ledger.deployment, world.patient.context.key, now)
        told = next(each for each in found["devices"] if each["device"] == device.name)
        assert (told["suspended_at"], told["refused"][0]["reason"]) == (now, "SUSPENDED")


def test_the_list_is_given_to_who_signs_for_it(served: Served, device: Device) -> None:
    world, now = served.world, served.world.clock.at
    patient, gateway = world.patient, world.gateway.address

    def ask(reader: str, signer: Any, at: int, to: str = gateway) -> requests.Response:
        digest = messages.devices_request(world.ledger.deployment, reader, to, at)  # type: ignore[arg-type]
        return served.post("/v1/devices/list", encode([reader, at, signer.sign_digest(digest)]), None)

    clinician = world.clinician.context.key
    assert ask(patient.address, clinician, now).status_code == 403
    assert ask(patient.address, patient.context.key, now - 301).status_code == 400
    assert ask(patient.address, patient.context.key, now, patient.address).status_code == 403
    assert served.post("/v1/devices/list", encode(["0x", now, b""]), None).status_code == 400
    assert served.post("/v1/devices/list", encode([patient.address, now, b""]), None).status_code == 403
    good = ask(patient.address, patient.context.key, now)
    assert device.name in {each["device"] for each in good.json()["devices"]}
    assert ask(clinician.address, clinician, now).json()["devices"] == []


def test_the_status_counts_refusals_and_names_nobody(served: Served, device: Device) -> None:
    device.sign([(0, served.world.clock.at, 54)], served.world.clock.at)
    before = served.session.get(f"{served.url}/v1/status", timeout=30).json()
    post(served, forged(device.pending))
    after = served.session.get(f"{served.url}/v1/status", timeout=30).json()
    assert after["refused"]["FORGED"] == before["refused"].get("FORGED", 0) + 1
    assert (after["mqtt"], after["answers_by"]) == ("off", device.gateway_key.hex())
    assert device.name not in json.dumps(after)
    metrics = served.session.get(f"{served.url}/metrics", timeout=30).text
    assert "dtledger_gateway_refused" in metrics
    assert device.name not in metrics


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/readings", "/v1/devices"])
def test_ten_gigabytes_are_refused_before_they_come(served: Served, path: str) -> None:
    """By what the head says; and where it says nothing, as soon as it is too much."""
    parts = urlsplit(served.url)
    chunk = b"100000\r\n" + bytes(2**20) + b"\r\n"
    for size, body in (
        (f"content-length: {10 * 2**30}", [b"1"]),
        ("transfer-encoding: chunked", [*[chunk] * 9, b"0\r\n\r\n"]),  # the test's gateway takes eight
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\n{size}\r\n\r\n".encode())
            for each in body:
                connection.sendall(each)
            assert b" 413 " in connection.recv(65_536)
    assert served.session.get(f"{served.url}/healthz", timeout=30).status_code == 200


many = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/devices", "/v1/devices/suspend", "/v1/devices/list"])
@many
@given(body=st.binary(max_size=300) | cbor_values.map(encode) | cbor_values.map(lambda each: encode(each) + bytes(64)))
def test_no_body_breaks_an_endpoint(served: Served, path: str, body: bytes) -> None:
    before = served.gateway.queue.totals().rows
    answer = served.session.post(served.url + path, data=body, timeout=30)
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text
    assert served.gateway.queue.totals().rows == before
