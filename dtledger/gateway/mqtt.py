"""Batches of devices by way of an MQTT broker: published to TOPIC/DEVICE/batch, answered at TOPIC/DEVICE/answer.

    mqtt = "mqtts://broker.hospital.example:8883/dtledger"
    mqtt_user = "gateway"
    mqtt_password_file = "mqtt.password"

The broker is believed in nothing: batches are signed, and so are answers. It can keep messages back, and it sees what
is in them, so it is run by whoever runs the gateway. It is told (MQTT 5) how large a message may be, so that it gives
none that is larger, and how many may be under way. While it is away the gateway goes on over HTTP, and tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .._backend.loopback import is_loopback
from ..config import Entry
from ..config.kinds import words
from ..device.batch import MOST_BYTES, Code
from ..errors import DtledgerError, InputError
from ..keys import Passwords
from ..service.settings import ServiceSettings, file_setting, flag

if TYPE_CHECKING:
    from paho.mqtt import client as paho

log = logging.getLogger(__name__)

UNDER_WAY = 16
"""Messages that the broker gives before the first of them is answered."""

_FRAME_BYTES = 1_024
"""What a message has beside its payload: its topic, and MQTT's own."""

_RETRY_SECONDS = (1, 60)

Take = Callable[[bytes], tuple[Code, bytes, bytes]]


class Broker(NamedTuple):
    """Where a broker is, whether by TLS, and the first word of its topics."""

    host: str
    port: int
    tls: bool
    topic: str


def _broker(value: Any, _: Path) -> Broker:
    try:
        parts = urlsplit(words(value))
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    topic = parts.path.strip("/") or "dtledger"
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.username or set(topic) & set("+# "):
        raise ValueError('must be a broker without a user, like "mqtts://broker.example:8883/dtledger"')
    tls = parts.scheme == "mqtts"
    return Broker(parts.hostname, port or (8883 if tls else 1883), tls, topic)


ENTRIES: tuple[Entry, ...] = (
    Entry("mqtt", "the broker that devices publish to: mqtts://HOST:PORT/TOPIC", _broker),
    Entry("mqtt_user", "the gateway's name at the broker", lambda value, _: words(value)),
    file_setting("mqtt_password_file", "the file of its password there"),
    file_setting("mqtt_ca", "the certificate that the broker's is signed by (PEM); the system's if none is named"),
    flag("plain_mqtt", "speak to a broker beyond this machine without TLS"),
)
"""What a gateway can be told of its broker."""


class Link:
    """A gateway's connection to its broker; without a broker it does nothing."""

    def __init__(self, client: paho.Client | None, broker: Broker | None, take: Take) -> None:
        self._client = client
        self._broker = broker
        self._take = take
        self.state = "off" if client is None else "away"
        """off, away, connected, or refused: the broker lets it in and not hear."""

    @classmethod
    def of(cls, settings: ServiceSettings, take: Take) -> Link:
        """The connection that the settings name, not begun.

        Raises:
            InputError: a setting cannot be used, or the library is not installed.
            KeyFileError: the password's file cannot be used.
        """
        broker: Broker | None = settings["mqtt"]
        if broker is None:
            return cls(None, None, take)
        if find_spec("paho") is None:
            raise InputError(
                "MQTT is spoken by a library that is not installed.", hint='Run `pip install "dtledger[mqtt]"`.'
            )
        if not (broker.tls or settings["plain_mqtt"] or is_loopback(broker.host)):
            raise InputError(
                f"{settings.source('mqtt')}: the broker is not on this machine, and mqtt:// is without TLS.",
                hint="Write mqtts://, or plain_mqtt = true where nobody can listen in.",
            )
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if settings["mqtt_user"]:
            file = settings["mqtt_password_file"]
            client.username_pw_set(settings["mqtt_user"], Passwords(Path(file)).of("broker") if file else None)
        if broker.tls:
            try:
                client.tls_set(settings["mqtt_ca"])
            except OSError as error:
                raise InputError(f"{settings.source('mqtt_ca')}: mqtt_ca cannot be used: {error.strerror}.") from error
        client.reconnect_delay_set(*_RETRY_SECONDS)
        return cls(client, broker, take)

    def start(self) -> None:
        """Connect, and connect again whenever that ends."""
        if self._client is None or self._broker is None:
            return
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.MaximumPacketSize = MOST_BYTES + _FRAME_BYTES
        limits.ReceiveMaximum = UNDER_WAY
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.connect_async(self._broker.host, self._broker.port, properties=limits)
        self._client.loop_start()

    def stop(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self.state = "off"

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            log.warning("the broker refuses: %s", reason)
            return
        assert self._broker is not None
        client.subscribe(f"{self._broker.topic}/+/batch", 1)

    def _subscribed(self, _client: Any, _data: Any, _number: Any, reasons: Sequence[Any], _more: Any) -> None:
        refused = [each for each in reasons if each.is_failure]
        self.state = "refused" if refused else "connected"
        if refused:
            log.warning("the broker does not let the gateway hear its devices: %s", refused[0])

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if self.state in ("connected", "refused"):
            self.state = "away"
            log.warning("the broker is away: %s", reason)

    def _message(self, client: paho.Client, _data: Any, message: Any) -> None:
        """In the connection's own thread, one after another. Whatever goes wrong, the device sends it again."""
        assert self._broker is not None
        try:
            _, answer, device = self._take(message.payload)
        except DtledgerError as error:
            log.warning("a batch could not be taken: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001 an error would end the thread, and with it the connection
            log.error("a batch failed inside: %s", type(error).__name__)
        else:
            if device:
                client.publish(f"{self._broker.topic}/{device.hex()}/answer", answer, 1)
