"""`snapshot verify`: whether everything that this key can reach holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..command import verb
from ..doubling import doubled_plain, doubled_words
from ..words import CATEGORY
from .plain import category_words

if TYPE_CHECKING:
    from ...client import StreamReport


@verb("verify", epilog="Example: dtledger snapshot verify --twin 7")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--category", type=CATEGORY, help="Only this category.")
def verify(app: App, twin: int | None, category: str | None) -> None:
    """Walk every stream that this key can reach, whole, and say whether it holds together.

    Each block must be what its CID names, each snapshot anchored and signed by its writer, in order, under a roster
    of the owner's, and nothing gone that an earlier index had. One line a stream. Of two snapshots with one number (a
    writer on two machines) the first anchored counts, and both are told: that is no fault. A fault names block and
    party and ends with exit code 4, after the other streams were checked too; a block that is not to be had ends
    with 6.
    """
    number = app.twin(twin)
    with app.progress("checking") as progress:
        reports = list(app.client.snapshots.verify(number, category, progress=progress))
    for report in reports:
        app.show(_line(app, report))
        for each in report.doubled:
            app.show(f"    {doubled_words(app, each)}")
    if not reports:
        app.say("There is no anchored snapshot of that; more is unknown.")
    faults = [each.error for each in reports if each.error]
    app.data("verification", twin=number, passed=not faults, streams=[_plain(app, each) for each in reports])
    if faults:
        raise faults[0]


def _line(app: App, report: StreamReport) -> str:
    verdict = click.style("FAILED", fg="red", bold=True) if report.error else click.style("ok", fg="green")
    remarks = [
        f"{report.late} late" if report.late else "",
        f"{report.uncounted} NOT COUNTED" if report.uncounted else "",
        f"{len(report.doubled)} doubled" if report.doubled else "",
        f"{report.unchecked} whose writer's right cannot be checked" if report.unchecked else "",
        f"{report.error.message} [block {report.error.block or '?'} party {report.error.party or '?'}]"
        if report.error
        else "",
    ]
    tail = "".join(f", {each}" for each in remarks if each)
    category = category_words(report.category, report.label)
    return f"{verdict}  {category} by {app.people.name(report.writer)}: {report.snapshots:,} snapshots{tail}"


def _plain(app: App, report: StreamReport) -> dict[str, Any]:
    error = report.error
    return {
        "category": report.category,
        "stream": report.label,
        "writer": app.people.plain(report.writer),
        "snapshots": report.snapshots,
        "late": report.late,
        "uncounted": report.uncounted,
        "unchecked": report.unchecked,
        "doubled": [doubled_plain(app, each) for each in report.doubled],
        "passed": error is None,
        "error": {"message": error.message, "block": error.block, "party": error.party} if error else None,
    }
