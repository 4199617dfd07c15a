"""What guardians do together: what each of them signs, and what goes with it to a twin's new key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..errors import IntegrityError
from ..ledger import Call, Deployment, guardian_calls, messages
from ..ledger import guardians as said
from ..ledger.guardians import Guardians, GuardianSignature
from ..types import Address, Digest
from .guardian_shares import GuardianShare
from .handover import Acceptance

Kind = Literal["Freeze", "Unfreeze", "AnnounceMove", "RescueTwin"]


@dataclass(frozen=True, slots=True)
class GuardianAct:
    """What guardians of a twin do together, and who has signed so far.

    `to` is where a move leads, else None. The recipient signs a move too, and with `key_signature` its public `key`;
    `shares` are what guardians sealed to it.
    """

    kind: Kind
    twin: int
    counter: int
    deadline: int
    guardians: Guardians
    to: Address | None = None
    signatures: tuple[GuardianSignature, ...] = ()
    recipient: bytes = b""
    key: bytes = field(default=b"", repr=False)
    key_signature: bytes = field(default=b"", repr=False)
    shares: tuple[GuardianShare, ...] = ()

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

    @property
    def acceptance(self) -> Acceptance | None:
        """Whom guardians seal their shares to; None while the recipient has not said with which key."""
        if self.to is None or not self.key:
            return None
        return Acceptance(self.twin, self.to, self.counter, self.deadline, b"", self.key, self.key_signature)

    @property
    def givers(self) -> tuple[Address, ...]:
        return tuple(each.guardian for each in self.shares)

    def verify(self, deployment: Deployment) -> GuardianAct:
        """This act, if everybody who is said to have signed it did. Shares are looked at by whom they are for.

        Raises:
            IntegrityError: one did not.
        """
        claimed = [(each.guardian, each.signature) for each in self.signatures]
        if self.recipient and self.to is not None:
            claimed.append((self.to, self.recipient))
        for who, signature in claimed:
            if messages.signer(self.digest(deployment), signature) != who:
                raise IntegrityError(f"{who} did not sign this.", party=who)
        if self.acceptance is not None:
            self.acceptance.verify_key(deployment)
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
