"""OpenZeppelin's AccessManager as far as calls of the port reach it: who may, who must wait, and what was announced.

Its roles are given when the chain is made and stay. Source: OpenZeppelin Contracts 5, `AccessManager.sol`.
"""

from __future__ import annotations

from eth_abi.abi import encode as abi_encode

from ..._backend.artifacts import spelled_out
from ...encoding import keccak
from ...ledger import Call
from ...ledger.rejections import (
    AlreadyAnnouncedError,
    AnnouncementExpiredError,
    CannotAnnounceError,
    CannotCancelError,
    NotYetDueError,
    ScheduleNeededError,
    UnauthorizedError,
)
from ...types import Address, Digest
from .frame import Contract

ROLES = ("ADMIN", "REGISTRAR", "STEWARD", "SUSPENDER", "MINTER")
DELAYED_ROLES = ("ADMIN", "STEWARD")

EXPIRATION = 7 * 86_400
"""Seconds after its time within which an announced call can be made."""

_RESTRICTED = {
    ("MemberRegistry", "enrol"): "REGISTRAR",
    ("MemberRegistry", "setKinds"): "REGISTRAR",
    ("MemberRegistry", "addGuardedKinds"): "STEWARD",
    ("MemberRegistry", "reinstate"): "STEWARD",
    ("MemberRegistry", "suspend"): "SUSPENDER",
    ("TwinRegistry", "mint"): "MINTER",
}
"""What `migrations/0002-roles.toml` says: which role may make which restricted call."""


class AccessManager(Contract):
    """Storage: ("role", name, account) → execution delay in seconds; ("schedule", operation) → its time."""

    def authorise(self, call: Call) -> None:
        """Refuse a restricted call that the caller may not make, or not now."""
        if (call.contract, call.function) not in _RESTRICTED:
            return
        delay = self._delay(self._sender, call)
        if delay is None:
            raise UnauthorizedError({"caller": self._sender})
        if delay > 0:
            self._consume(self._operation(self._sender, call))

    def schedule(self, call: Call, when: int) -> None:
        delay = self._delay(self._sender, call)
        earliest = self._now + (delay or 0)
        if not delay or 0 < when < earliest:
            target, data = spelled_out(self._deployment, call)
            raise CannotAnnounceError({"caller": self._sender, "target": target, "selector": data[:4]})
        operation = self._operation(self._sender, call)
        announced = self._storage.get(("schedule", operation), 0)
        if announced and self._now < announced + EXPIRATION:
            raise AlreadyAnnouncedError({"operationId": operation})
        self._storage["schedule", operation] = max(when, earliest)
        self._emit(None)

    def cancel(self, caller: Address, call: Call) -> None:
        operation = self._operation(caller, call)
        if not self._storage.get(("schedule", operation), 0):
            raise ScheduleNeededError({"operationId": operation})
        if caller != self._sender and ("role", "ADMIN", self._sender) not in self._storage:
            target, data = spelled_out(self._deployment, call)
            raise CannotCancelError(
                {"msgsender": self._sender, "caller": caller, "target": target, "selector": data[:4]}
            )
        self._storage["schedule", operation] = 0
        self._emit(None)

    def _delay(self, account: Address, call: Call) -> int | None:
        """Seconds that the account waits before such a call; None if it may not make it at all."""
        if call.contract == "AccessManager":
            raise LookupError("a ledger in memory keeps the roles that it was made with")
        role = _RESTRICTED.get((call.contract, call.function), "ADMIN")
        delay: int | None = self._storage.get(("role", role, account))
        return delay

    def _operation(self, caller: Address, call: Call) -> Digest:
        target, data = spelled_out(self._deployment, call)
        return keccak(abi_encode(["address", "address", "bytes"], [caller, target, data]))

    def _consume(self, operation: Digest) -> None:
        due = self._storage.get(("schedule", operation), 0)
        if not due:
            raise ScheduleNeededError({"operationId": operation})
        if due > self._now:
            raise NotYetDueError({"operationId": operation})
        if due + EXPIRATION <= self._now:
            raise AnnouncementExpiredError({"operationId": operation})
        self._storage["schedule", operation] = 0
        self._emit(None)
