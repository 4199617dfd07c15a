"""What custodians are asked and what they sign, and the records of models, are what docs/protocol.md says: the vectors,
which the naive implementation made."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.client.guardian_shares import GuardianShare
from dtledger.client.handover import Acceptance, Handover
from dtledger.custody import (
    AccessReceipt,
    CustodianIdentity,
    Destruction,
    Letter,
    OwnerRequest,
    ProbeReply,
    ReceiptMap,
    RetireOrder,
    TwinKey,
    wire,
)
from dtledger.encoding import block_cid, decode, sha256
from dtledger.ledger import Slot, calls, messages
from dtledger.models.card import ModelCard
from dtledger.models.dsse import pae, to_sign
from dtledger.models.remediation import RemediationRecord
from dtledger.models.update import AggregateRecord, UpdateRecord
from dtledger.types import Head
from dtledger.vocabulary import Reason
from tests.protocol.reading import DEPLOYMENT, KEYS, PROTOCOL, of, plain

OWNER, CUSTODIAN, READER = (KEYS[who] for who in ("owner", "custodian", "reader"))
RECEIPTS, MODELS = PROTOCOL["receipts"], PROTOCOL["models"]
REQUESTS = {row["type"].partition("(")[0]: row for row in PROTOCOL["requests"]}
STATEMENTS = {row["kind"]: row for row in PROTOCOL["statements"]}


class TestReceipts:
    @pytest.mark.parametrize("row", RECEIPTS["receipts"], ids=["first", "of another twin", "of the first again"])
    def test_a_receipt_is_its_bytes(self, row: dict[str, Any]) -> None:
        receipt = AccessReceipt.decode(of(row["hex"])).verify(DEPLOYMENT)
        assert receipt.encode().hex() == row["hex"]
        assert receipt.body() == plain(row["body"])
        assert receipt.hash.hex() == row["hash"]

    def test_the_map_of_a_log_has_one_root(self) -> None:
        receipts = [AccessReceipt.decode(of(row["hex"])) for row in RECEIPTS["receipts"]]
        made = ReceiptMap.of((each.twin, each.twin_number, each.hash) for each in receipts)
        assert made.root.hex() == RECEIPTS["root"]
        leaves = [made.proof(row["data"][0]).leaf for row in RECEIPTS["leaves"]]
        assert [each.hash.hex() for each in leaves] == [row["hash"] for row in RECEIPTS["leaves"]]
        assert made.proof(8).verify(made.root, made.count, made.last, 8)[0] == 0
        assert made.proof(7).verify(made.root, made.count, made.last, 7) == (2, receipts[-1].hash)


class TestRequests:
    def test_a_request_to_read_is_signed_and_named(self) -> None:
        row = REQUESTS["ReadRequest"]
        request, shares = wire.decode_read(of(row["hex"]))
        assert wire.encode_read(request, shares).hex() == row["hex"]
        assert request.to_sign(DEPLOYMENT).hex() == row["digest"]
        assert request.hash(DEPLOYMENT).hex() == row["hash"]
        assert messages.signer(request.to_sign(DEPLOYMENT), request.signature) == READER.address

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("KeyRequest", messages.key_request),
            ("ReceiptsRequest", messages.receipts_request),
            ("DestroyOrder", messages.destroy_order),
        ],
    )
    def test_an_owner_signs_for_one_custodian(self, kind: str, message: Any) -> None:
        request: OwnerRequest = wire.decode_owner_request(of(REQUESTS[kind]["hex"]))
        digest = message(DEPLOYMENT, request.twin, request.owner, CUSTODIAN.address, request.at)
        assert digest.hex() == REQUESTS[kind]["digest"]
        assert messages.signer(digest, request.signature) == OWNER.address
        assert wire.encode_owner_request(request).hex() == REQUESTS[kind]["hex"]

    def test_a_reader_signs_for_its_letters(self) -> None:
        row = REQUESTS["LettersRequest"]
        request = wire.decode_letters_request(of(row["hex"]))
        digest = messages.letters_request(DEPLOYMENT, request.reader, CUSTODIAN.address, request.at)
        assert (digest.hex(), messages.signer(digest, request.signature)) == (row["digest"], READER.address)
        assert wire.encode_letters_request(request).hex() == row["hex"]

    def test_an_owner_probes(self) -> None:
        row = REQUESTS["Probe"]
        probe = wire.decode_probe(of(row["hex"]))
        digest = probe.to_sign(DEPLOYMENT, CUSTODIAN.address)
        assert (digest.hex(), messages.signer(digest, probe.signature)) == (row["digest"], OWNER.address)
        assert wire.encode_probe(probe).hex() == row["hex"]

    def test_blocks_are_put_by_their_names(self) -> None:
        row = REQUESTS["BlocksRequest"]
        sender, at, signature, blocks = decode(of(row["hex"]))
        cids = [block_cid(data, codec) for codec, data in blocks]
        digest = messages.blocks_request(DEPLOYMENT, sender, "put", cids, at)
        assert (digest.hex(), messages.signer(digest, signature)) == (row["digest"], OWNER.address)


def statement(kind: str) -> tuple[list[Any], bytes]:
    row = STATEMENTS[kind]
    return plain(row["body"]), of(row["signature"])


class TestStatements:
    def test_what_custodians_sign_of_keys_and_themselves(self) -> None:
        (twin, owner, key), signature = statement("CustodianKey")
        signed = TwinKey.to_sign(DEPLOYMENT, twin, owner, key)
        assert messages.signer(signed, signature) == CUSTODIAN.address
        (who, deployment, block, block_hash, at, nonce), signature = statement("CustodianIdentity")
        CustodianIdentity(who, deployment, Head(block, block_hash, at), signature).verify(DEPLOYMENT, nonce)

    def test_what_custodians_answer_to_a_probe(self) -> None:
        (who, owner, twin, grantee, number, reason, at, block, block_hash), signature = statement("ProbeReply")
        slot = Slot(owner, twin, grantee, number)
        reply = ProbeReply(who, slot, Reason(reason), at, block, block_hash, signature)
        reply.verify(DEPLOYMENT, CUSTODIAN.address, slot)
        assert ProbeReply.decode(reply.encode()) == reply

    def test_what_is_signed_of_the_end_of_keys(self) -> None:
        (who, twin, owner, keys, order, at, block), signature = statement("Destruction")
        Destruction(who, twin, owner, tuple(keys), order, at, block, signature).verify(
            DEPLOYMENT, twin, CUSTODIAN.address
        )
        (twin, owner, custodian, keys, roster, at), signature = statement("RetireOrder")
        assert roster == sha256(b"a roster")
        told = RetireOrder(twin, owner, custodian, tuple(keys), b"a roster", at)
        assert messages.signer(told.to_sign(DEPLOYMENT), signature) == OWNER.address

    @pytest.mark.parametrize("kind", ["ConsentRequest", "ConsentAnswer"])
    def test_letters(self, kind: str) -> None:
        (*fields, for_owner, for_member), signature = statement(kind)
        letter = Letter(*fields, for_owner=for_owner, for_member=for_member, signature=signature)
        assert Letter.decode(letter.verify(DEPLOYMENT).encode()) == letter

    def test_what_goes_from_hand_to_hand(self) -> None:
        (twin, to, key), signature = statement("Recipient")
        assert messages.signer(Acceptance.names_key(DEPLOYMENT, twin, to, key), signature) == READER.address
        body, signature = statement("Handover")
        assert messages.signer(Handover(*body).to_sign(DEPLOYMENT), signature) == OWNER.address
        body, signature = statement("GuardianShare")
        assert messages.signer(GuardianShare(*body).to_sign(DEPLOYMENT), signature) == READER.address

    def test_every_kind_of_statement_has_a_vector(self) -> None:
        blocks = {"Manifest", "Custody", *(row["kind"] for row in MODELS["records"])}
        sealed = {"ModelOpening", "Unanchored"}  # inside a seal: test_seals
        others = {"AccessReceipt", "MemberName", "DeviceEnrolment", "DeviceSuspension"}  # device.json has these two
        assert blocks | sealed | others | STATEMENTS.keys() == set(messages.Statement.__args__)


class TestModels:
    @pytest.mark.parametrize("row", MODELS["records"], ids=lambda row: row["kind"])
    def test_a_record_is_its_bytes(self, row: dict[str, Any]) -> None:
        readers: dict[str, Any] = {
            "ModelCard": ModelCard,
            "ModelUpdate": UpdateRecord,
            "ModelAggregate": AggregateRecord,
            "ModelRemediation": RemediationRecord,
        }
        record, signer = readers[row["kind"]].read(DEPLOYMENT, of(row["block"]))
        assert signer == OWNER.address
        assert record.sign(DEPLOYMENT, OWNER).hex() == row["block"]
        assert str(block_cid(of(row["block"]))) == row["cid"]
        assert plain(row["body"]) == decode(of(row["block"]))["body"]

    def test_what_an_update_says_is_one_word(self) -> None:
        row = MODELS["contribution"]
        told = calls.Contribution(row["model"], row["round"], row["cohort"], row["epsilon"])
        assert told.pack() == int(row["word"], 16)

    def test_a_release_is_signed_as_dsse_has_it(self) -> None:
        row = MODELS["dsse"]
        payload_type, payload = "application/vnd.in-toto+json", b'{"_type":"x"}'
        assert pae(payload_type, payload).hex() == row["pae"]
        assert messages.signer(to_sign(payload_type, payload), of(row["signature"])) == row["signer"]
