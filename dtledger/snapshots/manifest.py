"""The manifest: what a snapshot is, without what it says. Signed by its writer; its digest is anchored.

Outsiders see a twin's number, the stream's label (not its category), the period and the padded size.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .. import encoding
from ..encoding import CID
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest, Period
from .signed import Signer, read_block, sign_block


@dataclass(frozen=True, slots=True)
class Manifest:
    """`content` is the ciphertext itself when it is one small chunk, else the CIDs of its chunks.

    `previous` is the digest of the stream's manifest before (zeros for the first): bytes, never a link.
    `corrects` is the digest of the manifest that this one corrects, if any.
    """

    twin: int
    stream: Digest
    sequence: int
    period: Period
    generation: int
    commitment: Digest
    previous: Digest
    content: bytes | tuple[CID, ...]
    corrects: Digest | None = None

    def context(self, deployment: Deployment) -> bytes:
        """What the content key and each chunk are bound to."""
        return encoding.encode(
            [
                "dtledger/content/1",
                deployment.origin,
                self.twin,
                self.stream,
                self.sequence,
                self.period.start,
                self.period.end,
                self.generation,
            ]
        )

    def sign(self, deployment: Deployment, writer: Signer) -> bytes:
        """The manifest's block."""
        body: dict[str, Any] = {
            "twin": self.twin,
            "stream": self.stream,
            "sequence": self.sequence,
            "from": self.period.start,
            "until": self.period.end,
            "generation": self.generation,
            "commitment": self.commitment,
            "previous": self.previous,
            "content": self.content if isinstance(self.content, bytes) else list(self.content),
        }
        if self.corrects is not None:
            body["corrects"] = self.corrects
        return sign_block(deployment, "Manifest", body, writer)

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[Manifest, Address]:
        """The manifest of a block, and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed manifest.
        """
        body, writer = read_block(deployment, "Manifest", block)
        match body:
            case {
                "twin": int(twin),
                "stream": bytes(stream),
                "sequence": int(sequence),
                "from": int(start),
                "until": int(end),
                "generation": int(generation),
                "commitment": bytes(commitment),
                "previous": bytes(previous),
                "content": bytes() | [CID(), *_] as content,
                **rest,
            } if rest.keys() <= {"corrects"}:
                digests = (stream, commitment, previous, rest.get("corrects", commitment))
                if all(isinstance(each, bytes) and len(each) == 32 for each in digests) and (
                    isinstance(content, bytes) or all(isinstance(link, CID) for link in content)
                ):
                    with suppress(ValueError):
                        return cls(
                            twin,
                            Digest(stream),
                            sequence,
                            Period(start, end),
                            generation,
                            Digest(commitment),
                            Digest(previous),
                            content if isinstance(content, bytes) else tuple(content),
                            rest.get("corrects"),
                        ), writer
        raise IntegrityError("a manifest is malformed", party=writer)
