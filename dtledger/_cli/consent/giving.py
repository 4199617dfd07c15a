"""Giving grants: what is said before the question, and what would be opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import times
from ..app import App, rfc3339
from ..words import table
from .plain import key_warning, opens, plain_slot, plain_terms, sentence, standing_warnings, warned, who_what

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import Slot


def announce(app: App, slots: Sequence[Slot], terms: Terms) -> list[dict[str, Any]]:
    """Say, of each slot of one twin, the warnings and the one sentence; the same for JSON."""
    written = count(app, slots[0].twin, terms) if opens(terms) else None
    told = []
    for slot in slots:
        warnings = warned(app, _warnings(app, slot, terms))
        text = sentence(app, slot, terms, written)
        app.say(text)
        told.append(
            {
                **plain_slot(app, slot),
                **plain_terms(terms),
                "sentence": text,
                "warnings": warnings,
                "snapshots_written": written,
            }
        )
    return told


def dry_run(app: App, twin: int, terms: Terms) -> list[dict[str, Any]]:
    """Show the snapshots that are there and would be opened; the same for JSON."""
    snapshots = list(_opened(app, twin, terms)) if opens(terms) else []
    rows = [
        [each["category"], *(app.time(datetime.fromisoformat(each[end])) for end in ("from", "until")), name]
        for each in snapshots
        for name in [app.people.name(each["writer"]["address"])]
    ]
    for line in table(["category", "from", "until", "writer"], rows) if rows else []:
        app.show(line)
    app.say(f"Nothing was signed. It would open {len(rows)} snapshots that are there now.")
    return snapshots


def granted(app: App, slot: Slot) -> None:
    """Say what was given, and how it is taken back."""
    name = app.people.grant(slot)
    app.show(f"Granted: {name}")
    app.say(f"To take it back: dtledger consent revoke {name}")


def _warnings(app: App, slot: Slot, terms: Terms) -> list[str | None]:
    """What a person should know before it is signed."""
    from ...vocabulary import Action, Kind, category

    view, consents = app.client.context.view(), app.client.consents
    member = view.member(slot.grantee)
    organisation = any(each.organisation == slot.grantee for who in view.members() if (each := view.member(who)))
    warnings = [*standing_warnings(app, slot.twin, slot.grantee), key_warning(app, slot.grantee)]
    for action, kind in ((Action.WRITE, Kind.GATEWAY), (Action.TRAIN, Kind.RESEARCHER)):
        if action in terms.actions and member and not member.is_a(kind) and not organisation:
            warnings.append(f"it is no {kind.name}, which {action.name} needs: a registrar has to make it one.")
    sensitive = [name for name in terms.categories if category(name).sensitive]
    if sensitive:
        warnings.append(f"sensitive: {', '.join(sensitive)}.")
    record = view.record(slot)
    if record and consents.is_live(record, view):
        warnings.append(f"this replaces {app.people.grant(slot)}: {who_what(app, slot, consents.terms_of(record))}.")
    return warnings


def count(app: App, twin: int, terms: Terms) -> int:
    """How many snapshots are there and would be opened."""
    snapshots = app.client.snapshots
    return sum(
        terms.data.contains(each) for name in terms.categories for each in snapshots.periods(twin, name, terms.data)
    )


def _opened(app: App, twin: int, terms: Terms) -> Iterator[dict[str, Any]]:
    for name in terms.categories:
        for group in app.client.snapshots.list(twin, name, terms.data):
            for found in (each.found for each in group):
                if found.counts and terms.data.contains(found.manifest.period):
                    yield {
                        "category": name,
                        **times.minutes(found.manifest.period),
                        "writer": app.people.plain(found.writer),
                        "anchored_at": rfc3339(found.batch.at),
                        "digest": found.digest,
                    }
