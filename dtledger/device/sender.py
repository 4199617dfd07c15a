"""A device that signs: the reference sender, to be ported to a microcontroller. It needs no other file of dtledger.

A port needs SHA-256, Ed25519, whole numbers, bytes and arrays of CBOR (RFC 8949, the shortest form), a clock, and a
place for its state that is written whole or not at all. The state holds the batch that is not acknowledged yet, and is
written before that is sent: after a crash or a lost answer the very same bytes are sent again, and the gateway knows
them. One batch is under way at a time.

    device = Device(Path("device.state"))
    device.sign([(0, 1_800_000_000, 54), (0, 1_800_000_300, 55)])    # channel, unix seconds, whole number
    print(device.exchange(http("https://gateway.example:8701")))

Run by itself it sends lines of channel, unix seconds and whole number:  python sender.py device.state URL <lines
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import queue
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNED, ANSWERED = b"dtledger/batch/1\0", b"dtledger/answer/1\0"
TAKEN, HELD, LATER, NEVER = 0, 1, 2, 32
"""Codes of answers: it is on the gateway's disk; it was before; try again; and from there on, never this batch."""

NAME_BYTES, SIGNATURE_BYTES = 16, 64
MOST_ANSWER = 1_024
SECONDS = 30.0
"""How long an answer is waited for."""

Measurement = tuple[int, int, int] | tuple[int, int, int, int]
"""Channel, unix seconds, whole number; and perhaps 1 if the true value is below what the sensor shows, 2 if above."""

Transport = Callable[[bytes, str], bytes]
"""Carries a message of the device of that name (hex), and gives the answer; raises OSError if there is none."""


class Device:
    """A device with its state in the file at `path`, which one process has at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = open(path.with_name(f".{path.name}.lock"), "wb")  # noqa: SIM115 held as long as the device is
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(path.read_bytes())
        except BaseException:
            self._lock.close()
            raise

    def _read(self, data: bytes) -> None:
        version, *fixed, number, head, at, last, pending = cbor2.loads(data)
        if version != 1:
            raise ValueError("that is no state of a device")
        self._seed: bytes
        self.pending: bytes
        self._seed, self.gateway_key, self.enrolment, self.twin, self.since, self.channels = fixed
        self.number, self.head, self.at, self.last, self.pending = number, head, at, last, pending

    @classmethod
    def make(
        cls, path: Path, seed: bytes, gateway_key: bytes, enrolment: bytes, twin: int, since: int, channels: list[Any]
    ) -> None:
        """Begin a chain: `seed` is the private key, `enrolment` the SHA-256 that the chain begins with."""
        fresh = [0, enrolment, 0, [0] * len(channels), b""]
        write(path, cbor2.dumps([1, seed, gateway_key, enrolment, twin, since, channels, *fresh]))

    @staticmethod
    def public_of(seed: bytes) -> bytes:
        """The public key of a private one."""
        return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()

    @classmethod
    def seed_in(cls, path: Path) -> bytes:
        """The private key in a device's file."""
        device = cls(path)
        device.close()
        return device._seed

    def close(self) -> None:
        self._lock.close()

    @property
    def name(self) -> str:
        return bytes(self.enrolment[:NAME_BYTES]).hex()

    def sign(self, readings: Iterable[Measurement], at: int | None = None) -> bytes:
        """Make the next batch, and keep it until it is acknowledged. `at` is the device's time, by default the clock's.

        Raises:
            ValueError: one is not acknowledged yet.
        """
        if self.pending:
            raise ValueError("a batch is not acknowledged yet")
        rows = sorted(readings, key=lambda row: row[:2])
        at = max([int(time.time()) if at is None else at, self.at, *(row[1] for row in rows)])
        body = cbor2.dumps([1, self.enrolment[:NAME_BYTES], self.twin, self.number + 1, self.head, at, runs(rows, at)])
        self.pending = body + Ed25519PrivateKey.from_private_bytes(self._seed).sign(SIGNED + body)
        self._save()
        return self.pending

    def hear(self, answer: bytes) -> tuple[int, int]:
        """What the gateway answered to the batch under way: a code, and how many readings it set aside.

        Raises:
            ValueError: it is not the gateway's answer to that batch.
        """
        said, batch = answer[:-SIGNATURE_BYTES], self.pending[:-SIGNATURE_BYTES]
        try:
            key = Ed25519PublicKey.from_public_bytes(self.gateway_key)
            key.verify(answer[-SIGNATURE_BYTES:], ANSWERED + said)
        except InvalidSignature:
            raise ValueError("the answer is not the gateway's") from None
        version, digest, code, aside = cbor2.loads(said)
        if version != 1 or digest != hashlib.sha256(batch).digest():
            raise ValueError("the answer is to another batch")
        if code in (TAKEN, HELD):
            _, _, _, self.number, _, self.at, sent = cbor2.loads(batch)
            for channel, back, step, values in sent:
                self.last[channel] = max(self.last[channel], self.at - back + step * (len(values) - 1))
            self.head = digest
        if code in (TAKEN, HELD) or code >= NEVER:
            self.pending = b""
            self._save()
        return code, aside

    def exchange(self, transport: Transport) -> tuple[int, int]:
        """Send the batch under way; what was answered. Raises OSError (no answer) and as `hear`."""
        return self.hear(transport(self.pending, self.name))

    def _save(self) -> None:
        chain = [self.number, self.head, self.at, self.last, self.pending]
        kept = [1, self._seed, self.gateway_key, self.enrolment, self.twin, self.since, self.channels, *chain]
        write(self._path, cbor2.dumps(kept))


