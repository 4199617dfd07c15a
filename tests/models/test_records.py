"""What coordinator and site sign: read back whole, its signer named, and refused with any field malformed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from dtledger import encoding
from dtledger.crypto.seal import SealKey, seal
from dtledger.encoding import CID
from dtledger.errors import InputError, IntegrityError
from dtledger.ledger import Deployment, Update
from dtledger.ledger.messages import Statement
from dtledger.models.card import LONGEST_ABOUT, ModelCard
from dtledger.models.update import AggregateRecord, Notes, Trained, UpdateRecord
from dtledger.snapshots.signed import sign_block
from dtledger.testing import MemoryKey
from dtledger.testing.memory_chain import new_deployment
from dtledger.types import Address, Digest

HERE, ELSEWHERE = new_deployment(), new_deployment()
SIGNER = MemoryKey("signer")
ONE, TWO, THREE, FOUR = (Digest(bytes([number]) * 32) for number in range(1, 5))
LEAVES = CID(FOUR)

CARD = ModelCard("cgm-forecast", "glucose an hour ahead")
UPDATE = UpdateRecord(1, 2, ONE, TWO, THREE, LEAVES, cohort=20, epsilon=500, notes=b"sealed", delta=1e-5)
AGGREGATE = AggregateRecord(1, 2, ONE, ((SIGNER.address, TWO), (MemoryKey("site").address, THREE)))

Read = Callable[[Deployment, bytes], tuple[Any, Address]]
KINDS: dict[Statement, tuple[Any, Read]] = {
    "ModelCard": (CARD, ModelCard.read),
    "ModelUpdate": (UPDATE, UpdateRecord.read),
    "ModelAggregate": (AGGREGATE, AggregateRecord.read),
}
"""A record of each kind, and what reads it."""

MALFORMED: list[tuple[Statement, str, Any]] = [
    ("ModelCard", "name", "No Name"),
    ("ModelCard", "name", ""),
    ("ModelCard", "name", 1),
    ("ModelCard", "about", "two\nlines"),
    ("ModelCard", "about", "x" * (LONGEST_ABOUT + 1)),
    ("ModelCard", "about", b"bytes"),
    ("ModelUpdate", "model", "1"),
    ("ModelUpdate", "round", None),
    ("ModelUpdate", "update", ONE[:31]),
    ("ModelUpdate", "parent", TWO + b"\0"),
    ("ModelUpdate", "consents", b""),
    ("ModelUpdate", "consents", THREE.hex()),
    ("ModelUpdate", "leaves", FOUR),
    ("ModelUpdate", "leaves", None),
    ("ModelUpdate", "cohort", "20"),
    ("ModelUpdate", "epsilon", 0.5),
    ("ModelUpdate", "notes", "sealed"),
    ("ModelUpdate", "delta", "1e-5"),
    ("ModelUpdate", "delta", 1.0),
    ("ModelUpdate", "delta", -0.1),
    ("ModelAggregate", "model", None),
    ("ModelAggregate", "round", b"2"),
    ("ModelAggregate", "aggregate", ONE[:31]),
    ("ModelAggregate", "aggregate", None),
    ("ModelAggregate", "updates", TWO),
    ("ModelAggregate", "updates", [TWO]),
    ("ModelAggregate", "updates", [[SIGNER.address, THREE[:31]]]),
    ("ModelAggregate", "updates", [[SIGNER.address, "3"]]),
    ("ModelAggregate", "updates", [["north", THREE]]),
]


def body(kind: Statement) -> dict[str, Any]:
    found: dict[str, Any] = encoding.decode(KINDS[kind][0].sign(HERE, SIGNER))["body"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_read_again_and_its_signer_named(kind: Statement) -> None:
    record, read = KINDS[kind]
    assert read(HERE, record.sign(HERE, SIGNER)) == (record, SIGNER.address)
    other = MemoryKey("another")
    assert read(HERE, record.sign(HERE, other)) == (record, other.address)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_is_worth_nothing_on_another_deployment_or_for_another_kind(kind: Statement) -> None:
    record, read = KINDS[kind]
    assert read(ELSEWHERE, record.sign(HERE, SIGNER))[1] != SIGNER.address
    assert read(HERE, sign_block(HERE, "Manifest", body(kind), SIGNER))[1] != SIGNER.address


@pytest.mark.parametrize(("kind", "name", "value"), MALFORMED)
def test_a_malformed_field_is_refused_and_the_signer_named(kind: Statement, name: str, value: Any) -> None:
    record, read = KINDS[kind]
    with pytest.raises(IntegrityError, match="malformed") as caught:
        read(HERE, sign_block(HERE, kind, body(kind) | {name: value}, SIGNER))
    assert caught.value.party == SIGNER.address
    assert read(HERE, sign_block(HERE, kind, body(kind), SIGNER)) == (record, SIGNER.address)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_more_or_less_is_refused(kind: Statement) -> None:
    whole, read = body(kind), KINDS[kind][1]
    for fault in (whole | {"note": "x"}, *({key: whole[key] for key in whole if key != name} for name in whole)):
        with pytest.raises(IntegrityError, match="malformed") as caught:
            read(HERE, sign_block(HERE, kind, fault, SIGNER))
        assert caught.value.party == SIGNER.address
    assert read(HERE, sign_block(HERE, kind, whole, SIGNER))


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_no_signed_block_are_refused(kind: Statement) -> None:
    block, read = KINDS[kind][0].sign(HERE, SIGNER), KINDS[kind][1]
    for fault in (b"", b"\xa0", block[:-1], block + b"\0", encoding.encode(body(kind))):
        with pytest.raises(IntegrityError):
            read(HERE, fault)
    assert read(HERE, block)


class TestACard:
    @pytest.mark.parametrize("fault", ["", "Upper", "-x", "x" * 33, "a b", "../x"])
    def test_has_a_name_that_can_be_typed(self, fault: str) -> None:
        with pytest.raises(InputError, match="name of a model"):
            ModelCard(fault)
        assert ModelCard("x" * 32)

    def test_is_described_in_one_line_of_some_length(self) -> None:
        for about in ("x" * (LONGEST_ABOUT + 1), "two\nlines", "\x1b[31m"):
            with pytest.raises(InputError, match="description"):
                ModelCard("model", about)
        assert ModelCard("model", "x" * LONGEST_ABOUT)


class TestASitesRecord:
    ON_LEDGER = Update(
        UPDATE.model, UPDATE.round, SIGNER.address, ONE, TWO, THREE, FOUR, UPDATE.cohort, UPDATE.epsilon, block=9, at=99
    )

    @pytest.mark.parametrize(
        "other",
        [
            {"model": 2},
            {"round": 1},
            {"update": FOUR},
            {"parent": FOUR},
            {"consents": FOUR},
            {"cohort": 21},
            {"epsilon": 501},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_says_what_the_ledger_says_or_not(self, other: dict[str, Any]) -> None:
        assert UPDATE.says(self.ON_LEDGER)
        assert not replace(UPDATE, **other).says(self.ON_LEDGER)
        assert not UPDATE.says(replace(self.ON_LEDGER, **other))

    def test_has_every_field_in_its_block(self) -> None:
        assert {each.name for each in fields(UpdateRecord)} == body("ModelUpdate").keys()
        assert {each.name for each in fields(AggregateRecord)} == body("ModelAggregate").keys()
        assert {each.name for each in fields(ModelCard)} == body("ModelCard").keys()


class TestNotes:
    KEY = SealKey.generate()
    NOTES = Notes(ONE, (Trained(7, SIGNER.address, 0), Trained(8, MemoryKey("organisation").address, 3)))
    CONTEXT = encoding.encode(["dtledger/round-notes/1", HERE.id, 1, 2])

    def test_open_with_the_key_that_they_were_sealed_to_for_their_round_alone(self) -> None:
        sealed = self.NOTES.sealed(HERE, 1, 2, self.KEY.public)
        assert Notes.open(HERE, 1, 2, sealed, self.KEY) == self.NOTES
        for deployment, model, number, key in (
            (ELSEWHERE, 1, 2, self.KEY),
            (HERE, 2, 2, self.KEY),
            (HERE, 1, 1, self.KEY),
            (HERE, 1, 2, SealKey.generate()),
        ):
            with pytest.raises(IntegrityError, match="does not open"):
                Notes.open(deployment, model, number, sealed, key)

    @pytest.mark.parametrize(
        "content",
        [
            [],
            [ONE],
            [ONE[:31], []],
            [ONE, [], []],
            [ONE, [[SIGNER.address]]],
            [ONE, [[SIGNER.address, [7]]]],
            [ONE, [[SIGNER.address, [[7, "0"]]]]],
            [ONE, [["0x00", [[7, 0]]]]],
            [ONE, [[SIGNER.address, [[7, 0], ["8", 0]]]]],
            {"salt": ONE, "trained": []},
        ],
    )
    def test_are_refused_if_malformed(self, content: Any) -> None:
        sealed = seal(self.KEY.public, encoding.encode(content), self.CONTEXT)
        with pytest.raises(IntegrityError, match="malformed"):
            Notes.open(HERE, 1, 2, sealed, self.KEY)
        mended = encoding.encode([ONE, [[SIGNER.address, [[7, 0]]]]])
        assert Notes.open(HERE, 1, 2, seal(self.KEY.public, mended, self.CONTEXT), self.KEY).trained

    def test_show_no_salt_and_the_record_shows_no_notes(self) -> None:
        assert repr(ONE) not in repr(self.NOTES)
        assert "sealed" not in repr(UPDATE)
