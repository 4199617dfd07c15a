"""`fhir import observations`: a bundle's Observations become snapshots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from ...errors import InputError
from ..app import App
from ..command import verb
from ..words import CATEGORY
from .plain import shown, source

if TYPE_CHECKING:
    from ...fhir import Day, Observed

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
SHOWN = 10
"""Problems that are shown one by one; --json has all."""


@verb(
    "observations",
    epilog="Examples: dtledger fhir import observations bundle.json --twin 7 · "
    "dtledger fhir import observations weight.json --twin 7 --day-at 12:00 --tz Europe/Vienna",
)
@click.argument("file", metavar="FILE|-")
@click.option("--twin", type=click.IntRange(0), metavar="NUMBER", help="Which twin, if you have several.")
@click.option("--category", type=CATEGORY, help="Only these; by default every category that the file has.")
@click.option("--subject", metavar="REFERENCE", help="Whose, as the file names them, where it holds several people.")
@click.option("--day-at", metavar="HH:MM", help="The time of day that stands for one that is not there.")
@click.option("--tz", metavar="ZONE", help="With --day-at: whose day: Europe/Vienna.")
@click.option("--utc-offset", metavar="OFFSET", help="Instead: that day's fixed offset: +01:00.")
@click.option("--skip-unreadable", is_flag=True, help="Write the others if some cannot be read.")
@click.option("--dry-run", is_flag=True, help="Read the file and say what would be written; write nothing.")
def observations(
    app: App,
    file: str,
    twin: int | None,
    category: str | None,
    subject: str | None,
    day_at: str | None,
    tz: str | None,
    utc_offset: str | None,
    skip_unreadable: bool,
    dry_run: bool,
) -> None:
    """Write the Observations of a FHIR R4 resource or bundle to a twin, as `snapshot put` does.

    Categories go by LOINC, units by UCUM, as `dtledger help fhir` lists them. What is of another code is counted and
    left alone; what cannot be read stops it, unless --skip-unreadable says to write the rest.
    """
    from ...fhir import read_file, read_observations

    found = read_observations(read_file(source(file)), subject=subject, day=_day(day_at, tz, utc_offset))
    readings = {name: each for name, each in found.readings.items() if category in {None, name}}
    number = None if dry_run and twin is None else app.twin(twin)
    _say(app, found)
    told = {"twin": number, **_plain(found)}
    if found.problems and not skip_unreadable:
        app.data("fhir-observations", **told, written=[], dry_run=dry_run)
        raise InputError(
            f"{len(found.problems)} of {found.observations} Observations cannot be read, so nothing was written.",
            hint="Write the others: --skip-unreadable.",
        )
    if not readings:
        raise InputError("The file holds no Observation that can be written.")
    written = []
    for name, each in readings.items():
        if dry_run or number is None:
            app.show(f"Would write {len(each):,} readings of {name}.")
            continue
        with app.progress(name) as progress:
            result = app.client.writer.put(number, name, each, progress=progress)
        known = f"; {result.known:,} were there before" if result.known else ""
        app.show(f"{name}: {result.readings:,} readings in {len(result.written):,} snapshots{known}")
        sent = [app.sent(anchor) for anchor in result.anchors]
        written.append({"category": name, "readings_written": result.readings, "readings_known": result.known,
                        "snapshots": len(result.written), "sent": sent})  # fmt: skip
    app.data("fhir-observations", **told, written=written, dry_run=dry_run)


def _day(at: str | None, tz: str | None, utc_offset: str | None) -> Day | None:
    from ...fhir import Day
    from ...importers.options import Options

    if at is None:
        if tz or utc_offset:
            raise click.UsageError("--tz and --utc-offset go with --day-at: other times have their offset.")
        return None
    match = _TIME_OF_DAY.fullmatch(at)
    if match is None:
        raise click.UsageError("--day-at is a time of day like 12:00.")
    if not (tz or utc_offset):
        raise click.UsageError("Whose day is it? Say --tz ZONE or --utc-offset OFFSET.")
    return Day(int(match[1]) * 3600 + int(match[2]) * 60, Options.checked(tz=tz, utc_offset=utc_offset))


def _say(app: App, found: Observed) -> None:
    app.say(
        f"{found.observations:,} Observations: {found.imported:,} imported, {len(found.problems):,} that cannot be read"
        + (f", {found.repeats:,} values twice" if found.repeats else "")
        + "."
    )
    if found.others:
        kinds = sorted(found.others.items(), key=lambda each: (-each[1], each[0]))
        app.say("Left alone: " + ", ".join(f"{count:,} {shown(kind)}" for kind, count in kinds[:SHOWN]) + ".")
        if len(kinds) > SHOWN:
            app.say(f"  and {len(kinds) - SHOWN} more kinds (--json lists all)")
    for each in found.problems[:SHOWN]:
        app.say(f"  {each.path}: {each.words}")
    if len(found.problems) > SHOWN:
        app.say(f"  and {len(found.problems) - SHOWN} more (--json lists all)")


def _plain(found: Observed) -> dict[str, Any]:
    return {
        "observations": found.observations,
        "imported": found.imported,
        "repeats": found.repeats,
        "readings": {name: len(each) for name, each in found.readings.items()},
        "others": dict(found.others),
        "problems": [{"path": each.path, "reason": each.words} for each in found.problems],
    }
