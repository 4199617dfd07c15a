"""The fixed vectors of docs/protocol.md, made by the naive implementation. Values are as DAG-JSON has them, and bytes
elsewhere in hex."""

from __future__ import annotations

from typing import Any

from tests.crypto.naive import merkle_root
from tests.crypto.vectors import some_bytes
from tests.protocol import messages, naive
from tests.protocol.naive import DEPLOYMENT, NOTHING, cid, dag_json, sha256

WRITER, OWNER, CUSTODIAN, READER = (
    some_bytes(f"key of the {who}") for who in ("writer", "owner", "custodian", "reader")
)
TWIN, BIT = 7, 13

VALUES: list[tuple[str, Any]] = [
    ("a map's keys: the shorter first, then by their bytes", {"twin": 7, "b": [], "aa": None, "ab": True, "a": False}),
    ("the least bytes for each number", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32, 2**64 - 1, -1, -256, -(2**64)]),
    ("a number that is no whole one has eight bytes", [0.5, -0.0, 1e300]),
    ("text is UTF-8", "übernächste Woche, 明後日"),
    ("bytes, and a link", [b"\0\1", cid(b"hello", "raw"), cid(b"\xa0")]),
    ("a list in a list in a map", {"rows": [[1, [2, [3]]], {}]}),
]

REFUSED: list[tuple[str, str]] = [
    ("a number in more bytes than it needs", "1807"),
    ("keys in another order", "a26261610061620 0".replace(" ", "")),
    ("a key twice", "a2616100616100"),
    ("a key that is no text", "a10000"),
    ("a list without a length", "9f01ff"),
    ("a text without a length", "7f6161ff"),
    ("a number of four bytes after the point", "fa3f000000"),
    ("no number at all", "fb7ff8000000000000"),
    ("without end", "fb7ff0000000000000"),
    ("undefined", "f7"),
    ("a simple value", "f0"),
    ("another tag than a link's", "c000"),
    ("a great number as bytes", "c249010000000000000000"),
    ("a link of no CID", "d82a4100"),
    ("a link without its zero byte", "d82a58240155 1220".replace(" ", "") + sha256(b"hello").hex()),
    ("a link by another hash", "d82a58250001551320" + sha256(b"hello").hex()),
    ("text that is not UTF-8", "61ff"),
    ("something after the value", "0000"),
    ("less than it says", "4200"),
    ("nothing", ""),
]

MANIFEST: dict[str, Any] = {
    "twin": TWIN,
    "stream": naive.stream_label(some_bytes("tag key"), naive.address(WRITER)),
    "sequence": 0,
    "from": 29_892_900,
    "until": 29_892_959,
    "generation": 1,
    "commitment": some_bytes("commitment"),
    "previous": NOTHING,
    "content": some_bytes("ciphertext", 80),
}


def encodings() -> dict[str, Any]:
    return {
        "values": [{"says": says, "value": dag_json(value), "hex": naive.cbor(value).hex()} for says, value in VALUES],
        "refused": [{"says": says, "hex": data} for says, data in REFUSED],
        "cids": [
            {"hex": data.hex(), "codec": codec, "cid": str(cid(data, codec))}
            for data in (b"", b"hello")
            for codec in ("raw", "dag-cbor")
        ],
    }


def bits() -> dict[str, Any]:
    """A permutation (bit n means category 11 n + 5 modulo 32) and its salts; one proof."""
    openings = [((11 * bit + 5) % 32, some_bytes(f"salt {bit}")) for bit in range(32)]
    leaves = [naive.bit_leaf(bit, *opening) for bit, opening in enumerate(openings)]
    path = []
    for height in range(5):
        sibling = (BIT >> height ^ 1) << height
        path.append(naive.bit_node(leaves[sibling : sibling + (1 << height)]))
    return {
        "openings": [[category, salt.hex()] for category, salt in openings],
        "leaves": [each.hex() for each in leaves],
        "root": naive.bit_node(leaves).hex(),
        "proof": {"bit": BIT, "category": openings[BIT][0], "path": [each.hex() for each in path]},
        "label": {
            "tagKey": some_bytes("tag key").hex(),
            "writer": naive.address(WRITER),
            "label": naive.stream_label(some_bytes("tag key"), naive.address(WRITER)).hex(),
        },
    }


