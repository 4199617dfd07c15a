"""Guardians: the owner chooses them, and they act together by what each signs.

What several do is a `GuardianAct`: it goes from one to the next, who `sign` it, and whoever has it `send`s it once
enough have signed. The opening of the owner's digest (`dtledger.ledger.guardians.Guardians`) is kept in the owner's key
file and by each guardian: the ledger shows nobody who they are before they act.

`entrust` lets them bring back the twin's secrets too: with the act of a move goes each guardian's share, sealed to the
new key, which the custodians complete once that key owns the twin (`bring_back`).

Warning: what guardians gave for a move that was vetoed stays given. It opens nothing without t custodians, who give
their shares to the twin's present owner alone.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..errors import InputError, KeyFileError, LedgerRejection
from ..keys.secrets import GUARDIAN_KEYS
from ..ledger import Receipt, guardian_calls
from ..ledger.guardians import GREATEST_DELAY, LEAST_DELAY, Guardians, GuardianSignature
from ..types import ZERO_DIGEST, Address
from .context import Context
from .guardian_acts import GuardianAct, Kind
from .guardian_openings import opening, with_opening
from .guardian_shares import GuardianKeys, GuardianShare
from .handover import Acceptance
from .regaining import Recovered
from .twins import Twins

DEFAULT_DELAY = 7 * 86_400
"""Seconds that a move by guardians waits, unless the owner says otherwise."""

LIFE = 60 * 3600
"""Seconds that guardians have to sign one act: half a day less than the ledger allows."""


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What bringing a twin to a new key did: what was recovered (None if it began with new secrets), and the receipts
    of the move and of the card, if this did them."""

    recovered: Recovered | None
    move: Receipt | None
    card: Receipt | None


