"""`snapshot show`: one snapshot, as far as it can be seen without opening it."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb
from ..words import period_words
from .finding import find
from .plain import category_words, plain, standing_words


@verb("show", epilog="Examples: dtledger snapshot show 3f2a09b1c4d5e6f7 · dtledger snapshot show bafyrei…")
@click.argument("digest")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Where to look for the beginning of a digest.")
def show(app: App, digest: str, twin: int | None) -> None:
    """Show one snapshot, found and checked by its digest, the digest's beginning (8 digits or more), or its CID."""
    each = find(app, digest, twin)
    corrected_by = [amendment.found.digest for amendment in app.client.snapshots.amendments(each)]
    found, manifest = each.found, each.found.manifest
    custody = found.custody
    from ...encoding import CID

    holders = ", ".join(app.people.name(share.custodian) for share in custody.shares)
    app.show(f"snapshot    {found.digest.hex()}")
    app.show(f"cid         {CID(found.digest)}")
    app.show(f"twin        {manifest.twin}")
    app.show(f"category    {category_words(each.category, manifest.stream)}")
    app.show(f"data        {period_words(app, manifest.period)}, both minutes included")
    app.show(f"writer      {app.people.full(found.writer)}")
    app.show(f"sequence    {manifest.sequence} of stream {manifest.stream.hex()}")
    app.show(f"size        {found.size:,} bytes in {len(found.chunks())} chunks, generation {manifest.generation}")
    app.show(f"anchored    {app.time(found.batch.at)}, block {found.batch.block}")
    app.show(f"custody     {custody.threshold} of {len(custody.shares)} (roster {custody.roster}): {holders}")
    told = plain(app, each, corrected_by)
    app.show(f"remarks     {standing_words(told)}")
    if manifest.corrects:
        app.show(f"corrects    {manifest.corrects.hex()}")
    for amendment in corrected_by:
        app.show(f"corrected   by {amendment.hex()}")
    app.data(
        "snapshot",
        **told,
        cid=str(CID(found.digest)),
        previous=manifest.previous,
        chunks=len(found.chunks()),
        custody={
            "roster": custody.roster,
            "threshold": custody.threshold,
            "custodians": [app.people.plain(share.custodian) for share in custody.shares],
        },
    )
