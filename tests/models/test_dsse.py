"""An envelope's signature is over type and payload both, by the address that it names, as others check it too."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from dtledger.errors import IntegrityError
from dtledger.models.dsse import MOST_BYTES, Envelope, pae
from dtledger.testing import MemoryKey

KEY, OTHER = MemoryKey("coordinator"), MemoryKey("other")
KIND = "application/vnd.in-toto+json"
SIGNED = Envelope(KIND, b'{"a":1}').signed(KEY)

VECTORS = [
    ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
    ("", b"", b"DSSEv1 0  0 "),
    ("http://example.com/HelloWorld", b"", b"DSSEv1 29 http://example.com/HelloWorld 0 "),
    ("t", b"\x00\xff 1 ", b"DSSEv1 1 t 5 \x00\xff 1 "),
    ("é", "é".encode(), b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"),
]
"""The first is the specification's; the others are its definition: lengths in bytes, in decimal, nothing in front."""


@pytest.mark.parametrize(("kind", "payload", "encoded"), VECTORS)
def test_what_is_signed_is_the_specifications_encoding(kind: str, payload: bytes, encoded: bytes) -> None:
    assert pae(kind, payload) == encoded


@given(st.text(max_size=9), st.binary(max_size=9), st.text(max_size=9), st.binary(max_size=9))
def test_no_two_pairs_of_type_and_payload_are_encoded_alike(one: str, first: bytes, other: str, second: bytes) -> None:
    assert (pae(one, first) == pae(other, second)) == ((one, first) == (other, second))


def test_a_signature_is_checked_by_another_library_as_a_signed_message() -> None:
    ((keyid, signature),) = SIGNED.signatures
    message = encode_defunct(primitive=pae(SIGNED.payload_type, SIGNED.payload))
    assert Account.recover_message(message, signature=signature) == keyid == KEY.address


def test_what_is_written_is_read_again() -> None:
    assert Envelope.decode(SIGNED.encode()) == SIGNED
    assert SIGNED.signers() == (KEY.address,)
    both = SIGNED.signed(OTHER)
    assert Envelope.decode(both.encode()).signers() == (KEY.address, OTHER.address)


def test_the_url_safe_alphabet_is_read_too() -> None:
    envelope = Envelope(KIND, b"\xfb\xff\xfe").signed(KEY)
    told = json.loads(envelope.encode())
    told["payload"] = base64.urlsafe_b64encode(envelope.payload).decode()
    assert "_" in told["payload"]
    assert Envelope.decode(json.dumps(told).encode()) == envelope


def test_another_type_another_payload_or_another_name_is_not_what_was_signed() -> None:
    ((_, signature),) = SIGNED.signatures
    for changed in (
        Envelope(KIND + " ", SIGNED.payload, SIGNED.signatures),
        Envelope(KIND, SIGNED.payload + b" ", SIGNED.signatures),
        Envelope(KIND, SIGNED.payload, ((OTHER.address, signature),)),
        Envelope(KIND, SIGNED.payload, ((KEY.address, signature[:64]),)),
    ):
        with pytest.raises(IntegrityError):
            changed.signers()
    assert SIGNED.signers() == (KEY.address,)


def test_a_signature_of_another_scheme_counts_for_nothing() -> None:
    foreign = ("SHA256:abc", b"a signature of P-256")
    with pytest.raises(IntegrityError, match="nobody"):
        Envelope(KIND, SIGNED.payload, (foreign,)).signers()
    assert Envelope(KIND, SIGNED.payload, (foreign, *SIGNED.signatures)).signers() == (KEY.address,)


FAULTS: dict[str, Any] = {
    "no object": [],
    "no payload": {"payload": None},
    "a payload that is no base64": {"payload": "é"},
    "a payload cut off": {"payload": "YQ"},
    "no type": {"payloadType": 7},
    "no signatures": {"signatures": []},
    "a signature that is no object": {"signatures": ["sig"]},
    "a signature without its bytes": {"signatures": [{"keyid": KEY.address}]},
    "a keyid that is no text": {"signatures": [{"keyid": 7, "sig": ""}]},
    "more signatures than anybody needs": {"signatures": [{"sig": ""}] * 17},
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_envelope_is_refused(name: str) -> None:
    told, fault = json.loads(SIGNED.encode()), FAULTS[name]
    with pytest.raises(IntegrityError, match="no DSSE envelope"):
        Envelope.decode(json.dumps(told | fault if isinstance(fault, dict) else fault).encode())
    assert Envelope.decode(json.dumps(told).encode()) == SIGNED


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000, b" " * (MOST_BYTES + 1)])
def test_bytes_that_are_no_json_of_ours_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="no DSSE envelope"):
        Envelope.decode(data)
