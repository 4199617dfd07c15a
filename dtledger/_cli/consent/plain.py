"""Grants in plain language, and for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...vocabulary import Action
from ...vocabulary.numbers import number_of
from .. import times
from ..app import App, rfc3339
from ..words import listed

if TYPE_CHECKING:
    from ...client import Terms
    from ...ledger import GrantRecord, Slot, View
    from ...types import Address
    from ...vocabulary import UseTerm

_VERBS = {Action.READ: "read", Action.WRITE: "add to", Action.TRAIN: "train models on", Action.EMERGENCY: "open"}


def who_what(app: App, slot: Slot, terms: Terms) -> str:
    """What the terms let the grantee do, without the data: who, what, what for, how long."""
    who = app.people.described(slot.grantee)
    verbs = listed(_VERBS[each] for each in terms.actions)
    what = f"{verbs} {listed(terms.categories)} of twin {slot.twin}"
    why = " " + listed((each.text for each in terms.purposes), "or") if terms.purposes else ""
    begins = f" from {app.time(terms.not_before_at)}" if terms.not_before_at > app.client.context.clock() else ""
    return f"{who} may {what}{why},{begins} until {app.time(terms.expires_at)}"


def data_words(app: App, terms: Terms) -> str:
    """Which data, in words."""
    first = "from the very first" if terms.data.start == 0 else f"from {app.time(terms.data.start * 60)}"
    follows = terms.data.end == terms.expires_at // 60
    return f"data {first} {'until the grant ends' if follows else f'to {app.time(terms.data.end * 60)}'}"


def sentence(app: App, slot: Slot, terms: Terms, written: int | None) -> str:
    """The one sentence to be read before signing. `written` counts the snapshots that are there and would be opened;
    None where nothing is opened."""
    text = f"{who_what(app, slot, terms)}: {data_words(app, terms)}"
    if terms.research:
        text += f"; {listed(each.text for each in terms.research)}"
    if written is None:
        return f"{text}."
    if terms.data.end < app.client.context.clock() // 60:
        return f"{text}, which are {_snapshots(written)} written already and none to come."
    return f"{text}, which are {_snapshots(written)} written already and those to come."


def _snapshots(count: int) -> str:
    return number_of(count, "snapshot")


def opens(terms: Terms) -> bool:
    """Whether the terms open data at all: WRITE alone does not."""
    return bool({Action.READ, Action.TRAIN} & set(terms.actions))


def plain_terms(terms: Terms) -> dict[str, Any]:
    """Terms for JSON."""
    return {
        "categories": list(terms.categories),
        "purposes": [each.name for each in terms.purposes],
        "actions": [each.name for each in terms.actions],
        "not_before_at": rfc3339(terms.not_before_at),
        "expires_at": rfc3339(terms.expires_at),
        "data": times.minutes(terms.data),
        "research": [plain_term(each) for each in terms.research],
    }


def plain_term(term: UseTerm) -> dict[str, Any]:
    """A research term for JSON; `obligation` if nothing enforces it."""
    return {"term": str(term), "text": term.text, "kept_by": term.row.kept or None, "obligation": term.row.obliges}


def research_lines(terms: Iterable[str]) -> list[str]:
    """Research terms as they are written, one a line: what is kept and by what, and what is an obligation."""
    from ...vocabulary import known_term

    lines = []
    for text in terms:
        term = known_term(text)
        if term is None:
            lines.append(f"  research   {text}: a term that this version does not know")
            continue
        kept = f"; kept: {term.row.kept}" if term.row.kept else "; an obligation: nothing enforces it"
        lines.append(
            f"  research   {term.text} ({term.row.short}, {text}){kept if term.row.obliges or term.row.kept else ''}"
        )
    return lines


def plain_slot(app: App, slot: Slot) -> dict[str, Any]:
    """Where a grant stands, for JSON."""
    return {
        "grant": app.people.grant(slot),
        "twin": slot.twin,
        "owner": slot.owner,
        "grantee": app.people.plain(slot.grantee),
        "slot": slot.number,
    }


def plain_record(app: App, record: GrantRecord, view: View | None = None) -> dict[str, Any]:
    """A slot as it stands, for JSON: a category that no key at hand names is `bit 13`."""
    from ...vocabulary import Purpose

    grant, consents = record.grant, app.client.consents
    return {
        **plain_slot(app, record.slot),
        "state": consents.state(record, view).value,
        "categories": list(consents.names(record)),
        "purposes": [each.name for each in Purpose if grant.purposes & each.mask],
        "actions": [each.name for each in Action if grant.actions & each.mask],
        "not_before_at": rfc3339(grant.not_before_at),
        "expires_at": rfc3339(grant.expires_at),
        "data": times.minutes(grant.data),
        "revision": grant.revision,
        "block": record.block,
        "at": rfc3339(record.at),
        "package": record.package,
        "needs_reseal": grant.given and consents.needs_reseal(record, view),
    }


def warned(app: App, warnings: Iterable[str | None]) -> list[str]:
    """Say each warning, and give back those there are, for JSON."""
    told = [each for each in warnings if each]
    for each in told:
        app.warn(each)
    return told


def standing_warnings(app: App, twin: int, grantee: Address) -> list[str | None]:
    """What would keep any grant to this grantee from permitting anything."""
    view = app.client.context.view()
    member = view.member(grantee)
    members = [each for who in view.members() if (each := view.member(who)) and each.organisation == grantee]
    who = app.people.described(grantee)
    return [
        f"the retirement of twin {twin} is announced: nothing is permitted on it." if view.retired(twin) else None,
        f"{who} is suspended: nothing is permitted to it until it is reinstated."
        if member and member.suspended
        else None,
        f"you blocked {who} on this twin: nothing is permitted to it until you unblock it."
        if view.blocked(twin, grantee)
        else None,
        f"{who} has published no keyring: none of its {len(members)} members can use the grant until it does "
        "(`dtledger member keyring`)."
        if members and view.keyring(grantee) is None
        else None,
    ]


def key_warning(app: App, grantee: Address) -> str | None:
    """Whether the grantee's key is another one than that on the card which one has of it."""
    contact = app.people.contact(grantee)
    if contact is None or contact.card is None:
        return None
    if contact.card.card.key == app.client.context.view().key_digest(grantee):
        return None
    return (
        f"{contact.name} has another key than the card that you have of it: ask for its newest card and compare the "
        "six words (`dtledger contact add --replace`)."
    )
