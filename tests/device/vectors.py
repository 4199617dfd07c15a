"""The fixed conversation of docs/devices.md, made by the reference sender and the gateway's side."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dtledger.device.batch import Answers, Code, read_batch
from dtledger.device.enrolment import Channel, Enrolment
from dtledger.device.sender import Device
from dtledger.encoding import encode
from dtledger.types import Address


def conversation() -> dict[str, Any]:
    """Two batches of one device, and their answers; `enrolment` is the body that its owner signs."""
    with tempfile.TemporaryDirectory() as folder:
        return _conversation(Path(folder))


def _conversation(folder: Path) -> dict[str, Any]:
    seed, answers = bytes(range(32)), Answers(bytes(range(32, 64)))
    owner = Address("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")
    gateway = Address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
    channels = (Channel("glucose", "mmol/L", 1), Channel("glucose", "mg/dL", 0, "fingerstick"))
    public = Device.public_of(seed)
    said = Enrolment(7, owner, gateway, public, channels, 1_800_000_000, 1_800_000_000)
    path = folder / "device.state"
    fields = [[each.category, each.unit, each.decimals, each.quality] for each in channels]
    Device.make(path, seed, answers.public, said.digest, 7, said.since, fields)
    device = Device(path)
    rows: list[list[Any]] = [
        [(0, 1_800_000_300, 54), (0, 1_800_000_600, 55), (0, 1_800_000_900, 22, 1), (1, 1_800_000_660, 99)],
        [(0, 1_800_001_300, 61)],
    ]
    exchanged = []
    for number, readings in enumerate(rows):
        message = device.sign(readings, 1_800_001_000 + 400 * number)
        answer = answers.sign(read_batch(message).digest, Code.TAKEN)
        device.hear(answer)
        exchanged.append({"readings": readings, "message": message.hex(), "answer": answer.hex()})
    device.close()
    return {
        "device_seed": seed.hex(),
        "device_key": public.hex(),
        "gateway_seed": bytes(range(32, 64)).hex(),
        "gateway_key": answers.public.hex(),
        "enrolment": encode(said.body()).hex(),
        "enrolment_digest": said.digest.hex(),
        "device": said.device.hex(),
        "batches": exchanged,
    }


FILES = {"device.json": conversation}
