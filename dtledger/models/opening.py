"""An opening: what a site shows one auditor of one round, so that its consent root can be recomputed.

For each twin it has the grant, the link key that makes the leaf, and proofs of what the category bits mean on that
twin; and the salt of the update. The site signs it, and it is sealed to the auditor: who was trained on is health data.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .. import encoding
from ..crypto import padding, seal
from ..crypto.bits import BitProof
from ..errors import IntegrityError
from ..ledger import Deployment
from ..snapshots.research import Research
from ..snapshots.signed import Signer, read_block, sign_block
from ..types import Address, Digest
from . import consents
from .update import SALT_BYTES, Trained

BLOCK = 4096
"""Openings are padded to a multiple of this, in bytes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One twin of an opening: the grant, its link key, a proof for each category of the model, and the grant's research
    terms with their salt."""

    trained: Trained
    link: bytes = field(repr=False)
    bits: tuple[BitProof, ...] = field(repr=False)
    research: Research | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """One round of one site."""

    model: int
    round: int
    site: Address
    salt: bytes = field(repr=False)
    shown: tuple[Shown, ...]

    def leaf(self, deployment: Deployment, shown: Shown) -> Digest:
        """The leaf that one of its twins should have in the consent root."""
        return consents.leaf(shown.link, deployment.origin, self.model, self.round, self.site, shown.trained.twin)

    def sealed(self, deployment: Deployment, signer: Signer, auditor: Address, public: bytes) -> bytes:
        """The block, signed by the site and sealed to the auditor's key `public`."""
        body = {
            "model": self.model,
            "round": self.round,
            "auditor": auditor,
            "salt": self.salt,
            "shown": [
                [
                    each.trained.twin,
                    each.trained.grantee,
                    each.trained.number,
                    each.link,
                    [proof.to_dict() for proof in each.bits],
                    *([each.research.to_list()] if each.research else []),
                ]
                for each in self.shown
            ],
        }
        content = padding.pad(sign_block(deployment, "ModelOpening", body, signer), BLOCK)
        return encoding.encode({"opening": seal.seal(public, content, _context(deployment, auditor))})

    @classmethod
    def open(cls, deployment: Deployment, block: bytes, auditor: Address, key: seal.SealKey) -> Opening:
        """The opening of a block that was sealed to `auditor`.

        Raises:
            IntegrityError: it is not one, or not sealed to this key; `.party` is the site, once it is known.
        """
        return cls.read(deployment, cls.unsealed(deployment, block, auditor, key), auditor)

    @staticmethod
    def unsealed(deployment: Deployment, block: bytes, auditor: Address, key: seal.SealKey) -> bytes:
        """What the site signed, from the block that was sealed to `auditor`: the auditor can show it to others.

        Raises: as `open`.
        """
        match encoding.decode(block):
            case {"opening": bytes(sealed), **rest} if not rest:
                return padding.unpad(seal.open_(key, sealed, _context(deployment, auditor)))
        raise IntegrityError("an opening is malformed")

    @classmethod
    def read(cls, deployment: Deployment, content: bytes, auditor: Address | None = None) -> Opening:
        """The opening that a site signed, for that auditor if one is named.

        Raises: as `open`.
        """
        body, site = read_block(deployment, "ModelOpening", content)
        return cls._read(body, site, auditor)

    @classmethod
    def _read(cls, body: dict[str, Any], site: Address, auditor: Address | None) -> Opening:
        match body:
            case {
                "model": int(model),
                "round": int(number),
                "auditor": str(named),
                "salt": bytes(salt),
                "shown": [*rows],
                **rest,
            } if not rest and auditor in (None, named) and len(salt) == SALT_BYTES:
                with suppress(ValueError, IntegrityError):
                    return cls(model, number, site, salt, tuple(_shown(row) for row in rows))
        raise IntegrityError("an opening is malformed", party=site)


def _shown(row: Any) -> Shown:
    match row:
        case [int(twin), str(grantee), int(number), bytes(link), [*proofs], *rest] if len(link) == 32 and len(rest) < 2:
            bits = tuple(BitProof.from_dict(each) for each in proofs)
            research = Research.of_list(rest[0]) if rest else None
            return Shown(Trained(twin, encoding.address(grantee), number), link, bits, research)
    raise ValueError("a twin of an opening is malformed")


def _context(deployment: Deployment, auditor: Address) -> bytes:
    return encoding.encode(["dtledger/opening/1", deployment.origin, auditor])
