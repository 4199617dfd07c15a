"""The manifest: every field is under its signature, and what its content is bound to tells apart any two snapshots."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from dtledger import encoding
from dtledger.errors import IntegrityError
from dtledger.snapshots.manifest import Manifest
from dtledger.snapshots.signed import sign_block
from dtledger.testing import MemoryKey
from dtledger.testing.memory_chain import new_deployment
from dtledger.types import Digest, Period

HERE, ELSEWHERE = new_deployment(), new_deployment()
WRITER = MemoryKey("writer")
MANIFEST = Manifest(
    twin=7,
    stream=Digest(b"\1" * 32),
    sequence=3,
    period=Period(10, 20),
    generation=0,
    commitment=Digest(b"\2" * 32),
    previous=Digest(b"\3" * 32),
    content=b"ciphertext",
)
OTHER: dict[str, Any] = {
    "twin": 8,
    "stream": Digest(b"\4" * 32),
    "sequence": 4,
    "period": Period(10, 21),
    "generation": 1,
    "commitment": Digest(b"\4" * 32),
    "previous": Digest(b"\4" * 32),
    "content": (encoding.block_cid(b"chunk", "raw"),),
    "corrects": Digest(b"\4" * 32),
}


def test_what_is_signed_is_read_again() -> None:
    for name, value in OTHER.items():
        manifest = replace(MANIFEST, **{name: value})
        assert Manifest.read(HERE, manifest.sign(HERE, WRITER)) == (manifest, WRITER.address)


def test_every_field_has_another_block() -> None:
    blocks = {replace(MANIFEST, **{name: OTHER[name]}).sign(HERE, WRITER) for name in OTHER}
    assert {field.name for field in fields(Manifest)} == OTHER.keys()
    assert len(blocks | {MANIFEST.sign(HERE, WRITER)}) == len(OTHER) + 1


@pytest.mark.parametrize("name", ["twin", "stream", "sequence", "period", "generation"])
def test_the_content_key_is_bound_to_every_field_that_names_the_snapshot(name: str) -> None:
    assert replace(MANIFEST, **{name: OTHER[name]}).context(HERE) != MANIFEST.context(HERE)


def test_the_content_key_is_bound_to_both_ends_of_the_period_and_to_the_deployment() -> None:
    assert replace(MANIFEST, period=Period(9, 20)).context(HERE) != MANIFEST.context(HERE)
    assert MANIFEST.context(ELSEWHERE) != MANIFEST.context(HERE)


def test_a_signature_is_worth_nothing_on_another_deployment_or_for_another_kind() -> None:
    block = MANIFEST.sign(HERE, WRITER)
    assert Manifest.read(ELSEWHERE, block)[1] != WRITER.address
    body = encoding.decode(block)["body"]
    assert Manifest.read(HERE, sign_block(HERE, "Custody", body, WRITER))[1] != WRITER.address


def test_a_manifest_with_an_unknown_entry_is_refused() -> None:
    body = encoding.decode(MANIFEST.sign(HERE, WRITER))["body"]
    with pytest.raises(IntegrityError, match="malformed") as caught:
        Manifest.read(HERE, sign_block(HERE, "Manifest", body | {"note": "x"}, WRITER))
    assert caught.value.party == WRITER.address
