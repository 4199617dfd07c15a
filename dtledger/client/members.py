"""Members: the card that one makes of oneself, and what registrars do with it."""

from __future__ import annotations

from dataclasses import replace

from ..contacts import CardCheck, MemberCardFile
from ..contacts.cards import names_digest
from ..crypto.seal import SealKey
from ..errors import InputError
from ..ledger import Call, Deployment, Receipt, calls, messages
from ..types import ZERO_ADDRESS, Address, Digest
from ..vocabulary import Kind
from .context import Context, Identity


def card_check(deployment: Deployment) -> CardCheck:
    """How the signatures on a member card are checked on this deployment."""

    def names(digest: Digest, signature: bytes) -> Address:
        return messages.signer(messages.statement(deployment, "MemberName", digest), signature)

    def card(fields: calls.MemberCard, signature: bytes) -> Address:
        return messages.signer(messages.member_card(deployment, fields), signature)

    return CardCheck(card=card, names=names)


def make_card(
    deployment: Deployment,
    key: Identity,
    name: str,
    version: int,
    organisation: Address = ZERO_ADDRESS,
    organisation_name: str = "",
) -> MemberCardFile:
    """A card of the key's holder, signed. `version` is what the ledger has now: 0 before enrolment."""
    unsigned = MemberCardFile(
        name, organisation_name, key.address, organisation, key.seal_key.public, version, bytes(65)
    )
    signed_names = messages.statement(
        deployment, "MemberName", names_digest(name, organisation_name, key.address, organisation, version)
    )
    return replace(
        unsigned,
        signature=key.sign_digest(messages.member_card(deployment, unsigned.card)),
        name_signature=key.sign_digest(signed_names),
    )


class Members:
    """Cards, enrolment, kinds, suspension. Writing needs the role that the contract asks for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def card(self, name: str, organisation: Address = ZERO_ADDRESS, organisation_name: str = "") -> MemberCardFile:
        """This key's card for the next step: enrolment, or a change of key or organisation."""
        key = self._context.key
        member = self._context.view().member(key.address)
        version = member.version if member else 0
        return make_card(self._context.deployment, key, name, version, organisation, organisation_name)

    def agree(self, card: MemberCardFile) -> bytes:
        """As an organisation, sign that the card's member belongs to it from that card on."""
        context = self._context
        digest = messages.agreement(context.deployment, context.key.address, card.address, card.version)
        return context.key.sign_digest(digest)

    def enrol(self, card: MemberCardFile, kinds: list[Kind], agreement: bytes = b"") -> Receipt:
        """Enrol a member by its card, as a registrar; its public key is stored first."""
        card.verify(card_check(self._context.deployment))
        self._context.store.put(card.public_key, "raw")
        mask = sum({kind.mask for kind in kinds})
        return self._send(calls.enrol(card.card, card.signature, agreement, mask))

    def update(self, card: MemberCardFile, agreement: bytes = b"") -> Receipt:
        """Replace a member's card by one that it signed; anyone may carry it."""
        card.verify(card_check(self._context.deployment))
        self._context.store.put(card.public_key, "raw")
        return self._send(calls.update_card(card.card, card.signature, agreement))

    def rekey(self) -> Receipt | None:
        """Give this member another key to seal to: drawn and saved first, then named on the ledger, then used.

        After a crash it goes on where it stopped when it is called again; None if the ledger named the new key
        already. The former key still opens what was sealed to it. Owners seal their grants anew by `Consents.reseal`.

        Raises:
            InputError: this key is not enrolled, so no ledger names what to seal to.
        """
        context = self._context
        view, me = context.view(), context.key.address
        member = view.member(me)
        if member is None:
            raise InputError(
                "This key is not enrolled, so nobody seals to it yet.", hint="Make its card: dtledger member card NAME"
            )
        drawn = context.key.update(
            lambda held: held if held.next_seal_key else held.with_next_seal_key(SealKey.generate())
        ).next_seal_key
        assert drawn is not None, "it was just saved"
        receipt = None
        key = context.store.put(drawn.public, "raw").digest
        if view.key_digest(me) != key:
            card = calls.MemberCard(me, key, member.organisation or ZERO_ADDRESS, member.version)
            receipt = self._send(calls.update_card(card))
        context.key.update(lambda held: held.with_seal_key(drawn))
        return receipt

    def set_kinds(self, member: Address, kinds: int) -> Receipt:
        """As a registrar, replace a member's kinds by the mask; guarded ones can only be left or taken away."""
        return self._send(calls.set_kinds(member, kinds))

    def suspend(self, member: Address) -> Receipt:
        """As a suspender, refuse a member (and, of an organisation, its members) everything, from that block on."""
        return self._send(calls.suspend(member))

    def reinstate(self, member: Address) -> Receipt:
        """As a steward, end a suspension, which was announced and has waited its delay."""
        return self._send(calls.reinstate(member))

    def _send(self, call: Call) -> Receipt:
        return self._context.send(call)
