"""DSSE, the Dead Simple Signing Envelope (secure-systems-lab, protocol 1.0): a payload, its type, and who signed both.

What is signed is the pre-authentication encoding (PAE) of type and payload, as it stands here by EIP-191 (version 0x45,
`personal_sign`), with the secp256k1 key that its signer has on the ledger. So whoever holds the file needs no other key
than the address that they trust, and no dtledger: any Ethereum library checks it. Nothing so signed passes for a
transaction or for an EIP-712 message, whose second byte differs. `keyid` is the signer's address. The envelope says
nothing about a chain; its payload does.

>>> pae("http://example.com/HelloWorld", b"hello world")
b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from .. import encoding
from .._backend.files import parse_json
from ..errors import IntegrityError
from ..ledger import messages
from ..snapshots.signed import Signer
from ..types import Address, Digest

MOST_BYTES = 4 * 2**20
"""Most bytes of an envelope that is read."""
_MOST_SIGNATURES = 16


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: "DSSEv1", then length and bytes of the type, and of the payload."""
    kind = payload_type.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def to_sign(payload_type: str, payload: bytes) -> Digest:
    """The digest to sign: EIP-191, version 0x45, of the PAE."""
    message = pae(payload_type, payload)
    return encoding.keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload of a type, and the signatures over both: of each its `keyid` and its bytes."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...] = ()

    def signed(self, signer: Signer) -> Envelope:
        """With one signature more."""
        signature = signer.sign_digest(to_sign(self.payload_type, self.payload))
        return Envelope(self.payload_type, self.payload, (*self.signatures, (signer.address, signature)))

    def signers(self) -> tuple[Address, ...]:
        """Whose signatures are good. One of another scheme, whose `keyid` is no address, counts for nothing.

        Raises:
            IntegrityError: one is not by the address that it names (`.party`), or nobody signed.
        """
        found = []
        for keyid, signature in self.signatures:
            try:
                named = encoding.address(keyid)
            except ValueError:
                continue
            if messages.signer(to_sign(self.payload_type, self.payload), signature) != named:
                raise IntegrityError("the envelope is not what the key signed that it names", party=named)
            found.append(named)
        if not found:
            raise IntegrityError("nobody whose key is an address signed the envelope")
        return tuple(dict.fromkeys(found))

    def encode(self) -> bytes:
        """The JSON of the envelope, for a file."""
        rows = [{"keyid": keyid, "sig": _base64(signature)} for keyid, signature in self.signatures]
        told = {"payloadType": self.payload_type, "payload": _base64(self.payload), "signatures": rows}
        return json.dumps(told, indent=2).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """The envelope that a file holds; who signed it is another question.

        Raises:
            IntegrityError: it holds none.
        """
        try:
            match parse_json(data, MOST_BYTES, most_depth=4):
                case {"payloadType": str(kind), "payload": str(payload), "signatures": [_, *_] as rows} if (
                    len(rows) <= _MOST_SIGNATURES
                ):
                    return cls(kind, _bytes(payload), tuple(_signature(row) for row in rows))
        except ValueError:
            pass
        raise IntegrityError("it is no DSSE envelope")


def _signature(row: object) -> tuple[str, bytes]:
    match row:
        case {"keyid": str(keyid), "sig": str(signature)}:
            return keyid, _bytes(signature)
        case {"sig": str(signature), **rest} if "keyid" not in rest:
            return "", _bytes(signature)
    raise ValueError("a signature of an envelope is malformed")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    """Of base64 in its standard or its URL-safe alphabet: a reader takes both."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError("base64 is malformed") from error
