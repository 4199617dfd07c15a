"""What the gateway may write, by looks at the ledger that are a minute old at most and shared: asked for each twin and
each of its batches, a node would do little else.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from ..client import Context
from ..client.write_rights import WriteRights
from ..errors import AccessDeniedError, UnreachableError
from ..ledger.now import Now
from ..readings import Reading
from ..store import BlockMissingError
from ..types import Period
from ..vocabulary import Reason

LOOK_SECONDS = 60
"""How long a look at the ledger is good for: what was revoked since is refused when its batch is made."""
MOST_RIGHTS = 65_536


@dataclass(frozen=True, slots=True)
class Look:
    """What the ledger said, `at` unix seconds of the gateway's clock."""

    at: int
    now: Now


class Looks:
    """Looks at the ledger, for any thread. One that is away is not asked again within a minute, for each who asks would
    wait for it in turn."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept: Look | None = None
        self._away_until = 0

    def kept(self) -> Look:
        """One that is a minute old at most. Raises as `fresh`."""
        kept = self._kept
        return kept if kept and self.good(kept.at) and not self._away else self.fresh()

    def good(self, at: int) -> bool:
        """Whether what was seen then need not be looked at again."""
        return 0 <= self._context.clock() - at < LOOK_SECONDS

    def fresh(self) -> Look:
        """One of now, for who would be refused by an older one.

        Raises:
            UnreachableError: the ledger does not answer, or did not within the last minute.
        """
        if self._away:
            raise UnreachableError("The ledger does not answer.")
        return self.ask()

    def ask(self) -> Look:
        """The same, even if it did not answer a moment ago. Raises UnreachableError."""
        clock = self._context.clock()
        try:
            self._kept = look = Look(clock, self._context.now())
        except UnreachableError:
            self.miss()
            raise
        self._away_until = 0
        return look

    @property
    def _away(self) -> bool:
        return 0 < self._away_until - self._context.clock() <= LOOK_SECONDS

    def miss(self) -> None:
        """What a look needs did not answer."""
        self._away_until = self._context.clock() + LOOK_SECONDS


class Rights:
    """What the gateway may write. A ledger that is away refuses nothing: the queue waits for it."""

    def __init__(self, context: Context) -> None:
        self._rights = WriteRights(context)
        self.looks = Looks(context)
        self._known: dict[tuple[int, str], tuple[int, AccessDeniedError | None]] = {}
        self._lock = Lock()

    def require(self, twin: int, name: str, readings: list[Reading]) -> None:
        """Pass if readings of that time may be written, or could be: a grant that ended may be renewed.

        Raises:
            AccessDeniedError: they may not.
        """
        known = self._known.get((twin, name))
        if known is None or not self.looks.good(known[0]):
            minute = max(each.minute for each in readings)
            try:
                known = self._look(twin, name, Period(minute, minute))
            except UnreachableError:
                return
            if known[1] is None or known[1].reason is not Reason.PERIOD:  # which is of these readings alone
                with self._lock:
                    if len(self._known) >= MOST_RIGHTS:
                        self._known.clear()
                    self._known[twin, name] = known
        if known[1] is not None:
            raise AccessDeniedError("This gateway may not write that to that twin.", reason=known[1].reason)

    def _look(self, twin: int, name: str, period: Period) -> tuple[int, AccessDeniedError | None]:
        """When it was looked at, and what refuses it, by a kept look and then by a new one. Raises UnreachableError."""
        look = self.looks.kept()
        refused = self._refused(twin, name, period, look.now)
        if refused:
            look = self.looks.fresh()
            refused = self._refused(twin, name, period, look.now)
        return look.at, refused

    def _refused(self, twin: int, name: str, period: Period, now: Now) -> AccessDeniedError | None:
        try:
            self._rights.require(twin, name, [period], now)
        except AccessDeniedError as error:
            return None if error.reason in (Reason.EXPIRED, Reason.NOT_YET) else error
        except BlockMissingError:
            return None
        except UnreachableError:
            self.looks.miss()
            raise
        return None
