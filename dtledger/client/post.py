"""The post: writing letters, taking them to a twin's custodians, collecting and opening one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..custody import KEPT_SECONDS, Letter, LettersRequest
from ..encoding import CID
from ..errors import AccessDeniedError, DtledgerError, InputError, IntegrityError, UnreachableError
from ..ledger import messages
from ..snapshots.roster import Roster
from ..types import Address, Digest
from .context import Context
from .keyrings import with_any

_CLOCKS_APART = 120
"""How far a writer's clock may be ahead of ours, in seconds: as far as custodians allow."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Which custodians took a letter, and why the others did not."""

    taken: tuple[Address, ...]
    faults: Mapping[Address, DtledgerError]


class Post:
    """The letters of one key."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def write(self, letter: Letter, content: object) -> Letter:
        """Sealed to both parties and signed.

        Raises:
            InputError: the twin has no card, or the content is too long.
            CannotCheckError: the member has no key to seal to.
        """
        context = self._context
        card = context.view().card(letter.twin)
        if card is None:
            raise InputError(f"Twin {letter.twin} has no card yet, so there is no key to seal to.")
        owner_key = context.store.get(CID(card.key, "raw"))
        sealed = letter.sealed(context.deployment, content, owner_key, context.public_key(letter.member))
        return sealed.signed(context.key.sign_digest(sealed.to_sign(context.deployment)))

    def deliver(self, letter: Letter) -> Delivery:
        """To each custodian of the twin.

        Raises:
            AccessDeniedError, UnreachableError: none takes it; what the first said that refuses, else that is silent.
        """
        context = self._context
        card = context.view().card(letter.twin)
        assert card is not None, "a letter was sealed to it"
        roster = Roster.decode(context.deployment, context.store.get(CID(card.roster)))
        taken = []
        faults: dict[Address, DtledgerError] = {}
        for custodian in roster.custodians:
            try:
                self._context.custodian(custodian).leave(letter)
                taken.append(custodian)
            except DtledgerError as error:
                faults[custodian] = error
        if not taken:
            raise min(faults.values(), key=lambda each: not isinstance(each, AccessDeniedError))
        return Delivery(tuple(taken), faults)

    def collect(self) -> tuple[list[Letter], dict[Address, DtledgerError]]:
        """Every letter of this key's that a custodian of the profile keeps, each once and signed by its writer; and
        custodian → why its letters are not to be had, or not to be believed.

        Raises:
            UnreachableError: no custodian answers.
        """
        context = self._context
        now = context.clock()
        letters: dict[Digest, Letter] = {}
        faults: dict[Address, DtledgerError] = {}
        for custodian in context.custodians:
            try:
                letters |= self._collect(custodian, now)
            except DtledgerError as error:
                faults[custodian] = error
        if len(faults) == len(context.custodians):
            raise next(iter(faults.values()), UnreachableError("This profile knows no custodian to ask for letters."))
        timely = range(now - KEPT_SECONDS, now + _CLOCKS_APART + 1)
        return [each for each in letters.values() if each.at in timely], faults

    def open(self, letter: Letter) -> object:
        """The content of a letter to or from this key.

        Raises:
            IntegrityError: its writer sealed it to another key, or for another letter; `.party` is the writer.
        """
        context = self._context
        me = context.key.address
        try:
            return with_any(context.key.secrets.seal_keys, lambda key: letter.open(context.deployment, me, key))
        except IntegrityError as error:
            raise IntegrityError(f"a letter cannot be read: {error}", party=letter.writer) from error

    def _collect(self, custodian: Address, now: int) -> dict[Digest, Letter]:
        """Raises:
        IntegrityError: a letter's writer did not sign it; `.party` is the custodian, who should have looked.
        """
        context = self._context
        me = context.key.address
        signature = context.key.sign_digest(messages.letters_request(context.deployment, me, custodian, now))
        letters = self._context.custodian(custodian).letters(LettersRequest(me, now, signature))
        try:
            true = [each.verify(context.deployment) for each in letters]
        except (IntegrityError, ValueError, TypeError) as error:
            raise IntegrityError(f"a custodian gave a letter that is none: {error}", party=custodian) from error
        return {each.digest: each for each in true if me in (each.owner, each.member)}
