"""What a report tells of a twin besides its claims: timeline, who looked, which streams it is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ...errors import DtledgerError
from ...vocabulary.numbers import number_of
from ..app import App, rfc3339
from ..snapshot.plain import category_words

if TYPE_CHECKING:
    from ...audit import Claim
    from ...ledger.events import Granted, Revoked
    from ...report import Access, Edge, Event, Node

_WORDS: dict[str, str] = {
    "Transfer": "it became {to}'s",
    "CardSet": "{owner} set its card",
    "RetirementAnnounced": "its end was announced",
    "RetirementCancelled": "its end was cancelled",
    "Moved": "it moved from {sender} to {to}",
    "GuardiansSet": "{owner} set its guardians",
    "Frozen": "its guardians froze it",
    "Unfrozen": "its guardians ended the freeze",
    "MoveAnnounced": "its guardians announced a move to {to}",
    "MoveVetoed": "the move was vetoed",
    "Granted": "{owner} granted {grant}",
    "Revoked": "{grant} was revoked",
    "AllRevoked": "{owner} revoked everything",
    "Blocked": "{grantee} was blocked",
    "Unblocked": "{grantee} was unblocked",
    "EmergencyOpened": "{opener} opened an emergency",
}
"""Event → what it says, its addresses filled in."""


def timeline(app: App, twin: int) -> list[Event]:
    """What the ledger tells of a twin, in its order."""
    from ...report import Event

    found = []
    for logged in app.client.context.ledger.history().logged:
        event: Any = logged.event
        words = _WORDS.get(type(event).__name__)
        if words and getattr(event, "twin", None) == twin:
            found.append(Event(rfc3339(logged.at), logged.place.block, words.format_map(_Fields(app, event))))
    return found


class _Fields(dict[str, str]):
    """The names of an event's people, and its grant."""

    def __init__(self, app: App, event: Any) -> None:
        super().__init__()
        self._app, self._event = app, event

    def __missing__(self, name: str) -> str:
        return _grant(self._app, self._event) if name == "grant" else self._app.people.name(getattr(self._event, name))


def _grant(app: App, event: Granted | Revoked) -> str:
    from ...ledger import Slot

    return app.people.grant(Slot(event.owner, event.twin, event.grantee, event.number))


def accesses(app: App, twin: int) -> tuple[list[Access], list[str]]:
    """Who looked, to the owner; and what is to be said of that."""
    from ...ledger import Slot
    from ...report import Access

    client, view = app.client, app.client.context.view()
    if view.owner(twin) != client.address:
        return [], ["Who looked is told to the twin's owner alone, whose key this is not."]
    try:
        found = client.twins.who_looked(twin)
    except DtledgerError as error:
        return [], [f"Who looked cannot be told: {error.message}"]
    told = []
    for look in found.looks:
        owner = view.earlier(look.receipts[0].block).owner(twin)
        own = owner is None or look.grantee == owner
        under = (
            "the owner's own right"
            if own or owner is None
            else app.people.grant(Slot(owner, twin, look.grantee, look.slot))
        )
        refused = ", ".join(f"{count} refused: {reason.name}" for reason, count in look.refused.items())
        what = f"{look.opened} of {look.count} snapshots, {look.purpose.name} ({look.action.name})"
        note = f"{rfc3339(look.at)}, {len(look.custodians)} custodians' receipts" + (f"; {refused}" if refused else "")
        told.append(Access(app.people.name(look.requester), what, under, note))
    faults = [
        f"{app.people.name(who)} gave no account of who looked: {each.message}" for who, each in found.faults.items()
    ]
    return told, faults


def lineage(app: App, twin: int, claims: Sequence[Claim], looks: Sequence[Access]) -> tuple[list[Node], list[Edge]]:
    """From the writers over their streams to the twin, and on to those who opened it."""
    from ...report import Edge, Node
    from ...report.document import worst

    about: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        about[claim.about].append(claim)
    nodes: list[Node] = []
    edges: list[Edge] = []
    for (writer, label), (category, count) in _streams(app, twin).items():
        name = app.people.name(writer)
        if not any(each.name == f"writer-{writer}" for each in nodes):
            nodes.append(Node(f"writer-{writer}", 0, name, "writer", worst(about[name])))
        key, verdict = f"stream-{writer}-{label.hex()}", worst(about[f"{name}, stream {label.hex()[:8]}"])
        nodes.append(
            Node(
                key,
                1,
                category_words(category, label),
                f"{number_of(count, 'snapshot')} by {name}",
                verdict,
            )
        )
        edges += [Edge(f"writer-{writer}", key), Edge(key, "twin")]
    nodes.append(Node("twin", 2, f"twin {twin}", "", worst(about[f"twin {twin}"])))
    for who, count in Counter(each.who for each in looks).items():
        nodes.append(Node(f"reader-{who}", 3, who, number_of(count, "request")))
        edges.append(Edge("twin", f"reader-{who}"))
    return sorted(nodes, key=attrgetter("row")), edges


def _streams(app: App, twin: int) -> dict[tuple[Any, bytes], tuple[str | None, int]]:
    """Writer and label → the category, where a key names it, and how many snapshots."""
    found: dict[tuple[Any, bytes], tuple[str | None, int]] = {}
    try:
        for group in app.client.snapshots.list(twin, unnamed=True):
            for each in group:
                place = (each.found.writer, each.found.manifest.stream)
                found[place] = (each.category, found.get(place, (None, 0))[1] + 1)
    except DtledgerError as error:
        app.say(f"The streams cannot be listed whole: {error.message}")
    return found
