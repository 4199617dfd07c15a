"""Blocks of the form {body, signature}: EIP-712 over the SHA-256 of the body's canonical CBOR."""

from __future__ import annotations

from typing import Any, Protocol

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest


class Signer(Protocol):
    """Whoever signs blocks and messages: an unlocked key."""

    @property
    def address(self) -> Address: ...

    def sign_digest(self, digest: Digest) -> bytes: ...


def sign_block(deployment: Deployment, kind: messages.Statement, body: dict[str, Any], signer: Signer) -> bytes:
    """The block's bytes."""
    digest = messages.statement(deployment, kind, encoding.sha256(encoding.encode(body)))
    return encoding.encode({"body": body, "signature": signer.sign_digest(digest)})


def read_block(deployment: Deployment, kind: messages.Statement, block: bytes) -> tuple[dict[str, Any], Address]:
    """Body and signer of a block.

    Raises:
        IntegrityError: it is not of the form, or its signature is malformed.
    """
    parsed = encoding.decode(block)
    if not isinstance(parsed, dict) or parsed.keys() != {"body", "signature"} or not isinstance(parsed["body"], dict):
        raise IntegrityError(f"a {kind} block is not of the form body and signature")
    digest = messages.statement(deployment, kind, encoding.sha256(encoding.encode(parsed["body"])))
    if not isinstance(parsed["signature"], bytes):
        raise IntegrityError(f"a {kind} block's signature is not bytes")
    return parsed["body"], messages.signer(digest, parsed["signature"])
