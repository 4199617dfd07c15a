"""Asking custodians below the SDK: the clinician's snapshots as found, and signed requests for them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from dtledger.client import Client
from dtledger.client.keyrings import granted_keys
from dtledger.crypto.seal import SealKey
from dtledger.custody import ReadRequest, SealedShare
from dtledger.ledger import Slot
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.opening import Asking, Opened, open_snapshots
from dtledger.snapshots.package import Keys
from dtledger.vocabulary import Action, Purpose


@dataclass(frozen=True, slots=True)
class Asker:
    """A reader with a grant, below `Client.read`: it keeps what it found, and asks for it as often as it likes."""

    client: Client
    consent: Slot
    keys: Keys

    @classmethod
    def of(cls, client: Client, consent: Slot) -> Asker:
        """Opens the grant's package."""
        record = client.context.view().record(consent)
        assert record is not None, "the grant was given"
        return cls(client, consent, granted_keys(client.context, record))

    def find(self, category: str) -> list[Found]:
        """Every snapshot of the category, from the ledger and the store."""
        context = self.client.context
        finder = Finder(context.deployment, context.view(), context.store, self.consent.twin, self.keys)
        return [each for group in finder.find(category) for each in group]

    def open(self, found: Sequence[Found], category: str) -> Opened:
        """Plaintexts, or refusals, from all custodians: one signed request."""
        context = self.client.context
        return open_snapshots(context.deployment, context.custodians, self.asking(), found, self.keys, category)

    def asking(self) -> Asking:
        """As this reader asks now."""
        context, slot = self.client.context, self.consent
        return Asking(context.key, slot.grantee, slot.number, Action.READ, Purpose.TREAT, context.clock())

    def contents(self, category: str) -> list[bytes]:
        """Find and open, down to the bytes that the writer encrypted."""
        found = self.find(category)
        opened = self.open(found, category)
        return [opened.plaintexts[each.digest] for each in found]

    def request(self, found: Sequence[Found], one_use: SealKey) -> ReadRequest:
        """A signed request of its own, with a fresh nonce."""
        context = self.client.context
        fields = ReadRequest(
            twin=self.consent.twin,
            grantee=self.consent.grantee,
            number=self.consent.number,
            action=Action.READ,
            purpose=Purpose.TREAT,
            digests=tuple(each.digest for each in found),
            key=one_use.public,
            nonce=secrets.token_bytes(32),
            at=context.clock(),
        )
        return fields.signed(context.key.sign_digest(fields.to_sign(context.deployment)))


def shares(found: Sequence[Found], place: int) -> list[SealedShare]:
    """What the custodian at that place of the roster is brought."""
    return [SealedShare(each.digest, each.custody.shares[place].sealed) for each in found]
