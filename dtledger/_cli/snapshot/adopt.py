"""`snapshot adopt`: the owner anchors what a gateway could not anchor in time."""

from __future__ import annotations

import click

from ...types import Period
from ..app import App, rfc3339
from ..command import verb
from ..words import period_words


@verb(
    "adopt",
    epilog="Examples: dtledger snapshot adopt bafyreib5qf4z · dtledger snapshot adopt bafyreib5qf4z --dry-run",
)
@click.argument("cid")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Open it and say what it holds; write nothing.")
def adopt(app: App, cid: str, yes: bool, dry_run: bool) -> None:
    """Anchor, as the owner, what a gateway could not anchor in time.

    A gateway whose grant ended seals what it still holds to the owner, and tells the CID of the block to nobody else
    (`dtledger gateway unanchored` asks for it). Adopted readings are yours: your key anchors them. Adopting twice
    adds nothing.
    """
    writer = app.client.writer
    found = writer.unanchored(cid)
    minutes = [each.minute for each in found.readings]
    period = Period(min(minutes), max(minutes))
    count = len(found.readings)
    app.show(f"{count:,} readings of {found.category} on twin {found.twin}, of {period_words(app, period)},")
    app.show(f"from the gateway {app.people.name(found.gateway)}, which sealed them at {app.time(found.at)}.")
    told = {
        "cid": cid,
        "twin": found.twin,
        "category": found.category,
        "gateway": found.gateway,
        "sealed_at": rfc3339(found.at),
        "readings": count,
    }
    if dry_run:
        app.data("adopt", **told, written=0, known=None, sent=[], dry_run=True)
        return
    app.confirm("Anchor them as yours?", yes=yes)
    result = writer.put(found.twin, found.category, found.readings)
    sent = [app.sent(each) for each in result.anchors]
    app.show(f"Written: {result.readings:,} readings" + (f"; {result.known:,} were there before" * bool(result.known)))
    app.data("adopt", **told, written=result.readings, known=result.known, sent=sent, dry_run=False)