def grants() -> list[dict[str, Any]]:
    names = (
        "categories", "purposes", "notBeforeAt", "expiresAt", "dataFrom", "dataUntil", "actions", "revision", "epoch"
    )  # fmt: skip
    rows = [
        (1 << BIT, 1 << 1, 1_793_574_000, 1_796_166_000, 29_892_900, 29_936_100, 1, 1, 0),
        (2**32 - 1, 2**32 - 1, 2**40 - 1, 2**40 - 1, 2**30 - 1, 2**30 - 1, 2**8 - 1, 2**16 - 1, 2**24 - 1),
        (0, 0, 0, 0, 0, 0, 0, 2, 0),
        (1, 2, 3, 4, 5, 6, 7, 8, 9),
    ]
    made = [dict(zip(names, row, strict=True)) for row in rows]
    return [{**fields, "word": naive.grant(fields).hex()} for fields in made]


def snapshots() -> dict[str, Any]:
    """Two snapshots of one stream, the second with its content in a block of its own and correcting the first."""
    writer = naive.address(WRITER)
    first_cid, first = naive.signed_block("Manifest", MANIFEST, WRITER)
    chunk = some_bytes("chunk", 70_000)
    second_body = {
        **MANIFEST,
        "sequence": 1,
        "previous": sha256(first),
        "content": [cid(chunk, "raw")],
        "corrects": sha256(first),
    }
    second_cid, second = naive.signed_block("Manifest", second_body, WRITER)
    share = some_bytes("share")
    header = naive.share_header(MANIFEST, sha256(first), writer, BIT, roster=3, number=1)
    custody_body = {
        "manifest": sha256(first),
        "roster": 3,
        "threshold": 1,
        "shares": [[naive.address(CUSTODIAN), 1, naive.share_hash(header, share), some_bytes("seal", 1500)]],
    }
    custody_cid, custody = naive.signed_block("Custody", custody_body, WRITER)
    leaf = naive.leaf(0, TWIN, writer, MANIFEST["stream"], 0, sha256(first), NOTHING)
    next_leaf = naive.leaf(1, TWIN, writer, MANIFEST["stream"], 1, sha256(second), leaf)
    return {
        "manifests": [
            {
                "body": dag_json(body),
                "context": naive.content_context(body).hex(),
                "signed": naive.statement("Manifest", body).hex(),
                "block": block.hex(),
                "cid": str(name),
            }
            for body, block, name in ((MANIFEST, first, first_cid), (second_body, second, second_cid))
        ],
        "share": {"header": dag_json(header), "share": share.hex(), "hex": naive.cbor([*header, share]).hex()},
        "custody": {"body": dag_json(custody_body), "block": custody.hex(), "cid": str(custody_cid)},
        "leaves": [leaf.hex(), next_leaf.hex()],
        "batch": merkle_root([leaf, next_leaf]).hex(),
        "before": [naive.running_digest([leaf, next_leaf][:count]).hex() for count in range(3)],
    }


def index() -> dict[str, Any]:
    """Row n of a stream: minutes [60 n, 60 n + 59], manifest and custody the dag-cbor CID of n in four bytes, place n
    modulo 7, previous SHA-256 of that, no proof. Label n of an index: SHA-256 of n in four bytes, with one row."""

    def row(number: int) -> list[Any]:
        named = cid(number.to_bytes(4, "big"))
        return [60 * number, 60 * number + 59, named, named, number % 7, sha256(number.to_bytes(4, "big")), []]

    rows = [row(number) for number in range(4097)]
    tops = {count: naive.pages(rows[:count])[0] for count in (1, 64, 65, 4097)}
    roots = {}
    for count in (1, 64, 65, 1200):
        streams = {sha256(number.to_bytes(4, "big")): (1, tops[1]) for number in range(count)}
        roots[count] = str(naive.index(streams, NOTHING)[0])
    (_, page), *_ = naive.pages([row(0)])[1]
    return {
        "page": page.hex(),
        "tops": {str(count): str(top) for count, top in tops.items()},
        "roots": {str(count): root for count, root in roots.items()},
    }