class TwinGuardians:
    """What an owner does about guardians, and what guardians do about a twin."""

    def __init__(self, context: Context, twins: Twins) -> None:
        self._context = context
        self._twins = twins

    # the owner -----------------------------------------------------------------------------------------------

    def choose(
        self, twin: int, needed: int, addresses: Sequence[Address], delay: int = DEFAULT_DELAY
    ) -> tuple[Guardians, Receipt]:
        """Choose a twin's guardians, `needed` of whom act together; a move by them waits `delay` seconds.

        What the digest opens to is in the key file before the digest is on the ledger. Give it to each guardian. They
        can move the twin, and not bring its secrets back: see `entrust`.

        Raises:
            InputError: the same guardian twice, a number of them that can never be, or a delay not from 2 to 30 days.
        """
        context = self._context
        try:
            chosen = Guardians.of(needed, addresses, random.token_bytes(32))
        except ValueError as error:
            raise InputError(f"That makes no guardians: {error}.", hint="Name each once, and as many as act.") from None
        if not LEAST_DELAY <= delay <= GREATEST_DELAY:
            raise InputError("A move by guardians waits 2 to 30 days.", hint="Seven are usual.")
        self._context.require_owner(twin)
        context.key.update(lambda held: with_opening(held, context.deployment, twin, chosen))
        return chosen, context.send(guardian_calls.set_guardians(twin, chosen.digest, delay))

    def entrust(
        self, twin: int, guardians: GuardianKeys, delay: int = DEFAULT_DELAY
    ) -> tuple[Guardians, tuple[Receipt, ...]]:
        """Choose guardians who can bring back the twin's secrets as well: `choose`, and a recovery package for them.
        May be called again after a crash: what is done is not done again.

        Raises:
            InputError: as `choose`; or the twin has no card yet.
            LedgerRejection: the twin is frozen, say; the guardians stay those that they were.
        """
        context, deployment = self._context, self._context.deployment.origin
        self._context.require_owner(twin)
        self._twins.roster(twin)
        former = context.key.secrets.of_twin(GUARDIAN_KEYS, deployment, twin)
        self._twins.remember_guardians(twin, guardians)
        receipts: list[Receipt] = []
        chosen = self._standing(twin, guardians, delay)
        if chosen is None:
            try:
                chosen, receipt = self.choose(
                    twin, guardians.needed, [each.address for each in guardians.people], delay
                )
            except (InputError, LedgerRejection):
                context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, deployment, twin, former))
                raise
            receipts.append(receipt)
        package = self._twins.keep_recovery(twin)
        return chosen, (*receipts, *([package] if package else []))

    def _standing(self, twin: int, guardians: GuardianKeys, delay: int) -> Guardians | None:
        """The twin's guardians, if they are these on the ledger already, with that delay."""
        context = self._context
        state = context.view().state(twin)
        known = opening(context.key.secrets, context.deployment, twin, state.guardians)
        wanted = (guardians.needed, {each.address for each in guardians.people}, delay)
        if known is None or (known.needed, set(known.addresses), state.recovery_delay) != wanted:
            return None
        return known

    def dismiss(self, twin: int) -> Receipt:
        """Have no guardians from now on; what they could recover, they cannot any more."""
        self._context.require_owner(twin)
        self._twins.drop_recovery(twin)
        return self._context.send(guardian_calls.set_guardians(twin, ZERO_DIGEST, 0))

    def chosen(self, twin: int) -> Guardians | None:
        """Who the twin's guardians are, as this key knows them; None if it has none.

        Raises:
            KeyFileError: it has some, and this key does not know whom.
        """
        present = self._context.view().state(twin).guardians
        if present == ZERO_DIGEST:
            return None
        known = opening(self._context.key.secrets, self._context.deployment, twin, present)
        if known is None:
            raise KeyFileError(
                f"This key does not know who the guardians of twin {twin} are.",
                hint="Each of them has the file that its owner gave them.",
            )
        return known

    def veto(self, twin: int) -> Receipt:
        """As the owner, veto the move that guardians announced."""
        self._context.require_owner(twin)
        return self._context.send(guardian_calls.veto_move(twin))

    # the guardians -------------------------------------------------------------------------------------------

    def begin(self, kind: Kind, twin: int, guardians: Guardians, to: Address | None = None) -> GuardianAct:
        """An act that nobody has signed yet.

        Raises:
            InputError: these are not the twin's guardians, or a move leads nowhere.
        """
        context = self._context
        if (to is None) is (kind == "AnnounceMove"):
            raise InputError("A move leads to somebody, and nothing else does.", hint="Name the new owner's key.")
        at = max(context.clock(), context.ledger.head().at)
        return self._present(GuardianAct(kind, twin, context.view().counter(twin), at + LIFE, guardians, to))

    def sign(self, act: GuardianAct) -> GuardianAct:
        """The act, with this key's signature: a guardian's, or the recipient's of a move, who names its key to seal to
        besides.

        Raises:
            InputError: the act is out of date, or not this key's to sign.
            IntegrityError: somebody did not sign who is said to have.
        """
        key, deployment = self._context.key, self._context.deployment
        self._present(act.verify(deployment))
        if key.address not in (*act.guardians.addresses, act.to):
            raise InputError(
                f"This key ({key.address}) is no guardian of twin {act.twin}.", hint="Choose a guardian's with --key."
            )
        signature = key.sign_digest(act.digest(deployment))
        if key.address == act.to:
            public = key.seal_key.public
            named = key.sign_digest(Acceptance.names_key(deployment, act.twin, key.address, public))
            act = replace(act, recipient=signature, key=public, key_signature=named)
        if key.address in act.guardians.addresses:
            others = [each for each in act.signatures if each.guardian != key.address]
            signed = [*others, GuardianSignature(key.address, signature)]
            act = replace(act, signatures=tuple(sorted(signed, key=lambda each: int(each.guardian, 16))))
        return act

    def give(self, act: GuardianAct) -> GuardianAct:
        """The act of a move with this guardian's share of the twin's secrets, sealed to the recipient; before the move
        is announced or after. As it is, if this key is no guardian's or the recipient has not named its key yet.

        Raises:
            CannotCheckError: the twin has no recovery package, or none with a share of this key's.
            IntegrityError: the recipient did not sign its key, or the owner sealed something else than it said.
        """
        key, acceptance = self._context.key, act.acceptance
        if acceptance is None or key.address not in act.guardians.addresses:
            return act
        share = self._twins.guardian_share(acceptance)
        others = []
        for each in act.shares:
            if (each.guardian, each.package, each.number) == (key.address, share.package, share.number):
                return act
            others += [each] if each.guardian != key.address else []
        return replace(act, shares=(*others, share))

    def is_announced(self, act: GuardianAct) -> bool:
        """Whether the move has been announced, or is done, so that shares are all that it still wants."""
        view = self._context.view()
        state = view.state(act.twin)
        came = len(view.owners(act.twin)) > 1 and view.owner(act.twin) == act.to
        there = came or (state.move is not None and state.move.to == act.to)
        return there and act.counter < state.counter

    def send(self, act: GuardianAct) -> Receipt:
        """Carry what enough have signed to the ledger. Anyone may.

        Raises:
            InputError: the act is out of date.
            LedgerRejection: the ledger does not take it, now or from so few.
        """
        self._present(act.verify(self._context.deployment))
        return self._context.ledger.send(act.call(), self._context.key)

    def complete(self, twin: int) -> Receipt:
        """Do the move that guardians announced, once its delay is over. Anyone may; its new owner sets a card next."""
        return self._context.ledger.send(guardian_calls.complete_move(twin), self._context.key)

    # the new owner -------------------------------------------------------------------------------------------

    def bring_back(
        self, twin: int, shares: Iterable[GuardianShare] | None, custodians: Sequence[Address], threshold: int
    ) -> BroughtBack:
        """As the key that guardians move a twin to, complete the move, recover the twin's secrets and set its card.

        With `shares` None it begins with new secrets, and reads nothing that was written before. May be called again
        after a crash, or when somebody did not answer: it goes on where it stopped.

        Raises:
            InputError: the twin moves to another key or to none, or this key drew secrets of its own for it.
            LedgerRejection: the delay is not over yet.
            CannotCheckError: too few guardians or custodians gave their shares; `.evidence["faults"]` says what ails
                each of the others.
        """
        context = self._context
        view, me = context.view(), context.key.address
        move, announced = None, view.state(twin).move
        if view.owner(twin) != me:
            if announced is None or announced.to != me:
                raise InputError(
                    f"Guardians have announced no move of twin {twin} to this key ({me}).",
                    hint="`dtledger twin show` says whether one is; to another key, choose that with --key.",
                )
            move = self.complete(twin)
        recovered = None
        if self._twins.is_regained(twin):
            recovered = Recovered(self._twins.generation(twin), {})
        elif shares is not None:
            recovered = self._twins.recover(twin, shares)
        card = None
        if context.view().card(twin) is None:
            card = self._twins.set_up(twin, custodians, threshold)
        return BroughtBack(recovered, move, card)

    def _present(self, act: GuardianAct) -> GuardianAct:
        """The act, if the ledger could take it as the twin stands."""
        state = self._context.view().state(act.twin)
        if act.guardians.digest != state.guardians:
            raise InputError(
                f"These are not the guardians of twin {act.twin} (any more).",
                hint="Ask its owner for the newest file: dtledger twin guardians show --out FILE",
            )
        if act.counter != state.counter or act.deadline < self._context.clock():
            raise InputError(
                f"Twin {act.twin} was changed since this was begun, or its time to be signed is over.",
                hint="Begin anew, with another file.",
            )
        return act
