"""What the protocol costs a device, in bytes and operations: `python -m dtledger.device.cost` prints the table that
docs/devices.md shows, and how long this machine takes for one of each operation.

Readings are of one channel at equal steps of five minutes, with values of two or three digits, as a glucose sensor has
them; number and twin are below 256. TLS, TCP and MQTT's own framing are not counted: they are the network's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .batch import Answers, Code, digest_of
from .sender import SIGNED, Device

_NOW = 1_800_000_000
_GATEWAY = Answers(bytes(32))


class Cost(NamedTuple):
    """Of one batch: bytes sent and heard, bytes that SHA-256 and SHA-512 go through (Ed25519 hashes a message twice),
    and bytes that the state takes at most, which is written twice."""

    readings: int
    sent: int
    heard: int
    sha256: int
    sha512: int
    state: int


def cost(readings: int) -> Cost:
    """What one batch of so many readings costs: one signature, one verification, and these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        device = _device(Path(folder))
        message = device.sign([(0, _NOW - 300 * each, 40 + each % 100) for each in range(readings)], _NOW)
        answer = _GATEWAY.sign(digest_of(message), Code.TAKEN)
        state = (Path(folder) / "state").stat().st_size
        device.close()
    body = len(message) - 64
    signing = 2 * (len(SIGNED) + body) + 32 + 64  # RFC 8032, 5.1.6: the prefix, then R and the key, before the message
    return Cost(readings, len(message), len(answer), body, signing, state)


def table() -> list[str]:
    """The costs as rows of Markdown."""
    rows = [cost(each) for each in (1, 12, 48, 288)]
    lines = [
        "| readings | bytes sent | a reading | bytes heard | SHA-256 over | SHA-512 over | state |",
        "|--:" * 7 + "|",
    ]
    return lines + [
        f"| {each.readings} | {each.sent:,} | {each.sent / each.readings:.1f} | {each.heard} | {each.sha256:,} | "
        f"{each.sha512:,} | {each.state:,} |"
        for each in rows
    ]


def _device(folder: Path) -> Device:
    path = folder / "state"
    Device.make(path, bytes(32), _GATEWAY.public, bytes(32), 7, 0, [["glucose", "mmol/L", 1, ""]])
    return Device(path)


def _seconds(work: Callable[[], object], times: int = 200) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def main() -> None:
    """Print the table and the times."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, body = Ed25519PrivateKey.from_private_bytes(bytes(32)), bytes(cost(12).sent - 64)
    signature = key.sign(body)
    signing = _seconds(lambda: key.sign(body))
    verifying = _seconds(lambda: key.public_key().verify(signature, body))
    sys.stdout.write("\n".join(table()) + "\n")
    sys.stdout.write(f"on this machine: a signature {signing * 1e6:.0f} µs, a verification {verifying * 1e6:.0f} µs\n")


if __name__ == "__main__":
    main()
