"""Requests to one custodian by hand, each field of which a test may change."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dtledger.client import Client
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import seal
from dtledger.custody import RELEASE_CONTEXT, ReadRequest, Release, SealedShare, decode_release
from dtledger.errors import AccessDeniedError
from dtledger.ledger import Slot
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.signed import Signer
from dtledger.testing import World, WorldCustodian
from dtledger.vocabulary import Action, Purpose, Reason


def snapshots(world: World, category: str = "glucose") -> list[Found]:
    """Every snapshot of the world's twin, as its owner finds them."""
    secrets_of_twin = world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin)
    keys = owner_keys(secrets_of_twin)
    finder = Finder(world.ledger.deployment, world.ledger.view(), world.store, world.twin, keys)
    return [found for group in finder.find(category) for found in group]


def kept_keys() -> int:
    """How many public keys this process keeps as it parsed them."""
    return seal._parsed.cache_info().currsize


class Desk:
    """What somebody asks of one custodian: by default all snapshots of the twin, under the clinician's grant."""

    def __init__(self, world: World, who: Client | None = None, slot: Slot | None = None) -> None:
        self.world = world
        self.who = who or world.clinician
        self.slot = slot or world.consent
        self.custodian: WorldCustodian = world.custodians[0]
        self.found = snapshots(world)
        self.key = seal.SealKey.generate()

    def request(self, signer: Signer | None = None, **fields: Any) -> ReadRequest:
        """A request, signed when its fields are changed."""
        unsigned = ReadRequest(
            twin=self.world.twin,
            grantee=self.slot.grantee,
            number=self.slot.number,
            action=Action.READ,
            purpose=Purpose.TREAT,
            digests=tuple(each.digest for each in self.found),
            key=self.key.public,
            nonce=secrets.token_bytes(32),
            at=self.world.clock(),
        )
        request = replace(unsigned, **fields)
        key = signer or self.who.context.key
        return request.signed(key.sign_digest(request.to_sign(self.world.ledger.deployment)))

    def shares(self) -> list[SealedShare]:
        place = [each.address for each in self.world.custodians].index(self.custodian.address)
        promised = [each.custody.shares[place] for each in self.found]
        return [
            SealedShare(each.digest, share.sealed, share.hash) for each, share in zip(self.found, promised, strict=True)
        ]

    def ask(self, request: ReadRequest | None = None, shares: Sequence[SealedShare] | None = None) -> Release:
        return self.custodian.open(
            self.request() if request is None else request, self.shares() if shares is None else shares
        )

    def opened(self, release: Release) -> int:
        """How many shares came."""
        return len(decode_release(seal.open_(self.key, release.sealed, RELEASE_CONTEXT)))


NO_CONSENT = (
    "NO_CONSENT: the custodian found no consent for this request. Ask the patient for a grant, or run "
    "`dtledger consent explain`; if that permits it, set this machine's clock.",
    Reason.NO_GRANT,
    {},
)


def heard(error: AccessDeniedError) -> tuple[str, Any, dict[str, Any]]:
    """All that a refusal tells."""
    return str(error), error.reason, error.evidence
