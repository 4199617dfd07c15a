"""`audit twin` and `audit snapshot`: whether what is said of a twin is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..app import App
from ..claims import show_claims
from ..command import verb
from ..snapshot.finding import find
from .evidence import Evidence, evidence_options

if TYPE_CHECKING:
    from ...audit import Asked


@verb("twin", epilog="Example: dtledger audit twin 7 --head 0x5c31…")
@click.argument("twin", type=click.IntRange(0), required=False)
@evidence_options
def twin(app: App, twin: int | None, **options: Any) -> None:
    """Check every claim about a twin: owner, cards, rosters, streams, writers, receipts, consents, reviews, erasure.

    Nothing is believed but the hash of one block: the head that you pin with --head or, without it, the one that the
    node names. Each event, each word of storage and each block of data is proved from it. The custodians' receipts are
    given to the twin's owner alone, as are their statements that keys are destroyed (`twin erase --statements`);
    without them those claims cannot be checked. Whether a receipt's snapshots were of the grant's period is judged
    where their owner reveals a category, and whether they were of its categories for those that are revealed. Exit code
    4 if a claim fails, 6 if none fails and one cannot be checked.
    """
    number = app.twin(twin)
    evidence = Evidence(**options)
    _answer(app, "audit-twin", evidence.asked(app, number), evidence, twin=number)


@verb("snapshot", epilog="Example: dtledger audit snapshot 3f9a0c52 --twin 7")
@click.argument("digest")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Where to look for the beginning of a digest.")
@evidence_options
def snapshot(app: App, digest: str, twin: int | None, **options: Any) -> None:
    """Check every claim about one snapshot, by its digest or CID: anchored, written by right, in a stream without gaps.

    As `audit twin` does, from the hash of one block.
    """
    found = find(app, digest, twin).found
    number = found.manifest.twin
    evidence = Evidence(**options)
    request = evidence.asked(app, number, found.digest)
    _answer(app, "audit-snapshot", request, evidence, twin=number, snapshot=found.digest)


def _answer(app: App, schema: str, request: Asked, evidence: Evidence, **said: Any) -> None:
    from ...audit import Audit, exit_code

    audit = Audit(request, evidence.source(app), app.client.context.store)
    with app.progress("checking") as progress:
        claims = []
        for claim in audit.claims():
            claims.append(claim)
            progress(len(claims), len(claims))
    shown = show_claims(app, claims)
    head = audit.chain.head if audit.chain else None
    app.data(schema, **said, block=head.number if head else None, head=head.hash if head else None, **shown)
    click.get_current_context().exit(exit_code(claims))
