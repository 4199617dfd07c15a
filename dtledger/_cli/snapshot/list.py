"""`snapshot list`: what there is, by whom, how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import times
from ..app import App
from ..command import verb
from ..words import CATEGORY, table
from .plain import category_words, plain, short, standing_words

if TYPE_CHECKING:
    from ...client import Listed
    from ...types import Digest


@verb("list", epilog="Examples: dtledger snapshot list --twin 7 --category glucose --since 7d")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--category", type=CATEGORY, help="Only this category.")
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
    rows: list[list[str]] = []
    told: list[dict[str, Any]] = []
    corrected_by: dict[Digest, list[Digest]] = {}
    for group in client.snapshots.list(number, category, period, unnamed=every):  # a group's blocks go with it
        for each in group:
            if each.found.manifest.corrects and each.found.counts is not False:
                corrected_by.setdefault(each.found.manifest.corrects, []).append(each.found.digest)
        rows += [_row(app, each) for each in group]
        told += [plain(app, each) for each in group]
    told = [each | {"corrected_by": corrected_by.get(each["digest"], [])} for each in told]
    headings = ["from", "until", "category", "writer", "no.", "bytes", "digest", "remarks"]
    lines = [[*row, standing_words(each)] for row, each in zip(rows, told, strict=True)]
    for line in table(headings, lines) if lines else []:
        app.show(line)
    app.say(f"{len(rows):,} snapshots." if rows else "There is no anchored snapshot of that; more is unknown.")
    app.data("snapshots", twin=number, snapshots=told)


def _row(app: App, each: Listed) -> list[str]:
    found = each.found
    return [
        app.time(found.manifest.period.start * 60),
        app.time(found.manifest.period.end * 60),
        category_words(each.category, found.manifest.stream),
        app.people.name(found.writer),
        f"{found.manifest.sequence}",
        f"{found.size:,}",
        short(found.digest),
    ]
