"""Letters: what a member asks the owner of a twin for, and what the owner answers, by way of the twin's custodians.

A letter is signed by its writer and its content sealed to both of its parties, so that each can read it again on any
machine. Everything that it is about stands in the body that is signed and in the context of both seals: a letter for
one deployment, twin, owner or member is none for another, and whoever copies a seal into a letter of its own seals
nothing. Contents are padded to one size. Nothing of it comes onto the ledger or into the block store: custodians keep
letters, unread, for `KEPT_SECONDS` and then forget them.

Warning: custodians see who asks on which twin and when, and that it was answered; not what for, nor the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from .. import encoding
from ..crypto import padding, seal
from ..errors import InputError, IntegrityError
from ..ledger import Deployment, messages
from ..policy import Facts, Request, check
from ..types import ZERO_DIGEST, Address, Digest, Period
from ..vocabulary import Action, Purpose, Reason
from .cells import readable, signed_cells

LetterKind = Literal["ConsentRequest", "ConsentAnswer"]

KEPT_SECONDS = 30 * 86_400
"""How long a letter is kept."""

MOST_REQUESTS = 3
"""How many requests one member may have on one twin within `KEPT_SECONDS`, answered or not."""

MOST_ON_TWIN = 60
"""How many requests there may be on one twin within `KEPT_SECONDS`, all members together."""

CONTENT_BYTES = 4096
"""What every content is padded to."""

SEALED_BYTES = CONTENT_BYTES + 1136
"""A sealed content: 1,088 + 32 bytes of encapsulation and 16 of tag more."""

_BODY = (str, int, str, str, bytes, int, bytes, bytes)
"""What a letter's body is made of, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. A request (`ConsentRequest`) goes from the member to the owner, an answer (`ConsentAnswer`) back;
    `about` is the digest of the request that an answer is to, and zeros in a request. `at` is in unix seconds.
    `for_owner` and `for_member` are the same content, sealed to each."""

    kind: LetterKind
    twin: int
    owner: Address
    member: Address
    about: Digest
    at: int
    for_owner: bytes = b""
    for_member: bytes = b""
    signature: bytes = b""

    @property
    def writer(self) -> Address:
        return self.member if self.kind == "ConsentRequest" else self.owner

    @property
    def digest(self) -> Digest:
        """What the letter is named by: the SHA-256 of its body, seals and all."""
        return encoding.sha256(encoding.encode(self._body()))

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.statement(deployment, self.kind, self.digest)

    def verify(self, deployment: Deployment) -> Letter:
        """Itself, if its writer signed it, it is of a letter's form and size, and a request about nothing before it.

        Raises:
            IntegrityError: it is not.
        """
        sizes = {len(self.for_owner), len(self.for_member)}
        if sizes != {SEALED_BYTES} or (self.kind == "ConsentRequest") is not (self.about == ZERO_DIGEST):
            raise IntegrityError("a letter is not of a letter's form")
        if messages.signer(self.to_sign(deployment), self.signature) != self.writer:
            raise IntegrityError("a letter is not signed by its writer")
        return self

    def sealed(self, deployment: Deployment, content: Any, owner_key: bytes, member_key: bytes) -> Letter:
        """Itself with a content, sealed to these public keys; not signed yet.

        Raises:
            InputError: the content is longer than a letter.
        """
        padded = padding.pad(encoding.encode(content), CONTENT_BYTES)
        if len(padded) != CONTENT_BYTES:
            raise InputError("That is too long for a letter.", hint="Give a shorter reason.")
        return replace(
            self,
            for_owner=seal.seal(owner_key, padded, self._context(deployment, self.owner)),
            for_member=seal.seal(member_key, padded, self._context(deployment, self.member)),
        )

    def signed(self, signature: bytes) -> Letter:
        return replace(self, signature=signature)

    def open(self, deployment: Deployment, reader: Address, key: seal.SealKey) -> Any:
        """The content, for a party and its key.

        Raises:
            IntegrityError: it is not sealed to that key for this letter.
        """
        sealed = self.for_owner if reader == self.owner else self.for_member
        return encoding.decode(padding.unpad(seal.open_(key, sealed, self._context(deployment, reader))))

    def encode(self) -> bytes:
        return encoding.encode([self._body(), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> Letter:
        """The letter that `encode` wrote; whether it is signed is another question.

        Raises:
            IntegrityError: it is not one.
        """
        with readable("a letter"):
            body, signature = signed_cells(data, _BODY)
            kind, twin, owner, member, about, at, for_owner, for_member = body
            parties = encoding.address(owner), encoding.address(member)
            if kind not in ("ConsentRequest", "ConsentAnswer") or len(about) != 32:
                raise ValueError("another kind, or about no digest")
            written = cast(LetterKind, kind)
            return cls(written, twin, *parties, Digest(about), at, for_owner, for_member, signature)

    def _body(self) -> list[Any]:
        return [*self._about(), self.for_owner, self.for_member]

    def _about(self) -> list[Any]:
        return [self.kind, self.twin, self.owner, self.member, self.about, self.at]

    def _context(self, deployment: Deployment, reader: Address) -> bytes:
        return encoding.encode(["dtledger/letter/1", deployment.id, *self._about(), reader])


def refusal(facts: Facts, twin: int, member: Address, now: int) -> Reason | None:
    """Why this member may not ask for anything on the twin: what the rule says before it looks for a grant (no twin,
    retired, frozen, not enrolled, suspended, blocked; its organisation too). None if it may."""
    question = Request(twin, member, member, 0, Action.READ, Purpose.TREAT, 0, Period(0, 0))
    reason = check(facts, question, now, now)
    return None if reason.permits or reason >= Reason.NO_GRANT else reason
