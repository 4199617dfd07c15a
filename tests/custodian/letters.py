"""Letters by hand, each field of which a test may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dtledger.client import Ask, Client
from dtledger.custody import Letter, LettersRequest
from dtledger.ledger import messages
from dtledger.snapshots.signed import Signer
from dtledger.testing import World, WorldCustodian
from dtledger.types import ZERO_DIGEST
from dtledger.vocabulary import Action, Purpose

DAY = 86_400
ASK = Ask(("glucose",), (Purpose.TREAT,), (Action.READ,), 30 * DAY, "To see your nights.")


def request(
    world: World, member: Client, content: Any = None, *, signer: Signer | None = None, **fields: Any
) -> Letter:
    """A member's request on the world's twin, sealed and signed when its fields are changed."""
    letter = Letter("ConsentRequest", world.twin, world.patient.address, member.address, ZERO_DIGEST, world.clock())
    content = ASK.content(world.clock() + DAY) if content is None else content
    public = member.context.key.seal_key.public
    return _finished(world, replace(letter, **fields), content, public, signer or member.context.key)


def answer(world: World, to: Letter, *, yes: bool = False, signer: Signer | None = None, **fields: Any) -> Letter:
    """The owner's answer to a request."""
    letter = Letter("ConsentAnswer", to.twin, to.owner, to.member, to.digest, world.clock())
    content = {"yes": yes, "slot": [0, 0], "reason": ""}
    public = world.patient.context.public_key(to.member)
    return _finished(world, replace(letter, **fields), content, public, signer or world.patient.context.key)


def signed(world: World, letter: Letter, signer: Signer) -> Letter:
    return letter.signed(signer.sign_digest(letter.to_sign(world.ledger.deployment)))


def _finished(world: World, letter: Letter, content: Any, member_key: bytes, signer: Signer) -> Letter:
    owner_key = world.patient.context.key.seal_key.public
    return signed(world, letter.sealed(world.ledger.deployment, content, owner_key, member_key), signer)


def kept(
    world: World,
    custodian: WorldCustodian,
    reader: Client,
    *,
    signer: Signer | None = None,
    said_to: WorldCustodian | None = None,
    off: int = 0,
) -> list[Letter]:
    """What one custodian hands out to a reader whose clock is `off`, and who said it to that or another custodian."""
    at = world.clock() + off
    digest = messages.letters_request(world.ledger.deployment, reader.address, (said_to or custodian).address, at)
    signature = (signer or reader.context.key).sign_digest(digest)
    return custodian.letters(LettersRequest(reader.address, at, signature))


def smuggle(custodian: WorldCustodian, world: World, *letters: Letter) -> None:
    """A custodian that keeps what it should not."""
    custodian.mail.change(world.twin, lambda kept: [*kept, *letters])
