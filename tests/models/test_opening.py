"""An opening opens for the auditor that it was made for, and for nobody else; whoever signed it is its site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger import encoding
from dtledger.crypto import padding, seal
from dtledger.crypto.bits import BitMap
from dtledger.errors import IntegrityError
from dtledger.models import consents
from dtledger.models.opening import BLOCK, Opening, Shown
from dtledger.models.update import Trained
from dtledger.snapshots.signed import sign_block
from dtledger.testing import MemoryKey
from dtledger.testing.memory_chain import new_deployment

HERE, ELSEWHERE = new_deployment(), new_deployment()
SITE, AUDITOR, OTHER = (MemoryKey(name) for name in ("site", "auditor", "other"))
KEY = AUDITOR.seal_key
BITS = BitMap.draw()
PROOFS = tuple(BITS.prove(BITS.bit_of(name)) for name in ("glucose", "heart-rate"))
OPENING = Opening(
    model=1,
    round=2,
    site=SITE.address,
    salt=b"\1" * 32,
    shown=(
        Shown(Trained(7, SITE.address, 0), b"\2" * 32, PROOFS),
        Shown(Trained(8, OTHER.address, 3), b"\3" * 32, PROOFS[:1]),
    ),
)
SEALED = OPENING.sealed(HERE, SITE, AUDITOR.address, KEY.public)


def opened(block: bytes) -> Opening:
    return Opening.open(HERE, block, AUDITOR.address, KEY)


def test_what_a_site_shows_is_read_by_its_auditor() -> None:
    assert opened(SEALED) == OPENING
    assert OPENING.leaf(HERE, OPENING.shown[1]) == consents.leaf(b"\3" * 32, HERE.id, 1, 2, SITE.address, 8)


def test_another_auditor_another_key_or_another_deployment_opens_nothing() -> None:
    for deployment, auditor, key in (
        (HERE, OTHER.address, OTHER.seal_key),
        (HERE, OTHER.address, KEY),
        (HERE, AUDITOR.address, OTHER.seal_key),
        (ELSEWHERE, AUDITOR.address, KEY),
    ):
        with pytest.raises(IntegrityError, match="does not open"):
            Opening.open(deployment, SEALED, auditor, key)
    assert opened(SEALED)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(place: int, change: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= change
    with pytest.raises(IntegrityError):
        opened(bytes(changed))


def test_an_auditor_cannot_hand_it_on_as_made_for_another() -> None:
    """Seals say nothing about their sender: the auditor's name stands under the site's signature."""
    content = seal.open_(KEY, encoding.decode(SEALED)["opening"], context())
    handed_on = seal.seal(OTHER.seal_key.public, content, context(OTHER))
    with pytest.raises(IntegrityError, match="malformed") as caught:
        Opening.open(HERE, encoding.encode({"opening": handed_on}), OTHER.address, OTHER.seal_key)
    assert caught.value.party == SITE.address
    made_for_both = OPENING.sealed(HERE, SITE, OTHER.address, OTHER.seal_key.public)
    assert Opening.open(HERE, made_for_both, OTHER.address, OTHER.seal_key) == OPENING


def test_who_signs_another_sites_opening_has_opened_its_own() -> None:
    forged = OPENING.sealed(HERE, OTHER, AUDITOR.address, KEY.public)
    assert opened(forged) == replace(OPENING, site=OTHER.address)
    assert opened(SEALED).site == SITE.address


def test_a_signature_for_another_deployment_is_another_sites() -> None:
    signed = sign_block(ELSEWHERE, "ModelOpening", body(), SITE)
    assert opened(sealed(signed)).site != SITE.address
    assert opened(sealed(sign_block(HERE, "ModelOpening", body(), SITE))) == OPENING


ROW = [7, SITE.address, 0, b"\2" * 32, [PROOFS[0].to_dict()]]


def cell(place: int, value: Any) -> dict[str, Any]:
    """A body whose one twin has something else in that place."""
    return {"shown": [[*ROW[:place], value, *ROW[place + 1 :]]]}


FAULTS: dict[str, Callable[[], dict[str, Any]]] = {
    "another auditor": lambda: {"auditor": OTHER.address},
    "no model": lambda: {"model": None},
    "a round of text": lambda: {"round": "2"},
    "a short salt": lambda: {"salt": bytes(31)},
    "no twins": lambda: {"shown": None},
    "an entry more": lambda: {"note": ""},
    "a twin that is no row": lambda: {"shown": [7]},
    "a row with a cell more": lambda: {"shown": [[*ROW, 0]]},
    "a twin of text": lambda: cell(0, "7"),
    "a grantee that is none": lambda: cell(1, "0x00"),
    "a grantee with a wrong checksum": lambda: cell(1, SITE.address.swapcase().replace("0X", "0x")),
    "a slot of text": lambda: cell(2, "0"),
    "a short link key": lambda: cell(3, bytes(31)),
    "proofs that are none": lambda: cell(4, [b"proof"]),
    "a proof of another length": lambda: cell(4, [PROOFS[0].to_dict() | {"path": []}]),
    "a proof of a bit that is none": lambda: cell(4, [PROOFS[0].to_dict() | {"bit": 32}]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_malformed_opening_is_refused_and_its_site_named(name: str) -> None:
    with pytest.raises(IntegrityError, match="malformed") as caught:
        opened(sealed(sign_block(HERE, "ModelOpening", body() | FAULTS[name](), SITE)))
    assert caught.value.party == SITE.address
    assert opened(sealed(sign_block(HERE, "ModelOpening", body() | {"shown": [ROW]}, SITE))).site == SITE.address


def test_blocks_that_hold_no_opening_are_refused() -> None:
    for block in (
        b"",
        encoding.encode({}),
        encoding.encode({"opening": "text"}),
        encoding.encode({"opening": encoding.decode(SEALED)["opening"], "more": 1}),
        sealed(b""),
        sealed(encoding.encode(body())),
    ):
        with pytest.raises(IntegrityError):
            opened(block)
    unpadded = seal.seal(KEY.public, sign_block(HERE, "ModelOpening", body(), SITE), context())
    with pytest.raises(IntegrityError, match="padding"):
        opened(encoding.encode({"opening": unpadded}))


def test_its_size_tells_blocks_of_four_thousand_bytes_and_no_more() -> None:
    alone = replace(OPENING, shown=OPENING.shown[:1])
    assert len(alone.sealed(HERE, SITE, AUDITOR.address, KEY.public)) == len(SEALED)
    many = replace(OPENING, shown=OPENING.shown * 20).sealed(HERE, SITE, AUDITOR.address, KEY.public)
    assert (len(many) - len(SEALED)) % BLOCK in range(5), "a longer length in CBOR, and whole blocks"


def test_no_representation_shows_a_key_or_a_salt() -> None:
    for secret in (OPENING.salt, *(each.link for each in OPENING.shown), PROOFS[0].salt):
        assert repr(secret) not in repr(OPENING)


def body() -> dict[str, Any]:
    content = padding.unpad(seal.open_(KEY, encoding.decode(SEALED)["opening"], context()))
    found: dict[str, Any] = encoding.decode(content)["body"]
    return found


def sealed(content: bytes) -> bytes:
    """As `Opening.sealed` does, whatever the content is."""
    return encoding.encode({"opening": seal.seal(KEY.public, padding.pad(content, BLOCK), context())})


def context(auditor: MemoryKey = AUDITOR) -> bytes:
    return encoding.encode(["dtledger/opening/1", HERE.id, auditor.address])
