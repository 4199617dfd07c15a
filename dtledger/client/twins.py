"""Twins from their owner's side: minting, the card, the roster of custodians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ..custody import AccessReceipt, OwnerRequest, ReceiptProof, TwinKey
from ..custody.lateness import asked_in_time
from ..custody.receipt_list import verify_anchored, verify_chain
from ..encoding import CID
from ..errors import DtledgerError, InputError, UnreachableError
from ..keys import TwinSecrets
from ..ledger import Deployment, Receipt, View, calls, messages
from ..ledger.events import Card, Transfer
from ..ledger.messages import card_chain
from ..snapshots.roster import Roster
from ..types import ZERO_DIGEST, Address, Digest
from .access import Access, ReceiptList
from .context import Context
from .moving import Moving
from .regaining import Regaining
from .rekeying import Rekeying


@dataclass(frozen=True, slots=True)
class MintRequest:
    """A patient's signed wish for a twin, good until `deadline`. A minter carries and pays it."""

    patient: Address
    count: int
    deadline: int
    signature: bytes


MOST_ROSTERS = 4096
"""That are kept decoded: a digest names one for ever."""


class Twins(Rekeying, Regaining, Moving):
    """What an owner does with a twin as a whole."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._decoded: dict[Digest, Roster] = {}

    # minting -------------------------------------------------------------------------------------------------

    def owned(self) -> list[int]:
        """The twins of this key."""
        return self._context.view().twins_of(self._context.key.address)

    def request_mint(self) -> MintRequest:
        """As a patient, ask for a twin."""
        context = self._context
        patient, count, deadline = context.key.address, len(self.owned()), context.deadline()
        digest = messages.mint(context.deployment, patient, count, deadline)
        return MintRequest(patient, count, deadline, context.key.sign_digest(digest))

    def mint(self, request: MintRequest) -> tuple[int, Receipt]:
        """As a minter, mint a patient's twin; its number and the receipt."""
        call = calls.mint(request.patient, request.count, request.deadline, request.signature)
        receipt = self._context.send(call)
        return receipt.the(Transfer).twin, receipt

    # the card ------------------------------------------------------------------------------------------------

    def without_card(self) -> list[int]:
        """This owner's twins that cannot be written to yet."""
        view = self._context.view()
        return [twin for twin in self.owned() if view.card(twin) is None]

    def set_up(self, twin: int, custodians: Sequence[Address], threshold: int) -> Receipt:
        """Draw the twin's secrets (or keep those drawn), ask the custodians for keys, and set the twin card.

        May be called again after a crash: the secrets are in the key file before anything depends on them.

        Raises:
            AccessDeniedError: this key does not own the twin.
            UnreachableError: a custodian does not answer.
        """
        context = self._context
        view = context.view()
        self._context.require_owner(twin)
        deployment = context.deployment
        secrets = context.key.update(
            lambda held: (
                held
                if held.has_twin(deployment.origin, twin)
                else held.with_twin(deployment.origin, twin, TwinSecrets.draw())
            )
        ).twin(deployment.origin, twin)
        present = view.card(twin)
        roster = self.draw_roster(twin, custodians, threshold, (present.roster_version if present else 0) + 1)
        card = Card(
            key=context.store.put(context.key.seal_key.public, "raw").digest,
            roster=context.store.put(roster.encode(), "dag-cbor").digest,
            bits=secrets.bits.root,
            custody_index=present.custody_index if present else ZERO_DIGEST,
            recovery=present.recovery if present else ZERO_DIGEST,
            key_version=(present.key_version if present else 0) + 1,
            roster_version=roster.version,
            custody_index_version=present.custody_index_version if present else 0,
            recovery_version=present.recovery_version if present else 0,
        )
        return context.send(calls.set_card(twin, self.card_digest(twin), card))

    def change_card(self, twin: int, present: Card, **changes: Any) -> Receipt:
        """Set the twin's present card with some of its fields changed."""
        call = calls.set_card(twin, self.card_digest(twin), replace(present, **changes))
        return self._context.send(call)

    def card_digest(self, twin: int) -> Digest:
        """What the contract stores of the twin's cards: the newest chained to those before; zeros for none."""
        view = self._context.view()
        owner = view.owner(twin)
        digest = ZERO_DIGEST
        for record in view.cards(twin):
            if record.owner == owner:
                digest = card_chain(digest, record.card)
        return digest

    def draw_roster(self, twin: int, custodians: Sequence[Address], threshold: int, version: int) -> Roster:
        """A roster of these custodians with the keys that they have for the twin now. Raises as `set_up`."""
        if not 1 <= threshold <= len(custodians):
            raise InputError(f"{threshold} of {len(custodians)} custodians is no threshold.")
        owner = self._context.key.address
        keys = tuple(self.twin_key(address, twin) for address in custodians)
        return Roster(twin, owner, version, threshold, keys)

    def twin_key(self, custodian: Address, twin: int) -> TwinKey:
        """The key that a custodian has for the twin now.

        Raises:
            AccessDeniedError: this key does not own the twin.
            UnreachableError: the custodian does not answer.
        """
        context = self._context
        port = context.custodian(custodian)

        def ask() -> TwinKey:
            return port.twin_key(self.request(messages.key_request, twin, custodian))

        block = context.ledger.head().number  # by which it is ours: it may have been minted a moment ago
        key = asked_in_time(ask, block).verify(context.deployment, twin, context.key.address)
        if key.custodian != custodian:
            raise UnreachableError(f"Another custodian answered in the place of {custodian}.")
        return key

    def roster(self, twin: int, view: View | None = None) -> Roster:
        """The roster in force, in that view or as it is now.

        Raises:
            InputError: the twin has no card yet.
        """
        card = (view or self._context.view()).card(twin)
        if card is None:
            raise InputError(f"Twin {twin} has no card yet, so nothing can be written.", hint="Its owner sets one.")
        found = self._decoded.get(card.roster)
        if found is None:
            found = Roster.decode(self._context.deployment, self._context.store.get(CID(card.roster)))
            if len(self._decoded) >= MOST_ROSTERS:
                self._decoded.clear()
            self._decoded[card.roster] = found
        return found

    # who looked ----------------------------------------------------------------------------------------------

    def who_looked(self, twin: int) -> Access:
        """Everybody's requests, put together from the receipts of all custodians. Raises as `access`."""
        return Access.of(self._lists(twin))

    def access(self, twin: int) -> dict[Address, list[AccessReceipt] | DtledgerError]:
        """The receipts of the twin that each custodian of any of its rosters has, oldest first, or why they are not to
        be had (UnreachableError, AccessDeniedError) or not to be believed (IntegrityError): a faulty custodian does not
        hide what the others say. Neither does a former owner whose roster is not to be had: it stands there with that.

        Raises:
            AccessDeniedError: this key does not own the twin.
        """
        answers = self._lists(twin).items()
        return {each: answer.receipts if isinstance(answer, ReceiptList) else answer for each, answer in answers}

    def _lists(self, twin: int) -> dict[Address, ReceiptList | DtledgerError]:
        """What `access` gives, with how much of it is anchored."""
        self._context.require_owner(twin)
        context = self._context
        answers: dict[Address, ReceiptList | DtledgerError] = {}
        for digest, owner in self._rosters(twin).items():
            try:
                roster = Roster.decode(context.deployment, context.store.get(CID(digest)))
            except DtledgerError as error:
                if owner == context.key.address:
                    raise
                answers[owner] = error
            else:
                new = [each for each in roster.custodians if each not in answers]
                answers |= {custodian: self._receipts(twin, custodian) for custodian in new}
        return answers

    def _rosters(self, twin: int) -> dict[Digest, Address]:
        """Every roster that the twin ever had, the newest first, and whose it was."""
        owners = {record.card.roster: record.owner for record in self._context.view().cards(twin)}
        return dict(reversed(owners.items()))

    def _receipts(self, twin: int, custodian: Address) -> ReceiptList | DtledgerError:
        """A custodian's list, whole as of its newest anchor. The proof is asked for first: what the custodian anchors
        between the two answers makes the list longer and nothing else."""
        context = self._context
        known = context.view().receipt_anchor(custodian)
        try:
            proof, told = self.told(twin, custodian)
            receipts = list(verify_chain(context.deployment, told, custodian, twin))
            return ReceiptList(receipts, verify_anchored(context.view(), known, proof, receipts, custodian, twin))
        except DtledgerError as error:
            return error

    def custodians(self, twin: int) -> list[Address]:
        """Everybody whom a roster of the twin that can be read ever named, the newest roster's first."""
        context = self._context
        found: dict[Address, None] = {}
        for digest in self._rosters(twin):
            with suppress(DtledgerError):
                roster = Roster.decode(context.deployment, context.store.get(CID(digest)))
                found |= dict.fromkeys(roster.custodians)
        return list(found)

    def told(self, twin: int, custodian: Address) -> tuple[ReceiptProof | None, list[AccessReceipt]]:
        """What a custodian answers: the proof of its newest anchored map, and its receipts of the twin. Neither is
        looked at.

        Raises:
            UnreachableError: it does not answer, or this profile does not know it.
            AccessDeniedError: this key does not own the twin.
        """
        request = self.request(messages.receipts_request, twin, custodian)
        port = self._context.custodian(custodian)
        return port.receipt_proof(request), port.receipts(request)

    def digests(self, twin: int, custodian: Address) -> list[tuple[Digest, ...]]:
        """What a custodian says that its receipts of the twin are for, in their order: the digests asked for, which
        `custody.receipt_list.require_digests` holds against a receipt. Raises as `told`."""
        return self._context.custodian(custodian).digests(self.request(messages.receipts_request, twin, custodian))

    def request(
        self, message: Callable[[Deployment, int, Address, Address, int], Digest], twin: int, custodian: Address
    ) -> OwnerRequest:
        """What the owner signs for one custodian, by one of the `messages` that have this form."""
        context = self._context
        owner, at = context.key.address, context.clock()
        digest = message(context.deployment, twin, owner, custodian, at)
        return OwnerRequest(twin, owner, at, context.key.sign_digest(digest))
