"""Devices by way of a broker, which is believed in nothing and may be away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dtledger.config import Setting
from dtledger.device.batch import MOST_BYTES, Code
from dtledger.device.sender import Device, mqtt_transport
from dtledger.errors import InputError, KeyFileError
from dtledger.gateway.mqtt import Link
from dtledger.service.settings import ServiceSettings
from tests.device.conftest import Ward, world  # noqa: F401 a fixture
from tests.device.signing import forged
from tests.gateway.conftest import gateway_settings
from tests.gateway.mosquitto import PATIENCE, broker, find

needs_mosquitto = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(find() is None, reason="there is no mosquitto (apt-get install mosquitto)"),
]


def mqtt_settings(**values: Any) -> ServiceSettings:
    settings = gateway_settings()
    given = {name: Setting(each, "test") for name, each in values.items()}
    return replace(settings, values={**settings.values, **given})


def named(url: str) -> Any:
    from dtledger.gateway.mqtt import ENTRIES

    return ENTRIES[0].read(url, Path())


@dataclass
class Wired:
    """A ward behind a broker; `seen` counts messages that reached it."""

    ward: Ward
    url: str
    link: Link
    seen: threading.Semaphore

    def await_seen(self) -> None:
        assert self.seen.acquire(timeout=PATIENCE)

    def publish(self, topic: str, payload: bytes) -> None:
        """As anybody at the broker, until the broker has it."""
        from paho.mqtt import publish

        host, port = "127.0.0.1", int(self.url.split(":")[2].split("/")[0])
        publish.single(topic, payload, qos=1, hostname=host, port=port)


def connected(link: Link, connect: Callable[[], None]) -> None:
    """Begin, and wait until it is subscribed."""
    there, subscribed = threading.Event(), link._subscribed
    link._subscribed = lambda *told: (subscribed(*told), there.set())  # type: ignore[assignment, func-returns-value]
    connect()
    assert there.wait(PATIENCE)
    assert link.state == "connected"


@pytest.fixture
def ward(world: Any, tmp_path: Path) -> Iterator[Ward]:  # noqa: F811
    ward = Ward(world, tmp_path)
    yield ward
    ward.close()


@pytest.fixture
def wired(ward: Ward, tmp_path: Path) -> Iterator[Wired]:
    seen = threading.Semaphore(0)

    def take(message: bytes) -> tuple[Code, bytes, bytes]:
        try:
            return ward.batches.take(message)
        finally:
            seen.release()

    with broker(tmp_path) as port:
        url = f"mqtt://127.0.0.1:{port}/ward"
        link = Link.of(mqtt_settings(mqtt=named(url)), take)
        connected(link, link.start)
        yield Wired(ward, url, link, seen)
        link.stop()


class TestOverABroker:
    pytestmark = needs_mosquitto

    def test_a_batch_is_taken_and_its_answer_heard(self, wired: Wired) -> None:
        device, ward = wired.ward.enrolled(), wired.ward
        transport = mqtt_transport(wired.url)
        for ago in (3000, 600):
            device.sign(ward.rows(2, ago=ago), ward.world.clock.at)
            assert device.exchange(transport) == (Code.TAKEN, 0)
        assert len(ward.readings()) == 4
        assert wired.link.state == "connected"

    def test_what_is_repeated_forged_or_no_batch_is_refused_and_the_link_lives(self, wired: Wired) -> None:
        device, ward = wired.ward.enrolled(), wired.ward
        topic = f"ward/{device.name}/batch"
        message = device.sign(ward.rows(), ward.world.clock.at)
        for payload in (forged(message), b"", b"no batch", bytes(MOST_BYTES), message):
            wired.publish(topic, payload)
            wired.await_seen()
        code, _ = device.exchange(mqtt_transport(wired.url))
        assert code in (Code.TAKEN, Code.HELD)  # it may hear the answer to whoever published its batch before it did
        assert len(ward.readings()) == 3
        assert ward.refused() == {"MALFORMED": 3}
        assert ward.refused(device) == {"FORGED": 1}

    def test_a_message_that_is_too_large_never_comes(self, wired: Wired) -> None:
        """The broker is told how much fits, so that ten gigabytes are its own affair."""
        device, ward = wired.ward.enrolled(), wired.ward
        wired.publish(f"ward/{device.name}/batch", bytes(4 * MOST_BYTES))
        device.sign(ward.rows(), ward.world.clock.at)
        assert device.exchange(mqtt_transport(wired.url)) == (Code.TAKEN, 0)
        wired.await_seen()
        assert not wired.seen.acquire(blocking=False)
        assert ward.refused() == {}

    def test_an_error_inside_ends_neither_thread_nor_link(self, wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
        device, ward = wired.ward.enrolled(), wired.ward
        message = device.sign(ward.rows(), ward.world.clock.at)

        def fail(*_: object) -> Any:
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(ward.batches, "take", fail)
            wired.publish(f"ward/{device.name}/batch", message)
            wired.await_seen()
        assert device.exchange(mqtt_transport(wired.url)) == (Code.TAKEN, 0)

    def test_whoever_answers_in_the_gateway_s_place_is_not_believed(self, wired: Wired) -> None:
        from dtledger.device.batch import Answers, digest_of

        device, ward = wired.ward.enrolled(), wired.ward
        message = device.sign(ward.rows(), ward.world.clock.at)
        wired.link.stop()
        lie = Answers(bytes(32)).sign(digest_of(message), Code.TAKEN)

        def answer(_: bytes) -> tuple[Code, bytes, bytes]:
            return Code.TAKEN, lie, bytes.fromhex(device.name)

        liar = Link.of(mqtt_settings(mqtt=named(wired.url)), answer)
        connected(liar, liar.start)
        with pytest.raises(ValueError, match="not the gateway's"):
            device.exchange(mqtt_transport(wired.url))
        liar.stop()
        assert device.pending == message


@pytest.mark.mosquitto
@pytest.mark.skipif(find() is None, reason="there is no mosquitto (apt-get install mosquitto)")
def test_a_broker_with_passwords_lets_in_who_has_one(ward: Ward, tmp_path: Path) -> None:
    import base64
    import hashlib

    password, salt = tmp_path / "password", b"twelve bytes"
    password.write_text("open sesame")
    password.chmod(0o600)
    digest = base64.b64encode(hashlib.pbkdf2_hmac("sha512", b"open sesame", salt, 101)).decode()
    users = tmp_path / "users"
    users.write_text(f"gateway:$7$101${base64.b64encode(salt).decode()}${digest}\n")
    users.chmod(0o700)
    with broker(tmp_path, "allow_anonymous false", f"password_file {users}") as port:
        url = f"mqtt://127.0.0.1:{port}"
        link = Link.of(
            mqtt_settings(mqtt=named(url), mqtt_user="gateway", mqtt_password_file=str(password)), ward.batches.take
        )
        connected(link, link.start)
        device = ward.enrolled()
        device.sign(ward.rows(), ward.world.clock.at)
        assert device.exchange(mqtt_transport(url, "gateway", "open sesame")) == (Code.TAKEN, 0)
        link.stop()


class TestABroker:
    def test_that_is_away_stops_nothing(self, ward: Ward) -> None:
        link = Link.of(mqtt_settings(mqtt=named("mqtt://127.0.0.1:9")), ward.batches.take)
        link.start()
        assert link.state == "away"
        assert ward.send(ward.enrolled(), ward.rows()) is Code.TAKEN
        link.stop()
        assert link.state == "off"

    @pytest.mark.parametrize(("reason", "state"), [(1, "connected"), (0x87, "refused")])
    def test_that_lets_the_gateway_in_and_not_hear_is_told_from_one_that_lets_it_hear(
        self, ward: Ward, reason: int, state: str
    ) -> None:
        """0x87 is "not authorised" of SUBACK (MQTT 5, 3.9.3): else nothing would come, and nobody would know."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.reasoncodes import ReasonCode

        link = Link.of(mqtt_settings(mqtt=named("mqtt://127.0.0.1:9")), ward.batches.take)
        link._subscribed(None, None, 1, [ReasonCode(PacketTypes.SUBACK, identifier=reason)], None)
        assert link.state == state
        link._disconnected(None, None, None, "gone", None)
        assert link.state == "away"

    def test_that_is_not_named_is_none(self, ward: Ward) -> None:
        link = Link.of(gateway_settings(), ward.batches.take)
        link.start()
        assert link.state == "off"
        link.stop()

    @pytest.mark.parametrize(
        "url",
        ["http://b.example", "mqtt://", "mqtt://u:p@b.example", "mqtt://b.example/a/+", "mqtts://b.example:x", 7],
        ids=str,
    )
    def test_that_cannot_be_one_is_none(self, url: Any) -> None:
        with pytest.raises(ValueError, match="must be"):
            named(url)

    def test_of_a_name_is_at_the_usual_port(self) -> None:
        assert named("mqtts://b.example") == ("b.example", 8883, True, "dtledger")
        assert named("mqtt://127.0.0.1/ward/3/") == ("127.0.0.1", 1883, False, "ward/3")

    def test_beyond_this_machine_wants_tls(self, ward: Ward) -> None:
        far = named("mqtt://b.example")
        with pytest.raises(InputError, match="without TLS"):
            Link.of(mqtt_settings(mqtt=far), ward.batches.take)
        assert Link.of(mqtt_settings(mqtt=far, plain_mqtt=True), ward.batches.take).state == "away"
        assert Link.of(mqtt_settings(mqtt=named("mqtts://b.example")), ward.batches.take).state == "away"

    def test_s_password_is_in_a_file_that_nobody_else_reads(self, ward: Ward, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("open sesame")
        file.chmod(0o644)
        with pytest.raises(KeyFileError, match="Everybody"):
            Link.of(
                mqtt_settings(mqtt=named("mqtts://b.example"), mqtt_user="gateway", mqtt_password_file=str(file)),
                ward.batches.take,
            )


def test_a_device_whose_broker_is_away_keeps_its_batch(ward: Ward) -> None:
    device: Device = ward.enrolled()
    message = device.sign(ward.rows(), ward.world.clock.at)
    with pytest.raises(OSError, match="refused"):
        device.exchange(mqtt_transport("mqtt://127.0.0.1:9"))
    assert device.pending == message
