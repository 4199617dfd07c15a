"""`audit report`: an audit as one page for people, and as JSON."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import DtledgerError
from ..app import App, rfc3339
from ..command import verb
from ..model.plain import epsilon_words, find, twins_words
from .given import files_in, openings_of, unused

if TYPE_CHECKING:
    from ...audit import Claim
    from ...client import NamedModel
    from ...ledger import Aggregate
    from ...models.opening import Opening
    from ...report import Access, Edge, Event, Node
    from ...types import Digest


@verb(
    "report",
    epilog="Example: dtledger audit report cgm-forecast --opening bafy… --files received --to report.html",
)
@click.argument("model")
@click.option(
    "--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you; may be repeated."
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Updates and aggregates, as `audit model` takes them.",
)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Into this file.")
def report(app: App, model: str, openings: Sequence[str], files: Path | None, to: Path | None) -> None:
    """Audit a model and tell it on one page: verdicts, what could not be checked, timeline, consents, lineage.

    The page is one file of HTML that loads nothing and runs nothing; it can be printed, and read aloud. --json gives
    the same as an object. Exit code 4 if a claim fails, 6 if none fails and one cannot be checked.
    """
    from ...audit import ModelAudit, exit_code
    from ...report import Report, html

    named, context = find(app, model), app.client.context
    shown = openings_of(app, named, openings)
    at_hand = files_in(app, files) if files else {}
    view = context.view()
    audit = ModelAudit(context.deployment, view, context.store, named.model, shown, at_hand, app.people.name)
    with app.progress("checking") as progress:
        claims: list[Claim] = []
        for claim in audit.claims():
            claims.append(claim)
            progress(len(claims), audit.count)
    nodes, edges = _lineage(app, named, claims)
    idle = tuple(f"Nothing was committed to that is this: {each}." for each in unused(app, named, shown, at_hand))
    private = ("This page names twins: keep it as confidential as what it is about.",) if shown else ()
    made = Report(
        f"Audit of the model {named.name}",
        (
            ("Model", f"{named.name}, number {named.model.number}"),
            ("Coordinator", app.people.full(named.model.coordinator)),
            ("Deployment", context.deployment.id),
            ("As of", f"block {view.block:,}, {app.time(context.clock())}"),
            ("Auditor", app.people.full(app.client.address)),
        ),
        tuple(claims),
        tuple(_timeline(app, named)),
        tuple(_accesses(app, named, shown)),
        tuple(nodes),
        tuple(edges),
        (*private, *idle),
        _command(model, openings, files, to),
    )
    if to is not None:
        from ..._backend.files import write_atomically

        write_atomically(to, html(made).encode())
        app.show(f"Written: {to}")
    else:
        app.show(html(made))
    app.say(", ".join(f"{count} {each.value}" for each, count in made.counts.items()))
    app.data("audit-report", model=named.model.number, block=view.block, file=to, **made.plain())
    click.get_current_context().exit(exit_code(claims))


def _timeline(app: App, named: NamedModel) -> list[Event]:
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


def _accesses(app: App, named: NamedModel, shown: Sequence[Opening]) -> list[Access]:
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


def _lineage(app: App, named: NamedModel, claims: Sequence[Claim]) -> tuple[list[Node], list[Edge]]:
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
        used = _used(app, made)
        edges += [Edge(f"update-{number.number}-{each.site}", name) for each in updates if each.update in used]
        before = name
    return nodes, edges


def _used(app: App, made: Aggregate) -> frozenset[Digest]:
    """The updates that an aggregate names; none where that cannot be read, which the claim `aggregate` tells."""
    from ...encoding import CID
    from ...models.update import AggregateRecord

    context = app.client.context
    try:
        record, _ = AggregateRecord.read(context.deployment, context.store.get(CID(made.record)))
    except DtledgerError:
        return frozenset()
    return frozenset(record.updates)


def _command(model: str, openings: Sequence[str], files: Path | None, to: Path | None) -> str:
    words = ["dtledger", "audit", "report", model]
    for each in openings:
        words += ["--opening", each]
    if files:
        words += ["--files", str(files)]
    return shlex.join([*words, *(["--to", str(to)] if to else [])])
