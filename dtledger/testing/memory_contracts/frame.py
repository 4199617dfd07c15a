"""What a contract has while one transaction runs: its caller, the time, storage to write to, and a log."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import IntegrityError
from ...ledger import Deployment, messages
from ...ledger.events import Event
from ...ledger.rejections import DeadlinePassedError, DeadlineTooFarError, WrongSignatureError
from ...types import Address, Digest, Head

MESSAGE_LIFE = 3600
"""The longest that a signed message may have to live, in seconds."""

Storage = MutableMapping[tuple[Any, ...], Any]
"""All contracts' state: a word for what it is, then its keys. What was never written is not there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One transaction under way. Whoever raises leaves `storage` and `events` to be thrown away.

    `before` is the block before the one that the transaction makes.

    `former` is the same transaction in the deployment before, if there is one.

    `events` holds None for an event that no state depends on, since it takes a place in the block all the same.
    """

    deployment: Deployment
    sender: Address
    before: Head
    at: int
    storage: Storage
    events: list[Event | None] = field(default_factory=list)
    former: Frame | None = None


class Contract:
    """A contract at work in one frame: its public methods are its functions, in Python's spelling."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._deployment = frame.deployment
        self._sender = frame.sender
        self._now = frame.at
        self._storage = frame.storage

    def _emit(self, event: Event | None) -> None:
        self._frame.events.append(event)

    def _require_in_time(self, deadline: int, life: int = MESSAGE_LIFE) -> None:
        if self._now > deadline:
            raise DeadlinePassedError({"deadline": deadline})
        if deadline > self._now + life:
            raise DeadlineTooFarError({"deadline": deadline})

    def _require_signed(self, signer: Address, digest: Digest, signature: bytes) -> None:
        try:
            found = messages.signer(digest, signature)
        except IntegrityError:
            raise WrongSignatureError({"signer": signer}) from None
        if found != signer:
            raise WrongSignatureError({"signer": signer})

    def _require_own_or_signed(self, signer: Address, digest: Digest, signature: bytes) -> None:
        """The caller's own message needs no signature: the transaction is one."""
        if self._sender != signer:
            self._require_signed(signer, digest, signature)
