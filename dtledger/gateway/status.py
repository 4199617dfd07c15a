"""How a gateway stands, for whoever runs it: nothing in it names a person, a category or a value.

A twin's age is shown under a word that only this gateway's queue makes, so that one can be followed from look to look.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import __version__
from .._backend.refusal_file import RefusalFile
from ..client import Context
from ..device.batch import Code
from ..errors import DtledgerError
from ..ledger import Ledger
from ..vocabulary import Action
from .batches import Batches
from .mqtt import Link
from .pump import Pump
from .queue import ReadingQueue
from .relay_endpoints import relay_status
from .relay_pump import RelayPump

if TYPE_CHECKING:
    from .twins import Twins
    from .vital_signs import VitalSigns

SOON_SECONDS = 30 * 86_400
"""A WRITE grant that ends within this is listed."""

SHOWN = 100
"""Twins and grants that are listed."""


@dataclass(frozen=True, slots=True)
class Status:
    """Looks at one gateway."""

    context: Context
    queue: ReadingQueue
    pump: Pump
    relay: RelayPump
    twins: Twins | None
    vital_signs: VitalSigns | None
    batches: Batches
    refusals: RefusalFile
    link: Link

    def look(self) -> dict[str, Any]:
        """All of it, as `GET /v1/status` answers; what cannot be looked at is null, and `ledger` or `queue` says so."""
        now = self.context.clock()
        ages = self.pump.freshness.ages(now)
        return {
            "schema": "dtledger/gateway-status/1",
            "version": __version__,
            "gateway": self.context.key.address,
            **self._queue(now),
            **self._ledger(now),
            **self._devices(),
            **relay_status(self.relay, self.queue.relayed, now),
            "anchored": self.pump.told.anchored,
            "handed_over": self.pump.told.handed_over,
            "waiting": self.pump.told.waiting,
            "failures": self.pump.told.failures,
            "error": self.pump.told.error or None,
            **self._twins(now),
            "twins": [{"twin": each.word, "age_seconds": each.seconds, "stale": each.stale} for each in ages[:SHOWN]],
            "oldest_twin_seconds": ages[0].seconds if ages else None,
            "stale_twins": sum(each.stale for each in ages),
        }

    def _twins(self, now: int) -> dict[str, Any]:
        """What the filter and the gate do: alarms, what they doubt, and states that consent to write does not cover."""
        if self.twins is None or self.vital_signs is None:
            return {"filter": "not installed", "alarms": [], "doubtful": 0, "states_refused": {}}
        refused = Counter(
            getattr(reason, "name", "FAILED")
            for reason in [*self.twins.refused.values(), *self.vital_signs.refused.values()]
        )
        return {
            "filter": "on",
            "alarms": self.twins.alarms.shown(now)[:SHOWN],
            "doubtful": self.twins.doubtful + self.vital_signs.doubtful,
            "states_refused": dict(refused),
        }

    def _queue(self, now: int) -> dict[str, Any]:
        try:
            totals = self.queue.totals()
        except DtledgerError as error:
            return {"queue": type(error).__name__, "queue_in": self.queue.place, "unanchored": None}
        return {
            "queue": "ok",
            "queue_in": self.queue.place,
            "unanchored": totals.rows,
            "unanchored_bytes": totals.bytes,
            "unanchored_hours": totals.parts,
            "oldest_seconds": None if totals.oldest is None else now - totals.oldest,
            "damaged": self.queue.damaged,
            "sealed_to_owners": totals.letters,
            "disk_free_bytes": self.queue.free_bytes(),
        }

    def _devices(self) -> dict[str, Any]:
        """`answers_by` is the key that devices check answers by; `refused` says how often for each reason."""
        try:
            refused = {Code(code).name: count for code, count in self.refusals.totals().items()}
        except DtledgerError as error:
            return {"batches": None, "refused": type(error).__name__}
        return {
            "answers_by": self.batches.public.hex(),
            "batches": self.batches.taken,
            "refused": refused,
            "mqtt": self.link.state,
        }

    def _ledger(self, now: int) -> dict[str, Any]:
        ledger: Ledger = self.context.ledger
        try:
            head = ledger.head()
            grants = self._ending(now)
        except DtledgerError as error:
            return {"ledger": type(error).__name__, "head_age_seconds": None, "grants_ending": None}
        return {"ledger": "ok", "head_age_seconds": max(now - head.at, 0), "grants_ending": grants}

    def _ending(self, now: int) -> list[dict[str, int]]:
        """WRITE grants to this gateway that end soon, the soonest first. Twin and slot stand on the ledger for all."""
        view = self.context.view()
        found = [
            {"twin": each.slot.twin, "number": each.slot.number, "ends_at": each.grant.expires_at}
            for each in view.received([self.context.key.address])
            if each.grant.actions & Action.WRITE.mask
            and each.grant.epoch == view.epoch(each.slot.owner, each.slot.twin)
            and now <= each.grant.expires_at <= now + SOON_SECONDS
        ]
        return sorted(found, key=lambda each: each["ends_at"])[:SHOWN]
