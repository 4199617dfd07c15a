"""A second implementation of what dtledger writes and signs, from docs/protocol.md alone; it shares with the library
only the vectors in `tests/vectors`.

CBOR and CIDs are written by hand and compared with other libraries', typed messages are eth-account's, signatures come
from eth-keys' plain Python, and keys, trees and seals from `tests.crypto.naive`.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_account.messages import encode_typed_data
from eth_keys.backends import NativeECCBackend
from eth_keys.datatypes import PrivateKey

from tests.crypto.naive import keccak256, mac, merkle_root

NOTHING = bytes(32)
FAN_OUT = 64

CHAIN_ID = 31337
GENESIS = hashlib.sha256(b"a genesis block").digest()
CONTRACTS = {
    name: "0x" + hashlib.sha256(name.encode()).hexdigest()[:40]
    for name in ("ConsentRegistry", "MemberRegistry", "SnapshotLedger", "TwinRegistry")
}
DEPLOYMENT = f"{CHAIN_ID}-{GENESIS.hex()[:16]}-{CONTRACTS['ConsentRegistry'][2:10]}"

_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
    {"name": "salt", "type": "bytes32"},
]


# Encodings


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class CID(bytes):
    """The 36 bytes of a CID; its text is base32."""

    def __str__(self) -> str:
        return "b" + base64.b32encode(self).decode().rstrip("=").lower()


def cid(data: bytes, codec: str = "dag-cbor") -> CID:
    return CID({"raw": b"\x01\x55\x12\x20", "dag-cbor": b"\x01\x71\x12\x20"}[codec] + sha256(data))


def head(kind: int, number: int) -> bytes:
    """A kind of CBOR and a length or number, in the fewest bytes."""
    if number < 24:
        return bytes([kind << 5 | number])
    width = next(width for width in range(4) if number < 256**2**width)
    return bytes([kind << 5 | 24 + width]) + number.to_bytes(2**width, "big")


def cbor(value: Any) -> bytes:
    match value:
        case None | False | True:
            return bytes([{False: 0xF4, True: 0xF5, None: 0xF6}[value]])
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case CID():
            return head(6, 42) + cbor(b"\0" + bytes(value))
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list() | tuple():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            rows = sorted(value.items(), key=lambda row: (len(row[0].encode()), row[0].encode()))
            return head(5, len(rows)) + b"".join(cbor(name) + cbor(each) for name, each in rows)
    raise TypeError(value)


def block(value: Any) -> Block:
    data = cbor(value)
    return cid(data), data


Block = tuple[CID, bytes]


def dag_json(value: Any) -> Any:
    """A value as DAG-JSON has it, for a JSON file."""
    match value:
        case CID():
            return {"/": str(value)}
        case bytes():
            return {"/": {"bytes": base64.b64encode(value).decode().rstrip("=")}}
        case list() | tuple():
            return [dag_json(each) for each in value]
        case dict():
            return {name: dag_json(each) for name, each in value.items()}
    return value


# Signatures


def address(private: bytes) -> str:
    return str(PrivateKey(private, backend=NativeECCBackend).public_key.to_checksum_address())


def sign(private: bytes, digest: bytes) -> bytes:
    signature = PrivateKey(private, backend=NativeECCBackend).sign_msg_hash(digest)
    return signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([27 + signature.v])


def typed(contract: str, type_string: str, *values: Any) -> bytes:
    """The digest that is signed for a message of one flat type, written as EIP-712 writes it."""
    name, _, rest = type_string.partition("(")
    fields = [field.split() for field in rest.rstrip(")").split(",")]
    message = encode_typed_data(
        full_message={
            "types": {"EIP712Domain": _DOMAIN, name: [{"name": label, "type": kind} for kind, label in fields]},
            "primaryType": name,
            "domain": {
                "name": "dtledger",
                "version": "1",
                "chainId": CHAIN_ID,
                "verifyingContract": CONTRACTS[contract],
                "salt": GENESIS,
            },
            "message": {label: value for (_, label), value in zip(fields, values, strict=True)},
        }
    )
    return keccak256(b"\x19\x01" + message.header + message.body)


def statement(kind: str, body: Any) -> bytes:
    """The digest that is signed for a body of that kind."""
    return typed("SnapshotLedger", f"{kind}(bytes32 body)", sha256(cbor(body)))


def signed_block(kind: str, body: dict[str, Any], private: bytes) -> Block:
    return block({"body": body, "signature": sign(private, statement(kind, body))})


def signed_list(kind: str, body: list[Any], private: bytes) -> bytes:
    return cbor([body, sign(private, statement(kind, body))])


def dsse(payload_type: str, payload: bytes, private: bytes) -> tuple[bytes, bytes]:
    """The pre-authentication encoding, and its signature by EIP-191."""
    pae = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
    return pae, sign(private, keccak256(b"\x19Ethereum Signed Message:\n%d" % len(pae) + pae))


# Consent


def grant(fields: Mapping[str, int]) -> bytes:
    widths = (32, 32, 40, 40, 32, 32, 8, 16, 24)
    bits = "".join(format(value, f"0{width}b") for value, width in zip(fields.values(), widths, strict=True))
    return int(bits, 2).to_bytes(32, "big")


def bit_leaf(bit: int, category: int, salt: bytes) -> bytes:
    return keccak256(keccak256(bit.to_bytes(32, "big") + category.to_bytes(32, "big") + salt))


def bit_node(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves in their places, two by two."""
    if len(leaves) == 1:
        return leaves[0]
    return keccak256(bit_node(leaves[: len(leaves) // 2]) + bit_node(leaves[len(leaves) // 2 :]))


def stream_label(tag_key: bytes, writer: str) -> bytes:
    return mac(tag_key, bytes.fromhex(writer[2:]))


# Snapshots


def content_context(manifest: Mapping[str, Any]) -> bytes:
    fields = ("twin", "stream", "sequence", "from", "until", "generation")
    return cbor(["dtledger/content/1", DEPLOYMENT, *(manifest[name] for name in fields)])


def share_header(
    manifest: Mapping[str, Any], digest: bytes, writer: str, bit: int, roster: int, number: int
) -> list[Any]:
    period = manifest["from"], manifest["until"]
    return [
        "SNAPSHOT", DEPLOYMENT, manifest["twin"], writer, bit, *period, digest, manifest["generation"], roster, number
    ]  # fmt: skip


def share_hash(header: Sequence[Any], share: bytes) -> bytes:
    return sha256(b"dtledger/share-hash/1" + cbor([*header, share]))


def leaf(place: int, twin: int, writer: str, stream: bytes, sequence: int, manifest: bytes, previous: bytes) -> bytes:
    kinds = ["uint32", "uint256", "address", "bytes32", "uint64", "bytes32", "bytes32"]
    return keccak256(keccak256(abi_encode(kinds, [place, twin, writer, stream, sequence, manifest, previous])))


def running_digest(roots: Sequence[bytes]) -> bytes:
    found = NOTHING
    for root in roots:
        found = sha256(found + root)
    return found


def pages(rows: Sequence[list[Any]]) -> tuple[CID, list[Block]]:
    """The top page of a stream, and all pages: full ones from the left, the rest in the last."""
    made: list[Block] = []

    def put(value: Any) -> CID:
        made.append(block(value))
        return made[-1][0]

    level = [
        [put({"rows": some}), min(row[0] for row in some), max(row[1] for row in some)]
        for some in (list(rows[place : place + FAN_OUT]) for place in range(0, len(rows), FAN_OUT))
    ]
    while len(level) > 1:
        level = [
            [put({"children": some}), min(each[1] for each in some), max(each[2] for each in some)]
            for some in (level[place : place + FAN_OUT] for place in range(0, len(level), FAN_OUT))
        ]
    return level[0][0], made


def index(streams: Mapping[bytes, tuple[int, CID]], before: bytes) -> tuple[CID, list[Block]]:
    """The root of an index, and all its blocks but pages."""
    made: list[Block] = []

    def node(labels: Sequence[bytes], depth: int) -> dict[str, Any]:
        if len(labels) <= FAN_OUT:
            return {"streams": [[label, *streams[label]] for label in labels]}
        shares = [[label for label in labels if label.hex()[depth] == digit] for digit in "0123456789abcdef"]
        return {"children": [put(node(share, depth + 1)) if share else None for share in shares]}

    def put(value: dict[str, Any]) -> CID:
        made.append(block(value))
        return made[-1][0]

    root = put({"before": before} | node(sorted(streams), 0))
    return root, made


# Receipts


def receipt_leaf(twin: int, following: int, count: int, last: bytes) -> bytes:
    return keccak256(keccak256(cbor([twin, following, count, last])))


def receipt_map(heads: Mapping[int, tuple[int, bytes]]) -> tuple[list[list[Any]], bytes]:
    """The leaves' data, and the root over them."""
    twins = [0, *sorted(heads)]
    told = {0: (0, sha256(b"")), **heads}
    rows = [[twin, after, *told[twin]] for twin, after in zip(twins, [*twins[1:], 0], strict=True)]
    return rows, merkle_root([receipt_leaf(*row) for row in rows])
