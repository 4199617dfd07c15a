"""Batches as an attacker or another implementation makes them: any body, signed by any key."""

from __future__ import annotations

from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtledger.device.sender import SIGNED, Device


def body_of(device: Device, at: int, runs: list[Any], /, **other: Any) -> list[Any]:
    """The fields of the device's next batch, with others in place of some."""
    fields = {
        "version": 1,
        "device": device.enrolment[:16],
        "twin": device.twin,
        "number": device.number + 1,
        "previous": device.head,
        "at": at,
        "runs": runs,
    }
    return list({**fields, **other}.values())


def signed(seed: bytes, body: Any) -> bytes:
    data = body if isinstance(body, bytes) else cbor2.dumps(body)
    return data + Ed25519PrivateKey.from_private_bytes(seed).sign(SIGNED + data)


def forged(message: bytes) -> bytes:
    """The message with another signature."""
    return message[:-1] + bytes([message[-1] ^ 1])


def next_of(device: Device, at: int, runs: list[Any], /, **other: Any) -> bytes:
    """The device's next batch, signed by it, with other fields in place of some."""
    return signed(device._seed, body_of(device, at, runs, **other))
