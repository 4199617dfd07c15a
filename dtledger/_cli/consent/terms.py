"""From the options of a grant to its terms, and from terms back to the command that gives them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ...errors import InputError
from .. import times
from ..app import App, rfc3339
from ..words import categories_option

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import Slot
    from ...vocabulary import UseTerm


@dataclass(frozen=True, slots=True)
class TermOptions:
    """A grant's options as they were typed."""

    categories: Sequence[str]
    purposes: Sequence[str]
    actions: Sequence[str]
    length: str | None
    until: str | None
    start: str | None
    data_from: str | None
    data_until: str | None
    history: str | None
    research: Sequence[UseTerm] = ()

    def terms(self, app: App, asked: Terms | None = None) -> Terms:
        """The terms that the options say: by default of data from the snapshot under way until the grant ends. With
        what was `asked` for, whatever is not said is as it stands there.

        Raises:
            InputError, click.UsageError: they contradict each other, or say nothing.
        """
        from ...client import Terms
        from ...client.terms import LONGEST_SECONDS
        from ...types import MAX_MINUTE, Period
        from ...vocabulary import Action, Purpose

        now = app.client.context.clock()
        begins = times.beginning(self.start, now, app.zone) if self.start else now
        ends = self._ends(app, now, asked)
        if ends <= now:
            raise InputError(
                f"The grant would have ended at {app.time(ends)}.",
                hint="Give it a time to come: --for 30d, or --until with a date.",
            )
        if ends - now > LONGEST_SECONDS:
            raise InputError(f"The grant would end at {app.time(ends)}.", hint="Give it at most a hundred years.")
        first = self._first_minute(app, now, begins, asked)
        last = self._last_minute(app, now, ends, asked)
        if not 0 <= first <= last:
            raise InputError("The data would end before they begin.", hint="Look at --data-from and --data-until.")
        purposes = tuple(dict.fromkeys(Purpose[each.upper()] for each in self.purposes))
        actions = tuple(dict.fromkeys(Action[each.upper()] for each in self.actions))
        if asked is not None:
            actions = actions or asked.actions
            purposes = purposes or (() if actions == (Action.WRITE,) else asked.purposes)
        return Terms(
            categories_option(self.categories) or (asked.categories if asked else ()),
            purposes,
            actions,
            begins,
            ends,
            Period(first, min(last, MAX_MINUTE)),
            tuple(sorted(set(self.research))),
        )

    def _ends(self, app: App, now: int, asked: Terms | None) -> int:
        if self.length and self.until:
            raise click.UsageError("--for and --until say the same thing twice.")
        if self.length:
            return times.ahead(self.length, now)
        if self.until:
            return times.end(self.until, now, app.zone)
        if asked is None:
            raise click.UsageError("Say how long: --for 30d, or --until 2026-12-31.")
        return asked.expires_at

    def _first_minute(self, app: App, now: int, begins: int, asked: Terms | None) -> int:
        if self.data_from and self.history:
            raise click.UsageError("--data-from and --history say the same thing twice.")
        if self.data_from or self.history:
            return self.first_minute(app, now) or 0
        return asked.data.start if asked else max(now, begins) // 3600 * 60

    def first_minute(self, app: App, now: int) -> int | None:
        """The first minute of data that the options name; None if they name none."""
        if self.history == "all":
            return 0
        if self.history:
            return max(2 * now - times.ahead(self.history, now), 0) // 3600 * 60
        return times.beginning(self.data_from, now, app.zone) // 60 if self.data_from else None

    def last_minute(self, app: App, now: int) -> int | None:
        """The last minute of data that the options name; None if they name none."""
        return (times.end(self.data_until, now, app.zone) - 1) // 60 if self.data_until else None

    def _last_minute(self, app: App, now: int, ends: int, asked: Terms | None) -> int:
        """An end that was asked for as the grant's own moves with it."""
        named = self.last_minute(app, now)
        if named is not None:
            return named
        follows = asked is None or asked.data.end == asked.expires_at // 60
        return ends // 60 if follows or asked is None else asked.data.end


def command_for(app: App, slot: Slot, terms: Terms) -> str | None:
    """The command that gives these terms again; None if their time is over."""
    now = app.client.context.clock()
    if terms.expires_at <= now:
        return None
    contact = app.people.contact(slot.grantee)
    words = ["dtledger", "consent", "grant", "--twin", f"{slot.twin}", "--slot", f"{slot.number}"]
    words += ["--to", (contact and contact.name) or slot.grantee]
    for option, values in (
        ("--category", terms.categories),
        ("--purpose", [each.name for each in terms.purposes]),
        ("--action", [each.name for each in terms.actions]),
        ("--research", [str(each) for each in terms.research]),
    ):
        for value in values:
            words += [option, value]
    if terms.not_before_at > now:
        words += ["--from", rfc3339(terms.not_before_at)]
    words += ["--until", rfc3339(terms.expires_at), "--data-from", times.minute_at(terms.data.start)]
    if terms.data.end != terms.expires_at // 60:
        words += ["--data-until", times.minute_at(terms.data.end + 1)]
    return shlex.join(words)