def receipts() -> dict[str, Any]:
    """Three receipts of one custodian, on twins 7, 9 and 7; and the map of the log."""
    heads: dict[int, tuple[int, bytes]] = {}
    rows, last = [], sha256(b"")
    for number, twin in enumerate((7, 9, 7)):
        count, of_twin = heads.get(twin, (0, sha256(b"")))
        digests = [some_bytes(f"digest {number} {place}") for place in range(3)]
        body = [
            naive.address(CUSTODIAN), number, last, twin, count, of_twin, naive.address(READER), naive.address(READER),
            0, 0, 1, merkle_root(digests), len(digests), [[digests[2], 15]] if number else [],
            some_bytes(f"request {number}"), 1_793_574_000 + number, 41 + number, some_bytes(f"block {number}"),
        ]  # fmt: skip
        last = sha256(naive.cbor(body))
        heads[twin] = count + 1, last
        encoded = naive.signed_list("AccessReceipt", body, CUSTODIAN)
        rows.append({"body": dag_json(body), "hash": last.hex(), "hex": encoded.hex()})
    leaves, root = naive.receipt_map(heads)
    return {
        "receipts": rows,
        "leaves": [{"data": dag_json(each), "hash": naive.receipt_leaf(*each).hex()} for each in leaves],
        "root": root.hex(),
    }


def models() -> dict[str, Any]:
    """The records of a model; its leaves and hashes are in consents.json."""
    leaves = cid(naive.cbor({"leaves": [some_bytes("leaf")]}))
    bodies: dict[str, dict[str, Any]] = {
        "ModelCard": {"name": "night-low", "about": "tells of lows to come"},
        "ModelUpdate": {
            "model": 2, "round": 1, "update": some_bytes("update"), "parent": some_bytes("parent"),
            "consents": some_bytes("root"), "leaves": leaves, "cohort": 2, "epsilon": 500,
            "delta": 1e-05, "notes": some_bytes("notes", 64), "research": ["HMB", "NPUNCU"],
        },
        "ModelAggregate": {
            "model": 2, "round": 1, "aggregate": some_bytes("aggregate"),
            "updates": [["0x" + "11" * 20, some_bytes("update")]],
        },
        "ModelRemediation": {"model": 2, "first": 1, "last": 1, "retrained": False, "reason": "in use until May"},
    }  # fmt: skip
    blocks = {kind: naive.signed_block(kind, body, OWNER) for kind, body in bodies.items()}
    pae, signature = naive.dsse("application/vnd.in-toto+json", b'{"_type":"x"}', OWNER)
    return {
        "records": [
            {"kind": kind, "body": dag_json(bodies[kind]), "block": block.hex(), "cid": str(name)}
            for kind, (name, block) in blocks.items()
        ],
        "contribution": {
            "model": 2,
            "round": 1,
            "cohort": 2,
            "epsilon": 500,
            "word": "".join(format(each, "08x") for each in (2, 1, 2, 500)),
        },
        "dsse": {"pae": pae.hex(), "signer": naive.address(OWNER), "signature": signature.hex()},
    }


def protocol() -> dict[str, Any]:
    keys = {"writer": WRITER, "owner": OWNER, "custodian": CUSTODIAN, "reader": READER}
    return {
        "deployment": {
            "chainId": naive.CHAIN_ID,
            "genesis": naive.GENESIS.hex(),
            "contracts": naive.CONTRACTS,
            "id": DEPLOYMENT,
        },
        "keys": {who: {"private": key.hex(), "address": naive.address(key)} for who, key in keys.items()},
        "encodings": encodings(),
        "bits": bits(),
        "grants": grants(),
        "snapshots": snapshots(),
        "index": index(),
        "receipts": receipts(),
        "models": models(),
        "requests": messages.requests(OWNER, READER, CUSTODIAN),
        "statements": messages.statements(OWNER, READER, CUSTODIAN),
        "names": {
            "body": dag_json(messages.NAMES),
            "digest": naive.statement("MemberName", messages.NAMES).hex(),
        },
    }


FILES = {"protocol.json": protocol}
