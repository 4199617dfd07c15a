"""What the library writes and signs is what docs/protocol.md says: the vectors, which the naive implementation made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dag_cbor
import multiformats
import pytest

from dtledger.client.members import card_check
from dtledger.contacts.cards import names_digest
from dtledger.crypto import merkle
from dtledger.crypto.bits import BitMap, BitProof, verify
from dtledger.crypto.tags import stream_label
from dtledger.custody import ShareHeader
from dtledger.encoding import CID, block_cid, decode, encode, sha256
from dtledger.errors import IntegrityError
from dtledger.ledger import messages
from dtledger.policy import Grant
from dtledger.snapshots import index
from dtledger.snapshots.custody_block import CustodyBlock
from dtledger.snapshots.index import Row, Stream
from dtledger.snapshots.leaf import Leaf
from dtledger.snapshots.manifest import Manifest
from dtledger.testing import MemoryStore
from dtledger.types import ZERO_DIGEST, Period
from tests.protocol import naive
from tests.protocol.reading import DEPLOYMENT, KEYS, PROTOCOL, of, plain
from tests.protocol.vectors import VALUES

WRITER, READER = KEYS["writer"], KEYS["reader"]
SNAPSHOTS, BITS = PROTOCOL["snapshots"], PROTOCOL["bits"]


def foreign(value: Any) -> Any:
    """With links as `multiformats` has them."""
    match value:
        case naive.CID():
            return multiformats.CID.decode(str(value))
        case list():
            return [foreign(each) for each in value]
        case dict():
            return {name: foreign(each) for name, each in value.items()}
    return value


class TestEncodings:
    @pytest.mark.parametrize(("says", "value"), VALUES, ids=[says for says, _ in VALUES])
    def test_the_naive_implementation_writes_what_other_libraries_write(self, says: str, value: Any) -> None:
        assert dag_cbor.encode(foreign(value)).hex() == naive.cbor(value).hex(), says

    @pytest.mark.parametrize("row", PROTOCOL["encodings"]["values"], ids=lambda row: row["says"])
    def test_a_value_has_one_form(self, row: dict[str, Any]) -> None:
        assert encode(plain(row["value"])).hex() == row["hex"]
        assert decode(of(row["hex"])) == plain(row["value"])

    @pytest.mark.parametrize("row", PROTOCOL["encodings"]["refused"], ids=lambda row: row["says"])
    def test_other_bytes_are_no_value(self, row: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError):
            decode(of(row["hex"]))

    @pytest.mark.parametrize("row", PROTOCOL["encodings"]["cids"], ids=lambda row: row["cid"])
    def test_bytes_have_one_name(self, row: dict[str, Any]) -> None:
        cid = block_cid(of(row["hex"]), row["codec"])
        assert str(cid) == row["cid"]
        assert CID.decode(row["cid"]) == CID.decode(bytes(cid)) == cid

    def test_a_deployment_has_one_name(self) -> None:
        assert DEPLOYMENT.id == PROTOCOL["deployment"]["id"]

    def test_keys_have_their_addresses(self) -> None:
        assert {who: key.address for who, key in KEYS.items()} == {
            who: row["address"] for who, row in PROTOCOL["keys"].items()
        }


class TestConsent:
    @pytest.mark.parametrize("row", PROTOCOL["grants"], ids=lambda row: row["word"][:8])
    def test_a_grant_is_one_word(self, row: dict[str, Any]) -> None:
        fields = dict(row)
        word = int(fields.pop("word"), 16)
        data = Period(fields.pop("dataFrom"), fields.pop("dataUntil"))
        names = ("categories", "purposes", "not_before_at", "expires_at", "actions", "revision", "epoch")
        grant = Grant(**dict(zip(names, fields.values(), strict=True)), data=data)
        assert grant.pack() == word
        assert Grant.unpack(word) == grant

    def test_bits_are_committed_to_and_proved(self) -> None:
        openings = tuple((category, of(salt)) for category, salt in BITS["openings"])
        made = BitMap(tuple(of(each) for each in BITS["leaves"]), openings)
        proof = BITS["proof"]
        assert made.root.hex() == BITS["root"]
        assert [each.hex() for each in made.prove(proof["bit"]).path] == proof["path"]
        bit, path = proof["bit"], tuple(of(each) for each in proof["path"])
        verify(made.root, BitProof(bit, proof["category"], openings[bit][1], path))
        with pytest.raises(IntegrityError):
            verify(made.root, BitProof(bit, proof["category"] ^ 1, openings[bit][1], path))

    def test_a_stream_is_called_by_an_hmac(self) -> None:
        row = BITS["label"]
        assert stream_label(of(row["tagKey"]), row["writer"]).hex() == row["label"]

    def test_names_on_a_card_are_signed_by_their_digest(self) -> None:
        row = plain(PROTOCOL["names"]["body"])
        digest = names_digest(
            row["name"], row["organisation_name"], row["address"], row["organisation"], row["version"]
        )
        signed = messages.statement(DEPLOYMENT, "MemberName", digest)
        assert signed.hex() == PROTOCOL["names"]["digest"]
        assert card_check(DEPLOYMENT).names(digest, READER.sign_digest(signed)) == READER.address


def manifest_of(body: dict[str, Any]) -> Manifest:
    content = body["content"]
    return Manifest(
        body["twin"],
        body["stream"],
        body["sequence"],
        Period(body["from"], body["until"]),
        body["generation"],
        body["commitment"],
        body["previous"],
        content if isinstance(content, bytes) else tuple(content),
        body.get("corrects"),
    )


class TestSnapshots:
    @pytest.mark.parametrize("row", SNAPSHOTS["manifests"], ids=["inside", "in a block of its own, correcting"])
    def test_a_manifest_is_its_bytes(self, row: dict[str, Any]) -> None:
        manifest = manifest_of(plain(row["body"]))
        block = manifest.sign(DEPLOYMENT, WRITER)
        assert block.hex() == row["block"]
        assert str(block_cid(block)) == row["cid"]
        assert manifest.context(DEPLOYMENT).hex() == row["context"]
        signed = messages.statement(DEPLOYMENT, "Manifest", sha256(encode(plain(row["body"]))))
        assert signed.hex() == row["signed"]
        assert Manifest.read(DEPLOYMENT, of(row["block"])) == (manifest, WRITER.address)

    def test_a_share_stands_beside_its_header(self) -> None:
        row = SNAPSHOTS["share"]
        header, share = ShareHeader.decode(of(row["hex"]))
        assert header.encode(share).hex() == row["hex"]
        assert share.hex() == row["share"]
        body = plain(SNAPSHOTS["custody"]["body"])
        assert header.hash(share) == body["shares"][0][2]

    def test_a_custody_block_is_its_bytes(self) -> None:
        row = SNAPSHOTS["custody"]
        custody, signer = CustodyBlock.read(DEPLOYMENT, of(row["block"]))
        assert signer == WRITER.address
        assert custody.sign(DEPLOYMENT, WRITER).hex() == row["block"]
        assert str(block_cid(of(row["block"]))) == row["cid"]

    def test_a_batch_is_the_root_of_its_leaves_and_follows_those_before(self) -> None:
        bodies = [plain(row["body"]) for row in SNAPSHOTS["manifests"]]
        digests = [CID.decode(row["cid"]).digest for row in SNAPSHOTS["manifests"]]
        previous, leaves = ZERO_DIGEST, []
        for place, (body, digest) in enumerate(zip(bodies, digests, strict=True)):
            made = Leaf(place, body["twin"], WRITER.address, body["stream"], body["sequence"], digest, previous)
            previous = made.hash
            leaves.append(previous)
        assert [each.hex() for each in leaves] == SNAPSHOTS["leaves"]
        assert merkle.root(leaves).hex() == SNAPSHOTS["batch"]
        before, told = ZERO_DIGEST, [ZERO_DIGEST]
        for leaf in leaves:
            before = sha256(before + leaf)
            told.append(before)
        assert [each.hex() for each in told] == SNAPSHOTS["before"]


class Blocks(MemoryStore):
    def put_value(self, value: object) -> CID:
        return self.put(encode(value), "dag-cbor")


def row_of(number: int) -> Row:
    named = block_cid(number.to_bytes(4, "big"))
    return Row(Period(60 * number, 60 * number + 59), named, named, number % 7, sha256(number.to_bytes(4, "big")), ())


class TestTheIndex:
    @pytest.mark.parametrize("count", PROTOCOL["index"]["tops"])
    def test_a_streams_pages_have_one_top(self, count: str) -> None:
        stream = index.append(Blocks(), None, [row_of(number) for number in range(int(count))])
        assert str(stream.top) == PROTOCOL["index"]["tops"][count]

    def test_a_page_is_its_bytes(self) -> None:
        blocks = Blocks()
        assert blocks.get(index.append(blocks, None, [row_of(0)]).top).hex() == PROTOCOL["index"]["page"]

    @pytest.mark.parametrize("count", PROTOCOL["index"]["roots"])
    @pytest.mark.parametrize("parts", [1, 3])
    def test_an_index_has_one_root_however_it_grew(self, count: str, parts: int) -> None:
        top = CID.decode(PROTOCOL["index"]["tops"]["1"])
        labels = [sha256(number.to_bytes(4, "big")) for number in range(int(count))]
        blocks, root = Blocks(), None
        for part in range(parts):
            streams = {label: Stream(1, top) for label in labels[part::parts]}
            root = index.update(blocks, root, streams, ZERO_DIGEST)
        assert str(root) == PROTOCOL["index"]["roots"][count]


def test_a_changed_body_is_signed_by_somebody_else() -> None:
    block = of(SNAPSHOTS["manifests"][0]["block"])
    manifest, signer = Manifest.read(DEPLOYMENT, block)
    value = decode(block)
    value["body"]["sequence"] = 2
    changed, other = Manifest.read(DEPLOYMENT, encode(value))
    assert (changed, signer) == (replace(manifest, sequence=2), WRITER.address)
    assert other != signer
