"""What every part of the client works with: one ledger, one store, some custodians, one key and a clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..crypto.seal import SealKey
from ..custody import CustodianPort
from ..encoding import CID
from ..errors import AccessDeniedError, CannotCheckError, UnreachableError
from ..keys import Secrets
from ..ledger import Call, Deployment, Ledger, Now, Receipt, View
from ..store import BlockStore
from ..types import Address, Digest


class Identity(Protocol):
    """A key that is open: `keys.UnlockedKey`, or one of a test's world."""

    @property
    def address(self) -> Address: ...

    @property
    def secrets(self) -> Secrets: ...

    @property
    def seal_key(self) -> SealKey: ...

    def update(self, change: Callable[[Secrets], Secrets]) -> Secrets:
        """Keep what `change` makes of the secrets; return it."""
        ...

    def sign_digest(self, digest: Digest) -> bytes:
        """r ‖ s ‖ v of a digest of 32 bytes."""
        ...

    def sign_transaction(self, transaction: dict[str, object]) -> bytes:
        """The signed transaction as it is sent to a node."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to each part; `clock` gives unix seconds."""

    ledger: Ledger
    store: BlockStore
    custodians: Mapping[Address, CustodianPort]
    key: Identity
    clock: Callable[[], int]
    carry: Callable[[Context, Call], Receipt] | None = None
    """Brings a call to the ledger by somebody else's hand, if the key is not to pay for it itself."""

    @property
    def deployment(self) -> Deployment:
        return self.ledger.deployment

    def view(self) -> View:
        """The state at the ledger's head."""
        return self.ledger.view()

    def send(self, call: Call) -> Receipt:
        """Make the call as this key: from its own account, or carried. Raises as `Ledger.send`."""
        return self.carry(self, call) if self.carry else self.ledger.send(call, self.key)

    def now(self) -> Now:
        """Where and when the rule is asked."""
        return Now.of(self.ledger.tip(), self.clock())

    def deadline(self) -> int:
        """Until when a message signed now is good: half an hour by the later of clock and chain."""
        return max(self.clock(), self.ledger.head().at) + 1800

    def require_owner(self, twin: int, view: View | None = None) -> None:
        """
        Raises:
            AccessDeniedError: this key does not own the twin, in that view or as it is now.
        """
        if (view or self.view()).owner(twin) != self.key.address:
            raise AccessDeniedError(
                f"Twin {twin} is not owned by this key ({self.key.address}).", hint="Choose the owner's with --key."
            )

    def custodian(self, address: Address) -> CustodianPort:
        """The profile's custodian of that address.

        Raises:
            UnreachableError: there is none, or it does not answer.
        """
        port = self.custodians.get(address)
        if port is None:
            raise UnreachableError(
                f"The custodian {address} does not answer, or is not known to this profile.",
                hint="`dtledger doctor` says which of the profile's answer; their URLs are the setting `custodians`.",
            )
        return port

    def public_key(self, member: Address) -> bytes:
        """A member's public encryption key, as its enrolment names it.

        Raises:
            CannotCheckError: it is not enrolled, or the store lacks its key.
        """
        digest = self.view().key_digest(member)
        if digest is None:
            raise CannotCheckError(
                f"{member} is not enrolled, so there is no key to seal to.",
                hint="Ask a registrar to enrol it, or look for it with `dtledger member find`.",
            )
        return self.store.get(CID(digest, "raw"))
