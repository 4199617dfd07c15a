"""`snapshot list`: what there is, by whom, how large."""

from __future__ import annotations

import click

from .. import times
from ..app import App
from ..command import verb
from ..words import CATEGORY, table
from .plain import category_words, plain, standing_words


@verb("list", epilog="Examples: dtledger snapshot list --twin 7 --category glucose --since 7d")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--category", type=CATEGORY, metavar="NAME", help="Only this category.")
@click.option("--since", metavar="TIME", help="Data from when: 24h, 14d, 2026-11-02. By default everything.")
@click.option("--until", metavar="TIME", help="Data up to when; a day counts whole.")
@click.option("--all", "every", is_flag=True, help="Also streams whose category this key cannot name.")
def list_(app: App, twin: int | None, category: str | None, since: str | None, until: str | None, every: bool) -> None:
    """List a twin's anchored snapshots, each checked as it is found. Nothing is opened, and no custodian is asked.

    The owner sees the names of all categories, a grantee those of its grants in force. Whoever can name none sees
    what everybody sees: streams, periods, padded sizes, writers.
    """
    number = app.twin(twin)
    client = app.client
    now = client.context.clock()
    period = client.period(
        times.beginning(since, now, app.zone) if since else None,
        times.end(until, now, app.zone) - 1 if until else None,
    )
    listed = [each for group in client.snapshots.list(number, category, period, unnamed=every) for each in group]
    rows = [
        [
            app.time(each.found.manifest.period.start * 60),
            app.time(each.found.manifest.period.end * 60),
            category_words(each.category, each.found.manifest.stream),
            app.people.name(each.found.writer),
            each.found.manifest.sequence,
            f"{each.found.size:,}",
            standing_words(each),
            each.found.digest.hex()[:16],
        ]
        for each in listed
    ]
    headings = ["from", "until", "category", "writer", "no.", "bytes", "remarks", "digest"]
    for line in table(headings, rows) if rows else []:
        app.show(line)
    app.say(f"{len(rows):,} snapshots." if rows else "There is no anchored snapshot of that; more is unknown.")
    app.data("snapshots", twin=number, snapshots=[plain(app, each) for each in listed])
