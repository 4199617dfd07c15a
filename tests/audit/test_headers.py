"""A header is taken for what its hash is of, on chains whose headers are not Ethereum's too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rlp

from dtledger._backend.proof_source import header_bytes
from dtledger.audit.proofs import Header
from dtledger.encoding import keccak
from dtledger.errors import CannotCheckError

AVALANCHE: dict[str, Any] = json.loads((Path(__file__).parent / "avalanche_block.json").read_text())
"""As `eth_getBlockByNumber` of avalanchego 1.14.0 gave it."""
VALIDATORS = [bytes([place]) * 20 for place in range(1, 5)]


def extra(round_number: bytes, seals: list[bytes]) -> bytes:
    """Of QBFT: vanity, validators, no vote, round, seals."""
    encoded: bytes = rlp.encode([bytes(32), VALIDATORS, [], round_number, seals])
    return encoded


def qbft() -> dict[str, Any]:
    """A block as a node of Besu would give it: its hash is of other extra data than it shows."""
    words = {"parentHash": 32, "sha3Uncles": 32, "miner": 20, "stateRoot": 32, "transactionsRoot": 32}
    words |= {"receiptsRoot": 32, "logsBloom": 256}
    block = {name: "0x" + bytes([place]).hex() * size for place, (name, size) in enumerate(words.items(), 1)}
    block |= {"difficulty": "0x1", "number": "0x7", "gasLimit": "0x1c9c380", "gasUsed": "0x0", "timestamp": "0x65"}
    shown = [bytes.fromhex(block[name][2:]) for name in words]
    shown += [bytes.fromhex(each) for each in ("01", "07", "01c9c380", "", "65")]
    block |= {"extraData": "0x" + extra(b"\2", [b"\5" * 65] * 3).hex(), "mixHash": "0x" + "63" * 32}
    block |= {"nonce": "0x" + "00" * 8, "baseFeePerGas": "0x0"}
    hashed = rlp.encode([*shown, extra(b"", []), b"\x63" * 32, bytes(8), b""])
    return block | {"hash": "0x" + keccak(hashed).hex()}


@pytest.mark.parametrize("block", [AVALANCHE, qbft()], ids=["Avalanche", "QBFT"])
def test_what_it_says_is_read_from_what_its_hash_is_of(block: dict[str, Any]) -> None:
    header = Header.read(header_bytes(block))
    assert header.hash.hex() == block["hash"][2:]
    assert header.state_root.hex() == block["stateRoot"][2:]
    assert (header.number, header.at) == (int(block["number"], 16), int(block["timestamp"], 16))


@pytest.mark.parametrize("block", [AVALANCHE, qbft()], ids=["Avalanche", "QBFT"])
@pytest.mark.parametrize("name", ["stateRoot", "receiptsRoot", "parentHash"])
def test_what_is_not_what_its_hash_is_of_proves_nothing(block: dict[str, Any], name: str) -> None:
    with pytest.raises(CannotCheckError, match="form"):
        header_bytes(block | {name: "0x" + "77" * 32})
    header_bytes(block)


def test_who_sealed_a_block_of_qbft_is_no_part_of_its_hash() -> None:
    block = qbft()
    other = block | {"extraData": "0x" + extra(b"\3", [b"\6" * 65]).hex()}
    assert header_bytes(other) == header_bytes(block)
