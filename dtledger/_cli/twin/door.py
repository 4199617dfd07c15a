"""What `read` and `plot` share: the options of a request, the request itself, and what is to be said of its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ...errors import AccessDeniedError
from .. import times
from ..app import App, rfc3339
from ..doubling import doubled_plain, doubled_words
from ..words import CATEGORY, PURPOSE, Code, category_option, period_words

if TYPE_CHECKING:
    from ...client import Readings
    from ...types import Period

TWIN = click.argument("twin", type=click.IntRange(0), required=False)
WHY = click.option("--purpose", type=PURPOSE, required=True, help="Why: `dtledger help purposes`. There is no default.")

_OPTIONS = (
    TWIN,
    click.option("--category", type=CATEGORY, help="What to read: `dtledger help categories`."),
    WHY,
    click.option("--since", metavar="TIME", help="From when: 24h, 14d, 2026-11-02. By default everything."),
    click.option("--until", metavar="TIME", help="Up to when; a day counts whole."),
    click.option("--unit", metavar="UNIT", help="Convert values into this unit: `dtledger help units`."),
    click.option("--partial", is_flag=True, help="Give what is permitted and sound instead of refusing all."),
    click.option(
        "--action",
        type=Code(["READ", "TRAIN"]),
        default="READ",
        show_default=True,
        help="TRAIN fetches under a grant to train models.",
    ),
)


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a request for readings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request(
    app: App,
    twin: int | None,
    category: str | None,
    purpose: str,
    since: str | None,
    until: str | None,
    unit: str | None,
    partial: bool,
    action: str,
    originals: bool = False,
) -> tuple[Readings, dict[str, Any]]:
    """The readings, and what was asked for in the end.

    Raises:
        AccessDeniedError: not permitted; the message says what would be.
    """
    name = category_option(app, category)
    number = app.twin(twin)
    client = app.client
    now = client.context.clock()
    try:
        with app.progress("opening") as progress:
            readings = client.read(
                number,
                name,
                purpose,
                since=times.beginning(since, now, app.zone) if since else None,
                until=times.end(until, now, app.zone) - 1 if until else None,
                action=action,
                partial=partial,
                unit=unit or usual_unit(app, name),
                originals=originals,
                progress=progress,
            )
    except AccessDeniedError as error:
        permitted: Period | None = error.evidence.get("permitted")
        if permitted is not None:
            error.message += f" Permitted: {period_words(app, permitted)}."
        raise
    return readings, {"twin": number, "category": name, "purpose": purpose.upper(), "action": action.upper()}


def usual_unit(app: App, category: str) -> str | None:
    """The unit that the settings name, where it measures what the category does."""
    from ...vocabulary import category as category_named

    chosen = app.settings.unit
    return chosen if chosen and category_named(category).measured_in(chosen) else None


def remarks(app: App, readings: Readings) -> None:
    """How old, from how many custodians, what is missing: on stderr."""
    if readings.age is None:
        app.say("There is no anchored snapshot of that category yet; whether there are readings is unknown.")
    else:
        app.say(
            f"{len(readings):,} readings from {readings.snapshots} snapshots; the twin's newest is "
            f"{age_words(readings.age, stale=readings.stale)}."
        )
    doubtful = sum(each.doubtful for each in readings)
    if doubtful:
        app.warn(f"{doubtful:,} of them are not to be relied on (suspect or unverified), as their gateway found.")
    if readings.amendments:
        app.say(
            f"Corrections: {len(readings.amendments):,}; values that stand no more: {readings.superseded:,} "
            "(--originals shows them, by whom and why)."
        )
    if readings.asked:
        app.say(f"{readings.answered} of {readings.asked} custodians answered.")
    for party, fault in readings.faults.items():
        app.warn(f"{app.people.name(party)}: {fault}")
    for period, reason in readings.refused:
        app.say(f"refused: {period_words(app, period)}, {reason.text} ({reason.name})")
    if readings.uncounted:
        app.say(f"{readings.uncounted} snapshots were left out: their writer had no right to write them.")
    for each in readings.doubled:
        app.warn(doubled_words(app, each))


def age_words(age: int, *, stale: bool) -> str:
    """How old, and whether that is too old."""
    return f"{times.span(age)} old" + (f", {click.style('STALE', fg='yellow', bold=True)}" if stale else "")


def plain(app: App, readings: Readings, **asked: Any) -> dict[str, Any]:
    """The answer for JSON."""
    return {
        **asked,
        "age": readings.age,
        "stale": readings.stale,
        "snapshots": readings.snapshots,
        "custodians": {"asked": readings.asked, "answered": readings.answered},
        "faults": [
            {"party": party, "error": type(fault).__name__, "message": fault.message}
            for party, fault in readings.faults.items()
        ],
        "refused": [{**times.minutes(period), "reason": reason.name} for period, reason in readings.refused],
        "uncounted": readings.uncounted,
        "doubled": [doubled_plain(app, each) for each in readings.doubled],
        "superseded": readings.superseded,
        "amendments": [
            {
                "snapshot": f"0x{each.snapshot}",
                "corrects": f"0x{each.corrects}",
                "writer": app.people.plain(each.writer),
                "anchored_at": rfc3339(each.at),
                "reason": each.reason,
            }
            for each in readings.amendments.values()
        ],
        "readings": [
            {
                "at": each.at.isoformat(),
                "value": each.value,
                "unit": each.unit,
                "quality": each.quality,
                "why": each.why,
                "late": each.late,
                "snapshot": f"0x{each.snapshot}",
                "corrected": each.corrected,
                "superseded_by": f"0x{each.superseded_by}" if each.superseded_by else None,
            }
            for each in readings
        ],
    }
