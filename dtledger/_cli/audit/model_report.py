"""What a report tells of a model besides its claims: timeline, whose data was used, what was made of what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import DtledgerError
from ..app import App, rfc3339
from ..model.plain import epsilon_words, twins_words

if TYPE_CHECKING:
    from ...audit import Claim
    from ...client import NamedModel
    from ...ledger import Aggregate
    from ...models.opening import Opening
    from ...models.update import AggregateRecord
    from ...report import Access, Edge, Event, Node


def timeline(app: App, named: NamedModel) -> list[Event]:
    """What the ledger tells of the model, in its order."""
    from ...report import Event

    view, model = app.client.context.view(), named.model
    found = [(model.block, model.at, f"{app.people.name(model.coordinator)} registered the model")]
    for number in view.rounds(model.number):
        found.append((number.block, number.at, f"round {number.number} was opened"))
        for each in view.updates(model.number, number.number):
            words = f"{app.people.name(each.site)} committed an update: {twins_words(each.cohort)}"
            found.append((each.block, each.at, f"{words}, {epsilon_words(each.epsilon)}, round {number.number}"))
        made = view.aggregate(model.number, number.number)
        if made:
            found.append((made.block, made.at, f"round {number.number} was finalised: {made.updates} updates"))
    return [Event(rfc3339(at), block, what) for block, at, what in sorted(found)]


def accesses(app: App, named: NamedModel, shown: Sequence[Opening]) -> list[Access]:
    """Whose data each opened round was trained on, and under which grant."""
    from ...ledger import Slot
    from ...report import Access

    view, people = app.client.context.view(), app.people
    found = []
    for opening in sorted(shown, key=lambda each: (each.round, each.site)):
        number = view.round(named.model.number, opening.round)
        for each in opening.shown if number else ():
            trained = each.trained
            owner = view.earlier(number.block).owner(trained.twin) if number else None
            grant = people.grant(Slot(owner, trained.twin, trained.grantee, trained.number)) if owner else "-"
            what = f"twin {trained.twin}, round {opening.round}"
            found.append(Access(people.name(opening.site), what, grant, "the site opened the round to the auditor"))
    return found


def lineage(app: App, named: NamedModel, claims: Sequence[Claim]) -> tuple[list[Node], list[Edge]]:
    """From the first weights on: updates on what was before, an aggregate of those that its round has."""
    from ...report import Edge, Node
    from ...report.document import worst

    about: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        about[claim.about].append(claim)
    view, model = app.client.context.view(), named.model
    rounds = view.rounds(model.number)
    if not rounds:
        return [], []
    nodes, edges, before = [Node("start", 0, "first weights", f"0x{rounds[0].parent.hex()[:16]}…")], [], "start"
    for number in rounds:
        place = 2 * number.number
        updates = view.updates(model.number, number.number)
        for each in updates:
            site, name = app.people.name(each.site), f"update-{number.number}-{each.site}"
            detail = f"{twins_words(each.cohort)}, {epsilon_words(each.epsilon)}"
            subject = f"round {number.number}, {site}"
            nodes.append(Node(name, place - 1, f"round {number.number}: {site}", detail, worst(about[subject])))
            edges.append(Edge(before, name))
        made = view.aggregate(model.number, number.number)
        if made is None:
            continue
        title, name = f"aggregate of round {number.number}", f"aggregate-{number.number}"
        verdict = worst(about[f"round {number.number}"])
        nodes.append(Node(name, place, title, f"0x{made.aggregate.hex()[:16]}…", verdict))
        record = _record(app, made)
        edges += [Edge(f"update-{number.number}-{each.site}", name) for each in updates if record and record.has(each)]
        before = name
    return nodes, edges


def _record(app: App, made: Aggregate) -> AggregateRecord | None:
    """What its coordinator says of an aggregate; None where that cannot be read, which the claim `aggregate` tells."""
    from ...encoding import CID
    from ...models.update import AggregateRecord

    context = app.client.context
    try:
        record, _ = AggregateRecord.read(context.deployment, context.store.get(CID(made.record)))
    except DtledgerError:
        return None
    return record
