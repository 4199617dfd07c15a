"""Moving a twin to another key: both sign, and the new owner begins anew.

The new key has the twin's secrets only if the owner hands them over (`handover`): with them it reads what was written
before, without them it draws others and reads what is written from then on. Either way it sets a card of its own, is
bound by no grant that was given before, and writes under a generation that the former key does not know.

Warning: a former owner keeps what it has: it opens what it fetched before, and with t custodians who break their word
all that was written before the move.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from dataclasses import replace

from ..errors import AccessDeniedError, InputError, IntegrityError
from ..keys import Secrets, TwinSecrets
from ..ledger import Receipt, View, calls
from ..types import Address
from .context import Context
from .handover import Acceptance, Handover
from .keyrings import with_any


class Moving:
    """The part of `Twins` that moves twins."""

    _context: Context

    def set_up(self, twin: int, custodians: Sequence[Address], threshold: int) -> Receipt:
        raise NotImplementedError

    # the recipient agrees ------------------------------------------------------------------------------------

    def accept_move(self, twin: int) -> Acceptance:
        """As whoever shall own the twin, agree to it; good for half an hour.

        Raises:
            InputError: there is no such twin, it is this key's or was once, or it is being retired.
        """
        context = self._context
        key, view = context.key, context.view()
        _require_may_own(view, twin, key.address)
        unsigned = Acceptance(twin, key.address, view.counter(twin), context.deadline(), b"", key.seal_key.public, b"")
        named = Acceptance.names_key(context.deployment, twin, key.address, key.seal_key.public)
        signature = key.sign_digest(unsigned.move(context.deployment))
        return replace(unsigned, signature=signature, key_signature=key.sign_digest(named))

    # the owner moves -----------------------------------------------------------------------------------------

    def check_move(self, acceptance: Acceptance) -> Acceptance:
        """The acceptance, if this key may move the twin by it now.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: the recipient owned it before, or the acceptance is too old, or the twin is being retired.
            IntegrityError: the recipient did not sign it.
        """
        context = self._context
        view, twin = context.view(), acceptance.twin
        context.require_owner(twin, view)
        acceptance.verify(context.deployment)
        _require_may_own(view, twin, acceptance.to)
        if acceptance.counter != view.counter(twin) or acceptance.deadline < context.now().latest:
            raise InputError(
                f"What {acceptance.to} signed to take twin {twin} is too old.", hint="Let it sign anew, and be quick."
            )
        return acceptance

    def hand_over(self, twin: int, to: Address, key: bytes) -> Handover:
        """The twin's secrets, all generations of them, for the recipient with that public key; as its owner, or as
        whoever was its owner before. Raises KeyFileError if this key does not hold them."""
        context = self._context
        held = context.key.secrets.twin(context.deployment.origin, twin)
        unsigned = Handover.of(context.deployment, twin, context.key.address, to, key, held)
        return unsigned.signed(context.key.sign_digest(unsigned.to_sign(context.deployment)))

    def move(self, acceptance: Acceptance) -> Receipt:
        """Move the twin. Raises as `check_move`."""
        context = self._context
        self.check_move(acceptance)
        call = calls.move(
            acceptance.twin,
            acceptance.to,
            acceptance.counter,
            acceptance.deadline,
            b"",
            acceptance.signature,
        )
        return context.send(call)

    # the new owner begins ------------------------------------------------------------------------------------

    def take_over(self, handover: Handover, custodians: Sequence[Address], threshold: int) -> Receipt | None:
        """As the new owner, keep the secrets handed over, begin the next generation and set the twin card; None if it
        is set already. May be called again after a crash.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: this key drew secrets of its own for the twin.
            IntegrityError: the hand-over is not by the owner before, or not of the secrets that its card commits to.
        """
        context = self._context
        twin, deployment = handover.twin, context.deployment
        view, me = context.view(), context.key.address
        if view.owner(twin) != me or handover.to != me:
            raise AccessDeniedError(
                f"Twin {twin} is not owned by this key, or is handed to another.", hint="Choose the new owner's."
            )
        given = with_any(context.key.secrets.seal_keys, lambda key: handover.open(deployment, key))
        before = [record for record in view.cards(twin) if record.owner != me]
        if not before or before[-1].owner != handover.owner or before[-1].card.bits != given.bits.root:
            raise IntegrityError(
                f"these are not the secrets that the owner before committed to for twin {twin}", party=handover.owner
            )
        keep_given(context, twin, given)
        return self.set_up(twin, custodians, threshold) if view.card(twin) is None else None


def keep_given(context: Context, twin: int, given: TwinSecrets) -> TwinSecrets:
    """Keep a twin's secrets that somebody else had, and one generation more that nobody else has; what is held then.
    Done again, it changes nothing.

    Raises:
        InputError: this key drew secrets of its own for the twin.
    """
    fresh, deployment = random.token_bytes(32), context.deployment.origin

    def keep(held: Secrets) -> Secrets:
        if not held.has_twin(deployment, twin):
            return held.with_twin(deployment, twin, given.with_generation(given.latest + 1, fresh))
        if held.twin(deployment, twin).keeps(given):
            return held
        raise InputError(
            f"This key has drawn secrets of its own for twin {twin}; others cannot take their place.",
            hint="Move the twin to a key that has not, and hand it the secrets.",
        )

    return context.key.update(keep).twin(deployment, twin)


def _require_may_own(view: View, twin: int, to: Address) -> None:
    """Raises:
    InputError: there is no such twin, it is being retired, or `to` owns it or did once.
    """
    owner = view.owner(twin)
    if owner is None:
        raise InputError(f"There is no twin {twin}.", hint="`dtledger twin list` shows those you have to do with.")
    if owner == to:
        raise InputError(f"{to} owns twin {twin} already.")
    if view.was_owner(twin, to):
        raise InputError(
            f"Twin {twin} cannot go back to its former owner {to}.", hint="Move it to a key that never owned it."
        )
    if view.retired(twin):
        raise InputError(
            f"Twin {twin} is retired, or is to be, and does not move.", hint="`dtledger twin erase --cancel` first."
        )
