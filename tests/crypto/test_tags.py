"""Stream labels and link keys: nobody makes them without the key, and each has one meaning."""

from __future__ import annotations

import pytest

from dtledger.crypto import keytree
from dtledger.crypto.tags import draw_tag_keys, link_key, stream_label
from dtledger.encoding import address
from dtledger.types import Address
from dtledger.vocabulary.categories import CATEGORY_BITS
from tests.crypto import naive

WRITER = address("0x" + "ab" * 20)
OTHER = address("0x" + "cd" * 20)


def test_each_category_has_a_tag_key_of_its_own() -> None:
    keys = draw_tag_keys() + draw_tag_keys()
    assert len(set(keys)) == 2 * CATEGORY_BITS
    assert {len(key) for key in keys} == {32}


def test_a_stream_label_is_the_hmac_of_the_writer() -> None:
    key = bytes(range(32))
    assert stream_label(key, WRITER) == naive.mac(key, b"\xab" * 20)
    assert len({stream_label(key, WRITER), stream_label(key, OTHER), stream_label(bytes(32), WRITER)}) == 3


def test_a_link_key_is_bound_to_generation_twin_and_grantee() -> None:
    info = b"dtledger/v1/link\0" + (1).to_bytes(4, "big") + (7).to_bytes(32, "big") + b"\xab" * 20
    assert link_key(bytes(32), 1, 7, WRITER) == naive.hkdf(bytes(32), info)
    cases = [(bytes(32), 1, 7, WRITER), (b"\1" * 32, 1, 7, WRITER), (bytes(32), 2, 7, WRITER)]
    cases += [(bytes(32), 1, 8, WRITER), (bytes(32), 1, 7, OTHER)]
    assert len({link_key(*case) for case in cases}) == len(cases)


def test_a_link_key_is_no_key_of_the_tree() -> None:
    assert link_key(bytes(32), 0, 0, WRITER) != keytree.root(bytes(32), 0, 0).key


def test_short_keys_and_addresses_are_refused() -> None:
    for key, writer in ((bytes(31), WRITER), (bytes(32), Address("0xabcd")), (bytes(32), Address(""))):
        with pytest.raises(ValueError, match=r"32 bytes|address"):
            stream_label(key, writer)
    with pytest.raises(ValueError, match="32 bytes"):
        link_key(bytes(31), 0, 0, WRITER)
    with pytest.raises(ValueError, match="address"):
        link_key(bytes(32), 0, 0, Address("0x00"))
    assert stream_label(bytes(32), WRITER)
    assert link_key(bytes(32), 0, 0, WRITER)
