"""`audit report`: an audit as one page for people, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import App
from ..command import verb
from ..model.plain import FILE, find
from ..words import CATEGORY
from . import model_report, twin_report
from .evidence import Evidence
from .given import files_in, openings_of, unused
from .handed import receipts_of

if TYPE_CHECKING:
    from ...audit import Claim
    from ...report import Report


@verb(
    "report",
    epilog="Examples: dtledger audit report cgm-forecast --opening bafy… --files received --to report.html · "
    "dtledger audit report --twin 7 --head 0x5c31… --to report.html",
)
@click.argument("model", required=False)
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Instead of a model: of this twin.")
@click.option("--head", metavar="HASH", help="With --twin: the head's hash, as you know it from elsewhere.")
@click.option(
    "--reveal", "reveals", multiple=True, type=CATEGORY, help="With --twin, as its owner: as for `audit twin`."
)
@click.option(
    "--opening", "openings", multiple=True, metavar="WORD|FILE", help="What a site showed you; may be repeated."
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Updates and aggregates, as `audit model` takes them.",
)
@click.option("--receipts", type=FILE, multiple=True, metavar="FILE", help="Of custodians; may be repeated.")
@click.option("--statements", type=FILE, multiple=True, metavar="FILE", help="With --twin: what `twin erase` wrote.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Into this file.")
def report(
    app: App,
    model: str | None,
    twin: int | None,
    head: str | None,
    reveals: Sequence[str],
    openings: Sequence[str],
    files: Path | None,
    receipts: Sequence[Path],
    statements: Sequence[Path],
    to: Path | None,
) -> None:
    """Audit a model or a twin and tell it on one page: verdicts, what cannot be checked, timeline, consents, lineage.

    The page is one file of HTML that loads nothing and runs nothing; it can be printed, and read aloud. --json gives
    the same as an object. Exit code 4 if a claim fails, 6 if none fails and one cannot be checked.
    """
    from ...audit import exit_code
    from ...report import html

    if (model is None) is (twin is None):
        raise click.UsageError("Name a model, or a twin with --twin.")
    again = _command(model, twin, head, reveals, openings, files, receipts, statements, to)
    if twin is not None:
        if openings or files or receipts:
            raise click.UsageError("--opening, --files and --receipts are of a model.")
        made = _of_twin(app, twin, head, reveals, statements, again)
    else:
        assert model is not None
        if head or reveals or statements:
            raise click.UsageError("--head, --reveal and --statements go with --twin.")
        made = _of_model(app, model, openings, files, receipts, again)
    if to is not None:
        from ..._backend.files import write_atomically

        write_atomically(to, html(made).encode())
        app.show(f"Written: {to}")
    else:
        app.show(html(made))
    app.say(", ".join(f"{count} {each.value}" for each, count in made.counts.items()))
    app.data("audit-report", block=app.client.context.view().block, file=to, **made.plain())
    click.get_current_context().exit(exit_code(made.claims))


def _of_model(
    app: App, model: str, openings: Sequence[str], files: Path | None, receipts: Sequence[Path], again: str
) -> Report:
    from ...audit import ModelAudit
    from ...report import Report

    named, context = find(app, model), app.client.context
    shown = openings_of(app, named, openings)
    at_hand = files_in(app, files) if files else {}
    view, read = context.view(), receipts_of(receipts) if receipts else None
    audit = ModelAudit(context.deployment, view, context.store, named.model, shown, at_hand, app.people.name, read)
    with app.progress("checking") as progress:
        claims: list[Claim] = []
        for claim in audit.claims():
            claims.append(claim)
            progress(len(claims), audit.count)
    nodes, edges = model_report.lineage(app, named, claims)
    idle = tuple(f"Nothing was committed to that is this: {each}." for each in unused(app, named, shown, at_hand))
    private = ("This page names twins: keep it as confidential as what it is about.",) if shown else ()
    return Report(
        f"Audit of the model {named.name}",
        (
            ("Model", f"{named.name}, number {named.model.number}"),
            ("Coordinator", app.people.full(named.model.coordinator)),
            *_facts(app),
        ),
        tuple(claims),
        tuple(model_report.timeline(app, named)),
        tuple(model_report.accesses(app, named, shown)),
        tuple(nodes),
        tuple(edges),
        (*private, *idle),
        again,
    )


def _of_twin(
    app: App, twin: int, head: str | None, reveals: Sequence[str], statements: Sequence[Path], again: str
) -> Report:
    from ...audit import Audit
    from ...report import Report

    evidence = Evidence(head=head, reveals=reveals, statements=statements)
    claims = tuple(Audit(evidence.asked(app, twin), evidence.source(app), app.client.context.store).claims())
    looks, faults = twin_report.accesses(app, twin)
    nodes, edges = twin_report.lineage(app, twin, claims, looks)
    owner = app.client.context.view().owner(twin)
    return Report(
        f"Audit of twin {twin}",
        (("Owner", app.people.full(owner) if owner else "-"), *_facts(app)),
        claims,
        tuple(twin_report.timeline(app, twin)),
        tuple(looks),
        tuple(nodes),
        tuple(edges),
        ("This page is about one patient's twin: keep it as confidential as that.", *faults),
        again,
    )


def _facts(app: App) -> tuple[tuple[str, str], ...]:
    context = app.client.context
    return (
        ("Deployment", context.deployment.id),
        ("As of", f"block {context.view().block:,}, {app.time(context.clock())}"),
        ("Auditor", app.people.full(app.client.address)),
    )


def _command(
    model: str | None,
    twin: int | None,
    head: str | None,
    reveals: Sequence[str],
    openings: Sequence[str],
    files: Path | None,
    receipts: Sequence[Path],
    statements: Sequence[Path],
    to: Path | None,
) -> str:
    words = ["dtledger", "audit", "report", *([model] if model else ["--twin", f"{twin}"])]
    words += ["--head", head] if head else []
    for option, values in (
        ("--reveal", reveals),
        ("--opening", openings),
        ("--receipts", map(str, receipts)),
        ("--statements", map(str, statements)),
    ):
        for each in values:
            words += [option, each]
    words += ["--files", str(files)] if files else []
    return shlex.join([*words, *(["--to", str(to)] if to else [])])
