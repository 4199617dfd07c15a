"""`Client`: the parts of the SDK round one key, and the composition root of the embedded default."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from .._backend.write_journal import WriteJournal
from ..custody import CustodianPort
from ..errors import InputError
from ..ledger import Call, Ledger, Receipt
from ..store import BlockStore
from ..types import MAX_MINUTE, Address, Period
from ..vocabulary import Action, Purpose
from .consent_imports import ConsentImports
from .consents import Consents
from .context import Context, Identity
from .deciding import Decision, Question, decide_for
from .devices import Devices
from .emergencies import Emergencies
from .erasing import Erasing
from .exports import Exports
from .following import POLL_SECONDS, Refresh, follow
from .forecasting import Forecasts, TwinForecast
from .guardians import TwinGuardians
from .inbox import Inbox
from .members import Members
from .models import Models
from .reading import Reader
from .readings import Readings
from .resharing import Resharing
from .revoking import Revoking
from .snapshots import Snapshots
from .state_reading import StateReader
from .succession import Succession
from .training import Training
from .twins import Twins
from .writing import Writer

When = str | int | datetime
"""A moment as an app may give it: how long ago, unix seconds, or an aware datetime."""


def system_clock() -> int:
    """This machine's time in unix seconds."""
    return int(time.time())


class Client:
    """One key's view of one deployment. A context manager that closes what it opened.

    `members`, `twins`, `guardians`, `consents`, `revoking`, `emergencies`, `inbox`, `writer`, `reader`, `forecasts`,
    `snapshots`, `models`, `training`, `exports`, `consent_imports`, `devices`, `erasing` and `succession`
    hold all; `read`, `forecast` and `explain` are the short way for an app.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: BlockStore,
        custodians: Mapping[Address, CustodianPort],
        key: Identity,
        clock: Callable[[], int] = system_clock,
        *,
        journal_path: Path | None = None,
        carry: Callable[[Context, Call], Receipt] | None = None,
    ) -> None:
        self.context = Context(ledger, store, custodians, key, clock, carry)
        self._journal_path = journal_path
        self.members = Members(self.context)
        self.twins = Twins(self.context)
        self.resharing = Resharing(self.context, self.twins)
        self.guardians = TwinGuardians(self.context, self.twins)
        self.consents = Consents(self.context)
        self.revoking = Revoking(self.context, self.twins)
        self.emergencies = Emergencies(self.context, self.consents)
        self.inbox = Inbox(self.context, self.twins, self.consents, self.emergencies, self.resharing.custody)
        self.devices = Devices(self.context)
        self.models = Models(self.context)
        self.training = Training(self.context)
        self.reader = Reader(self.context)
        self.forecasts = Forecasts(StateReader(self.context))
        self.snapshots = Snapshots(self.context, self.reader)
        self.consent_imports = ConsentImports(self.context, self.consents)
        self.exports = Exports(self.context, self.consents, self.snapshots, self.models)
        self.erasing = Erasing(self.context, self.twins, self.reader)
        self.succession = Succession(self.context)

    @staticmethod
    def open(profile: str | None = None, key: str | None = None, **options: Any) -> Client:
        """A client of a profile; see `dtledger.client.opening.open_client`."""
        from .opening import open_client

        return open_client(profile, key, **options)

    @cached_property
    def writer(self) -> Writer:
        """Opens the journal of this key's writes at its first use."""
        return Writer(self.context, WriteJournal(self._journal_path), self.twins.roster, self.snapshots.show)

    @property
    def address(self) -> Address:
        """The key's own."""
        return self.context.key.address

    def read(
        self,
        twin: int,
        category: str,
        purpose: str,
        *,
        since: When | None = None,
        until: When | None = None,
        action: str = "READ",
        partial: bool = False,
        unit: str | None = None,
        originals: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Readings:
        """Decrypted, verified readings; see `Reader.read` for what it raises.

        Args:
            purpose: an HL7 PurposeOfUse code: TREAT, ETREAT, HRESCH, PATRQT, …
            since, until: unix seconds, an aware datetime, or how long ago: "90m", "24h", "14d". By default everything.
            originals: give what was corrected too.
        """
        return self.reader.read(
            twin,
            category,
            code(Purpose, purpose, "purpose"),
            self.period(since, until),
            action=code(Action, action, "action"),
            partial=partial,
            to_unit=unit,
            originals=originals,
            progress=progress,
        )

    def follow(
        self,
        twin: int,
        category: str,
        purpose: str,
        *,
        cursor: str | None = None,
        since: When | None = None,
        unit: str | None = None,
        every: float = POLL_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> Iterator[Refresh]:
        """Each new snapshot of a category as it is anchored, until consent ends; see `following.follow`. Without a
        cursor, what is there `since` then is given first."""
        named = code(Purpose, purpose, "purpose")
        period = self.period(since, None)
        return follow(
            self.reader,
            twin,
            category,
            named,
            cursor=cursor,
            period=period,
            to_unit=unit,
            every=every,
            pause=pause,
        )

    def forecast(self, twin: int, horizon: int, purpose: str, *, unit: str | None = None) -> TwinForecast:
        """What the twin's glucose is expected to be `horizon` (15, 30 or 60) minutes after its newest reading, with
        intervals; consent to `forecast` is enough. See `Forecasts.forecast` for what it raises.

        Args:
            purpose: an HL7 PurposeOfUse code, as `read` takes.
            unit: a UCUM code of glucose; mmol/L if none.
        """
        named = code(Purpose, purpose, "purpose")
        return self.forecasts.forecast(twin, horizon, named, self.context.clock(), unit)

    def explain(
        self,
        twin: int,
        category: str,
        purpose: str | None,
        *,
        who: Address | None = None,
        since: When | None = None,
        until: When | None = None,
        action: str = "READ",
    ) -> Decision:
        """Whether a request for data of that time (by default of this minute) would be permitted now, and why. No
        custodian is asked. An owner may ask for somebody else (`who`).

        Raises:
            InputError: reading or training without a purpose, writing with one, or an unknown word.
            AccessDeniedError: for somebody else, and this key does not own the twin.
        """
        now = self.context.clock() // 60
        period = self.period(since, until) or Period(now, now)
        named = code(Purpose, purpose, "purpose") if purpose else None
        asked = code(Action, action, "action")
        if who is None or who == self.address:
            return self.reader.explain(twin, category, named, period, asked)
        return decide_for(self.context, Question(twin, who, asked, named, category, period))

    def period(self, since: When | None, until: When | None) -> Period | None:
        """Minutes from `since` to `until`; None if neither is given.

        Raises:
            InputError: the period ends before it begins, or one of them is no moment.
        """
        if since is None and until is None:
            return None
        now = self.context.clock()
        start = 0 if since is None else moment(since, now) // 60
        end = MAX_MINUTE if until is None else moment(until, now) // 60
        if start > end:
            raise InputError("The period ends before it begins.")
        return Period(max(start, 0), min(end, MAX_MINUTE))

    def close(self) -> None:
        """Close journal, ledger and store."""
        if "writer" in self.__dict__:
            self.writer.close()
        self.context.ledger.close()
        self.context.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


C = TypeVar("C", Purpose, Action)

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def duration(text: str) -> int:
    """Seconds of a length of time like 90m, 24h, 14d or 2w; anything else is an InputError.

    >>> duration("24h")
    86400
    """
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in _SECONDS:
        raise InputError(f"{text!r} is not a length of time.", hint="Write 90m, 24h, 14d or 2w.")
    return int(number) * _SECONDS[unit]


def moment(when: When, now: int) -> int:
    """Unix seconds of a moment given as such, as an aware datetime, or as how long before `now`.

    Raises:
        InputError: a datetime without its offset, or no length of time.
    """
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise InputError(f"{when} has no offset from UTC.", hint="Give it one: datetime.now(UTC), say.")
        return math.floor(when.timestamp())
    return when if isinstance(when, int) else now - duration(when)


def code(kind: type[C], name: str, what: str) -> C:
    """The member of a vocabulary by its code.

    Raises:
        InputError: there is none; the message lists them.
    """
    try:
        return kind[name.upper()]
    except KeyError:
        raise InputError(f"Unknown {what} {name!r}.", hint=f"Known: {', '.join(each.name for each in kind)}.") from None
