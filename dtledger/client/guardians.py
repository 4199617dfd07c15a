"""Guardians: the owner chooses them, and they act together by what each signs.

What several do is a `GuardianAct`: it goes from one to the next, who `sign` it, and whoever has it `send`s it once
enough have signed. The opening of the owner's digest (`dtledger.ledger.guardians.Guardians`) is kept in the owner's key
file and by each guardian: the ledger shows nobody who they are before they act.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import AccessDeniedError, InputError, IntegrityError, KeyFileError
from ..keys import Secrets
from ..ledger import Call, Deployment, Receipt, guardian_calls, messages
from ..ledger import guardians as said
from ..ledger.guardians import GREATEST_DELAY, LEAST_DELAY, Guardians, GuardianSignature
from ..types import ZERO_DIGEST, Address, Digest
from .context import Context

DEFAULT_DELAY = 7 * 86_400
"""Seconds that a move by guardians waits, unless the owner says otherwise."""

LIFE = 60 * 3600
"""Seconds that guardians have to sign one act: half a day less than the ledger allows."""

_KEPT = 8
"""Former choices of guardians that a key file keeps: the newest may have come to nothing."""

Kind = Literal["Freeze", "Unfreeze", "AnnounceMove", "RescueTwin"]


@dataclass(frozen=True, slots=True)
class GuardianAct:
    """What guardians of a twin do together, and who has signed so far. `to` is where a move leads, else None; the
    recipient signs a move too."""

    kind: Kind
    twin: int
    counter: int
    deadline: int
    guardians: Guardians
    to: Address | None = None
    signatures: tuple[GuardianSignature, ...] = ()
    recipient: bytes = b""

    def digest(self, deployment: Deployment) -> Digest:
        """What is signed."""
        if self.kind == "AnnounceMove":
            assert self.to is not None, "a move leads somewhere"
            return said.announce_move(deployment, self.twin, self.to, self.counter, self.deadline)
        return said.counted(deployment, self.kind, self.twin, self.counter, self.deadline)

    @property
    def signers(self) -> tuple[Address, ...]:
        return tuple(each.guardian for each in self.signatures)

    @property
    def is_signed_by_all(self) -> bool:
        return len(self.signatures) == len(self.guardians.addresses)

    @property
    def is_enough(self) -> bool:
        """Whether the ledger takes it, as far as signatures go."""
        wanting = self.kind == "AnnounceMove" and not self.recipient
        return len(self.signatures) >= self.guardians.needed and not wanting

    def verify(self, deployment: Deployment) -> GuardianAct:
        """This act, if everybody who is said to have signed it did.

        Raises:
            IntegrityError: one did not.
        """
        claimed = [(each.guardian, each.signature) for each in self.signatures]
        if self.recipient and self.to is not None:
            claimed.append((self.to, self.recipient))
        for who, signature in claimed:
            if messages.signer(self.digest(deployment), signature) != who:
                raise IntegrityError(f"{who} did not sign this.", party=who)
        return self

    def call(self) -> Call:
        """The call that carries it."""
        common = (self.counter, self.deadline, self.guardians, self.signatures)
        if self.kind == "AnnounceMove":
            assert self.to is not None, "a move leads somewhere"
            return guardian_calls.announce_move(self.twin, self.to, *common, self.recipient)
        make = {
            "Freeze": guardian_calls.freeze,
            "Unfreeze": guardian_calls.unfreeze,
            "RescueTwin": guardian_calls.rescue_twin,
        }[self.kind]
        return make(self.twin, *common)


class TwinGuardians:
    """What an owner does about guardians, and what guardians do about a twin."""

    def __init__(self, context: Context) -> None:
        self._context = context

    # the owner -----------------------------------------------------------------------------------------------

    def choose(
        self, twin: int, needed: int, addresses: Sequence[Address], delay: int = DEFAULT_DELAY
    ) -> tuple[Guardians, Receipt]:
        """Choose a twin's guardians, `needed` of whom act together; a move by them waits `delay` seconds.

        What the digest opens to is in the key file before the digest is on the ledger. Give it to each guardian.

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
        self._require_owner(twin)
        name = _name(context.deployment, twin)
        context.key.update(lambda held: _with(held, name, chosen))
        call = guardian_calls.set_guardians(twin, chosen.digest, delay)
        return chosen, context.ledger.send(call, context.key)

    def dismiss(self, twin: int) -> Receipt:
        """Have no guardians from now on."""
        self._require_owner(twin)
        return self._context.ledger.send(guardian_calls.set_guardians(twin, ZERO_DIGEST, 0), self._context.key)

    def chosen(self, twin: int) -> Guardians | None:
        """Who the twin's guardians are, as this key knows them; None if it has none.

        Raises:
            KeyFileError: it has some, and this key does not know whom.
        """
        present = self._context.view().state(twin).guardians
        if present == ZERO_DIGEST:
            return None
        for each in _held(self._context.key.secrets, _name(self._context.deployment, twin)):
            if each.digest == present:
                return each
        raise KeyFileError(
            f"This key does not know who the guardians of twin {twin} are.",
            hint="Each of them has the file that its owner gave them.",
        )

    def veto(self, twin: int) -> Receipt:
        """As the owner, veto the move that guardians announced."""
        self._require_owner(twin)
        return self._context.ledger.send(guardian_calls.veto_move(twin), self._context.key)

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
        """The act, with this key's signature: a guardian's, or the recipient's of a move.

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
            act = replace(act, recipient=signature)
        if key.address in act.guardians.addresses:
            others = [each for each in act.signatures if each.guardian != key.address]
            signed = [*others, GuardianSignature(key.address, signature)]
            act = replace(act, signatures=tuple(sorted(signed, key=lambda each: int(each.guardian, 16))))
        return act

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

    def _require_owner(self, twin: int) -> None:
        if self._context.view().owner(twin) != self._context.key.address:
            raise AccessDeniedError(
                f"Twin {twin} is not owned by this key ({self._context.key.address}).",
                hint="Choose the owner's key with --key.",
            )


def _name(deployment: Deployment, twin: int) -> str:
    """What a twin's guardians are filed under in `Secrets.extra`."""
    return f"guardians {deployment.id} {twin}"


def _with(held: Secrets, name: str, chosen: Guardians) -> Secrets:
    """The secrets with one choice more, the newest first."""
    new = {"needed": chosen.needed, "addresses": list(chosen.addresses), "salt": chosen.salt}
    former: list[Any] = list(held.extra.get(name, ()))
    return held.with_extra(name, [new, *former][:_KEPT])


def _held(held: Secrets, name: str) -> list[Guardians]:
    rows: list[Any] = list(held.extra.get(name, ()))
    return [Guardians(row["needed"], tuple(map(Address, row["addresses"])), row["salt"]) for row in rows]
