"""`snapshot show`: one snapshot, as far as it can be seen without opening it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from ..words import period_words
from .plain import category_words, plain, standing_words

if TYPE_CHECKING:
    from ...client import Listed
    from ...types import Digest

_PREFIX = re.compile(r"(0x)?([0-9a-f]{8,64})")


@verb("show", epilog="Examples: dtledger snapshot show 3f2a09b1c4d5e6f7 · dtledger snapshot show bafyrei…")
@click.argument("digest")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Where to look for the beginning of a digest.")
def show(app: App, digest: str, twin: int | None) -> None:
    """Show one snapshot, found and checked by its digest, the digest's beginning (8 digits or more), or its CID."""
    each = _find(app, digest.lower() if not digest.startswith("ba") else digest, twin)
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
    app.show(f"remarks     {standing_words(each)}")
    if manifest.corrects:
        app.show(f"corrects    {manifest.corrects.hex()}")
    app.data(
        "snapshot",
        **plain(app, each),
        cid=str(CID(found.digest)),
        previous=manifest.previous,
        chunks=len(found.chunks()),
        custody={
            "roster": custody.roster,
            "threshold": custody.threshold,
            "custodians": [app.people.plain(share.custodian) for share in custody.shares],
        },
    )


def _find(app: App, text: str, twin: int | None) -> Listed:
    """The snapshot that `text` means.

    Raises:
        InputError: it is no digest, or none or several begin with it.
    """
    match = _PREFIX.fullmatch(text)
    if match is None:
        return app.client.snapshots.show(_digest_of_cid(text))
    digits = match[2]
    if len(digits) == 64:
        from ...types import Digest

        return app.client.snapshots.show(Digest(bytes.fromhex(digits)))
    number = app.twin(twin)
    listed = (each for group in app.client.snapshots.list(number, unnamed=True) for each in group)
    found = [each for each in listed if each.found.digest.hex().startswith(digits)]
    if len(found) != 1:
        raise InputError(
            f"Snapshots of twin {number} whose digest begins with {digits}: {len(found) or 'none'}.",
            hint="`dtledger snapshot list` shows them all; more digits tell them apart.",
        )
    return found[0]


def _digest_of_cid(text: str) -> Digest:
    from ...encoding import CID
    from ...errors import IntegrityError

    try:
        return CID.decode(text).digest
    except (ValueError, KeyError, IntegrityError):
        raise InputError(
            f"{text!r} is no snapshot's digest.", hint="It has 64 hexadecimal digits; the first 8 may be enough."
        ) from None
