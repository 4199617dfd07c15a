"""What a gateway could not anchor in time: readings signed by it and sealed to the twin's owner, who may adopt them.

The block lies in the store like any other and says to nobody else whose it is, of what, or from when. What is adopted
is anchored by the owner; that a gateway measured it remains the gateway's signed word inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import encoding
from ..crypto import padding, seal
from ..errors import IntegrityError
from ..ledger import Deployment
from ..readings import Content, Reading, decode_readings, encode_readings
from ..types import Address
from .signed import Signer, read_block, sign_block

BLOCK = 4096
"""Contents are padded to a multiple of this."""


@dataclass(frozen=True, slots=True)
class Unanchored:
    """Readings of one category of one twin, the gateway that signed them, and when (unix seconds)."""

    twin: int
    category: str
    readings: tuple[Reading, ...]
    gateway: Address
    at: int


def seal_unanchored(
    deployment: Deployment, twin: int, content: Content, at: int, signer: Signer, owner: Address, public: bytes
) -> bytes:
    """The block, for the owner with that public key."""
    body = {"twin": twin, "owner": owner, "at": at, "content": encode_readings(content.category, content.readings)}
    signed = sign_block(deployment, "Unanchored", body, signer)
    return encoding.encode({"unanchored": seal.seal(public, padding.pad(signed, BLOCK), _context(deployment, owner))})


def open_unanchored(deployment: Deployment, block: bytes, owner: Address, keys: Sequence[seal.SealKey]) -> Unanchored:
    """What the block holds, for its owner, whose `keys` are the present one and those before.

    Raises:
        IntegrityError: it is not such a block, not sealed to any of these keys, or not signed.
    """
    match encoding.decode(block):
        case {"unanchored": bytes(sealed), **rest} if not rest:
            signed = padding.unpad(_open(sealed, keys, _context(deployment, owner)))
        case _:
            raise IntegrityError("a block is not of readings that a gateway could not anchor")
    body, gateway = read_block(deployment, "Unanchored", signed)
    match body:
        case {"twin": int(twin), "owner": str(named), "at": int(at), "content": bytes(content)} if (
            len(body) == 4 and named == owner
        ):
            read = decode_readings(content)
            return Unanchored(twin, read.category, read.readings, gateway, at)
    raise IntegrityError("readings that a gateway could not anchor are malformed", party=gateway)


def _open(sealed: bytes, keys: Sequence[seal.SealKey], context: bytes) -> bytes:
    for key in keys[:-1]:
        try:
            return seal.open_(key, sealed, context)
        except IntegrityError:
            continue
    return seal.open_(keys[-1], sealed, context)


def _context(deployment: Deployment, owner: Address) -> bytes:
    return encoding.encode(["dtledger/unanchored/1", deployment.origin, owner])