def runs(rows: Sequence[Measurement], at: int) -> list[Any]:
    """Readings, by channel and time, as runs of equal steps."""
    made: list[Any] = []
    for channel, seconds, number, *mark in rows:
        value = [number, *mark] if mark and mark[0] else number
        run = made[-1] if made and made[-1][0] == channel else None
        step = 0 if run is None else seconds - (at - run[1] + run[2] * (len(run[3]) - 1))
        if run is not None and step > 0 and (step == run[2] or len(run[3]) == 1):
            run[2] = step
            run[3].append(value)
        else:
            made.append([channel, at - seconds, 0, [value]])
    return made


def write(path: Path, data: bytes) -> None:
    """Replace a file: after a crash it holds what it held, or `data`."""
    fresh = path.with_name(f".{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def http_transport(url: str) -> Transport:
    """By HTTP: one POST, whose answer's body is the gateway's answer if it is CBOR."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def send(message: bytes, _: str) -> bytes:
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            path = f"{parts.path.rstrip('/')}/v1/batches"
            connection.request("POST", path, message, {"content-type": "application/cbor"})
            answer = connection.getresponse()
            if answer.getheader("content-type") != "application/cbor":
                raise ConnectionError(f"the gateway answered with HTTP status {answer.status}")
            return answer.read(MOST_ANSWER)
        except http.client.HTTPException as error:
            raise ConnectionError(f"no answer that is one ({type(error).__name__})") from error
        finally:
            connection.close()

    return send


def mqtt_transport(url: str, user: str | None = None, password: str | None = None) -> Transport:
    """By MQTT 3.1.1: published to TOPIC/DEVICE/batch, answered at TOPIC/DEVICE/answer (mqtts://broker:8883/TOPIC)."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    parts = urlsplit(url)
    topic = parts.path.strip("/") or "dtledger"

    def send(message: bytes, name: str) -> bytes:
        answers: queue.Queue[bytes] = queue.Queue()
        link: Any = Client(CallbackAPIVersion.VERSION2)
        link.username_pw_set(user, password)
        if parts.scheme == "mqtts":
            link.tls_set()
        link.on_connect = lambda *_: link.subscribe(f"{topic}/{name}/answer", 1)
        link.on_subscribe = lambda *_: link.publish(f"{topic}/{name}/batch", message, 1)
        link.on_message = lambda *said: answers.put(said[2].payload)
        link.connect(parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        link.loop_start()
        try:
            digest, until = hashlib.sha256(message[:-SIGNATURE_BYTES]).digest(), time.monotonic() + SECONDS
            while digest not in (answer := answers.get(timeout=max(0.0, until - time.monotonic()))):
                pass  # one to the batch before may come late
            return answer
        except queue.Empty:
            raise TimeoutError("the gateway does not answer") from None
        finally:
            link.disconnect()
            link.loop_stop()

    return send


def transport_to(url: str, user: str | None = None, password: str | None = None) -> Transport:
    """The transport of a URL."""
    return mqtt_transport(url, user, password) if url.startswith("mqtt") else http_transport(url)


def main(state: str, url: str) -> None:
    """Send what is under way, then the lines of stdin as one batch."""
    device, transport = Device(Path(state)), transport_to(url)
    if device.pending:
        device.exchange(transport)
    device.sign([(int(channel), int(at), int(number)) for channel, at, number in map(str.split, sys.stdin)])
    code, aside = device.exchange(transport)
    sys.stdout.write(f"code {code}, {aside} set aside\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
