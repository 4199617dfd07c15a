"""The package: what a grant hands on, and nothing else; good for one slot and one key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.client.keyrings import owner_keys
from dtledger.crypto.seal import SealKey
from dtledger.errors import AccessDeniedError, IntegrityError, KeyFileError
from dtledger.keys import TwinSecrets
from dtledger.ledger import Slot
from dtledger.snapshots.package import BLOCK, narrow, open_package, seal_package
from dtledger.testing import MemoryKey
from dtledger.testing.memory_chain import new_deployment
from dtledger.types import Period

HERE = new_deployment()
KEY = SealKey.generate()
SLOT = Slot(MemoryKey("owner").address, 7, MemoryKey("grantee").address, 0)
SECRETS = TwinSecrets.draw()
WINDOW = Period(1000, 2000)
LINK = b"a link key of thirty-two bytes.."
KEYS = narrow(owner_keys(SECRETS), ["glucose"], WINDOW, LINK)


def test_a_package_opens_with_its_key_for_its_slot() -> None:
    opened = open_package(HERE, SLOT, seal_package(HERE, SLOT, KEYS, KEY.public), KEY)
    assert opened == KEYS
    whole = owner_keys(SECRETS).deriver("glucose", 0)
    assert opened.deriver("glucose", 0).ends(WINDOW) == whole.ends(WINDOW)


@pytest.mark.parametrize(
    "slot",
    [
        replace(SLOT, owner=MemoryKey("another").address),
        replace(SLOT, twin=8),
        replace(SLOT, grantee=MemoryKey("another").address),
        replace(SLOT, number=1),
    ],
    ids=["owner", "twin", "grantee", "number"],
)
def test_a_package_in_another_slot_does_not_open(slot: Slot) -> None:
    block = seal_package(HERE, SLOT, KEYS, KEY.public)
    with pytest.raises(IntegrityError):
        open_package(HERE, slot, block, KEY)


def test_a_package_of_another_deployment_or_key_does_not_open() -> None:
    block = seal_package(HERE, SLOT, KEYS, KEY.public)
    with pytest.raises(IntegrityError):
        open_package(new_deployment(), SLOT, block, KEY)
    with pytest.raises(IntegrityError):
        open_package(HERE, SLOT, block, SealKey.generate())


def test_a_package_reaches_no_other_category_minute_or_generation() -> None:
    with pytest.raises(AccessDeniedError):
        KEYS.deriver("heart-rate", 0)
    with pytest.raises(AccessDeniedError):
        KEYS.label("heart-rate", SLOT.grantee)
    with pytest.raises(AccessDeniedError):
        KEYS.bits.bit_of("heart-rate")
    with pytest.raises(AccessDeniedError):
        KEYS.deriver("glucose", 1)
    for minute in (WINDOW.start - 1, WINDOW.end + 1):
        with pytest.raises(KeyFileError):
            KEYS.deriver("glucose", 0).leaf(minute)


def test_sizes_tell_blocks_of_four_thousand_bytes_and_no_more() -> None:
    empty = len(seal_package(HERE, SLOT, narrow(owner_keys(SECRETS), ["glucose"], Period(8, 8), b""), KEY.public))
    full = len(seal_package(HERE, SLOT, KEYS, KEY.public))
    assert empty == full
    two = narrow(owner_keys(SECRETS), ["glucose", "heart-rate", "lab", "sleep"], Period(1, 2**30 - 2), b"")
    assert (len(seal_package(HERE, SLOT, two, KEY.public)) - full) % BLOCK == 0


def test_no_representation_shows_a_key() -> None:
    shown = repr(KEYS) + repr(owner_keys(SECRETS))
    for secret in (*SECRETS.generations.values(), *SECRETS.tag_keys, LINK):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
