"""Blocks of the form {body, signature}: EIP-712 over the SHA-256 of the body's canonical CBOR."""

from __future__ import annotations

from typing import Any, Protocol

from .. import encoding
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest

_BEFORE_BODY = b"\xa2" + encoding.encode("body")
"""How every such block begins: a map of two, "body" first, since the shorter key is."""


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
    match encoding.decode(block, truth=kind == "ModelRemediation"):
        case {"body": dict(body), "signature": bytes(signature), **rest} if not rest:
            after_body = encoding.encode("signature") + encoding.encode(signature)
            written = block[len(_BEFORE_BODY) : -len(after_body)]  # as it was encoded: blocks are canonical
            digest = messages.statement(deployment, kind, encoding.sha256(written))
            return body, messages.signer(digest, signature)
    raise IntegrityError(f"a {kind} block is not of the form body and signature")
