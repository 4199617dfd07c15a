"""The signed requests to custodians and what they sign, made by the naive implementation."""

from __future__ import annotations

from typing import Any

from tests.crypto.naive import keccak256
from tests.crypto.vectors import some_bytes
from tests.protocol import naive
from tests.protocol.naive import DEPLOYMENT, cid, dag_json

AT = 1_793_574_000
TWIN = 7
DIGESTS = [some_bytes("digest 1"), some_bytes("digest 2")]

READ = (
    "ReadRequest(uint256 twin,address grantee,uint8 number,uint8 action,uint8 purpose,"
    "bytes32[] digests,bytes key,bytes32 nonce,uint40 at)"
)
OWNERS = "(uint256 twin,address owner,address custodian,uint40 at)"
LETTERS = "LettersRequest(address reader,address custodian,uint40 at)"
PROBE = "Probe(address owner,uint256 twin,address grantee,uint8 number,address custodian,uint40 at)"
BLOCKS = "BlocksRequest(address sender,string verb,bytes32 blocks,uint40 at)"

NAMES = {
    "kind": "member-names",
    "name": "Dr Ada",
    "organisation_name": "",
    "address": naive.address(some_bytes("key of the reader")),
    "organisation": "0x" + "00" * 20,
    "version": 0,
}


def requests(owner: bytes, reader: bytes, custodian: bytes) -> list[dict[str, Any]]:
    """Each request: its type, what is signed, and the body that is posted. A read request has its hash too."""
    holder, asker, keeper = (naive.address(key) for key in (owner, reader, custodian))
    key, nonce = some_bytes("one-use key", 1216), some_bytes("nonce")
    signed = naive.typed("ConsentRegistry", READ, TWIN, asker, 0, 0, 1, DIGESTS, key, nonce, AT)
    signature = naive.sign(reader, signed)
    shares = [[digest, some_bytes("seal", 40), some_bytes("hash")] for digest in DIGESTS]
    body = [TWIN, asker, 0, 0, 1, DIGESTS, key, nonce, AT, signature, shares]
    rows = [
        {
            "type": READ,
            "digest": signed.hex(),
            "hex": naive.cbor(body).hex(),
            "hash": keccak256(signed + signature).hex(),
        }
    ]

    def row(kind: str, private: bytes, values: list[Any], cells: list[Any]) -> None:
        digest = naive.typed("ConsentRegistry", kind, *values)
        rows.append(
            {"type": kind, "digest": digest.hex(), "hex": naive.cbor([*cells, naive.sign(private, digest)]).hex()}
        )

    for name in ("KeyRequest", "ReceiptsRequest", "DestroyOrder"):
        row(name + OWNERS, owner, [TWIN, holder, keeper, AT], [TWIN, holder, AT])
    row(LETTERS, reader, [asker, keeper, AT], [asker, AT])
    row(PROBE, owner, [holder, TWIN, asker, 0, keeper, AT], [holder, TWIN, asker, 0, AT])
    named = keccak256(b"".join(bytes(cid(data, "raw")) for data in (b"one", b"two")))
    digest = naive.typed("ConsentRegistry", BLOCKS, holder, "put", named, AT)
    told = [["raw", b"one"], ["raw", b"two"]]
    posted = naive.cbor([holder, AT, naive.sign(owner, digest), told])
    return [*rows, {"type": BLOCKS, "digest": digest.hex(), "hex": posted.hex()}]


def statements(owner: bytes, reader: bytes, custodian: bytes) -> list[dict[str, Any]]:
    """What is signed over a body's SHA-256, of each kind that is no block of the store's."""
    holder, asker, keeper = (naive.address(key) for key in (owner, reader, custodian))
    key = some_bytes("a key", 1216)
    seals = [some_bytes("for the owner", 5232), some_bytes("for the member", 5232)]
    bodies: list[tuple[str, bytes, list[Any]]] = [
        ("CustodianKey", custodian, [TWIN, holder, key]),
        ("CustodianIdentity", custodian, [keeper, DEPLOYMENT, 41, some_bytes("block"), AT, some_bytes("nonce")]),
        ("ProbeReply", custodian, [keeper, holder, TWIN, asker, 0, 9, AT, 41, some_bytes("block")]),
        ("Destruction", custodian, [keeper, TWIN, holder, [naive.sha256(key)], some_bytes("order"), AT, 41]),
        ("RetireOrder", owner, [TWIN, holder, keeper, [naive.sha256(key)], naive.sha256(b"a roster"), AT]),
        ("ConsentRequest", reader, ["ConsentRequest", TWIN, holder, asker, naive.NOTHING, AT, *seals]),
        ("ConsentAnswer", owner, ["ConsentAnswer", TWIN, holder, asker, some_bytes("asked"), AT, *seals]),
        ("Recipient", reader, [TWIN, asker, key]),
        ("Handover", owner, [TWIN, holder, asker, some_bytes("sealed", 99)]),
        ("GuardianShare", reader, [TWIN, some_bytes("package"), asker, holder, 1, some_bytes("sealed", 99)]),
    ]
    return [
        {
            "kind": kind,
            "body": dag_json(body),
            "digest": naive.statement(kind, body).hex(),
            "signature": naive.sign(private, naive.statement(kind, body)).hex(),
        }
        for kind, private, body in bodies
    ]
