"""What may go wrong in a network, done on purpose to one part of it, and what mends it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from dtledger._backend.kubo_node import LocalKubo
from dtledger.encoding import CID
from dtledger.errors import InputError

from . import processes
from .network import Network

__all__ = ["VERBS", "block_file", "lose", "spoil", "start"]


def start(network: Network, name: str) -> None:
    """Start again what is down, and wait until it answers.

    Raises:
        UnreachableError: it does not start.
    """
    kind, _, number = name.partition("-")
    place = int(number) - 1
    match kind:
        case "validator":
            validators = network.devnet.validators
            validators.all[place].launch(validators.answering())
            validators.all[place].wait()
        case "kubo":
            network.kubos[place].start()
        case "custodian":
            network.start_custodian(place)
        case _:
            network.start_gateway(place)


def lose(kubo: LocalKubo, cid: CID) -> bytes:
    """Take a block out of a kubo's disk behind its back; what it was."""
    file = block_file(kubo, cid)
    block = file.read_bytes()
    file.unlink()
    return block


def spoil(kubo: LocalKubo, cid: CID) -> None:
    """Turn the first bit of a block on a kubo's disk: it is served as if it were whole."""
    file = block_file(kubo, cid)
    block = bytearray(file.read_bytes())
    block[0] ^= 1
    file.write_bytes(block)


def block_file(kubo: LocalKubo, cid: CID) -> Path:
    """Where a kubo keeps a block (go-ds-flatfs, `next-to-last/2`).

    Raises:
        InputError: it does not have it.
    """
    key = base64.b32encode(bytes(cid)[2:]).decode().rstrip("=")
    file = kubo.repository / "blocks" / key[-3:-1] / f"{key}.data"
    if not file.exists():
        raise InputError(f"{kubo.folder.name} has no block {cid}.", hint="Another kubo of the network may.")
    return file


VERBS: dict[str, Callable[[Path], None]] = {
    "kill": processes.kill,
    "stop": processes.pause,
    "resume": processes.resume,
}
"""What is done to a process by a signal."""
