"""What was fetched under a grant, as the custodians' receipts say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import DtledgerError
from ..app import App, rfc3339

if TYPE_CHECKING:
    from ...client import Access, Look
    from ...ledger import Slot


@dataclass(frozen=True, slots=True)
class Fetched:
    """Requests under one slot that opened something, newest first, also by an earlier grant in it; `silent` counts
    custodians without an answer."""

    looks: tuple[Look, ...]
    silent: int

    @property
    def snapshots(self) -> int:
        """Openings in all: a snapshot that was fetched twice counts twice."""
        return sum(each.opened for each in self.looks)

    @classmethod
    def under(cls, access: Access, slot: Slot) -> Fetched:
        looks = tuple(
            each for each in access.looks if each.opened and (each.grantee, each.slot) == (slot.grantee, slot.number)
        )
        return cls(looks, len(access.faults))

    def words(self, app: App) -> str:
        doubt = f" ({self.silent} custodians gave no account)" if self.silent else ""
        if not self.looks:
            return f"Nothing had been fetched under it{doubt}."
        count = f"{len(self.looks)} request{'' if len(self.looks) == 1 else 's'}"
        often = ", each counted as often as it was opened" if len(self.looks) > 1 else ""
        return (
            f"Already fetched under it, and not to be clawed back: {self.snapshots:,} snapshots in {count}{often}; "
            f"the last by {app.people.name(self.looks[0].requester)} at {app.time(self.looks[0].at)}{doubt}."
        )

    def plain(self, app: App) -> dict[str, Any]:
        return {
            "requests": len(self.looks),
            "snapshots": self.snapshots,
            "last_at": rfc3339(self.looks[0].at) if self.looks else None,
            "last_by": app.people.plain(self.looks[0].requester) if self.looks else None,
            "custodians_silent": self.silent,
        }


def fetched(app: App, slot: Slot) -> Fetched | None:
    """The account of one grant; None if it is not to be had. What was revoked stays revoked either way."""
    from ...errors import IntegrityError

    if slot.owner != app.client.address:
        return None
    try:
        access = app.client.twins.who_looked(slot.twin)
    except DtledgerError as error:
        app.say(f"What had been fetched cannot be told: {error}")
        return None
    for custodian, fault in access.faults.items():
        if isinstance(fault, IntegrityError):
            app.say(f"The list of {app.people.name(custodian)} is broken: {fault}")
    return Fetched.under(access, slot)
