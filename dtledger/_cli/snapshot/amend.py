"""`snapshot amend`: a correction, which names what it corrects and why, and hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import times
from ..app import App, rfc3339
from ..command import verb
from ..words import period_words
from .correction import Correction, of_all, of_file, standing
from .finding import find
from .one_value import of_one
from .plain import short
from .put import put

if TYPE_CHECKING:
    from ...client import Listed, PutResult

READING = ("format_", "tz", "utc_offset", "unit", "date_order", "sensor_range", "time_column", "value_column")
"""What is asked of a file, as `put` asks it."""


@verb(
    "amend",
    epilog='Examples: dtledger snapshot amend 3f2a09b1c4d5e6f7 --at 2026-11-02T08:05 --value 7.2 --reason "typing '
    'error" · dtledger snapshot amend 3f2a09b1c4d5e6f7 --file corrected.csv --reason "calibrated anew"',
)
@click.argument("digest")
@click.option("--reason", required=True, metavar="TEXT", help="Why; encrypted with the values.")
@click.option("--file", metavar="FILE|-", help="All its values are as this file has them.")
@click.option("--at", metavar="TIME", help="Only the value at that time.")
@click.option("--was", type=float, metavar="FLOAT", help="With --at: which value is wrong, where several stand.")
@click.option("--value", type=float, help="With --at: what it is. In the unit that it had, unless --unit says another.")
@click.option("--remove", is_flag=True, help="Withdraw the value at that time, or without --at all of them.")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Where to look for the beginning of a digest.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it would correct; sign nothing.")
def amend(
    app: App,
    digest: str,
    reason: str,
    file: str | None,
    at: str | None,
    was: float | None,
    value: float | None,
    remove: bool,
    twin: int | None,
    yes: bool,
    dry_run: bool,
    **reading: Any,
) -> None:
    """Correct a snapshot, found by its digest, the digest's beginning (8 digits or more), or its CID.

    The owner may, and whoever may write that category and period, be it their own snapshot or not. Reads show the
    corrected values from then on; the original stays listed and readable (`twin read --originals`), with your reason
    beside it. A correction is corrected in the same way. Readings of another time are written with `snapshot put`.
    """
    _require_one_way(file, at, was, value, remove)
    listed = app.client.writer.amendable(find(app, digest, twin).found.digest)
    stands = standing(app, listed)
    if file is not None:
        correction = of_file(app, listed, stands, file, **reading)
    elif at is not None:
        correction = of_one(app, listed, stands, at, was, value, reading["unit"])
    else:
        correction = of_all(stands)
    found = listed.found
    how = {"replaces": correction.replaces}
    app.client.writer.draft_amendment(found.digest, correction.readings, reason, **how)
    sentence = _sentence(app, listed, correction, reason)
    app.say(sentence)
    told = _told(app, listed, correction, reason, sentence)
    if dry_run:
        app.say("Nothing was signed.")
        app.data("amendment", **told, **_outcome(app, None), dry_run=True)
        return
    app.confirm("Correct it?", yes=yes)
    result = app.client.writer.amend(found.digest, correction.readings, reason, **how)
    outcome = _outcome(app, result)
    if result.written:
        app.show(f"Corrected: {short(found.digest)} by {short(outcome['digest'])}")
    else:
        app.show("That correction was written before.")
    app.data("amendment", **told, **outcome, dry_run=False)


amend.params[-5:-5] = [each for each in put.params if each.name in READING]


def _require_one_way(file: str | None, at: str | None, was: float | None, value: float | None, remove: bool) -> None:
    ways = (file is not None, value is not None, remove)
    of_a_time = value is not None or was is not None
    if sum(ways) != 1 or (of_a_time and at is None) or (file is not None and at is not None):
        raise click.UsageError("Say how: --file FILE, --at TIME --value VALUE, or --remove with or without --at TIME.")


def _sentence(app: App, listed: Listed, correction: Correction, reason: str) -> str:
    found, why = listed.found, reason.rstrip(".")
    return (
        f"This corrects {listed.category} of twin {found.manifest.twin}, {period_words(app, found.manifest.period)} "
        f"(snapshot {short(found.digest)} of {app.people.name(found.writer)}): {correction.words}. Why: {why}. "
        "What stood there before stays readable."
    )


def _told(app: App, listed: Listed, correction: Correction, reason: str, sentence: str) -> dict[str, Any]:
    found, replaces = listed.found, correction.replaces
    return {
        "twin": found.manifest.twin,
        "category": listed.category,
        "corrects": found.digest,
        "writer": app.people.plain(found.writer),
        **times.minutes(found.manifest.period),
        "reason": reason,
        "replaces": None if replaces is None else [rfc3339(each) for each in replaces],
        "readings": [
            {"at": each.at.isoformat(), "value": each.value, "unit": each.unit, "quality": each.quality}
            for each in correction.readings
        ],
        "sentence": sentence,
    }


def _outcome(app: App, result: PutResult | None) -> dict[str, Any]:
    if result is None:
        return {"digest": None, "resumed": 0, "sent": []}
    if result.resumed:
        app.say(f"{result.resumed} snapshots that an earlier write had left unanchored are anchored now.")
    return {
        "digest": next((each.manifest.digest for each in result.written), None),
        "resumed": result.resumed,
        "sent": [app.sent(each) for each in result.anchors],
    }
